import { safeJson } from "../../../console/safeJson";
import { cleaned } from "../../../sentence";
import type { CmdletObject, CmdletOutputValue } from "../cmdlet";

/** Bytes are shown by their beginning, as PowerShell does. */
const BYTES_SHOWN = 4;

/** `2026-11-23 20:59:00Z`: unlike the server's own form it means the same in every country. */
function formatDate(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace("T", " ")}Z`;
}

function isRecord(value: CmdletOutputValue): value is { readonly [key: string]: CmdletOutputValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** One value as Format-List shows it, clean. */
export function formatValue(value: CmdletOutputValue): string {
  if (value === null) return "";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return cleaned(value);
  if (typeof value === "number") return String(value);
  if (value instanceof Date) return formatDate(value);
  if (value instanceof Uint8Array) {
    const shown = [...value.subarray(0, BYTES_SHOWN)].join(", ");
    return value.length > BYTES_SHOWN ? `{${shown}...}` : `{${shown}}`;
  }
  if (isRecord(value)) {
    const parts = Object.entries(value).map(([name, part]) => `${name}=${formatValue(part)}`);
    return `@{${parts.join("; ")}}`;
  }
  return `{${value.map(formatValue).join(", ")}}`;
}

/** Objects as `Format-List` prints them: aligned `Name : value`, a blank line between two objects. */
export function formatList(objects: readonly CmdletObject[]): string {
  return objects
    .map((object) => {
      const width = Math.max(0, ...Object.keys(object).map((name) => name.length));
      return Object.entries(object)
        .map(([name, value]) => `${name.padEnd(width)} : ${formatValue(value)}`.trimEnd())
        .join("\n");
    })
    .join("\n\n");
}

function toJson(value: CmdletOutputValue): unknown {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(toJson);
  if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, toJson(part)]));
  return value;
}

/** Objects as JSON, always an array: names as Exchange's, dates as ISO 8601, bytes as base64. */
export function formatJson(objects: readonly CmdletObject[]): string {
  return safeJson(objects.map(toJson));
}
