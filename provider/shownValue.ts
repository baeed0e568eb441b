import { isClean } from "./sentence";
import { UNKNOWN } from "./unknowns";

/** The longest text that a message repeats: server names and paths are shorter, keys and files longer. */
const LONGEST_SHOWN = 100;

/**
 * A given value for a message: short plausible texts as they are, everything else by its kind and length, because it
 * may be a key, a file or a password in the wrong place. `kind`: never as it is.
 */
export function shown(value: unknown, how: "value" | "kind" = "value"): string {
  if (value === undefined || value === null) return "nothing";
  if (value === UNKNOWN) return "a value that isn't known yet";
  if (typeof value === "boolean" || typeof value === "number") return String(value);
  if (typeof value === "string") {
    if (how === "value" && isHarmless(value)) return `"${value}"`;
    return `a text of ${String(value.length)} ${value.length === 1 ? "character" : "characters"}`;
  }
  if (Array.isArray(value)) return `a list of ${String(value.length)}`;
  return `a value of the kind "${typeof value}"`;
}

/** Whether a text is short, can be shown as it is, and looks neither like PEM nor like encoded bytes. */
export function isHarmless(text: string): boolean {
  return text.length <= LONGEST_SHOWN && isClean(text) && !text.includes("-----") && !ENCODED.test(text);
}

/** Bytes in base64 or hexadecimal digits, longer than a thumbprint. */
const ENCODED = /[A-Za-z0-9+/_-]{41,}/;

/** How environment variables are usually called. Something else isn't repeated: it may be the password itself. */
export function isUsualVariable(text: string): boolean {
  return /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/.test(text);
}

/** Whether a text holds nothing that can't be seen: controls, line breaks, marks of the reading direction, half letters. */
export function isPlainText(text: string): boolean {
  return !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(text);
}

export const NOT_PLAIN =
  "holds characters that can't be seen (controls, line breaks, marks of the reading direction or half letters); leave them out";
