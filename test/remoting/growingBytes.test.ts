import fc from "fast-check";
import { GrowingBytes } from "../../provider/remoting/growingBytes";

describe("bytes that come in pieces", () => {
  it("are all there, in order", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (pieces) => {
        const growing = new GrowingBytes();
        for (const piece of pieces) growing.append(piece);
        expect(Buffer.from(growing.bytes).equals(Buffer.concat(pieces))).toBe(true);
        expect(growing.length).toBe(growing.bytes.length);
      }),
    );
  });

  it("take no more room than twice what has come, and stay what they were", () => {
    const growing = new GrowingBytes();
    const first = Uint8Array.of(1, 2, 3);
    growing.append(first);
    const before = growing.bytes;
    first.fill(9);
    for (let count = 1; count < 5000; count++) {
      growing.append(Uint8Array.of(count));
      expect(growing.bytes.buffer.byteLength).toBeLessThanOrEqual(2 * growing.length);
    }
    expect([...before]).toEqual([1, 2, 3]);
  });
});
