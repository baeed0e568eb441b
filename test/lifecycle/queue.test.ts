import { KeyedQueue } from "../../provider/lifecycle/queue";

describe("changes", () => {
  it("of one server run one after the other, of different servers side by side", async () => {
    const queue = new KeyedQueue();
    const events: string[] = [];
    const release = new Map<string, () => void>();
    const job = (name: string) => async () => {
      events.push(`${name} begins`);
      await new Promise<void>((resolve) => release.set(name, resolve));
      events.push(`${name} ends`);
      return name;
    };
    const all = [queue.run("ex01", job("a")), queue.run("ex01", job("b")), queue.run("ex02", job("c"))];
    await Promise.resolve();
    expect(events).toEqual(["a begins", "c begins"]);
    release.get("c")?.();
    release.get("a")?.();
    await all[0];
    await all[2];
    // b begins once a has ended.
    await new Promise(setImmediate);
    release.get("b")?.();
    expect(await Promise.all(all)).toEqual(["a", "b", "c"]);
    expect(events.indexOf("b begins")).toBeGreaterThan(events.indexOf("a ends"));
  });

  it("run although the one before failed, whose failure is its own", async () => {
    const queue = new KeyedQueue();
    const failing = queue.run("ex01", () => Promise.reject(new Error("no")));
    const next = queue.run("ex01", () => Promise.resolve("done"));
    await expect(failing).rejects.toThrow("no");
    await expect(next).resolves.toBe("done");
  });
});
