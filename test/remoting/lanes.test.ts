import { Lanes } from "../../provider/remoting/lanes";

const unlimited = new AbortController().signal;

function numbered(max: number): Lanes<number> {
  let made = 0;
  return new Lanes(max, () => ++made);
}

describe("lanes", () => {
  it("are made when they are needed, and no more than allowed", async () => {
    const lanes = numbered(2);
    expect(lanes.made).toEqual([]);
    expect([await lanes.acquire(unlimited), await lanes.acquire(unlimited)]).toEqual([1, 2]);
    const third = lanes.acquire(unlimited);
    lanes.release(1);
    expect(await third).toBe(1);
    expect(lanes.made).toEqual([1, 2]);
  });

  it("are lent to those who wait in their order, and say that somebody waits", async () => {
    const lanes = numbered(1);
    const lane = await lanes.acquire(unlimited);
    expect(lanes.isWanted).toBe(false);
    const order: string[] = [];
    const waiting = ["first", "second"].map((name) => lanes.use(unlimited, () => Promise.resolve(order.push(name))));
    expect(lanes.isWanted).toBe(true);
    lanes.release(lane);
    await Promise.all(waiting);
    expect(order).toEqual(["first", "second"]);
    expect(lanes.isWanted).toBe(false);
  });

  it("aren't kept for somebody who has given up", async () => {
    const lanes = numbered(1);
    const lane = await lanes.acquire(unlimited);
    const impatient = new AbortController();
    const given = lanes.acquire(impatient.signal);
    impatient.abort();
    await expect(given).rejects.toMatchObject({ code: "Aborted", facts: { fate: "notDone" } });
    expect(lanes.isWanted).toBe(false);
    lanes.release(lane);
    expect(await lanes.acquire(unlimited)).toBe(lane);
  });
});
