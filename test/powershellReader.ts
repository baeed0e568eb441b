import { SINGLE_QUOTES } from "../provider/powershellQuotes";

/**
 * Reads a text in single quotes as PowerShell does: any of five characters ends it, and two in a row are one. Returns
 * what was read and what is left. Source: PowerShell's tokenizer (CharExtensions.IsSingleQuote).
 */
function readSingleQuoted(text: string): { readonly value: string; readonly rest: string } {
  if (!SINGLE_QUOTES.includes(text.charAt(0))) throw new Error(`no text in quotes: ${text}`);
  let value = "";
  for (let i = 1; i < text.length; i += 1) {
    const character = text.charAt(i);
    if (!SINGLE_QUOTES.includes(character)) value += character;
    else if (i + 1 < text.length && SINGLE_QUOTES.includes(text.charAt(i + 1))) {
      value += text.charAt(i + 1);
      i += 1;
    } else return { value, rest: text.slice(i + 1) };
  }
  throw new Error(`not ended: ${text}`);
}

/** The value of an expression that stands in a command: in quotes, or put together from codes. */
export function valueOf(expression: string): { readonly value: string; readonly rest: string } {
  const codes = /^\(-join \[char\[\]\]\(([\d,]*)\)\)/.exec(expression);
  if (codes === null) return readSingleQuoted(expression);
  const value = String.fromCharCode(...(codes[1] ?? "").split(",").map(Number));
  return { value, rest: expression.slice(codes[0].length) };
}
