import {
  constants,
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
} from "node:crypto";
import { Secret } from "../../secret";
import { RemotingError } from "../errors";

/** How many random bytes are wanted; the composition root passes crypto.randomBytes. */
export type RandomBytes = (count: number) => Uint8Array;

/** PUBLICKEYSTRUC of CryptoAPI: PUBLICKEYBLOB, version 2, CALG_RSA_KEYX; then RSAPUBKEY "RSA1", 2048 bits. MS-PSRP 2.2.2.3. */
const PUBLIC_KEY_HEADER = Uint8Array.from([6, 2, 0, 0, 0, 0xa4, 0, 0, 0x52, 0x53, 0x41, 0x31, 0, 8, 0, 0]);
/** SIMPLEBLOB, version 2, CALG_AES_256, wrapped by CALG_RSA_KEYX. MS-PSRP 2.2.2.4. */
const SESSION_KEY_HEADER = Uint8Array.from([1, 2, 0, 0, 0x10, 0x66, 0, 0, 0, 0xa4, 0, 0]);
/** 2048 bits. */
const RSA_BYTES = 256;
/** AES-256. */
const SESSION_KEY_BYTES = 32;
/** MS-PSRP 2.2.5.1.24 asks for a zero initialisation vector: equal texts give equal cipher texts within a session. */
const ZERO_IV = new Uint8Array(16);

/**
 * The key that protects secure strings in one session: AES-256-CBC over UTF-16LE text, MS-PSRP 2.2.5.1.24. It protects
 * against reading, not against changing: what it decrypts isn't authentic.
 */
export class SessionKey {
  readonly #key: Secret<Uint8Array>;

  constructor(key: Secret<Uint8Array>) {
    if (key.reveal().length !== SESSION_KEY_BYTES) throw failed("the session key isn't of 256 bits");
    this.#key = key;
  }

  encrypt(clear: Secret<string>): Uint8Array {
    const cipher = createCipheriv("aes-256-cbc", this.#key.reveal(), ZERO_IV);
    return Buffer.concat([cipher.update(Buffer.from(clear.reveal(), "utf16le")), cipher.final()]);
  }

  /** Throws RemotingError `KeyExchangeFailed` when the bytes weren't made with this key. */
  decrypt(cipherText: Uint8Array): Secret<string> {
    try {
      const decipher = createDecipheriv("aes-256-cbc", this.#key.reveal(), ZERO_IV);
      const clear = Buffer.concat([decipher.update(cipherText), decipher.final()]);
      if (clear.length % 2 === 0) return new Secret(clear.toString("utf16le"));
    } catch {
      // The same failure whatever was wrong, and no cause: OpenSSL's says more than anyone needs.
    }
    throw failed("a secure string doesn't fit the session key");
  }

  toJSON(): string {
    return "[redacted]";
  }
}

/** The public half of an RSA key of 2048 bits as PUBLIC_KEY carries it, before base64: MS-PSRP 2.2.2.3. */
export function encodePublicKey(key: KeyObject): Uint8Array {
  const jwk = key.export({ format: "jwk" });
  const modulus = Buffer.from(jwk.n ?? "", "base64url");
  const exponent = Buffer.from(jwk.e ?? "", "base64url");
  if (jwk.kty !== "RSA" || modulus.length !== RSA_BYTES || exponent.length > 4) {
    throw failed("the key pair isn't RSA with 2048 bits");
  }
  const exponentField = new Uint8Array(4);
  exponentField.set(new Uint8Array(exponent).reverse());
  return Buffer.concat([PUBLIC_KEY_HEADER, exponentField, new Uint8Array(modulus).reverse()]);
}

/** Server half of {@link encodePublicKey}. */
export function decodePublicKey(blob: Uint8Array): KeyObject {
  const start = PUBLIC_KEY_HEADER.length;
  if (blob.length !== start + 4 + RSA_BYTES || !Buffer.from(blob.subarray(0, start)).equals(PUBLIC_KEY_HEADER)) {
    throw failed("the public key isn't RSA with 2048 bits in CryptoAPI's form");
  }
  const number = (from: number, to: number): string =>
    Buffer.from(new Uint8Array(blob.subarray(from, to)).reverse()).toString("base64url");
  try {
    const jwk = { kty: "RSA", n: number(start + 4, blob.length), e: number(start, start + 4) };
    return createPublicKey({ format: "jwk", key: jwk });
  } catch {
    throw failed("the public key can't be used");
  }
}

/**
 * Server half: wraps a session key for the client, RSAES-PKCS1-v1_5 (RFC 8017 7.2.1), byte-reversed as CryptoAPI
 * stores it: MS-PSRP 2.2.2.4.
 */
export function wrapSessionKey(
  sessionKey: Secret<Uint8Array>,
  publicKey: KeyObject,
  randomBytes: RandomBytes,
): Uint8Array {
  const key = sessionKey.reveal();
  const padding: number[] = [];
  while (padding.length < RSA_BYTES - 3 - key.length) {
    padding.push(
      ...[...randomBytes(RSA_BYTES)].filter((byte) => byte !== 0).slice(0, RSA_BYTES - 3 - key.length - padding.length),
    );
  }
  const block = Buffer.concat([Uint8Array.of(0, 2), Uint8Array.from(padding), Uint8Array.of(0), key]);
  let wrapped: Uint8Array;
  try {
    wrapped = publicEncrypt({ key: publicKey, padding: constants.RSA_NO_PADDING }, block);
  } catch {
    // A modulus that is too small, or even: of the right form, and no key.
    throw failed("the public key can't be used");
  }
  return Buffer.concat([SESSION_KEY_HEADER, new Uint8Array(wrapped).reverse()]);
}

/**
 * Reads ENCRYPTED_SESSION_KEY: MS-PSRP 2.2.2.4. The padding is checked here, because Node refuses PKCS#1 v1.5 when its
 * OpenSSL has no implicit rejection (CVE-2023-46809). Every failure looks the same and nothing is answered to the
 * server, so there is no oracle.
 */
export function unwrapSessionKey(blob: Uint8Array, privateKey: KeyObject): SessionKey {
  const start = SESSION_KEY_HEADER.length;
  const problem = "the server's session key can't be read";
  if (blob.length !== start + RSA_BYTES || !Buffer.from(blob.subarray(0, start)).equals(SESSION_KEY_HEADER)) {
    throw failed(problem);
  }
  let block: Uint8Array;
  try {
    block = privateDecrypt(
      { key: privateKey, padding: constants.RSA_NO_PADDING },
      new Uint8Array(blob.subarray(start)).reverse(),
    );
  } catch {
    throw failed(problem);
  }
  const separator = block.length - SESSION_KEY_BYTES - 1;
  const padding = block.subarray(2, separator);
  const isPadded = block[0] === 0 && block[1] === 2 && block[separator] === 0 && !padding.includes(0);
  if (!isPadded) throw failed(problem);
  return new SessionKey(new Secret(new Uint8Array(block.subarray(separator + 1))));
}

function failed(what: string): RemotingError {
  return new RemotingError("KeyExchangeFailed", `The exchange of the key for secure strings failed: ${what}.`);
}
