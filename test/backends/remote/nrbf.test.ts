import fc from "fast-check";
import { type NrbfGraph, type NrbfValue, readNrbf } from "../../../provider/backends/remote/nrbf";
import { serializedCertificate } from "./serializedCertificate";

const HEADER = [0, 1, 0, 0, 0, 255, 255, 255, 255, 1, 0, 0, 0, 0, 0, 0, 0];

function read(...records: number[]): NrbfGraph {
  const reading = readNrbf(Uint8Array.from([...HEADER, ...records]));
  if (reading.kind === "unreadable") throw new Error(reading.reason);
  return reading.graph;
}

function reasonOf(bytes: Iterable<number>): string {
  const reading = readNrbf(Uint8Array.from(bytes));
  return reading.kind === "read" ? "read" : reading.reason;
}

/** An array (object 1) of objects, with these items. */
function arrayOf(length: number, ...items: number[]): number[] {
  return [16, 1, 0, 0, 0, length, 0, 0, 0, ...items, 11];
}

describe("reading the .NET binary format", () => {
  const items = (graph: NrbfGraph): readonly NrbfValue[] =>
    typeof graph.root === "object" && graph.root !== null && "items" in graph.root ? graph.root.items : [];

  it("reads texts, nulls, runs of nulls and typed primitives", () => {
    const graph = read(...arrayOf(6, 6, 2, 0, 0, 0, 2, 0xc3, 0xa9, 10, 13, 2, 8, 1, 1, 8, 8, 254, 255, 255, 255));
    expect(items(graph)).toEqual(["é", null, null, null, true, -2]);
  });

  it.each<[string, number[], NrbfValue]>([
    ["byte", [2, 200], 200],
    ["character", [3, 0xe2, 0x82, 0xac], "€"],
    ["decimal", [5, 3, 0x31, 0x2e, 0x35], "1.5"],
    ["double", [6, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f], { kind: "float", value: 1.5 }],
    ["16-bit", [7, 0xff, 0xff], -1],
    ["64-bit", [9, 255, 255, 255, 255, 255, 255, 255, 255], -1n],
    ["signed byte", [10, 255], -1],
    ["single", [11, 0, 0, 0xc0, 0x3f], { kind: "float", value: 1.5 }],
    ["date", [13, 1, 0, 0, 0, 0, 0, 0, 0x80], 9223372036854775809n],
    ["unsigned 16-bit", [14, 255, 255], 65535],
    ["unsigned 32-bit", [15, 255, 255, 255, 255], 4294967295],
    ["null", [17], null],
    ["string", [18, 1, 0x61], "a"],
  ])("reads a %s", (_title, bytes, expected) => {
    expect(items(read(...arrayOf(1, 8, ...bytes)))).toEqual([expected]);
  });

  it("follows references one step, so that a circle does no harm", () => {
    const graph = read(...arrayOf(2, 9, 1, 0, 0, 0, 9, 9, 0, 0, 0));
    const [toItself, toNothing] = items(graph);
    expect(graph.resolve(toItself)).toBe(graph.root);
    expect(graph.resolve(toNothing)).toBeNull();
    expect(graph.resolve(undefined)).toBeNull();
    expect(graph.resolve("x")).toBe("x");
  });

  it("reads an array of several dimensions flattened", () => {
    const graph = read(7, 1, 0, 0, 0, 2, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 8, 1, 0, 0, 0, 2, 0, 0, 0, 11);
    expect(items(graph)).toEqual([1, 2]);
  });

  it("keeps members named like an object's own as plain data", () => {
    const name = [...Buffer.from("__proto__")];
    const graph = read(4, 1, 0, 0, 0, 1, 65, 1, 0, 0, 0, 9, ...name, 0, 2, 5, 11);
    expect(graph.root).toEqual({ kind: "object", typeName: "A", members: new Map([["__proto__", 5]]) });
  });

  it.each<[string, number[], string]>([
    ["nothing", [], "cut off"],
    ["something else", [1, 2, 3], "stream header"],
    ["another version", [0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0], "version 2.0"],
    ["a method call", [...HEADER, 21], "type 21"],
    ["a class without types of its members", [...HEADER, 3], "type 3"],
    ["no root", [...HEADER, 11], "root object is missing"],
    ["no end", [...HEADER, ...arrayOf(1, 10).slice(0, -1)], "cut off"],
    ["a class that isn't described", [...HEADER, 1, 1, 0, 0, 0, 7, 0, 0, 0], "didn't describe"],
    ["an array of two thousand million items", [...HEADER, 16, 1, 0, 0, 0, 255, 255, 255, 127], "20000 values"],
    ["as many bytes", [...HEADER, 15, 1, 0, 0, 0, 255, 255, 255, 127, 2], "cut off"],
    ["a negative length", [...HEADER, 16, 1, 0, 0, 0, 255, 255, 255, 255], "negative length"],
    ["a run of nulls beyond its array", [...HEADER, ...arrayOf(2, 13, 3)], "doesn't fit"],
    ["an endless run of nothing", [...HEADER, ...arrayOf(2, 13, 0)], "doesn't fit"],
    ["an end inside an array", [...HEADER, ...arrayOf(2, 11)], "middle of an array"],
    ["an array of 33 dimensions", [...HEADER, 7, 1, 0, 0, 0, 2, 33, 0, 0, 0], "33 dimensions"],
    ["a text whose length never ends", [...HEADER, 6, 1, 0, 0, 0, 255, 255, 255, 255, 255, 1], "length can't be read"],
    ["a text that isn't UTF-8", [...HEADER, 6, 1, 0, 0, 0, 1, 255], "isn't UTF-8"],
    [
      "arrays in arrays without end",
      [...HEADER, ...Array<number[]>(70).fill([16, 1, 0, 0, 0, 1, 0, 0, 0]).flat()],
      "64 levels",
    ],
    [
      "libraries without end",
      [...HEADER, 16, 1, 0, 0, 0, 1, 0, 0, 0, ...Array<number[]>(70).fill([12, 0, 0, 0, 0, 0]).flat()],
      "64 levels",
    ],
  ])("says why it can't read %s", (_title, bytes, reason) => {
    expect(reasonOf(bytes)).toContain(reason);
  });
});

it("doesn't begin to read a hundred million bytes", () => {
  expect(readNrbf(new Uint8Array(100_000_000))).toEqual({
    kind: "unreadable",
    reason: expect.stringContaining("longer than"),
  });
});

it("believes no product of dimensions", () => {
  const huge = Array<number[]>(32).fill([255, 255, 255, 127]).flat();
  expect(reasonOf([...HEADER, 7, 1, 0, 0, 0, 2, 32, 0, 0, 0, ...huge, 0, 8])).toContain("20000 values");
  const bytes = [...HEADER, 7, 1, 0, 0, 0, 2, 32, 0, 0, 0, ...huge, 0, 2];
  expect(reasonOf(bytes)).toContain("cut off");
});

it("counts records that hold nothing", () => {
  const nothing = [4, 1, 0, 0, 0, 1, 0x41, 0, 0, 0, 0];
  expect(reasonOf([...HEADER, ...nothing, 11])).toBe("read");
  const same = [1, 2, 0, 0, 0, 1, 0, 0, 0];
  for (const record of [nothing, same, [10], [6, 3, 0, 0, 0, 0], [9, 1, 0, 0, 0]]) {
    const many = Array<number[]>(20_000).fill(record).flat();
    expect(reasonOf([...HEADER, ...nothing, ...many, 11])).toContain("20000 values");
  }
});

describe("hostile bytes", () => {
  const whole = serializedCertificate({
    certData: Uint8Array.of(1, 2, 3),
    services: 27,
    status: 1,
    rootCaType: 3,
    isSelfSigned: true,
    privateKeyExportable: false,
    identity: "ex01.contoso.com\\A",
    iisServiceNames: ["IIS://EX01/W3SVC/1", "IIS://EX01/W3SVC/2"],
  });

  it("are unreadable when cut off at any byte", () => {
    expect(readNrbf(whole).kind).toBe("read");
    for (let length = 0; length < whole.length; length++) {
      expect(readNrbf(whole.subarray(0, length))).toMatchObject({ kind: "unreadable" });
    }
  });

  it("never throw, whatever is changed", () => {
    const change = fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const damaged = Uint8Array.from(whole);
        for (const [at, byte] of changes) damaged[at] = byte;
        expect(["read", "unreadable"]).toContain(readNrbf(damaged).kind);
      }),
      { numRuns: 2000 },
    );
  });
});
