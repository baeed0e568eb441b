import { Snapshots } from "../../provider/lifecycle/snapshots";
import type { ObservedServer } from "../../provider/plan/observedServer";
import { EX01, EX02, server } from "../plan/servers";

/** Reads that end when they are told to. */
function readings() {
  const asked: string[] = [];
  const ends: { readonly answer: (seen: ObservedServer) => void; readonly fail: (error: Error) => void }[] = [];
  const snapshots = new Snapshots((name) => {
    asked.push(name);
    return new Promise((answer, fail) => ends.push({ answer, fail }));
  });
  const end = (i: number) => {
    const found = ends[i];
    if (found === undefined) throw new Error(`there is no reading ${i}`);
    return found;
  };
  return { snapshots, asked, end };
}

const first = server();
const second = server([], { imapCertificateName: { kind: "known", value: "second" } });

describe("the snapshots of a deployment", () => {
  it("read a server once, however many ask and whenever", async () => {
    const { snapshots, asked, end } = readings();
    const one = snapshots.get(EX01);
    const other = snapshots.get(EX01);
    end(0).answer(first);
    expect(await one).toBe(first);
    expect(await other).toBe(first);
    expect(await snapshots.get(EX01)).toBe(first);
    expect(asked).toEqual([EX01]);
    expect(snapshots.last(EX01)).toBe(first);
  });

  it("begin to read several servers side by side", () => {
    const { snapshots, asked } = readings();
    snapshots.prefetch([EX01, EX02, EX01]);
    expect(asked).toEqual([EX01, EX02]);
    expect(snapshots.last(EX01)).toBeUndefined();
  });

  it("remember a failure like an answer, and give it to whoever asks, not to nobody", async () => {
    const { snapshots, asked, end } = readings();
    snapshots.prefetch([EX01]);
    end(0).fail(new Error("unreachable"));
    await expect(snapshots.get(EX01)).rejects.toThrow("unreachable");
    await expect(snapshots.get(EX01)).rejects.toThrow("unreachable");
    expect(asked).toEqual([EX01]);
  });

  it("give what was read after a change, and read again what was dropped", async () => {
    const { snapshots, asked, end } = readings();
    snapshots.keep(EX01, second);
    expect(await snapshots.get(EX01)).toBe(second);
    expect(asked).toEqual([]);
    snapshots.drop(EX01);
    expect(snapshots.last(EX01)).toBeUndefined();
    const again = snapshots.get(EX01);
    end(0).answer(first);
    expect(await again).toBe(first);
  });

  it("never let a reading from before a change take the place of the one after it", async () => {
    const { snapshots, end } = readings();
    const early = snapshots.get(EX01);
    snapshots.keep(EX01, second);
    end(0).answer(first);
    await early;
    expect(snapshots.last(EX01)).toBe(second);
    const { snapshots: others, end: endOther } = readings();
    const dropped = others.get(EX01);
    others.drop(EX01);
    endOther(0).answer(first);
    await dropped;
    expect(others.last(EX01)).toBeUndefined();
  });
});
