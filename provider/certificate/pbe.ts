import { createCipheriv, createDecipheriv, createHmac, hash, pbkdf2Sync, timingSafeEqual } from "node:crypto";

import type { Asn1 } from "./asn1";
import { bytesOf, childOf, childrenOf, integerOf, isUniversal, oidOf, toBinary } from "./asn1";
import { forge } from "./forge";

/**
 * One way to turn a password into key material. PKCS#12's own derivation takes it as UTF-16, where "no password" and
 * "an empty one" differ (`null` and `""`); PBES2 and PBMAC1 take it as UTF-8.
 */
export interface PasswordForm {
  readonly pkcs12: string | null;
  readonly pbes2: string;
}

/** The ways in which writers are known to have put a password into a file, the proper one first. */
export function passwordForms(password: string | undefined): readonly PasswordForm[] {
  const none = { pkcs12: null, pbes2: "" };
  const empty = { pkcs12: "", pbes2: "" };
  if (password === undefined) return [none, empty];
  if (password === "") return [empty, none];
  // OpenSSL before 1.1.0 widened each byte to two instead of decoding UTF-8 (openssl man page passphrase-encoding).
  const widened = Buffer.from(password, "utf8").toString("latin1");
  const proper = { pkcs12: password, pbes2: password };
  return widened === password ? [proper] : [proper, { pkcs12: widened, pbes2: password }];
}

/** What a file asks for and this package doesn't do. The text is made here and quotes nothing but an identifier. */
export class UnsupportedEncryption extends Error {}

/** Rounds of one key derivation that are gone along with. Files in the wild have 1 to 600,000. */
export const MAX_ROUNDS = 1_000_000;
/**
 * And of all derivations of one file: for its integrity check, for each encrypted part, and once more for each way of
 * writing the password that doesn't fit. A file of 600,000 rounds with one certificate and one key needs 1.8 million.
 */
export const MAX_ROUNDS_IN_ALL = 3_000_000;

/** Counts the rounds of a file. Without a limit a made-up number would keep a processor busy for hours. */
export class RoundsBudget {
  #spent = 0;

  /** @throws UnsupportedEncryption when a derivation, or all of them together, want too much */
  spend(node: Asn1): number {
    const count = integerOf(node);
    if (count < 1 || count > MAX_ROUNDS) {
      throw new UnsupportedEncryption(
        `it asks for ${count} rounds of key derivation (1 to ${MAX_ROUNDS} are accepted)`,
      );
    }
    this.#spent += count;
    if (this.#spent > MAX_ROUNDS_IN_ALL) {
      throw new UnsupportedEncryption(
        `its parts ask for more than ${MAX_ROUNDS_IN_ALL} rounds of key derivation in all, which is more than is accepted`,
      );
    }
    return count;
  }
}

const PBES2 = "1.2.840.113549.1.5.13";
const PBKDF2 = "1.2.840.113549.1.5.12";
const PBMAC1 = "1.2.840.113549.1.5.14";
export const PBE_SHA1_3DES = "1.2.840.113549.1.12.1.3";

/**
 * PKCS#12's own schemes with SHA-1 (RFC 7292 appendix C), what Windows and OpenSSL wrote until recently. `keyLength` and
 * what RC2 is told as its effective length: bytes and bits.
 */
const PKCS12_PBE = new Map<string, { readonly keyLength: number; readonly rc2Bits?: number }>([
  [PBE_SHA1_3DES, { keyLength: 24 }],
  ["1.2.840.113549.1.12.1.4", { keyLength: 16 }],
  ["1.2.840.113549.1.12.1.5", { keyLength: 16, rc2Bits: 128 }],
  ["1.2.840.113549.1.12.1.6", { keyLength: 5, rc2Bits: 40 }],
]);

const CIPHERS = new Map([
  ["2.16.840.1.101.3.4.1.2", { name: "aes-128-cbc", keyLength: 16 }],
  ["2.16.840.1.101.3.4.1.22", { name: "aes-192-cbc", keyLength: 24 }],
  ["2.16.840.1.101.3.4.1.42", { name: "aes-256-cbc", keyLength: 32 }],
  ["1.2.840.113549.3.7", { name: "des-ede3-cbc", keyLength: 24 }],
]);

const HMAC_SHA1 = "1.2.840.113549.2.7";
const HMAC_DIGESTS = new Map([
  [HMAC_SHA1, "sha1"],
  ["1.2.840.113549.2.8", "sha224"],
  ["1.2.840.113549.2.9", "sha256"],
  ["1.2.840.113549.2.10", "sha384"],
  ["1.2.840.113549.2.11", "sha512"],
]);

type MacDigest = "sha1" | "sha224" | "sha256" | "sha384" | "sha512";

const MAC_DIGESTS = new Map<string, MacDigest>([
  ["1.3.14.3.2.26", "sha1"],
  ["2.16.840.1.101.3.4.2.4", "sha224"],
  ["2.16.840.1.101.3.4.2.1", "sha256"],
  ["2.16.840.1.101.3.4.2.2", "sha384"],
  ["2.16.840.1.101.3.4.2.3", "sha512"],
]);

function supported<T>(map: ReadonlyMap<string, T>, oid: string, what: string): T {
  const found = map.get(oid);
  if (found === undefined) throw new UnsupportedEncryption(`it uses ${what} ${oid}, which is not supported`);
  return found;
}

/**
 * Decrypts what an AlgorithmIdentifier of password-based encryption describes. `undefined` when the padding shows that
 * the password doesn't fit; a wrong password may also give rubbish, about once in 256 times.
 *
 * @throws UnsupportedEncryption
 */
export function decryptWithPassword(
  algorithm: Asn1,
  encrypted: Buffer,
  password: PasswordForm,
  budget: RoundsBudget,
): Buffer | undefined {
  const oid = oidOf(childOf(algorithm, 0));
  const params = childOf(algorithm, 1);
  if (oid === PBES2) return decryptPbes2(params, encrypted, password.pbes2, budget);
  const { keyLength, rc2Bits } = supported(PKCS12_PBE, oid, "encryption");
  const salt = bytesOf(childOf(params, 0));
  const rounds = budget.spend(childOf(params, 1));
  const derived = (id: number, length: number): Buffer =>
    derivePkcs12("sha1", { password: password.pkcs12, salt, rounds, id, length });
  const key = derived(1, keyLength);
  const iv = derived(2, 8);
  if (rc2Bits !== undefined) return decryptRc2(key, rc2Bits, iv, encrypted);
  // With two keys the third one is the first again.
  return decipher("des-ede3-cbc", keyLength === 16 ? Buffer.concat([key, key.subarray(0, 8)]) : key, iv, encrypted);
}

/** PBE-SHA1-3DES, the one encryption that every Windows reads. */
export function encryptPbeSha13Des(plain: Buffer, from: PasswordAndSalt): Buffer {
  const key = derivePkcs12("sha1", { ...from, id: 1, length: 24 });
  const iv = derivePkcs12("sha1", { ...from, id: 2, length: 8 });
  const cipher = createCipheriv("des-ede3-cbc", key, iv);
  return Buffer.concat([cipher.update(plain), cipher.final()]);
}

function decipher(name: string, key: Buffer, iv: Buffer, encrypted: Buffer): Buffer | undefined {
  const cipher = createDecipheriv(name, key, iv);
  const start = cipher.update(encrypted);
  try {
    return Buffer.concat([start, cipher.final()]);
  } catch {
    return undefined;
  }
}

/** The one cipher that OpenSSL, and so Node, no longer has. */
function decryptRc2(key: Buffer, effectiveBits: number, iv: Buffer, encrypted: Buffer): Buffer | undefined {
  const cipher = forge().rc2.createDecryptionCipher(toBinary(key), effectiveBits);
  cipher.start(toBinary(iv));
  cipher.update(forge().util.createBuffer(toBinary(encrypted)));
  return cipher.finish() ? Buffer.from(cipher.output.getBytes(), "latin1") : undefined;
}

/** RFC 8018 sections 6.2 and A.4. */
function decryptPbes2(params: Asn1, encrypted: Buffer, password: string, budget: RoundsBudget): Buffer | undefined {
  const encryption = childOf(params, 1);
  const cipher = supported(CIPHERS, oidOf(childOf(encryption, 0)), "cipher");
  const key = derivePbkdf2(childOf(params, 0), password, cipher.keyLength, budget);
  return decipher(cipher.name, key, bytesOf(childOf(encryption, 1)), encrypted);
}

/** RFC 8018 section A.2. `length` counts where the file gives none; a file that gives another one is refused. */
function derivePbkdf2(derivation: Asn1, password: string, length: number | undefined, budget: RoundsBudget): Buffer {
  const kdf = oidOf(childOf(derivation, 0));
  if (kdf !== PBKDF2) throw new UnsupportedEncryption(`it uses key derivation ${kdf}, which is not supported`);
  const [salt, count, ...optional] = childrenOf(childOf(derivation, 1));
  if (salt === undefined || count === undefined) throw new Error("expected salt and rounds");
  const prf = optional.find((node) => isUniversal(node, "SEQUENCE"));
  const digest = supported(HMAC_DIGESTS, prf === undefined ? HMAC_SHA1 : oidOf(childOf(prf, 0)), "digest");
  const given = optional.find((node) => isUniversal(node, "INTEGER"));
  const wanted = length ?? (given === undefined ? undefined : integerOf(given));
  if (wanted === undefined || wanted < 1 || wanted > 64) throw new Error("expected a length of the key");
  return pbkdf2Sync(Buffer.from(password, "utf8"), bytesOf(salt), budget.spend(count), wanted, digest);
}

/**
 * Whether the MacData of a PFX (RFC 7292 section 4, RFC 9579 for PBMAC1) confirms the content with this password.
 *
 * @throws UnsupportedEncryption
 */
export function macFits(macData: Asn1, content: Buffer, password: PasswordForm, budget: RoundsBudget): boolean {
  const digestInfo = childOf(macData, 0);
  const algorithm = childOf(digestInfo, 0);
  const expected = bytesOf(childOf(digestInfo, 1));
  const computed =
    oidOf(childOf(algorithm, 0)) === PBMAC1
      ? pbmac1(childOf(algorithm, 1), content, password.pbes2, budget)
      : oldMac(macData, algorithm, content, { password: password.pkcs12, budget });
  return computed.length === expected.length && timingSafeEqual(computed, expected);
}

function oldMac(
  macData: Asn1,
  algorithm: Asn1,
  content: Buffer,
  { password, budget }: { readonly password: string | null; readonly budget: RoundsBudget },
): Buffer {
  const digest = supported(MAC_DIGESTS, oidOf(childOf(algorithm, 0)), "integrity check");
  const salt = bytesOf(childOf(macData, 1));
  const count = childrenOf(macData)[2];
  return computeMac(digest, content, { salt, rounds: count === undefined ? 1 : budget.spend(count), password });
}

/** RFC 8018 section 7.1; salt and rounds beside it in the MacData mean nothing then. */
function pbmac1(params: Asn1, content: Buffer, password: string, budget: RoundsBudget): Buffer {
  const digest = supported(HMAC_DIGESTS, oidOf(childOf(childOf(params, 1), 0)), "integrity check");
  const key = derivePbkdf2(childOf(params, 0), password, undefined, budget);
  return createHmac(digest, key).update(content).digest();
}

export interface PasswordAndSalt {
  readonly password: string | null;
  readonly salt: Buffer;
  readonly rounds: number;
}

/** MAC of RFC 7292 appendix B.4. */
export function computeMac(digest: MacDigest, content: Buffer, from: PasswordAndSalt): Buffer {
  const key = derivePkcs12(digest, { ...from, id: 3, length: DIGEST_SIZES[digest].output });
  return createHmac(digest, key).update(content).digest();
}

/** Bytes of what a digest takes at a time and of what it gives. */
const DIGEST_SIZES = {
  sha1: { block: 64, output: 20 },
  sha224: { block: 64, output: 28 },
  sha256: { block: 64, output: 32 },
  sha384: { block: 128, output: 48 },
  sha512: { block: 128, output: 64 },
} as const;

/** PKCS#12's own key derivation (RFC 7292 appendix B.2), letter for letter. `id`: 1 key, 2 IV, 3 integrity check. */
function derivePkcs12(
  digest: MacDigest,
  { password, salt, rounds, id, length }: PasswordAndSalt & { readonly id: number; readonly length: number },
): Buffer {
  const { block, output } = DIGEST_SIZES[digest];
  const diversifier = Buffer.alloc(block, id);
  // UTF-16, most significant byte first, with two zero bytes at the end; no password is no bytes at all.
  const text = password === null ? Buffer.alloc(0) : Buffer.from(`${password}\u0000`, "utf16le").swap16();
  const filled = (bytes: Buffer): Buffer =>
    bytes.length === 0 ? bytes : Buffer.alloc(Math.ceil(bytes.length / block) * block, bytes);
  const input = Buffer.concat([filled(salt), filled(text)]);
  const pieces: Buffer[] = [];
  for (let made = 0; made < length; made += output) {
    let piece = hash(digest, Buffer.concat([diversifier, input]), "buffer");
    for (let round = 1; round < rounds; round += 1) piece = hash(digest, piece, "buffer");
    pieces.push(piece);
    addToEachBlock(input, Buffer.alloc(block, piece), block);
  }
  return Buffer.concat(pieces).subarray(0, length);
}

/** Each block, taken as a number, becomes itself plus the addend plus one, without what is carried out of it. */
function addToEachBlock(input: Buffer, addend: Buffer, block: number): void {
  for (let start = 0; start < input.length; start += block) {
    let carry = 1;
    for (let at = block - 1; at >= 0; at -= 1) {
      carry += (input[start + at] ?? 0) + (addend[at] ?? 0);
      input[start + at] = carry & 0xff;
      carry >>= 8;
    }
  }
}
