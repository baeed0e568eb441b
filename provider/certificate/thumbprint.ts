import { createHash } from "node:crypto";

declare const thumbprintBrand: unique symbol;

/** SHA-1 thumbprint of a certificate: 40 hexadecimal digits in upper case, nothing else. Made by {@link parseThumbprint}. */
export type Thumbprint = string & { readonly [thumbprintBrand]: never };

/**
 * Blanks, colons and the invisible marks that the Windows certificate dialog puts in front of a copied thumbprint
 * (U+200E; other direction marks and the byte order mark are met in the wild too).
 */
const PASTED_NOISE = /[\s:\u200B-\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/gu;

/** Reads a thumbprint as people paste it; `undefined` when what is left isn't 40 hexadecimal digits. */
export function parseThumbprint(text: string): Thumbprint | undefined {
  const bare = text.replace(PASTED_NOISE, "");
  return /^[0-9A-Fa-f]{40}$/.test(bare) ? (bare.toUpperCase() as Thumbprint) : undefined;
}

/** The thumbprint of a certificate, DER; also of one that can't be parsed. */
export function thumbprintOf(der: Uint8Array): Thumbprint {
  return createHash("sha1").update(der).digest("hex").toUpperCase() as Thumbprint;
}
