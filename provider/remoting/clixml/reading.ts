import { Secret } from "../../secret";
import type { ClixmlObject, ClixmlValue } from "./types";

/**
 * Reading decoded values with as little knowledge of their wire form as possible. Each function returns `undefined`
 * where the value doesn't have what is asked for; none throws.
 */

/** A property by name, extended before adapted as PowerShell does, without regard to case as PowerShell does. */
export function propertyOf(value: ClixmlValue | undefined, name: string): ClixmlValue | undefined {
  if (value?.kind !== "Obj") return undefined;
  for (const properties of [value.extended, value.adapted]) {
    const exact = properties.get(name);
    if (exact !== undefined) return exact;
    const found = byLowerCase(properties).get(name.toLowerCase());
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Looked through once for each object, which may have as many properties as it likes. */
const lowerCased = new WeakMap<ReadonlyMap<string, ClixmlValue>, ReadonlyMap<string, ClixmlValue>>();

function byLowerCase(properties: ReadonlyMap<string, ClixmlValue>): ReadonlyMap<string, ClixmlValue> {
  const known = lowerCased.get(properties);
  if (known !== undefined) return known;
  const made = new Map<string, ClixmlValue>();
  for (const [key, property] of properties) {
    const name = key.toLowerCase();
    if (!made.has(name)) made.set(name, property);
  }
  lowerCased.set(properties, made);
  return made;
}

/** The primitive that an `Obj` wraps, or the value itself. */
export function unwrap(value: ClixmlValue | undefined): ClixmlValue | undefined {
  return value?.kind === "Obj" && value.content?.kind === "primitive" ? value.content.value : value;
}

/** The string of an `S`, wrapped or not. */
export function stringOf(value: ClixmlValue | undefined): string | undefined {
  const bare = unwrap(value);
  return bare?.kind === "S" ? bare.value : undefined;
}

/** What PowerShell would print for a value: its text, or the `ToString` of an object. `undefined` for null and lists. */
export function displayOf(value: ClixmlValue | undefined): string | undefined {
  if (value?.kind === "Obj" && value.display !== undefined) return value.display;
  const bare = unwrap(value);
  switch (bare?.kind) {
    case "S":
    case "DT":
    case "TS":
    case "D":
    case "G":
    case "URI":
    case "Version":
    case "XD":
    case "SBK":
      return bare.value;
    case "C":
      return String.fromCharCode(bare.value);
    case "B":
      return bare.value ? "True" : "False";
    case "By":
    case "SB":
    case "U16":
    case "I16":
    case "U32":
    case "I32":
    case "Sg":
    case "Db":
    case "I64":
    case "U64":
      return String(bare.value);
    default:
      return undefined;
  }
}

export function booleanOf(value: ClixmlValue | undefined): boolean | undefined {
  const bare = unwrap(value);
  return bare?.kind === "B" ? bare.value : undefined;
}

/** A whole number of any width, an enum's too; `undefined` when it doesn't fit a JavaScript number exactly. */
export function integerOf(value: ClixmlValue | undefined): number | undefined {
  const bare = unwrap(value);
  switch (bare?.kind) {
    case "By":
    case "SB":
    case "U16":
    case "I16":
    case "U32":
    case "I32":
      return bare.value;
    case "I64":
    case "U64": {
      const number = Number(bare.value);
      return Number.isSafeInteger(number) ? number : undefined;
    }
    default:
      return undefined;
  }
}

export function bytesOf(value: ClixmlValue | undefined): Uint8Array | undefined {
  const bare = unwrap(value);
  return bare?.kind === "BA" ? bare.value : undefined;
}

/** Items of a list, stack, queue or enumerable. */
export function itemsOf(value: ClixmlValue | undefined): readonly ClixmlValue[] | undefined {
  if (value?.kind !== "Obj" || value.content === undefined || !("items" in value.content)) return undefined;
  return value.content.items;
}

/** Pairs of a dictionary. */
export function entriesOf(
  value: ClixmlValue | undefined,
): readonly (readonly [ClixmlValue, ClixmlValue])[] | undefined {
  return value?.kind === "Obj" && value.content?.kind === "DCT" ? value.content.entries : undefined;
}

/** Value of the first entry with that string key. */
export function entryOf(value: ClixmlValue | undefined, key: string): ClixmlValue | undefined {
  return entriesOf(value)?.find(([entryKey]) => stringOf(entryKey) === key)?.[1];
}

/** Cipher text of a secure string that was decoded. */
export function cipherTextOf(value: ClixmlValue | undefined): Uint8Array | undefined {
  const bare = unwrap(value);
  return bare?.kind === "SS" && !(bare.value instanceof Secret) ? bare.value : undefined;
}

/**
 * A date with an offset or `Z`, as an instant; `undefined` without one, because such a date is in the server's own time
 * zone, which isn't sent. Rounded down to milliseconds.
 */
export function instantOf(value: ClixmlValue | undefined): Date | undefined {
  const bare = unwrap(value);
  if (bare?.kind !== "DT") return undefined;
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(bare.value);
  if (parts === null) return undefined;
  const [, seconds = "", fraction = "", zone = ""] = parts;
  const date = new Date(`${seconds}.${fraction.padEnd(3, "0").slice(0, 3)}${zone}`);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** Whether an object's types, or their `Deserialized.` forms, include the one named. */
export function isOfType(value: ClixmlValue | undefined, typeName: string): value is ClixmlObject {
  return (
    value?.kind === "Obj" && value.typeNames.some((name) => name === typeName || name === `Deserialized.${typeName}`)
  );
}
