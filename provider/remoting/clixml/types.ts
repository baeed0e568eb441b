import type { Secret } from "../../secret";

/**
 * Values of CLIXML, MS-PSRP 2.2.5: one member of a union per element, `kind` being the element's name. Nothing is
 * guessed and nothing lost: a value that is decoded and encoded again is the same.
 */
export type ClixmlValue =
  | ClixmlNull
  | ClixmlText
  | ClixmlBoolean
  | ClixmlNumber
  | ClixmlBigInt
  | ClixmlBytes
  | ClixmlSecureString
  | ClixmlObject
  | ClixmlProgress
  | ClixmlUnresolved
  | ClixmlUnknown;

/** `Nil`, 2.2.5.1.20. */
export interface ClixmlNull {
  readonly kind: "Nil";
}

/**
 * Elements whose value stays text: `S` string, `DT` date (ISO 8601, up to seven decimals, with or without an offset),
 * `TS` duration, `D` decimal, `G` GUID, `URI`, `Version`, `XD` XML document, `SBK` script block. What CLIXML escapes is
 * unescaped here.
 */
export interface ClixmlText {
  readonly kind: (typeof TEXT_KINDS)[number];
  readonly value: string;
}
export const TEXT_KINDS = ["S", "DT", "TS", "D", "G", "URI", "Version", "XD", "SBK"] as const;

/** `B`, 2.2.5.1.3. */
export interface ClixmlBoolean {
  readonly kind: "B";
  readonly value: boolean;
}

/** Integers up to 32 bits, `Sg` and `Db` floating point, `C` the code unit of a character. */
export interface ClixmlNumber {
  readonly kind: (typeof NUMBER_KINDS)[number];
  readonly value: number;
}
export const NUMBER_KINDS = ["By", "SB", "U16", "I16", "U32", "I32", "C", "Sg", "Db"] as const;

/** Smallest and largest value of the whole numbers among {@link NUMBER_KINDS}. */
export const INTEGER_RANGES: ReadonlyMap<string, readonly [number, number]> = new Map([
  ["By", [0, 255]],
  ["SB", [-128, 127]],
  ["U16", [0, 65_535]],
  ["I16", [-32_768, 32_767]],
  ["U32", [0, 4_294_967_295]],
  ["I32", [-2_147_483_648, 2_147_483_647]],
  ["C", [0, 65_535]],
]);

/** 64-bit integers. */
export interface ClixmlBigInt {
  readonly kind: "I64" | "U64";
  readonly value: bigint;
}

/** `BA`, 2.2.5.1.17. */
export interface ClixmlBytes {
  readonly kind: "BA";
  readonly value: Uint8Array;
}

/**
 * `SS`, 2.2.5.1.24. As decoded, `value` is the cipher text; to be encoded it may also be the clear text, which the
 * encoder's `protect` encrypts.
 */
export interface ClixmlSecureString {
  readonly kind: "SS";
  readonly value: Uint8Array | Secret<string>;
}

/** `PR`, 2.2.5.1.25: texts by element name (`AV` activity, `SD` status description, `PC` percent, ...). */
export interface ClixmlProgress {
  readonly kind: "PR";
  readonly fields: ReadonlyMap<string, string>;
}

/** `Obj`, 2.2.5.2. */
export interface ClixmlObject {
  readonly kind: "Obj";
  /** Most derived type first (`TN`, `TNRef`); empty when none was sent. */
  readonly typeNames: readonly string[];
  /** `ToString`: for an object beyond the serialisation depth, all there is. */
  readonly display: string | undefined;
  readonly content: ClixmlContent | undefined;
  /** `Props`: properties of the .NET object. */
  readonly adapted: ReadonlyMap<string, ClixmlValue>;
  /** `MS`: properties that PowerShell added. */
  readonly extended: ReadonlyMap<string, ClixmlValue>;
}

/** What an `Obj` wraps: one primitive (an enum's number, say), a list, or a dictionary. */
export type ClixmlContent =
  | { readonly kind: "primitive"; readonly value: ClixmlValue }
  /** `LST` list, `STK` stack, `QUE` queue, `IE` enumerable: 2.2.5.2.6. */
  | { readonly kind: (typeof LIST_KINDS)[number]; readonly items: readonly ClixmlValue[] }
  /** Keys may be of any kind and may repeat in hostile input: hence pairs. 2.2.5.2.6.4. */
  | { readonly kind: "DCT"; readonly entries: readonly (readonly [ClixmlValue, ClixmlValue])[] };
export const LIST_KINDS = ["LST", "STK", "QUE", "IE"] as const;

/**
 * A `Ref` (2.2.5.2.9) that can't be followed: to an object that comes later, or never, or that encloses it. A cycle
 * stays such a stub, so that a decoded value can always be walked to its end.
 */
export interface ClixmlUnresolved {
  readonly kind: "Ref";
  readonly refId: string;
}

/** An element that this version doesn't know: kept by name and text instead of failing the whole message. */
export interface ClixmlUnknown {
  readonly kind: "unknown";
  readonly element: string;
  readonly text: string;
}

export const NIL: ClixmlNull = { kind: "Nil" };

export function string(value: string): ClixmlText {
  return { kind: "S", value };
}

export function version(value: string): ClixmlText {
  return { kind: "Version", value };
}

export function boolean(value: boolean): ClixmlBoolean {
  return { kind: "B", value };
}

export function int32(value: number): ClixmlNumber {
  return { kind: "I32", value };
}

export function int64(value: bigint): ClixmlBigInt {
  return { kind: "I64", value };
}

export function bytes(value: Uint8Array): ClixmlBytes {
  return { kind: "BA", value };
}

export function secureString(value: Secret<string>): ClixmlSecureString {
  return { kind: "SS", value };
}

/** An `Obj`; whatever isn't given is empty. */
export function object(parts: Partial<Omit<ClixmlObject, "kind">> = {}): ClixmlObject {
  return {
    kind: "Obj",
    typeNames: parts.typeNames ?? [],
    display: parts.display,
    content: parts.content,
    adapted: parts.adapted ?? new Map(),
    extended: parts.extended ?? new Map(),
  };
}

/** An `Obj` with extended properties (`MS`) only, the form of nearly every PSRP message. `undefined` leaves one out. */
export function propertyBag(properties: Readonly<Record<string, ClixmlValue | undefined>>): ClixmlObject {
  const extended = new Map<string, ClixmlValue>();
  for (const [name, value] of Object.entries(properties)) {
    if (value !== undefined) extended.set(name, value);
  }
  return object({ extended });
}

/** A list; PowerShell reads any list type as `ArrayList` unless told otherwise. */
export function list(items: readonly ClixmlValue[], typeNames: readonly string[] = ARRAY_LIST): ClixmlObject {
  return object({ typeNames, content: { kind: "LST", items } });
}

/** A dictionary with string keys. */
export function dictionary(
  entries: Iterable<readonly [string, ClixmlValue]>,
  typeNames: readonly string[] = HASHTABLE,
): ClixmlObject {
  const pairs = [...entries].map(([key, value]) => [string(key), value] as const);
  return object({ typeNames, content: { kind: "DCT", entries: pairs } });
}

/** A value of a .NET enum with 32 bits. `typeName` without assembly. */
export function enumValue(typeName: string, display: string, value: number): ClixmlObject {
  return object({
    typeNames: [typeName, "System.Enum", "System.ValueType", "System.Object"],
    display,
    content: { kind: "primitive", value: int32(value) },
  });
}

const ARRAY_LIST = ["System.Collections.ArrayList", "System.Object"];
const HASHTABLE = ["System.Collections.Hashtable", "System.Object"];
