import fc from "fast-check";
import { isRemotingError } from "../../../provider/remoting/errors";
import {
  Defragmenter,
  encodeFragment,
  type Fragment,
  FragmentWriter,
  ObjectIds,
} from "../../../provider/remoting/psrp/fragment";

function fragment(parts: Partial<Fragment>): Uint8Array {
  return encodeFragment({
    objectId: 1n,
    fragmentId: 0n,
    isStart: false,
    isEnd: false,
    blob: Uint8Array.of(1),
    ...parts,
  });
}

function takeAll(writer: FragmentWriter, maxBytes: number, maxFragments?: number): Uint8Array[] {
  const taken: Uint8Array[] = [];
  for (let next = writer.take(maxBytes, maxFragments); next !== undefined; next = writer.take(maxBytes, maxFragments)) {
    taken.push(next.bytes);
  }
  return taken;
}

describe("writing fragments", () => {
  it("numbers objects from 1 and fragments from 0, big-endian", () => {
    const writer = new FragmentWriter(new ObjectIds());
    writer.add(Uint8Array.of(1, 2, 3), "stdin");
    writer.add(Uint8Array.of(4), "stdin");
    expect(Buffer.from(writer.take(1000)?.bytes ?? []).toString("hex")).toBe(
      "0000000000000001" +
        "0000000000000000" +
        "03" +
        "00000003" +
        "010203" +
        "0000000000000002" +
        "0000000000000000" +
        "03" +
        "00000001" +
        "04",
    );
    expect(writer.isEmpty).toBe(true);
  });

  it("cuts a message to what a request has room for, and goes on in the next", () => {
    const writer = new FragmentWriter(new ObjectIds());
    writer.add(Uint8Array.of(1, 2, 3), "stdin");
    const flagsAndBlobs = takeAll(writer, 22).map((bytes) => [bytes[15], bytes[16], ...bytes.subarray(21)]);
    expect(flagsAndBlobs).toEqual([
      [0, 1, 1],
      [1, 0, 2],
      [2, 2, 3],
    ]);
  });

  it("never puts two streams into one request, and keeps the order", () => {
    const writer = new FragmentWriter(new ObjectIds());
    writer.add(Uint8Array.of(1), "stdin");
    writer.add(Uint8Array.of(2), "pr");
    writer.add(Uint8Array.of(3), "stdin");
    const streams = [writer.take(1000), writer.take(1000), writer.take(1000), writer.take(1000)];
    expect(streams.map((taken) => taken && [taken.stream, taken.bytes.at(-1)])).toEqual([
      ["stdin", 1],
      ["pr", 2],
      ["stdin", 3],
      undefined,
    ]);
  });

  it("gives one fragment at a time when asked to", () => {
    const writer = new FragmentWriter(new ObjectIds());
    writer.add(Uint8Array.of(1), "stdin");
    writer.add(Uint8Array.of(2), "stdin");
    expect(takeAll(writer, 1000, 1)).toHaveLength(2);
  });

  it("refuses a size that has no room for a byte of the message", () => {
    const writer = new FragmentWriter(new ObjectIds());
    expect(() => writer.take(21)).toThrow(/its header takes 21/);
  });
});

describe("putting messages together", () => {
  it("gives the same messages wherever the stream is split", () => {
    const messages = [Uint8Array.of(1, 2, 3, 4, 5), Uint8Array.of(6), Uint8Array.of(7, 8)];
    const writer = new FragmentWriter(new ObjectIds());
    for (const message of messages) writer.add(message, "stdin");
    const stream = Buffer.concat(takeAll(writer, 23));
    for (let split = 0; split <= stream.length; split++) {
      const defragmenter = new Defragmenter();
      const got = [...defragmenter.push(stream.subarray(0, split)), ...defragmenter.push(stream.subarray(split))];
      expect(got.map((one) => [...one])).toEqual(messages.map((one) => [...one]));
      expect(defragmenter.isInMessage).toBe(false);
    }
    const defragmenter = new Defragmenter();
    const byteByByte = [...stream].flatMap((byte) => defragmenter.push(Uint8Array.of(byte)));
    expect(byteByByte.map((one) => [...one])).toEqual(messages.map((one) => [...one]));
  });

  it("gives back what was written, for any messages, sizes and splits", () => {
    const message = fc.uint8Array({ minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 5 }),
        fc.integer({ min: 22, max: 80 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 60 })),
        (messages, size, steps) => {
          const writer = new FragmentWriter(new ObjectIds());
          for (const one of messages) writer.add(one, "stdin");
          const taken = takeAll(writer, size);
          expect(taken.every((bytes) => bytes.length <= size)).toBe(true);
          const stream = Buffer.concat(taken);
          const defragmenter = new Defragmenter();
          const got: Uint8Array[] = [];
          for (let offset = 0; offset < stream.length;) {
            const step = Number(steps.next().value);
            got.push(...defragmenter.push(stream.subarray(offset, offset + step)));
            offset += step;
          }
          expect(got.map((one) => [...one])).toEqual(messages.map((one) => [...one]));
        },
      ),
    );
  });

  it("takes fragments that carry nothing, at a message's beginning, in it and at its end", () => {
    const nothing = new Uint8Array();
    const stream = Buffer.concat([
      fragment({ isStart: true, blob: nothing }),
      fragment({ fragmentId: 1n, blob: Uint8Array.of(1, 2) }),
      fragment({ fragmentId: 2n, blob: nothing }),
      fragment({ fragmentId: 3n, blob: Uint8Array.of(3) }),
      fragment({ fragmentId: 4n, isEnd: true, blob: nothing }),
    ]);
    const defragmenter = new Defragmenter();
    expect(defragmenter.push(stream).map((one) => [...one])).toEqual([[1, 2, 3]]);
    expect(defragmenter.isInMessage).toBe(false);
  });

  it("doesn't keep the caller's memory", () => {
    const defragmenter = new Defragmenter();
    const bytes = fragment({ isStart: true, isEnd: true, blob: Uint8Array.of(1, 2) });
    const first = bytes.slice(0, 22);
    defragmenter.push(first);
    first.fill(0xff);
    expect(defragmenter.push(bytes.slice(22)).map((one) => [...one])).toEqual([[1, 2]]);
  });

  it.each<[string, Uint8Array[], string]>([
    ["a continuation without a start", [fragment({ fragmentId: 1n })], "didn't start"],
    [
      "a start inside a message",
      [fragment({ isStart: true }), fragment({ objectId: 2n, isStart: true })],
      "inside another",
    ],
    [
      "another message's fragment",
      [fragment({ isStart: true }), fragment({ objectId: 2n, fragmentId: 1n })],
      "another message",
    ],
    ["a left-out fragment", [fragment({ isStart: true }), fragment({ fragmentId: 2n })], "out of order"],
    [
      "a repeated fragment",
      [fragment({ isStart: true }), fragment({ fragmentId: 1n }), fragment({ fragmentId: 1n })],
      "out of order",
    ],
    ["a start with a number", [fragment({ isStart: true, fragmentId: 1n })], "wrong number"],
    ["a first fragment that isn't a start", [fragment({})], "wrong number"],
    [
      "flags that don't exist",
      [Uint8Array.from(fragment({ isStart: true }), (byte, at) => (at === 16 ? 0x83 : byte))],
      "flags",
    ],
  ])("refuses %s", (_title, pieces, reason) => {
    const defragmenter = new Defragmenter();
    expect(() => pieces.map((piece) => defragmenter.push(piece))).toThrow(reason);
    try {
      defragmenter.push(fragment({ isStart: true, isEnd: true }));
      throw new Error("It went on after it had failed.");
    } catch (error) {
      expect(isRemotingError(error, "FragmentInvalid")).toBe(true);
    }
  });

  it("reads a large message that comes in crumbs as fast as one that comes whole", () => {
    const message = new Uint8Array(8 * 1024 * 1024).fill(7);
    const whole = fragment({ isStart: true, isEnd: true, blob: message });
    const defragmenter = new Defragmenter();
    const got: Uint8Array[] = [];
    for (let at = 0; at < whole.length; at += 32) got.push(...defragmenter.push(whole.subarray(at, at + 32)));
    expect(got).toHaveLength(1);
    expect(Buffer.from(got[0] ?? []).equals(message)).toBe(true);
  });

  it("takes hundreds of thousands of fragments of one byte for what they are: a small message", () => {
    const count = 300_000;
    const defragmenter = new Defragmenter();
    let messages: Uint8Array[] = [];
    for (let index = 0; index < count; index++) {
      const part = { fragmentId: BigInt(index), isStart: index === 0, isEnd: index === count - 1 };
      messages = defragmenter.push(fragment(part));
    }
    expect(messages.map(({ length }) => length)).toEqual([count]);
  });

  it("refuses a hundred million bytes by what the header says, with the default limit", () => {
    const header = fragment({ isStart: true }).subarray(0, 21);
    new DataView(header.buffer).setUint32(17, 100_000_000);
    expect(() => new Defragmenter().push(header)).toThrow("limit of 33554432 bytes");
  });

  it("refuses a message beyond the limit before it has arrived", () => {
    const header = fragment({ isStart: true, blob: new Uint8Array(11) }).subarray(0, 21);
    expect(() => new Defragmenter({ maxMessageBytes: 10 }).push(header)).toThrow("limit of 10 bytes");
    const defragmenter = new Defragmenter({ maxMessageBytes: 10 });
    defragmenter.push(fragment({ isStart: true, blob: new Uint8Array(6) }));
    expect(() => defragmenter.push(fragment({ fragmentId: 1n, blob: new Uint8Array(5) }))).toThrow("limit of 10 bytes");
  });
});
