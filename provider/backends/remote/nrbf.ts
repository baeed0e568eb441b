/**
 * A reader for .NET Remoting Binary Format (MS-NRBF), which `SerializationData` of Exchange's objects is. It reads data
 * and nothing else: no type is ever made from what the stream names, references are followed only when asked for, and
 * every count is bounded by the bytes that are there. Streams that want methods called are refused.
 */
export type NrbfValue =
  null | boolean | number | bigint | string | Uint8Array | NrbfFloat | NrbfObject | NrbfArray | NrbfReference;

/** A Single or Double: numbers that aren't in one of these are whole ones. */
export interface NrbfFloat {
  readonly kind: "float";
  readonly value: number;
}

/** A class or structure; an enum is one with the single member `value__`. */
export interface NrbfObject {
  readonly kind: "object";
  readonly typeName: string;
  readonly members: ReadonlyMap<string, NrbfValue>;
}

/** An array of anything but bytes; several dimensions come flattened. */
export interface NrbfArray {
  readonly kind: "array";
  readonly items: readonly NrbfValue[];
}

/** A reference that {@link NrbfGraph.resolve} follows. */
export interface NrbfReference {
  readonly kind: "reference";
  readonly id: number;
}

export interface NrbfGraph {
  readonly root: NrbfValue;
  /** The value that a reference means (null when there is none); any other value as it is. Follows one step, so circles are harmless. */
  readonly resolve: (value: NrbfValue | undefined) => NrbfValue;
}

export type NrbfReading =
  { readonly kind: "read"; readonly graph: NrbfGraph } | { readonly kind: "unreadable"; readonly reason: string };

/** Most records, array items and members in one stream; an ExchangeCertificate has some fifty. */
const MAX_VALUES = 20_000;
/** Deepest nesting of records inside records. */
const MAX_DEPTH = 64;

/** Longest stream, in bytes (4 MiB); an ExchangeCertificate takes some kilobytes. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Reads a whole stream. Never throws: what isn't understood is `unreadable` with the reason. */
export function readNrbf(bytes: Uint8Array): NrbfReading {
  if (bytes.length > MAX_BYTES) return { kind: "unreadable", reason: `it is longer than ${MAX_BYTES} bytes` };
  try {
    return { kind: "read", graph: new NrbfReader(bytes).read() };
  } catch (error) {
    if (error instanceof NrbfError) return { kind: "unreadable", reason: error.message };
    throw error;
  }
}

class NrbfError extends Error {}

/** MS-NRBF 2.3.2.1: what a class's members are called and how each is written. */
interface ClassInfo {
  readonly typeName: string;
  readonly members: readonly (readonly [name: string, type: MemberType])[];
}

/** MS-NRBF 2.1.2.2: a primitive is written bare, all else as a record. */
type MemberType = { readonly kind: "primitive"; readonly type: number } | { readonly kind: "record" };

/** A run of nulls in an array, MS-NRBF 2.5.5 and 2.5.6. */
interface NullRun {
  readonly kind: "nulls";
  readonly count: number;
}

const END = Symbol("MessageEnd");

class NrbfReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;
  #depth = 0;
  #values = 0;
  readonly #objects = new Map<number, NrbfValue>();
  readonly #classes = new Map<number, ClassInfo>();

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** MS-NRBF 2.6.1 and 2.7: header, records, MessageEnd. */
  read(): NrbfGraph {
    if (this.#byte() !== 0) throw new NrbfError("it doesn't begin with a stream header");
    const rootId = this.#int32();
    this.#int32(); // HeaderId
    const major = this.#int32();
    const minor = this.#int32();
    if (major !== 1 || minor !== 0) throw new NrbfError(`it is of version ${major}.${minor}, not 1.0`);
    while (this.#record() !== END);
    const root = this.#objects.get(rootId);
    if (root === undefined) throw new NrbfError("its root object is missing");
    const objects = this.#objects;
    return {
      root,
      resolve: (value = null) =>
        value !== null && typeof value === "object" && "kind" in value && value.kind === "reference"
          ? (objects.get(value.id) ?? null)
          : value,
    };
  }

  #record(): NrbfValue | NullRun | typeof END {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new NrbfError(`it is nested deeper than ${MAX_DEPTH} levels`);
    this.#spend(1);
    try {
      const type = this.#byte();
      switch (type) {
        case 1: {
          const id = this.#int32();
          const info = this.#classes.get(this.#int32());
          if (info === undefined) throw new NrbfError("it names a class that it didn't describe");
          return this.#object(id, info);
        }
        case 4:
        case 5: {
          const id = this.#int32();
          const info = this.#classInfo();
          if (type === 5) this.#int32(); // LibraryId
          this.#classes.set(id, info);
          return this.#object(id, info);
        }
        case 6:
          return this.#keep(this.#int32(), this.#string());
        case 7:
          return this.#binaryArray();
        case 8:
          return this.#primitive(this.#byte());
        case 9:
          return { kind: "reference", id: this.#int32() };
        case 10:
          return null;
        case 11:
          return END;
        case 12: {
          this.#int32();
          this.#string();
          // A library may come right before the record that is expected; on its own it is nothing.
          return this.#depth === 1 ? null : this.#record();
        }
        case 13:
          return { kind: "nulls", count: this.#byte() };
        case 14:
          return { kind: "nulls", count: this.#count() };
        case 15: {
          const id = this.#int32();
          const length = this.#count();
          return this.#array(id, length, { kind: "primitive", type: this.#byte() });
        }
        case 16:
        case 17: {
          const id = this.#int32();
          return this.#array(id, this.#count(), { kind: "record" });
        }
        default:
          throw new NrbfError(`it holds a record of type ${type}`);
      }
    } finally {
      this.#depth -= 1;
    }
  }

  #keep<T extends NrbfValue>(id: number, value: T): T {
    if (!this.#objects.has(id)) this.#objects.set(id, value);
    return value;
  }

  /** MS-NRBF 2.3.1.1 and 2.3.1.2. */
  #classInfo(): ClassInfo {
    const typeName = this.#string();
    const count = this.#count();
    this.#spend(count);
    const names = Array.from({ length: count }, () => this.#string());
    const kinds = Array.from({ length: count }, () => this.#byte());
    const types = kinds.map((kind) => this.#memberType(kind));
    return { typeName, members: names.map((name, index) => [name, types[index] ?? { kind: "record" }] as const) };
  }

  /** MS-NRBF 2.1.2.2 and 2.3.1.2: the kind, and what follows it about the type. */
  #memberType(kind: number): MemberType {
    switch (kind) {
      case 0:
        return { kind: "primitive", type: this.#byte() };
      case 1: // String
      case 2: // Object
      case 5: // ObjectArray
      case 6: // StringArray
        return { kind: "record" };
      case 3: // SystemClass
        this.#string();
        return { kind: "record" };
      case 4: // Class
        this.#string();
        this.#int32();
        return { kind: "record" };
      case 7: // PrimitiveArray
        this.#byte();
        return { kind: "record" };
      default:
        throw new NrbfError(`it describes a member of kind ${kind}`);
    }
  }

  #object(id: number, info: ClassInfo): NrbfObject {
    const members = new Map<string, NrbfValue>();
    const object: NrbfObject = { kind: "object", typeName: info.typeName, members };
    this.#keep(id, object);
    this.#spend(info.members.length);
    for (const [name, type] of info.members) members.set(name, this.#member(type));
    return object;
  }

  #member(type: MemberType): NrbfValue {
    if (type.kind === "primitive") return this.#primitive(type.type);
    const value = this.#record();
    if (value === END) throw new NrbfError("it ends in the middle of an object");
    if (isNullRun(value)) throw new NrbfError("it has a run of nulls outside an array");
    return value;
  }

  /** MS-NRBF 2.4.3.1. */
  #binaryArray(): NrbfArray | Uint8Array {
    const id = this.#int32();
    const shape = this.#byte();
    if (shape > 5) throw new NrbfError(`it holds an array of shape ${shape}`);
    const rank = this.#int32();
    if (rank < 1 || rank > 32) throw new NrbfError(`it holds an array of ${rank} dimensions`);
    let length = 1;
    for (let dimension = 0; dimension < rank; dimension++) length *= this.#count();
    if (shape >= 3) for (let dimension = 0; dimension < rank; dimension++) this.#int32(); // lower bounds
    return this.#array(id, length, this.#memberType(this.#byte()));
  }

  #array(id: number, length: number, type: MemberType): NrbfArray | Uint8Array {
    if (type.kind === "primitive" && type.type === 2) return this.#keep(id, new Uint8Array(this.#take(length)));
    this.#spend(length);
    const items: NrbfValue[] = [];
    const array = this.#keep<NrbfArray>(id, { kind: "array", items });
    while (items.length < length) {
      const value = type.kind === "primitive" ? this.#primitive(type.type) : this.#record();
      if (value === END) throw new NrbfError("it ends in the middle of an array");
      if (!isNullRun(value)) {
        items.push(value);
      } else if (value.count === 0 || value.count > length - items.length) {
        throw new NrbfError("it has a run of nulls that doesn't fit its array");
      } else {
        for (let count = 0; count < value.count; count++) items.push(null);
      }
    }
    return array;
  }

  /** MS-NRBF 2.1.2.3. */
  #primitive(type: number): NrbfValue {
    switch (type) {
      case 1:
        return this.#byte() !== 0;
      case 2:
        return this.#byte();
      case 3:
        return this.#char();
      case 5: // Decimal, written as text
      case 18:
        return this.#string();
      case 6:
        return { kind: "float", value: this.#view.getFloat64(this.#advance(8), true) };
      case 7:
        return this.#view.getInt16(this.#advance(2), true);
      case 8:
        return this.#int32();
      case 9:
      case 12: // TimeSpan, in ticks of 100 ns
        return this.#view.getBigInt64(this.#advance(8), true);
      case 10:
        return this.#view.getInt8(this.#advance(1));
      case 11:
        return { kind: "float", value: this.#view.getFloat32(this.#advance(4), true) };
      case 13: // DateTime, ticks and kind
      case 16:
        return this.#view.getBigUint64(this.#advance(8), true);
      case 14:
        return this.#view.getUint16(this.#advance(2), true);
      case 15:
        return this.#view.getUint32(this.#advance(4), true);
      case 17:
        return null;
      default:
        throw new NrbfError(`it holds a primitive of type ${type}`);
    }
  }

  /** One character in UTF-8, MS-NRBF 2.1.1.1. */
  #char(): string {
    const first = this.#byte();
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    this.#offset -= 1;
    return utf8(this.#take(length));
  }

  /** MS-NRBF 2.1.1.6: the length in groups of seven bits, then UTF-8. */
  #string(): string {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      if (shift > 28) throw new NrbfError("it holds a text whose length can't be read");
      const group = this.#byte();
      length += (group & 0x7f) * 2 ** shift;
      if (group < 0x80) break;
    }
    return utf8(this.#take(length));
  }

  #count(): number {
    const count = this.#int32();
    if (count < 0) throw new NrbfError("it holds a negative length");
    return count;
  }

  /** Counts values before room for them is made. */
  #spend(values: number): void {
    this.#values += values;
    if (this.#values > MAX_VALUES) throw new NrbfError(`it holds more than ${MAX_VALUES} values`);
  }

  #byte(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  #int32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  #take(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  #advance(length: number): number {
    const start = this.#offset;
    if (length > this.#bytes.length - start) throw new NrbfError("it is cut off");
    this.#offset = start + length;
    return start;
  }
}

function isNullRun(value: NrbfValue | NullRun): value is NullRun {
  return value !== null && typeof value === "object" && "kind" in value && value.kind === "nulls";
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function utf8(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new NrbfError("it holds a text that isn't UTF-8");
  }
}
