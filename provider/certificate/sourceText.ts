/**
 * The characters of a file: UTF-8 or, where its beginning says so, UTF-16, which PowerShell's `>` writes.
 * `undefined` for bytes that are no text.
 */
export function textOfBytes(bytes: Buffer): string | undefined {
  const mark = bytes.toString("hex", 0, 2);
  if (mark === "fffe") return bytes.subarray(2).toString("utf16le");
  if (mark === "feff") return swapped(bytes.subarray(2));
  // Without a mark: every second byte of Western text is zero.
  const beginning = bytes.subarray(0, 64);
  const zeros = (rest: number): number => beginning.filter((byte, at) => at % 2 === rest && byte === 0).length;
  const half = Math.floor(beginning.length / 2);
  if (half >= 4 && zeros(1) === half) return bytes.toString("utf16le");
  if (half >= 4 && zeros(0) >= half) return swapped(bytes);
  const text = bytes.toString("latin1").replace(/\0+$/, "");
  // eslint-disable-next-line no-control-regex -- they stand in no text, but for white space
  return /[\0-\x08\x0e-\x1a\x1c-\x1f]/.test(text) ? undefined : bytes.toString("utf8");
}

function swapped(bytes: Buffer): string {
  return Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 2)))
    .swap16()
    .toString("utf16le");
}

/** Line breaks that have become the two characters `\n` in a variable of a pipeline or in YAML. */
export function undoLiteralBreaks(text: string): string {
  return text.replace(/\\r\\n|\\n|\\r/g, "\n");
}
