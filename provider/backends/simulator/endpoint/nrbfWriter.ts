/**
 * Writes the records of .NET Remoting Binary Format (MS-NRBF) that an ExchangeCertificate needs. All numbers are
 * little-endian; a string has its length in front, seven bits to a byte (2.1.1.6).
 */

/** RecordTypeEnumeration, MS-NRBF 2.1.2.1. */
const RECORD = {
  header: 0,
  classWithId: 1,
  systemClass: 4,
  class: 5,
  string: 6,
  array: 7,
  reference: 9,
  null: 10,
  end: 11,
  library: 12,
  nulls: 13,
  primitiveArray: 15,
} as const;

/** BinaryTypeEnumeration, MS-NRBF 2.1.2.2. */
export const MEMBER = { primitive: 0, string: 1, systemClass: 3, class: 4, primitiveArray: 7 } as const;

/** PrimitiveTypeEnumeration, MS-NRBF 2.1.2.3. */
export const PRIMITIVE = { boolean: 1, byte: 2, int32: 8 } as const;

/** A member of a class, with what stands behind its type: the primitive's number, the class's name and library. */
export type MemberType =
  | { readonly type: typeof MEMBER.primitive | typeof MEMBER.primitiveArray; readonly primitive: number }
  | { readonly type: typeof MEMBER.string }
  | { readonly type: typeof MEMBER.systemClass; readonly name: string }
  | { readonly type: typeof MEMBER.class; readonly name: string; readonly library: number };

export class NrbfWriter {
  readonly #pieces: Uint8Array[] = [];

  bytes(): Uint8Array {
    return Buffer.concat(this.#pieces);
  }

  byte(value: number): this {
    return this.raw(Uint8Array.of(value));
  }

  boolean(value: boolean): this {
    return this.byte(value ? 1 : 0);
  }

  int32(value: number): this {
    const buffer = Buffer.alloc(4);
    buffer.writeInt32LE(value);
    return this.raw(buffer);
  }

  text(value: string): this {
    const utf8 = Buffer.from(value, "utf8");
    let rest = utf8.length;
    for (; rest > 127; rest >>>= 7) this.byte((rest & 127) | 128);
    return this.byte(rest).raw(utf8);
  }

  raw(bytes: Uint8Array): this {
    this.#pieces.push(bytes);
    return this;
  }

  /** 2.6.1: the object with that identifier is the root. */
  header(root: number): this {
    return this.byte(RECORD.header).int32(root).int32(-1).int32(1).int32(0);
  }

  library(id: number, name: string): this {
    return this.byte(RECORD.library).int32(id).text(name);
  }

  /** 2.3.2.1 and 2.3.2.3: what the object's class looks like; its values have to follow. `library` is left out for .NET's own. */
  classOf(
    id: number,
    name: string,
    members: readonly (readonly [name: string, type: MemberType])[],
    library?: number,
  ): this {
    this.byte(library === undefined ? RECORD.systemClass : RECORD.class)
      .int32(id)
      .text(name);
    this.int32(members.length);
    for (const [member] of members) this.text(member);
    for (const [, { type }] of members) this.byte(type);
    for (const [, member] of members) {
      if ("primitive" in member) this.byte(member.primitive);
      if ("name" in member) this.text(member.name);
      if ("library" in member) this.int32(member.library);
    }
    return library === undefined ? this : this.int32(library);
  }

  /** 2.3.2.5: an object of the same class as one before. */
  sameClassAs(id: number, other: number): this {
    return this.byte(RECORD.classWithId).int32(id).int32(other);
  }

  reference(id: number): this {
    return this.byte(RECORD.reference).int32(id);
  }

  string(id: number, value: string): this {
    return this.byte(RECORD.string).int32(id).text(value);
  }

  nulls(count: number): this {
    if (count === 1) return this.byte(RECORD.null);
    return count === 0 ? this : this.byte(RECORD.nulls).byte(count);
  }

  byteArray(id: number, bytes: Uint8Array): this {
    return this.byte(RECORD.primitiveArray).int32(id).int32(bytes.length).byte(PRIMITIVE.byte).raw(bytes);
  }

  /** 2.4.3.1, with one dimension: the items have to follow. */
  arrayOf(id: number, length: number, name: string, library: number): this {
    return this.byte(RECORD.array)
      .int32(id)
      .byte(0)
      .int32(1)
      .int32(length)
      .byte(MEMBER.class)
      .text(name)
      .int32(library);
  }

  end(): this {
    return this.byte(RECORD.end);
  }
}
