import type { asn1 } from "node-forge";

import { forge } from "./forge";

export type Asn1 = asn1.Asn1;

/** node-forge keeps bytes in strings, one character each. */
export function toBinary(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

function fromBinary(binary: string): Buffer {
  return Buffer.from(binary, "latin1");
}

// Reading. Every function throws a plain Error when the structure is not what was asked for; callers turn that into
// an error with a code and leave the text behind, because it may quote what it stumbled over.

/** Reads one DER or BER value. Bytes after it are ignored: copied files sometimes end with a line break. */
export function readAsn1(bytes: Uint8Array): Asn1 {
  return forge().asn1.fromDer(toBinary(bytes), { strict: true, parseAllBytes: false, decodeBitStrings: false });
}

export function writeAsn1(node: Asn1): Buffer {
  return fromBinary(forge().asn1.toDer(node).getBytes());
}

export function childrenOf(node: Asn1): readonly Asn1[] {
  if (typeof node.value === "string") throw new Error("expected a constructed value");
  return node.value;
}

export function childOf(node: Asn1, index: number): Asn1 {
  const child = childrenOf(node)[index];
  if (child === undefined) throw new Error("expected another value");
  return child;
}

/** Bytes of a primitive value. BER allows an OCTET STRING in pieces (Bouncy Castle and NSS write such): joined here. */
export function bytesOf(node: Asn1): Buffer {
  return typeof node.value === "string" ? fromBinary(node.value) : Buffer.concat(node.value.map(bytesOf));
}

export function oidOf(node: Asn1): string {
  if (!isUniversal(node, "OID")) throw new Error("expected an object identifier");
  return forge().asn1.derToOid(toBinary(bytesOf(node)));
}

export function integerOf(node: Asn1): number {
  const bytes = bytesOf(node);
  if (!isUniversal(node, "INTEGER") || bytes.length === 0 || bytes.length > 6) throw new Error("expected an integer");
  return bytes.readIntBE(0, bytes.length);
}

export function isUniversal(node: Asn1, type: keyof typeof asn1.Type): boolean {
  return node.tagClass === forge().asn1.Class.UNIVERSAL && node.type === forge().asn1.Type[type];
}

export function isContext(node: Asn1, tag: number): boolean {
  return node.tagClass === forge().asn1.Class.CONTEXT_SPECIFIC && (node.type as number) === tag;
}

// Writing.

function universal(type: keyof typeof asn1.Type, constructed: boolean, value: string | Asn1[]): Asn1 {
  const { asn1 } = forge();
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type[type], constructed, value);
}

export function sequence(...items: readonly Asn1[]): Asn1 {
  return universal("SEQUENCE", true, [...items]);
}

export function set(...items: readonly Asn1[]): Asn1 {
  return universal("SET", true, [...items]);
}

export function objectIdentifier(oid: string): Asn1 {
  return universal("OID", false, forge().asn1.oidToDer(oid).getBytes());
}

export function octetString(bytes: Uint8Array): Asn1 {
  return universal("OCTETSTRING", false, toBinary(bytes));
}

/** A BIT STRING whose last byte leaves `unusedBits` bits unused. */
export function bitString(bytes: Uint8Array, unusedBits = 0): Asn1 {
  return universal("BITSTRING", false, String.fromCharCode(unusedBits) + toBinary(bytes));
}

export function integer(value: number): Asn1 {
  return universal("INTEGER", false, forge().asn1.integerToDer(value).getBytes());
}

/** An INTEGER from the bytes of its two's complement. */
export function integerFromBytes(bytes: Uint8Array): Asn1 {
  return universal("INTEGER", false, toBinary(bytes));
}

export function booleanTrue(): Asn1 {
  return universal("BOOLEAN", false, "\u00FF");
}

export function nothing(): Asn1 {
  return universal("NULL", false, "");
}

/** Text in one of the string types; the caller knows that its characters are allowed there. */
export function textString(type: "PRINTABLESTRING" | "IA5STRING" | "UTF8" | "BMPSTRING", text: string): Asn1 {
  // node-forge itself turns the characters of a BMPString into two bytes each.
  return universal(type, false, type === "UTF8" ? toBinary(Buffer.from(text, "utf8")) : text);
}

/** UTCTime until 2049, GeneralizedTime from 2050, as RFC 5280 section 4.1.2.5 wants it. Milliseconds are dropped. */
export function time(date: Date): Asn1 {
  const { asn1 } = forge();
  return date.getUTCFullYear() < 2050
    ? universal("UTCTIME", false, asn1.dateToUtcTime(date))
    : universal("GENERALIZEDTIME", false, asn1.dateToGeneralizedTime(date));
}

/** A context-specific value: constructed around other values, or primitive with bytes. */
export function context(tag: number, value: Uint8Array | readonly Asn1[]): Asn1 {
  const { asn1 } = forge();
  return value instanceof Uint8Array
    ? asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag, false, toBinary(value))
    : asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag, true, [...value]);
}
