/** Classes of tags, as they stand in the first byte (X.690 section 8.1.2). */
const UNIVERSAL = 0x00;
const CONTEXT = 0x80;
const CONSTRUCTED = 0x20;

/** Numbers of universal tags that certificates and keys are made of. */
export const TYPES = {
  BOOLEAN: 1,
  INTEGER: 2,
  BITSTRING: 3,
  OCTETSTRING: 4,
  NULL: 5,
  OID: 6,
  UTF8: 12,
  SEQUENCE: 16,
  SET: 17,
  NUMERICSTRING: 18,
  PRINTABLESTRING: 19,
  TELETEXSTRING: 20,
  VIDEOTEXSTRING: 21,
  IA5STRING: 22,
  UTCTIME: 23,
  GENERALIZEDTIME: 24,
  GRAPHICSTRING: 25,
  VISIBLESTRING: 26,
  GENERALSTRING: 27,
  UNIVERSALSTRING: 28,
  BMPSTRING: 30,
} as const;

/**
 * One value. Inner values of what was read are taken apart when they are asked for: a file consists of many more values
 * than anyone looks at.
 */
export interface Asn1 {
  readonly tagClass: number;
  /** The tag's number. */
  readonly type: number;
  readonly constructed: boolean;
  /** Its bytes, or its inner values. */
  readonly value: Buffer | readonly Asn1[];
}

/** node-forge keeps bytes in strings, one character each. */
export function toBinary(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

// Reading. Every function throws a plain Error when the structure is not what was asked for; callers turn that into
// an error with a code and leave the text behind, because it may quote what it stumbled over.

/** Nobody nests deeper; each level that leaves its length open costs a call. */
const MAX_DEPTH = 40;
/** Inner values of one value. A revocation list may have more, and is of no use here. */
const MAX_CHILDREN = 20_000;

interface Read {
  readonly node: Asn1;
  readonly end: number;
}

/** Reads one DER or BER value. Bytes after it are ignored: copied files sometimes end with a line break. */
export function readAsn1(bytes: Uint8Array): Asn1 {
  return readAt(asBuffer(bytes), 0, 0).node;
}

/** Reads one value, and how many bytes it has. */
export function readAsn1WithLength(bytes: Uint8Array): { readonly node: Asn1; readonly length: number } {
  const { node, end } = readAt(asBuffer(bytes), 0, 0);
  return { node, length: end };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function byteAt(bytes: Buffer, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new Error("expected more bytes");
  return byte;
}

function readAt(bytes: Buffer, start: number, depth: number): Read {
  if (depth > MAX_DEPTH) throw new Error("nested too deeply");
  const first = byteAt(bytes, start);
  const constructed = (first & CONSTRUCTED) !== 0;
  const tagClass = first & 0xc0;
  let type = first & 0x1f;
  let at = start + 1;
  if (type === 0x1f) {
    type = 0;
    let byte: number;
    do {
      byte = byteAt(bytes, at++);
      type = type * 128 + (byte & 0x7f);
      if (type > 0xffffff) throw new Error("expected a smaller tag");
    } while ((byte & 0x80) !== 0);
  }
  const lengthByte = byteAt(bytes, at++);
  if (lengthByte === 0x80) {
    if (!constructed) throw new Error("expected a length");
    const { children, end } = readUntilEnd(bytes, at, depth);
    return { node: { tagClass, type, constructed, value: children }, end };
  }
  let length = lengthByte;
  if (lengthByte > 0x80) {
    const size = lengthByte & 0x7f;
    if (size > 6 || at + size > bytes.length) throw new Error("expected a shorter length");
    length = bytes.readUIntBE(at, size);
    at += size;
  }
  const end = at + length;
  if (end > bytes.length) throw new Error("expected more bytes");
  return { node: { tagClass, type, constructed, value: bytes.subarray(at, end) }, end };
}

/** The inner values of one that leaves its length open: two zero bytes end them. */
function readUntilEnd(
  bytes: Buffer,
  start: number,
  depth: number,
): { readonly children: Asn1[]; readonly end: number } {
  const children: Asn1[] = [];
  let at = start;
  while (byteAt(bytes, at) !== 0 || byteAt(bytes, at + 1) !== 0) {
    const { node, end } = readAt(bytes, at, depth + 1);
    if (children.push(node) > MAX_CHILDREN) throw new Error("expected fewer values");
    at = end;
  }
  return { children, end: at + 2 };
}

const taken = new WeakMap<Asn1, readonly Asn1[]>();

export function childrenOf(node: Asn1): readonly Asn1[] {
  if (!node.constructed) throw new Error("expected a constructed value");
  if (!Buffer.isBuffer(node.value)) return node.value;
  const known = taken.get(node);
  if (known !== undefined) return known;
  const children: Asn1[] = [];
  for (let at = 0; at < node.value.length;) {
    const { node: child, end } = readAt(node.value, at, 0);
    if (children.push(child) > MAX_CHILDREN) throw new Error("expected fewer values");
    at = end;
  }
  taken.set(node, children);
  return children;
}

export function childOf(node: Asn1, index: number): Asn1 {
  const child = childrenOf(node)[index];
  if (child === undefined) throw new Error("expected another value");
  return child;
}

/** Bytes of a primitive value. BER allows an OCTET STRING in pieces (Bouncy Castle and NSS write such): joined here. */
export function bytesOf(node: Asn1): Buffer {
  const pieces = piecesOf(node, 0);
  const [first] = pieces;
  return first !== undefined && pieces.length === 1 ? first : Buffer.concat(pieces);
}

function piecesOf(node: Asn1, depth: number): readonly Buffer[] {
  if (depth > MAX_DEPTH) throw new Error("nested too deeply");
  if (!node.constructed && Buffer.isBuffer(node.value)) return [node.value];
  return childrenOf(node).flatMap((child) => piecesOf(child, depth + 1));
}

/** The content of a value, whatever it is: without tag and length. */
export function contentOf(node: Asn1): Buffer {
  return Buffer.isBuffer(node.value) ? node.value : Buffer.concat(node.value.map(writeAsn1));
}

/** In dotted form. Arcs may be of any size: those below 2.25 have 128 bits (X.667). */
export function oidOf(node: Asn1): string {
  if (!isUniversal(node, "OID")) throw new Error("expected an object identifier");
  const bytes = bytesOf(node);
  if (bytes.length === 0 || bytes.length > MAX_OID_BYTES || ((bytes.at(-1) ?? 0) & 0x80) !== 0) {
    throw new Error("expected an object identifier");
  }
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const byte of bytes) {
    arc = arc * 128n + BigInt(byte & 0x7f);
    if ((byte & 0x80) !== 0) continue;
    if (arcs.length === 0) {
      const top = arc < 80n ? arc / 40n : 2n;
      arcs.push(top, arc - top * 40n);
    } else arcs.push(arc);
    arc = 0n;
  }
  return arcs.join(".");
}

const MAX_OID_BYTES = 256;

export function integerOf(node: Asn1): number {
  const bytes = bytesOf(node);
  if (!isUniversal(node, "INTEGER") || bytes.length === 0 || bytes.length > 6) throw new Error("expected an integer");
  return bytes.readIntBE(0, bytes.length);
}

export function isUniversal(node: Asn1, type: keyof typeof TYPES): boolean {
  return node.tagClass === UNIVERSAL && node.type === TYPES[type];
}

export function isContext(node: Asn1, tag: number): boolean {
  return node.tagClass === CONTEXT && node.type === tag;
}

// Writing.

/** DER, but for what was read in another form. */
export function writeAsn1(node: Asn1): Buffer {
  const content = contentOf(node);
  return Buffer.concat([writeTag(node), writeLength(content.length), content]);
}

function writeTag({ tagClass, type, constructed }: Asn1): Buffer {
  const first = tagClass | (constructed ? CONSTRUCTED : 0);
  if (type < 0x1f) return Buffer.from([first | type]);
  return Buffer.from([first | 0x1f, ...base128(BigInt(type))]);
}

function writeLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

/** Seven bits a byte; the first bit says that another one follows. */
function base128(number: bigint): readonly number[] {
  const bytes = [Number(number & 0x7fn)];
  for (let rest = number >> 7n; rest > 0n; rest >>= 7n) bytes.unshift(Number(rest & 0x7fn) | 0x80);
  return bytes;
}

function universal(type: keyof typeof TYPES, constructed: boolean, value: Buffer | readonly Asn1[]): Asn1 {
  return { tagClass: UNIVERSAL, type: TYPES[type], constructed, value };
}

export function sequence(...items: readonly Asn1[]): Asn1 {
  return universal("SEQUENCE", true, items);
}

/** Sorted, as DER wants a SET OF (X.690 section 11.6). */
export function set(...items: readonly Asn1[]): Asn1 {
  const written = items.map((item) => ({ item, bytes: writeAsn1(item) }));
  written.sort((left, right) => Buffer.compare(left.bytes, right.bytes));
  return universal(
    "SET",
    true,
    written.map(({ item }) => item),
  );
}

/** Whether a text is an object identifier that can be written: two arcs at least, the first two within their bounds. */
export function isOid(text: string): boolean {
  if (!/^[0-2](?:\.(?:0|[1-9]\d*))+$/.test(text) || text.length > MAX_OID_BYTES) return false;
  const [top, second] = text.split(".");
  return top === "2" || Number(second) < 40;
}

export function objectIdentifier(oid: string): Asn1 {
  const [top = 0n, second = 0n, ...rest] = oid.split(".").map(BigInt);
  return universal("OID", false, Buffer.from([top * 40n + second, ...rest].flatMap(base128)));
}

export function octetString(bytes: Uint8Array): Asn1 {
  return universal("OCTETSTRING", false, Buffer.from(bytes));
}

/** A BIT STRING whose last byte leaves `unusedBits` bits unused. */
export function bitString(bytes: Uint8Array, unusedBits = 0): Asn1 {
  return universal("BITSTRING", false, Buffer.concat([Buffer.from([unusedBits]), bytes]));
}

/** A whole number from -2^47 to 2^47. */
export function integer(value: number): Asn1 {
  const bytes = Buffer.alloc(6);
  bytes.writeIntBE(value, 0, 6);
  let start = 0;
  const isSuperfluous = (at: number): boolean => {
    const [byte, next] = [bytes[at] ?? 0, bytes[at + 1] ?? 0];
    return (byte === 0 && next < 0x80) || (byte === 0xff && next >= 0x80);
  };
  while (start < 5 && isSuperfluous(start)) start += 1;
  return universal("INTEGER", false, bytes.subarray(start));
}

/** An INTEGER from the bytes of its two's complement. */
export function integerFromBytes(bytes: Uint8Array): Asn1 {
  return universal("INTEGER", false, Buffer.from(bytes));
}

export function booleanTrue(): Asn1 {
  return universal("BOOLEAN", false, Buffer.from([0xff]));
}

export function nothing(): Asn1 {
  return universal("NULL", false, Buffer.alloc(0));
}

/** Text in one of the string types; the caller knows that its characters are allowed there. */
export function textString(type: "PRINTABLESTRING" | "IA5STRING" | "UTF8" | "BMPSTRING", text: string): Asn1 {
  if (type === "BMPSTRING") return universal(type, false, Buffer.from(text, "utf16le").swap16());
  return universal(type, false, Buffer.from(text, type === "UTF8" ? "utf8" : "latin1"));
}

/** UTCTime until 2049, GeneralizedTime from 2050, as RFC 5280 section 4.1.2.5 wants it. Milliseconds are dropped. */
export function time(date: Date): Asn1 {
  const digits = date.toISOString().replace(/\.\d+Z$|[-:T]/g, "");
  return date.getUTCFullYear() < 2050
    ? universal("UTCTIME", false, Buffer.from(`${digits.slice(2)}Z`))
    : universal("GENERALIZEDTIME", false, Buffer.from(`${digits}Z`));
}

/**
 * A time as certificates have it: with or without seconds, fractions and zone, as Windows takes it too. Without a zone it
 * is taken for UTC.
 */
export function timeOf(node: Asn1): Date {
  const text = bytesOf(node).toString("latin1");
  const isShort = isUniversal(node, "UTCTIME");
  if (!isShort && !isUniversal(node, "GENERALIZEDTIME")) throw new Error("expected a time");
  const pattern = isShort ? SHORT_TIME : LONG_TIME;
  const [matched, year = "", month = "", day = "", hour = "", minute = "", second = "00", zone = "Z"] =
    pattern.exec(text) ?? [];
  if (matched === undefined) throw new Error("expected a time");
  const fullYear = isShort ? `${Number(year) < 50 ? "20" : "19"}${year}` : year;
  const offset = zone === "Z" ? "Z" : `${zone.slice(0, 3)}:${zone.slice(3)}`;
  const date = new Date(`${fullYear}-${month}-${day}T${hour}:${minute}:${second}${offset}`);
  if (Number.isNaN(date.getTime())) throw new Error("expected a time");
  return date;
}

const SHORT_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(Z|[+-]\d{4})?$/;
const LONG_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:[.,]\d+)?(Z|[+-]\d{4})?$/;

/** A context-specific value: constructed around other values, or primitive with bytes. */
export function context(tag: number, value: Uint8Array | readonly Asn1[]): Asn1 {
  return value instanceof Uint8Array
    ? { tagClass: CONTEXT, type: tag, constructed: false, value: Buffer.from(value) }
    : { tagClass: CONTEXT, type: tag, constructed: true, value };
}
