/**
 * Escaping of strings and names in CLIXML, MS-PSRP 2.2.5.3.2: `_xHHHH_` stands for one UTF-16 code unit, so a character
 * outside the basic plane takes two. XML's own escaping comes on top and isn't done here.
 */

// Control characters, surrogates (paired ones too, as Windows writes them), the two non-characters, and any
// underscore that could be taken for the start of an escape.
// eslint-disable-next-line no-control-regex -- control characters are what this is about
const NEEDS_ESCAPE = /[\u0000-\u001F\u007F-\u009F\uD800-\uDFFF\uFFFE\uFFFF]|_(?=[xX])/g;

/** Writes what CLIXML can't carry as `_xHHHH_`. Total: every string of UTF-16 code units comes back by {@link unescapeClixml}. */
export function escapeClixml(text: string): string {
  return text.replace(NEEDS_ESCAPE, (char) => `_x${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}_`);
}

/** Reads `_xHHHH_` back, in one pass: `_x005F_x000A_` is the text `_x000A_`. */
export function unescapeClixml(text: string): string {
  // Most texts; and names are read by the thousand.
  if (!text.includes("_")) return text;
  // By hand: a text of a million characters may be nothing but escapes.
  const units = new Uint16Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = escapedAt(text, at);
    units[length] = unit ?? text.charCodeAt(at);
    length += 1;
    if (unit !== undefined) at += ESCAPE_LENGTH - 1;
  }
  return Buffer.from(units.buffer, 0, length * 2).toString("utf16le");
}

/** The code unit that an escape at that place stands for. */
function escapedAt(text: string, at: number): number | undefined {
  if (text.charCodeAt(at) !== UNDERSCORE || text.charCodeAt(at + ESCAPE_LENGTH - 1) !== UNDERSCORE) return undefined;
  if ((text.charCodeAt(at + 1) | 0x20) !== SMALL_X) return undefined;
  let unit = 0;
  for (let digit = at + 2; digit < at + ESCAPE_LENGTH - 1; digit++) {
    const value = hexValue(text.charCodeAt(digit));
    if (value === undefined) return undefined;
    unit = unit * 16 + value;
  }
  return unit;
}

function hexValue(code: number): number | undefined {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : undefined;
}

/** Of `_xHHHH_`. */
const ESCAPE_LENGTH = 7;
const UNDERSCORE = 0x5f;
const SMALL_X = 0x78;
