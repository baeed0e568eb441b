import { getMaxListeners } from "node:events";

import { ExchangeBindingError } from "../../provider/errors";
import { machineTimer, sleep, untilFired, withTimeLimit } from "../../provider/lifecycle/timeLimit";
import { FakeTime } from "./fakeTime";

const never = (): Promise<never> => new Promise(() => undefined);

describe("a time limit", () => {
  it("has a signal for which any number may wait, without a warning of Node's on the console", async () => {
    expect(await withTimeLimit(60, "Reading", (signal) => Promise.resolve(getMaxListeners(signal)))).toBe(Infinity);
  });

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

  it("ends with the outer signal's reason, and begins nothing when that has fired already", async () => {
    const outer = new AbortController();
    const run = withTimeLimit(60, "Reading", (signal) => sleep(60_000, signal), { signal: outer.signal });
    outer.abort(new Error("the engine cancels"));
    await expect(run).rejects.toThrow("the engine cancels");
    let begun = 0;
    const late = withTimeLimit(60, "Reading", () => Promise.resolve((begun += 1)), { signal: outer.signal });
    await expect(late).rejects.toThrow("the engine cancels");
    expect(begun).toBe(0);
  });

  it("gives way to a nearer limit, which names what sets it", async () => {
    const time = new FakeTime();
    const options = { override: { seconds: 7, setBy: "customTimeouts" }, timer: time.timer };
    const run = withTimeLimit(900, "Reading", never, options);
    time.pass(6999);
    expect(time.waiting).toBe(1);
    time.pass(1);
    time.pass(2000);
    await expect(run).rejects.toThrow(
      "Reading: no end after 7 seconds. Look whether the server answers, then run again; customTimeouts sets the limit.",
    );
  });

  it("that nobody can set says so", async () => {
    const time = new FakeTime();
    const run = withTimeLimit({ seconds: 300, setBy: null }, "Opening the backend", never, { timer: time.timer });
    time.pass(303_000);
    await expect(run).rejects.toThrow(
      "Opening the backend: no end after 300 seconds. Look whether the server answers, then run again; this limit is fixed.",
    );
  });

  it("begins anew, as long again and at once, for what has to be done although something failed", async () => {
    const time = new FakeTime();
    const began: AbortSignal[] = [];
    const run = withTimeLimit(
      5,
      "Binding",
      (first, anew) => {
        time.pass(4999);
        const second = anew("Taking back the import");
        began.push(first, second);
        return never();
      },
      { timer: time.timer },
    );
    time.pass(4999);
    expect(began.map(({ aborted }) => aborted)).toEqual([false, false]);
    time.pass(1);
    expect(began.map(({ aborted }) => aborted)).toEqual([false, true]);
    time.pass(2000);
    await expect(run).rejects.toThrow("Taking back the import: no end after 5 seconds.");
    expect(time.waiting).toBe(0);
  });

  it("begins nothing anew once its end was told", async () => {
    const time = new FakeTime();
    let late = (): AbortSignal => new AbortController().signal;
    const run = withTimeLimit(
      5,
      "Binding",
      (_signal, anew) => {
        late = () => anew("Taking back the import");
        return never();
      },
      { timer: time.timer },
    );
    time.pass(7000);
    await expect(run).rejects.toThrow("Binding: no end after 5 seconds.");
    expect(late().aborted).toBe(true);
    expect(time.waiting).toBe(0);
  });

  it("leaves no timer behind, whatever the end", async () => {
    const time = new FakeTime();
    await withTimeLimit(5, "Reading", () => Promise.resolve(1), { timer: time.timer });
    await withTimeLimit(5, "Reading", () => Promise.reject(new Error("no")), { timer: time.timer }).catch(() => 0);
    const heeding = withTimeLimit(5, "Reading", (signal) => sleep(60_000, signal), { timer: time.timer });
    time.pass(5000);
    await expect(heeding).rejects.toThrow("no end after 5 seconds");
    expect(time.waiting).toBe(0);
  });

  it("takes a limit that Node's timers can't count for their longest one, and not for none", async () => {
    const ran = jest.fn();
    const cancel = machineTimer(10 ** 15, ran);
    await new Promise((resolve) => setTimeout(resolve, 20));
    cancel();
    expect(ran).not.toHaveBeenCalled();
  });
});

describe("waiting for something until a signal fires", () => {
  it("gives its outcome when that is first", async () => {
    const { signal } = new AbortController();
    await expect(untilFired(signal, () => Promise.resolve(1))).resolves.toBe(1);
    await expect(untilFired(signal, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  });

  it("ends with the signal's reason, fired before or meanwhile", async () => {
    const reason = new ExchangeBindingError("TimedOut", "too late");
    await expect(untilFired(AbortSignal.abort(reason), never)).rejects.toBe(reason);
    const controller = new AbortController();
    const waiting = untilFired(controller.signal, never);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  it("begins nothing once the signal has fired", async () => {
    const begin = jest.fn(never);
    await expect(untilFired(AbortSignal.abort(new Error("too late")), begin)).rejects.toThrow("too late");
    expect(begin).not.toHaveBeenCalled();
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
      const waiting = untilFired(controller.signal, () => heeding(controller.signal, error));
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
    await expect(untilFired(AbortSignal.abort("a text"), never)).rejects.toMatchObject({ code: "TimedOut" });
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
