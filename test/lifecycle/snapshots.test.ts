import { ExchangeBindingError } from "../../provider/errors";
import { Snapshots } from "../../provider/lifecycle/snapshots";
import type { ObservedServer } from "../../provider/plan/observedServer";
import { EX01, EX02, server } from "../plan/servers";
import { FakeTime } from "./fakeTime";

const MINUTE = { seconds: 60 };

/** Reads that end when they are told to. */
function readings() {
  const time = new FakeTime();
  const asked: string[] = [];
  const signals: AbortSignal[] = [];
  const ends: { readonly answer: (seen: ObservedServer) => void; readonly fail: (error: Error) => void }[] = [];
  const read = (name: string, signal: AbortSignal): Promise<ObservedServer> => {
    asked.push(name);
    signals.push(signal);
    return new Promise((answer, fail) => ends.push({ answer, fail }));
  };
  const snapshots = new Snapshots(read, time.timer);
  const end = (i: number) => {
    const found = ends[i];
    if (found === undefined) throw new Error(`there is no reading ${i}`);
    return found;
  };
  return { snapshots, asked, signals, time, end };
}

const first = server();
const second = server([], { imapCertificateName: { kind: "known", value: "second" } });

describe("the snapshots of a deployment", () => {
  it("read a server once, however many ask and whenever", async () => {
    const { snapshots, asked, end } = readings();
    const one = snapshots.get(EX01, MINUTE);
    const other = snapshots.get(EX01, MINUTE);
    end(0).answer(first);
    expect(await one).toBe(first);
    expect(await other).toBe(first);
    expect(await snapshots.get(EX01, MINUTE)).toBe(first);
    expect(asked).toEqual([EX01]);
    expect(snapshots.last(EX01)).toBe(first);
  });

  it("begin to read several servers side by side", () => {
    const { snapshots, asked } = readings();
    snapshots.prefetch([EX01, EX02, EX01], MINUTE);
    expect(asked).toEqual([EX01, EX02]);
    expect(snapshots.last(EX01)).toBeUndefined();
  });

  it("remember a failure like an answer, and give it to whoever asks, not to nobody", async () => {
    const { snapshots, asked, end } = readings();
    snapshots.prefetch([EX01], MINUTE);
    end(0).fail(new Error("unreachable"));
    await expect(snapshots.get(EX01, MINUTE)).rejects.toThrow("unreachable");
    await expect(snapshots.get(EX01, MINUTE)).rejects.toThrow("unreachable");
    expect(asked).toEqual([EX01]);
  });

  it("give what was read after a change, and read again what was dropped", async () => {
    const { snapshots, asked, end } = readings();
    snapshots.keep(EX01, second);
    expect(await snapshots.get(EX01, MINUTE)).toBe(second);
    expect(asked).toEqual([]);
    snapshots.drop(EX01);
    expect(snapshots.last(EX01)).toBeUndefined();
    const again = snapshots.get(EX01, MINUTE);
    end(0).answer(first);
    expect(await again).toBe(first);
  });

  it("never let a reading from before a change take the place of the one after it", async () => {
    const { snapshots, end } = readings();
    const early = snapshots.get(EX01, MINUTE);
    snapshots.keep(EX01, second);
    end(0).answer(first);
    await early;
    expect(snapshots.last(EX01)).toBe(second);
    const { snapshots: others, end: endOther } = readings();
    const dropped = others.get(EX01, MINUTE);
    others.drop(EX01);
    endOther(0).answer(first);
    await dropped;
    expect(others.last(EX01)).toBeUndefined();
  });
});

/** What has become of a promise, for a look without waiting. */
function watched<T>(promise: Promise<T>): { outcome: string } {
  const seen = { outcome: "waiting" };
  promise.then(
    () => (seen.outcome = "read"),
    (error: unknown) => (seen.outcome = error instanceof Error ? error.message : "?"),
  );
  return seen;
}

/** Lets everything run that waits for nothing but its turn. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const noEnd = (seconds: number): string =>
  `Reading ${EX01}: no end after ${seconds} seconds. Look whether the server answers, then run again; timeoutSeconds sets the limit.`;

describe("who waits for a reading", () => {
  it("waits as long as he wants: 900 seconds, and 5, for one and the same reading", async () => {
    const { snapshots, asked, signals, time, end } = readings();
    const short = watched(snapshots.get(EX01, { seconds: 5 }));
    const long = watched(snapshots.get(EX01, { seconds: 900 }));
    time.pass(4999);
    await turn();
    expect([short.outcome, long.outcome]).toEqual(["waiting", "waiting"]);
    time.pass(1);
    time.pass(300);
    await turn();
    expect([short.outcome, long.outcome]).toEqual([noEnd(5), "waiting"]);
    time.pass(894_000);
    await turn();
    expect(long.outcome).toBe("waiting");
    expect(signals[0]?.aborted).toBe(false);
    end(0).answer(first);
    await turn();
    expect(long.outcome).toBe("read");
    expect(asked).toEqual([EX01]);
  });

  it("waits no longer than he wants, also when the reading was begun by somebody with more time", async () => {
    const { snapshots, time } = readings();
    const long = watched(snapshots.get(EX01, { seconds: 900 }));
    const short = watched(snapshots.get(EX01, { seconds: 5 }));
    time.pass(5300);
    await turn();
    expect([short.outcome, long.outcome]).toEqual([noEnd(5), "waiting"]);
    time.pass(894_700);
    time.pass(300);
    await turn();
    expect(long.outcome).toBe(noEnd(900));
  });

  it("keeps a reading alive; the last one to leave ends it", async () => {
    const { snapshots, signals, time } = readings();
    snapshots.prefetch([EX01], { seconds: 60 });
    const short = watched(snapshots.get(EX01, { seconds: 5 }));
    time.pass(5300);
    await turn();
    expect(short.outcome).toBe(noEnd(5));
    expect(signals[0]?.aborted).toBe(false);
    time.pass(55_000);
    expect(signals[0]?.aborted).toBe(true);
  });

  it("may be called away by a signal of his own, which is no failure for others", async () => {
    const { snapshots, asked, signals, end } = readings();
    const mine = new AbortController();
    const one = watched(snapshots.get(EX01, { seconds: 60, signal: mine.signal }));
    mine.abort(new Error("cancelled"));
    expect(signals[0]?.aborted).toBe(true);
    end(0).fail(new Error("given up"));
    await turn();
    expect(one.outcome).not.toBe("waiting");
    const other = snapshots.get(EX01, { seconds: 1 });
    end(1).answer(first);
    expect(await other).toBe(first);
    await expect(snapshots.get(EX02, { seconds: 60, signal: mine.signal })).rejects.toThrow("cancelled");
    expect(asked).toEqual([EX01, EX01]);
  });

  it("isn't told that nothing came in time by those who had less time", async () => {
    const { snapshots, asked, time, end } = readings();
    const short = watched(snapshots.get(EX01, { seconds: 5 }));
    time.pass(5300);
    await turn();
    expect(short.outcome).toBe(noEnd(5));
    // Whoever wouldn't wait longer needs not wait again.
    await expect(snapshots.get(EX01, { seconds: 5 })).rejects.toThrow(noEnd(5));
    await expect(snapshots.get(EX01, { seconds: 4 })).rejects.toThrow(noEnd(5));
    expect(asked).toEqual([EX01]);
    const long = snapshots.get(EX01, { seconds: 6 });
    end(1).answer(first);
    expect(await long).toBe(first);
    expect(await snapshots.get(EX01, { seconds: 1 })).toBe(first);
    // What the first reading says after all is from before, and nobody's any more.
    end(0).answer(second);
    await turn();
    expect(snapshots.last(EX01)).toBe(first);
  });

  it("has the server read again after a change, whatever was given up before", async () => {
    const { snapshots, time, end } = readings();
    const one = watched(snapshots.get(EX01, { seconds: 5 }));
    time.pass(5300);
    await turn();
    expect(one.outcome).toBe(noEnd(5));
    snapshots.drop(EX01);
    const again = snapshots.get(EX01, { seconds: 5 });
    end(1).answer(first);
    expect(await again).toBe(first);
  });

  it("gets what the reading was at when his limit ended it", async () => {
    const { snapshots, time, end } = readings();
    const one = watched(snapshots.get(EX01, { seconds: 5 }));
    time.pass(5000);
    end(0).fail(new ExchangeBindingError("ServerUnreachable", "asking for the certificates"));
    await turn();
    expect(one.outcome).toBe(`${noEnd(5)} At that moment: asking for the certificates.`);
  });
});
