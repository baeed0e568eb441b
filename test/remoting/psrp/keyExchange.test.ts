import { constants, generateKeyPairSync, privateDecrypt, randomBytes } from "node:crypto";
import fc from "fast-check";
import {
  decodePublicKey,
  encodePublicKey,
  SessionKey,
  unwrapSessionKey,
  wrapSessionKey,
} from "../../../provider/remoting/psrp/keyExchange";
import { Secret } from "../../../provider/secret";

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const aesKey = Uint8Array.from({ length: 32 }, (_value, index) => index);

describe("the public key", () => {
  it("is a CryptoAPI blob: header, exponent and modulus little-endian", () => {
    const blob = encodePublicKey(publicKey);
    expect(blob).toHaveLength(276);
    expect(Buffer.from(blob.subarray(0, 20)).toString("hex")).toBe(
      "06020000" + "00a40000" + "52534131" + "00080000" + "01000100",
    );
    const modulus = Buffer.from(publicKey.export({ format: "jwk" }).n ?? "", "base64url");
    expect(Buffer.from(blob.subarray(20)).reverse().equals(modulus)).toBe(true);
  });

  it("comes back as it was, and its bytes stay what they were", () => {
    const blob = Buffer.from(encodePublicKey(publicKey));
    const copy = Buffer.from(blob);
    expect(decodePublicKey(blob).equals(publicKey)).toBe(true);
    expect(blob.equals(copy)).toBe(true);
  });

  it("must be RSA with 2048 bits", () => {
    expect(() => encodePublicKey(generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey)).toThrow("2048 bits");
    expect(() => encodePublicKey(generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey)).toThrow("2048 bits");
    expect(() => decodePublicKey(encodePublicKey(publicKey).subarray(1))).toThrow("CryptoAPI");
  });
});

it.each<[string, (blob: Buffer) => void]>([
  ["no modulus at all", (blob) => blob.fill(0, 20)],
  ["a modulus that is too small", (blob) => blob.fill(0, 30)],
  ["an even modulus", (blob) => blob.fill(2, 20)],
])("a public key of the right form with %s is refused, if not when it is read then when it is used", (_what, spoil) => {
  const blob = Buffer.from(encodePublicKey(publicKey));
  spoil(blob);
  const use = (): Uint8Array => wrapSessionKey(new Secret(aesKey), decodePublicKey(blob), randomBytes);
  expect(use).toThrow(expect.objectContaining({ code: "KeyExchangeFailed" }));
});

describe("the session key", () => {
  it("is wrapped as PKCS#1 v1.5 has it, byte-reversed, behind a SIMPLEBLOB header", () => {
    const blob = wrapSessionKey(new Secret(aesKey), publicKey, randomBytes);
    expect(Buffer.from(blob.subarray(0, 12)).toString("hex")).toBe("01020000" + "10660000" + "00a40000");
    const block = privateDecrypt(
      { key: privateKey, padding: constants.RSA_NO_PADDING },
      Buffer.from(blob.subarray(12)).reverse(),
    );
    expect([block[0], block[1], block[223]]).toEqual([0, 2, 0]);
    expect(block.subarray(2, 223).includes(0)).toBe(false);
    expect([...block.subarray(224)]).toEqual([...aesKey]);
  });

  it("is the same on both sides", () => {
    const ours = unwrapSessionKey(wrapSessionKey(new Secret(aesKey), publicKey, randomBytes), privateKey);
    const theirs = new SessionKey(new Secret(aesKey));
    expect(theirs.decrypt(ours.encrypt(new Secret("pässword"))).reveal()).toBe("pässword");
  });

  it("pads without zero bytes even when the random source is full of them", () => {
    let call = 0;
    const sparse = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => (call++ % 50 === 0 ? 7 : 0));
    expect(() => unwrapSessionKey(wrapSessionKey(new Secret(aesKey), publicKey, sparse), privateKey)).not.toThrow();
  });

  it("is refused with one and the same message, whatever is wrong with it", () => {
    const blob = wrapSessionKey(new Secret(aesKey), publicKey, randomBytes);
    const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    const messages = [
      () => unwrapSessionKey(blob, other),
      () =>
        unwrapSessionKey(
          Uint8Array.from(blob, (byte, at) => (at === 100 ? byte ^ 1 : byte)),
          privateKey,
        ),
      () => unwrapSessionKey(blob.subarray(0, 200), privateKey),
      () =>
        unwrapSessionKey(
          Uint8Array.from(blob, (byte, at) => (at === 4 ? 0 : byte)),
          privateKey,
        ),
      () =>
        unwrapSessionKey(
          Uint8Array.from(blob, (byte, at) => (at < 12 ? byte : 255)),
          privateKey,
        ),
    ].map((run) => {
      try {
        run();
        return "no error";
      } catch (error) {
        return (error as Error).message;
      }
    });
    expect(new Set(messages)).toEqual(
      new Set(["The exchange of the key for secure strings failed: the server's session key can't be read."]),
    );
  });
});

describe("secure strings", () => {
  const key = new SessionKey(new Secret(aesKey));

  it("are AES-256-CBC over UTF-16LE with a zero initialisation vector", () => {
    // openssl enc -aes-256-cbc -K 000102...1f -iv 0 of the bytes 61 00 62 00
    expect(Buffer.from(key.encrypt(new Secret("ab"))).toString("hex")).toBe("2b83762b1453e748c45ca38d4501a089");
  });

  it("come back as they were, empty ones and lone surrogates too", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
        (text) => {
          expect(key.decrypt(key.encrypt(new Secret(text))).reveal()).toBe(text);
        },
      ),
    );
  });

  it("that don't fit the key are refused", () => {
    for (const bytes of [new Uint8Array(), new Uint8Array(16), new Uint8Array(15)]) {
      expect(() => key.decrypt(bytes)).toThrow("doesn't fit the session key");
    }
  });

  it("never show the key", () => {
    expect(JSON.stringify({ key })).toBe('{"key":"[redacted]"}');
  });
});
