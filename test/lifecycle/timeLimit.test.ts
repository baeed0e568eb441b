import { ExchangeBindingError } from "../../provider/errors";
import { sleep, untilFired, withTimeLimit } from "../../provider/lifecycle/timeLimit";

const never = (): Promise<never> => new Promise(() => undefined);

describe("a time limit", () => {
  it("passes on what comes in time, result and error", async () => {
    await expect(withTimeLimit(60, "Reading", () => Promise.resolve("in time"))).resolves.toBe("in time");
    await expect(withTimeLimit(60, "Reading", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  });

  it("fires the signal, and what runs may then say in its own words how far it came", async () => {
    const run = withTimeLimit(0.01, "Binding", async (signal) => {
      await sleep(60_000, signal).catch(() => undefined);
      return "got as far as the import";
    });
    await expect(run).resolves.toBe("got as far as the import");
  });

  it("ends also what pays no heed to the signal, naming what was done, the limit and what to do", async () => {
    await expect(withTimeLimit(0.01, 'Binding "mail" on ex01.contoso.com', never)).rejects.toMatchObject({
      code: "TimedOut",
      facts: { seconds: 0.01 },
      message:
        'Binding "mail" on ex01.contoso.com: no end after 0.01 seconds. Look whether the server answers, then run again; timeoutSeconds sets the limit.',
    });
  });
});

describe("waiting for something until a signal fires", () => {
  it("gives its outcome when that is first", async () => {
    const { signal } = new AbortController();
    await expect(untilFired(signal, Promise.resolve(1))).resolves.toBe(1);
    await expect(untilFired(signal, Promise.reject(new Error("no")))).rejects.toThrow("no");
  });

  it("ends with the signal's reason, fired before or meanwhile", async () => {
    const reason = new ExchangeBindingError("TimedOut", "too late");
    await expect(untilFired(AbortSignal.abort(reason), never())).rejects.toBe(reason);
    const controller = new AbortController();
    const waiting = untilFired(controller.signal, never());
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  it("adds what a call that heeds the signal was at", async () => {
    const reason = new ExchangeBindingError("TimedOut", "No end after 5 seconds.", { facts: { seconds: 5 } });
    const last = new ExchangeBindingError("ServerUnreachable", "Importing: the connection was lost", {
      facts: { cmdlet: "Import-ExchangeCertificate" },
    });
    const heeding = async (signal: AbortSignal, error: Error): Promise<never> => {
      await sleep(60_000, signal).catch(() => undefined);
      throw error;
    };
    const end = (error: Error): Promise<unknown> => {
      const controller = new AbortController();
      const waiting = untilFired(controller.signal, heeding(controller.signal, error));
      controller.abort(reason);
      return waiting;
    };
    await expect(end(last)).rejects.toMatchObject({
      code: "TimedOut",
      message: "No end after 5 seconds. At that moment: Importing: the connection was lost.",
      facts: { seconds: 5, cmdlet: "Import-ExchangeCertificate" },
    });
    await expect(end(new Error("This operation was aborted"))).rejects.toBe(reason);
    await expect(end(reason)).rejects.toBe(reason);
  });

  it("is a binding's error even where the signal gives none", async () => {
    await expect(untilFired(AbortSignal.abort("a text"), never())).rejects.toMatchObject({ code: "TimedOut" });
    await expect(sleep(60_000, AbortSignal.abort("a text"))).rejects.toMatchObject({ code: "TimedOut" });
  });

  it("sleeps, or wakes with the signal's reason", async () => {
    const controller = new AbortController();
    await expect(sleep(0, controller.signal)).resolves.toBeUndefined();
    const sleeping = sleep(60_000, controller.signal);
    controller.abort(new Error("enough"));
    await expect(sleeping).rejects.toThrow("enough");
  });
});
