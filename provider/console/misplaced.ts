/*
 * Words of a command line or of the environment that aren't what was expected there: they may be secrets, put into the
 * wrong place, and are never repeated.
 */

/** `1 character`, `20 characters`. */
export function lengthOf(text: string): string {
  return text.length === 1 ? "1 character" : `${text.length} characters`;
}

/** What a word looks like and how long it is, without a character of it. */
export function kindAndLength(text: string): string {
  return `${kindOf(text)}, ${lengthOf(text)}`;
}

function kindOf(text: string): string {
  if (/-----BEGIN /.test(text)) return "a PEM text";
  if (/[\r\n]/.test(text)) return "a text of several lines";
  if (/^[0-9\s.,-]+$/.test(text)) return "a number";
  if (text.length >= 40 && /^[A-Za-z0-9+/=_-]+$/.test(text)) return "a long word";
  return /\s/.test(text.trim()) ? "several words" : "a word";
}
