import { createPrivateKey, type KeyObject } from "node:crypto";

/**
 * OpenSSL keeps up to 16 errors of a thread. Node looks at the first of them when it has parsed a key, also at one that
 * another call has left there, and then refuses a good key; each refusal takes one away. (Node 20, crypto_keys.cc,
 * ParsePrivateKey.)
 */
const TRIES = 17;

/** The key, RSA or ECC, in one of its forms without a password; undefined when it is none. */
export function parsePrivateKey(der: Uint8Array, type: "pkcs1" | "pkcs8" | "sec1"): KeyObject | undefined {
  for (let tries = 1; tries <= TRIES; tries += 1) {
    try {
      return createPrivateKey({ key: Buffer.from(der), format: "der", type });
    } catch {
      // None, or not yet.
    }
  }
  return undefined;
}
