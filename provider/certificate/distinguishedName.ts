import type { Asn1 } from "./asn1";
import {
  bytesOf,
  childOf,
  childrenOf,
  contentOf,
  isOid,
  isUniversal,
  objectIdentifier,
  oidOf,
  sequence,
  set,
  textString,
  TYPES,
  writeAsn1,
} from "./asn1";

export interface NameAttribute {
  readonly oid: string;
  readonly value: string;
  /** The value is no text: `value` is `#` and its bytes in hexadecimal, and is never put in quotes. */
  readonly isEncoded?: true;
}

/**
 * A name as it is encoded: the most general part first (`C` … `CN`), each part a set of one or, rarely, more
 * attributes. Windows prints it the other way round.
 */
export type DistinguishedName = readonly (readonly NameAttribute[])[];

export const COMMON_NAME = "2.5.4.3";

interface AttributeType {
  readonly oid: string;
  /** What Windows prints. */
  readonly key: string;
  readonly aliases?: readonly string[];
  /** Upper bound of RFC 5280 appendix A.1, in characters. */
  readonly maxLength?: number;
  /** The one string type the attribute is defined with; otherwise PrintableString or UTF8String as needed. */
  readonly stringType?: "PRINTABLESTRING" | "IA5STRING";
}

/** Attributes with a name of their own in Windows (CertStrToName, wincrypt.h). Everything else is `OID.1.2.3=`. */
const ATTRIBUTE_TYPES: readonly AttributeType[] = [
  { oid: COMMON_NAME, key: "CN", maxLength: 64 },
  { oid: "2.5.4.10", key: "O", maxLength: 64 },
  { oid: "2.5.4.11", key: "OU", maxLength: 64 },
  { oid: "2.5.4.7", key: "L", maxLength: 128 },
  { oid: "2.5.4.8", key: "S", aliases: ["ST"], maxLength: 128 },
  { oid: "2.5.4.6", key: "C", maxLength: 2, stringType: "PRINTABLESTRING" },
  { oid: "0.9.2342.19200300.100.1.25", key: "DC", stringType: "IA5STRING" },
  { oid: "1.2.840.113549.1.9.1", key: "E", aliases: ["EMAIL", "EMAILADDRESS"], stringType: "IA5STRING" },
  { oid: "2.5.4.9", key: "STREET" },
  { oid: "2.5.4.17", key: "PostalCode" },
  { oid: "2.5.4.18", key: "POBox" },
  { oid: "2.5.4.20", key: "Phone", stringType: "PRINTABLESTRING" },
  { oid: "2.5.4.24", key: "X21Address" },
  { oid: "2.5.4.13", key: "Description" },
  { oid: "2.5.4.12", key: "T", aliases: ["TITLE"], maxLength: 64 },
  { oid: "2.5.4.4", key: "SN" },
  { oid: "2.5.4.42", key: "G", aliases: ["GN", "GIVENNAME"] },
  { oid: "2.5.4.43", key: "I", aliases: ["INITIALS"] },
  { oid: "2.5.4.46", key: "dnQualifier", stringType: "PRINTABLESTRING" },
  { oid: "2.5.4.5", key: "SERIALNUMBER", maxLength: 64, stringType: "PRINTABLESTRING" },
  { oid: "2.23.133.2.1", key: "TPMManufacturer" },
  { oid: "2.23.133.2.2", key: "TPMModel" },
  { oid: "2.23.133.2.3", key: "TPMVersion" },
];

const BY_OID = new Map(ATTRIBUTE_TYPES.map((type) => [type.oid, type]));
const BY_KEY = new Map(
  ATTRIBUTE_TYPES.flatMap((type) => [type.key, ...(type.aliases ?? [])].map((key) => [key.toUpperCase(), type.oid])),
);

/**
 * Text as Windows and .NET print it: most specific part first, `, ` between parts, ` + ` inside one, values quoted
 * where they must be. The form of CertNameToStr with CERT_X500_NAME_STR and CERT_NAME_STR_REVERSE_FLAG, which .NET's
 * `X509Certificate2.Subject` shows.
 */
export function formatDistinguishedName(name: DistinguishedName): string {
  return [...name]
    .reverse()
    .map((part) =>
      part
        .map(({ oid, value, isEncoded }) => {
          const key = BY_OID.get(oid)?.key ?? `OID.${oid}`;
          return `${key}=${isEncoded === true ? value : quote(value)}`;
        })
        .join(" + "),
    )
    .join(", ");
}

/** Quoted: nothing at all, white space at either end, and the characters that CertNameToStr documents. */
function quote(value: string): string {
  const needsQuotes = value === "" || /^[ \t-\r]|[ \t-\r]$|[,+="\n<>#;]/.test(value);
  return needsQuotes ? `"${value.replaceAll('"', '""')}"` : value;
}

/**
 * Reads text in the form of {@link formatDistinguishedName}; `;` is a separator too, keys are compared without case.
 * A backslash escapes nothing, as in Windows: a value with a comma is put in quotes.
 */
export function parseDistinguishedName(
  text: string,
): { readonly name: DistinguishedName } | { readonly problem: string } {
  const parts: NameAttribute[][] = [];
  // One attribute and what follows it: key, quoted or bare value, separator. Blanks around a bare value are cut off
  // afterwards: a pattern that did it would take very long for a text of many blanks.
  const attribute = /[ \t-\r]*([A-Za-z0-9.]+)[ \t-\r]*=(?:[ \t-\r]*"((?:[^"]|"")*)"[ \t-\r]*|([^",;+=]*))([,;+]|$)/y;
  let separator = ",";
  while (separator !== "") {
    const [matched, key, quoted, bare, next] = attribute.exec(text) ?? [];
    if (matched === undefined) return { problem: `"${text}" is not in the form "CN=mail.contoso.com, O=Contoso"` };
    const oid = oidForKey(key ?? "");
    if (oid === undefined) return { problem: `"${key ?? ""}" is not a known part of a name` };
    const value = quoted?.replaceAll('""', '"') ?? withoutBlanksAround(bare ?? "");
    const problem = problemOfValue(oid, value);
    if (problem !== undefined) return { problem: `${key ?? ""} ${problem}` };
    const part = separator === "+" ? parts.at(-1) : undefined;
    if (part?.some((other) => other.oid === oid) === true) {
      return { problem: `${key ?? ""} stands twice in one part; separate the two by a comma` };
    }
    if (part === undefined) parts.push([{ oid, value }]);
    else part.push({ oid, value });
    separator = next ?? "";
  }
  return { name: parts.reverse() };
}

/** Cuts off what {@link quote} takes for white space; other Unicode blanks belong to the value. */
function withoutBlanksAround(text: string): string {
  return /[^ \t-\r](?:.*[^ \t-\r])?/s.exec(text)?.[0] ?? "";
}

/** The common name that counts, the most specific one. */
export function commonNameOf(name: DistinguishedName): string | undefined {
  return name.flat().findLast(({ oid }) => oid === COMMON_NAME)?.value;
}

function oidForKey(key: string): string | undefined {
  const dotted = /^(?:OID\.)?([0-9.]+)$/i.exec(key)?.[1];
  if (dotted !== undefined) return isOid(dotted) ? dotted : undefined;
  return BY_KEY.get(key.toUpperCase());
}

function problemOfValue(oid: string, value: string): string | undefined {
  const type = BY_OID.get(oid);
  if (value === "") return "is empty";
  if (type?.maxLength !== undefined && value.length > type.maxLength) {
    return `is longer than ${type.maxLength} characters`;
  }
  if (type?.key === "C" && !/^[A-Za-z]{2}$/.test(value)) return "must be a country code of two letters";
  if (type?.stringType === "PRINTABLESTRING" && !isPrintable(value)) return "has characters that are not allowed there";
  if (type?.stringType === "IA5STRING" && !isAscii(value)) return "may hold ASCII characters only";
  return undefined;
}

/** The character set of PrintableString; `*` and `@` are not in it. */
function isPrintable(value: string): boolean {
  return /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(value);
}

function isAscii(value: string): boolean {
  return /^[\u0020-\u007E]*$/.test(value);
}

export function nameToAsn1(name: DistinguishedName): Asn1 {
  return sequence(
    ...name.map((part) =>
      set(
        ...part.map(({ oid, value }) => {
          const stringType = BY_OID.get(oid)?.stringType ?? (isPrintable(value) ? "PRINTABLESTRING" : "UTF8");
          return sequence(objectIdentifier(oid), textString(stringType, value));
        }),
      ),
    ),
  );
}

export function nameFromAsn1(node: Asn1): DistinguishedName {
  return childrenOf(node).map((part) =>
    childrenOf(part).map((attribute): NameAttribute => {
      const oid = oidOf(childOf(attribute, 0));
      const encoded = childOf(attribute, 1);
      const value = textOf(encoded);
      return value === undefined ? { oid, value: hexOf(encoded), isEncoded: true } : { oid, value };
    }),
  );
}

/** Types whose characters are bytes: what Windows reads as text, one character a byte. */
const BYTE_STRINGS: readonly number[] = [
  TYPES.NUMERICSTRING,
  TYPES.PRINTABLESTRING,
  TYPES.VIDEOTEXSTRING,
  TYPES.IA5STRING,
  TYPES.GRAPHICSTRING,
  TYPES.VISIBLESTRING,
  TYPES.GENERALSTRING,
];

/** The text of a value of one of the string types; `undefined` for any other, and for one that isn't made of characters. */
export function textOf(node: Asn1): string | undefined {
  if (node.tagClass !== 0) return undefined;
  const isText = node.type === TYPES.UTF8 || node.type === TYPES.TELETEXSTRING || BYTE_STRINGS.includes(node.type);
  if (isText) {
    const bytes = bytesOf(node);
    if (node.type === TYPES.UTF8) return bytes.toString("utf8");
    if (node.type === TYPES.TELETEXSTRING) return validUtf8(bytes) ?? bytes.toString("latin1");
    return bytes.toString("latin1");
  }
  if (node.type === TYPES.BMPSTRING) return textOfUtf16(bytesOf(node));
  return node.type === TYPES.UNIVERSALSTRING ? textOfUtf32(bytesOf(node)) : undefined;
}

/** What is in a TeletexString is UTF-8 where it can be, else Latin-1 (CERT_RDN_ATTR, wincrypt.h). */
function validUtf8(bytes: Buffer): string | undefined {
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : undefined;
}

function textOfUtf16(bytes: Buffer): string | undefined {
  return bytes.length % 2 === 0 ? Buffer.from(bytes).swap16().toString("utf16le") : undefined;
}

function textOfUtf32(bytes: Buffer): string | undefined {
  if (bytes.length % 4 !== 0) return undefined;
  const codePoints = Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32BE(index * 4));
  if (codePoints.some((codePoint) => codePoint > 0x10ffff)) return undefined;
  return codePoints.map((codePoint) => String.fromCodePoint(codePoint)).join("");
}

/** As Windows prints what is no text: the content of an OCTET STRING, of anything else the whole value. */
function hexOf(node: Asn1): string {
  const bytes = isUniversal(node, "OCTETSTRING") ? contentOf(node) : writeAsn1(node);
  return `#${bytes.toString("hex").toUpperCase()}`;
}
