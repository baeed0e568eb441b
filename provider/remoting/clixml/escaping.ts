/**
 * Escaping of strings and names in CLIXML, MS-PSRP 2.2.5.3.2: `_xHHHH_` stands for one UTF-16 code unit, so a character
 * outside the basic plane takes two. XML's own escaping comes on top and isn't done here.
 */

// Control characters, surrogates (paired ones too, as Windows writes them), the two non-characters, and any
// underscore that could be taken for the start of an escape.
// eslint-disable-next-line no-control-regex -- control characters are what this is about
const NEEDS_ESCAPE = /[\u0000-\u001F\u007F-\u009F\uD800-\uDFFF\uFFFE\uFFFF]|_(?=[xX])/g;
const ESCAPE = /_[xX]([0-9A-Fa-f]{4})_/g;

/** Writes what CLIXML can't carry as `_xHHHH_`. Total: every string of UTF-16 code units comes back by {@link unescapeClixml}. */
export function escapeClixml(text: string): string {
  return text.replace(NEEDS_ESCAPE, (char) => `_x${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}_`);
}

/** Reads `_xHHHH_` back, in one pass: `_x005F_x000A_` is the text `_x000A_`. */
export function unescapeClixml(text: string): string {
  return text.replace(ESCAPE, (_match, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
