/**
 * What PowerShell takes for a single quote: each ends a text in single quotes, and two in a row stand for the second.
 * For a class of characters in a pattern. Source: PowerShell's tokenizer, CharExtensions.IsSingleQuote.
 */
export const SINGLE_QUOTES = "'\u2018\u2019\u201A\u201B";

const EACH = new RegExp(`[${SINGLE_QUOTES}]`, "g");

/** A text in single quotes, which PowerShell reads back exactly. */
export function inSingleQuotes(text: string): string {
  return `'${text.replace(EACH, "$&$&")}'`;
}
