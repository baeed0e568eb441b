import type { Asn1 } from "./asn1";
import { bytesOf, childOf, childrenOf, isUniversal, objectIdentifier, oidOf, sequence, set, textString } from "./asn1";

export interface NameAttribute {
  readonly oid: string;
  readonly value: string;
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
  { oid: "2.5.4.42", key: "G", aliases: ["GIVENNAME"] },
  { oid: "2.5.4.43", key: "I", aliases: ["INITIALS"] },
  { oid: "2.5.4.46", key: "dnQualifier", stringType: "PRINTABLESTRING" },
  { oid: "2.5.4.5", key: "SERIALNUMBER", maxLength: 64, stringType: "PRINTABLESTRING" },
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
    .map((part) => part.map(({ oid, value }) => `${BY_OID.get(oid)?.key ?? `OID.${oid}`}=${quote(value)}`).join(" + "))
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
    if (separator === "+") parts.at(-1)?.push({ oid, value });
    else parts.push([{ oid, value }]);
    separator = next ?? "";
  }
  return { name: parts.reverse() };
}

/** Cuts off what {@link quote} takes for white space; other Unicode blanks belong to the value. */
function withoutBlanksAround(text: string): string {
  return /[^ \t-\r](?:.*[^ \t-\r])?/s.exec(text)?.[0] ?? "";
}

function oidForKey(key: string): string | undefined {
  const dotted = /^(?:OID\.)?((?:[0-2])(?:\.\d+)+)$/i.exec(key)?.[1];
  return dotted ?? BY_KEY.get(key.toUpperCase());
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
    childrenOf(part).map((attribute) => ({ oid: oidOf(childOf(attribute, 0)), value: textOf(childOf(attribute, 1)) })),
  );
}

/** Tag numbers of string types that node-forge has no name for. */
const TELETEX_STRING = 20;
const UNIVERSAL_STRING = 28;

function textOf(node: Asn1): string {
  // node-forge has decoded a BMPString already.
  if (isUniversal(node, "BMPSTRING") && typeof node.value === "string") return node.value;
  const bytes = bytesOf(node);
  if (isUniversal(node, "UTF8")) return bytes.toString("utf8");
  if (isUniversal(node, "PRINTABLESTRING") || isUniversal(node, "IA5STRING")) return bytes.toString("latin1");
  const type: number = node.type;
  if (type === TELETEX_STRING) return bytes.toString("latin1");
  if (type === UNIVERSAL_STRING && bytes.length % 4 === 0) {
    const codePoints = Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32BE(index * 4));
    return String.fromCodePoint(...codePoints);
  }
  return `#${bytes.toString("hex").toUpperCase()}`;
}
