import { createDecipheriv, createHmac, pbkdf2Sync, timingSafeEqual } from "node:crypto";

import type { Asn1 } from "./asn1";
import { bytesOf, childOf, childrenOf, integerOf, isUniversal, oidOf, toBinary } from "./asn1";
import { forge } from "./forge";

/**
 * One way to turn a password into key material. PKCS#12's own derivation takes it as UTF-16, where "no password" and
 * "an empty one" differ (`null` and `""`); PBES2 takes it as UTF-8.
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

/**
 * Rounds of key derivation that are gone along with. Files in the wild have 1 to 600,000; without a limit a made-up
 * number would keep the process busy for hours.
 */
export const MAX_ROUNDS = 1_000_000;

function rounds(node: Asn1): number {
  const count = integerOf(node);
  if (count < 1 || count > MAX_ROUNDS) {
    throw new UnsupportedEncryption(`it asks for ${count} rounds of key derivation (1 to ${MAX_ROUNDS} are accepted)`);
  }
  return count;
}

const PBES2 = "1.2.840.113549.1.5.13";
const PBKDF2 = "1.2.840.113549.1.5.12";
/** PBE-SHA1-3DES and PBE-SHA1-RC2-40 (RFC 7292 appendix C), what Windows and OpenSSL wrote until recently. */
const PKCS12_PBE: readonly string[] = ["1.2.840.113549.1.12.1.3", "1.2.840.113549.1.12.1.6"];

const CIPHERS = new Map([
  ["2.16.840.1.101.3.4.1.2", { name: "aes-128-cbc", keyLength: 16 }],
  ["2.16.840.1.101.3.4.1.22", { name: "aes-192-cbc", keyLength: 24 }],
  ["2.16.840.1.101.3.4.1.42", { name: "aes-256-cbc", keyLength: 32 }],
  ["1.2.840.113549.3.7", { name: "des-ede3-cbc", keyLength: 24 }],
]);

const HMAC_SHA1 = "1.2.840.113549.2.7";
const PRF_DIGESTS = new Map([
  [HMAC_SHA1, "sha1"],
  ["1.2.840.113549.2.8", "sha224"],
  ["1.2.840.113549.2.9", "sha256"],
  ["1.2.840.113549.2.10", "sha384"],
  ["1.2.840.113549.2.11", "sha512"],
]);

const MAC_DIGESTS = new Map<string, "sha1" | "sha256" | "sha384" | "sha512">([
  ["1.3.14.3.2.26", "sha1"],
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
export function decryptWithPassword(algorithm: Asn1, encrypted: Buffer, password: PasswordForm): Buffer | undefined {
  const oid = oidOf(childOf(algorithm, 0));
  const params = childOf(algorithm, 1);
  if (oid === PBES2) return decryptPbes2(params, encrypted, password.pbes2);
  if (!PKCS12_PBE.includes(oid)) throw new UnsupportedEncryption(`it uses encryption ${oid}, which is not supported`);
  rounds(childOf(params, 1));
  const cipher = forge().pki.pbe.getCipherForPKCS12PBE(oid, params, password.pkcs12);
  cipher.update(forge().util.createBuffer(toBinary(encrypted)));
  return cipher.finish() ? Buffer.from(cipher.output.getBytes(), "latin1") : undefined;
}

/** RFC 8018 sections 6.2 and A.2, A.4. By Node itself: node-forge derives these keys in JavaScript. */
function decryptPbes2(params: Asn1, encrypted: Buffer, password: string): Buffer | undefined {
  const derivation = childOf(params, 0);
  const encryption = childOf(params, 1);
  const kdf = oidOf(childOf(derivation, 0));
  if (kdf !== PBKDF2) throw new UnsupportedEncryption(`it uses key derivation ${kdf}, which is not supported`);
  const cipher = supported(CIPHERS, oidOf(childOf(encryption, 0)), "cipher");
  const [salt, count, ...optional] = childrenOf(childOf(derivation, 1));
  if (salt === undefined || count === undefined) throw new Error("expected salt and rounds");
  const prf = optional.find((node) => isUniversal(node, "SEQUENCE"));
  const digest = supported(PRF_DIGESTS, prf === undefined ? HMAC_SHA1 : oidOf(childOf(prf, 0)), "digest");
  const key = pbkdf2Sync(Buffer.from(password, "utf8"), bytesOf(salt), rounds(count), cipher.keyLength, digest);
  const decipher = createDecipheriv(cipher.name, key, bytesOf(childOf(encryption, 1)));
  const start = decipher.update(encrypted);
  try {
    return Buffer.concat([start, decipher.final()]);
  } catch {
    return undefined;
  }
}

/**
 * Whether the MacData of a PFX (RFC 7292 section 4) confirms the content with this password.
 *
 * @throws UnsupportedEncryption
 */
export function macFits(macData: Asn1, content: Buffer, password: PasswordForm): boolean {
  const digestInfo = childOf(macData, 0);
  const digest = supported(MAC_DIGESTS, oidOf(childOf(childOf(digestInfo, 0), 0)), "integrity check");
  const expected = bytesOf(childOf(digestInfo, 1));
  const salt = bytesOf(childOf(macData, 1));
  const countNode = childrenOf(macData)[2];
  const computed = computeMac(digest, content, salt, countNode === undefined ? 1 : rounds(countNode), password.pkcs12);
  return computed.length === expected.length && timingSafeEqual(computed, expected);
}

/** MAC of RFC 7292 appendix B.4. */
export function computeMac(
  digest: "sha1" | "sha256" | "sha384" | "sha512",
  content: Buffer,
  salt: Buffer,
  count: number,
  password: string | null,
): Buffer {
  const md = forge().md[digest].create();
  const saltBuffer = forge().util.createBuffer(toBinary(salt));
  const key = forge().pkcs12.generateKey(password, saltBuffer, 3, count, md.digestLength, md);
  return createHmac(digest, Buffer.from(key.getBytes(), "latin1")).update(content).digest();
}
