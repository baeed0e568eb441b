/** Bytes of standard base64 with padding, whitespace allowed anywhere; `undefined` when it is anything else. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64");
  // Node skips what isn't base64. A text that comes back the same held nothing else; a pattern would take far longer.
  if (bytes.toString("base64") === text) return new Uint8Array(bytes);
  const bare = text.replace(/\s+/g, "");
  if (bare.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(bare)) return undefined;
  return new Uint8Array(Buffer.from(bare, "base64"));
}

export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
