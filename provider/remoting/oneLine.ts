/**
 * Text of somebody else's, fit to be printed: in one line, and without control characters, with which a terminal could
 * be made to show something else.
 */
export function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- they are what is taken out
  return text.replace(/[\s\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim();
}
