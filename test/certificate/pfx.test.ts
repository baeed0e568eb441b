import { readFileSync } from "node:fs";
import path from "node:path";
import { inspect } from "node:util";

import * as fc from "fast-check";

import type { Asn1 } from "../../provider/certificate/asn1";
import {
  bytesOf,
  childOf,
  childrenOf,
  context,
  integer,
  isUniversal,
  objectIdentifier,
  octetString,
  readAsn1,
  sequence,
  writeAsn1,
} from "../../provider/certificate/asn1";
import { packPfx } from "../../provider/certificate/packPfx";
import { MAX_ROUNDS } from "../../provider/certificate/pbe";
import type { CertificateMaterial } from "../../provider/certificate/pfx";
import { readPfxHere } from "../../provider/certificate/pfx";
import { readCertificate } from "../../provider/certificate/readCertificate";
import type { ErrorCode } from "../../provider/errors";
import { ExchangeBindingError } from "../../provider/errors";
import { Secret } from "../../provider/secret";
import { makeTestAuthority, makeTestCertificate } from "./testCertificates";

const PASSWORD = "exchange-test";
const MAIL = "1C07FD30CB7BAA65E0D5D9AD5FE22EED1ECE20FC";
const ECC = "0997F69EDF9BF2A1EC2E63D0321BB5DAD6111F1A";
const BIG = "0527AA8EDF3C22CA1F964E385679FDF4ADE63C32";
const JAVA = "530DC340CFEA0EC0D2BAF407EE94BCC0F4DDEB41";

const fixture = (name: string): Uint8Array => readFileSync(path.join(__dirname, "fixtures", name));
const open = (pfx: Uint8Array, password: string | undefined): CertificateMaterial =>
  readPfxHere(new Secret(pfx), password === undefined ? undefined : new Secret(password));

/** The error that reading throws; fails the test when it throws none, or one that isn't ours. */
function refusal(read: () => unknown): ExchangeBindingError {
  try {
    read();
  } catch (error) {
    if (error instanceof ExchangeBindingError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

function expectKeyFits({ der, privateKey, facts }: CertificateMaterial): void {
  const again = open(packPfx({ der, chain: [], privateKey }, new Secret("x")).reveal(), "x");
  expect(again.facts).toEqual(facts);
}

describe("readPfx", () => {
  it.each([
    [
      "OpenSSL 3 (AES-256, HMAC-SHA256)",
      "openssl3-aes.pfx",
      MAIL,
      ["CN=Contoso Test Issuing CA", "CN=Contoso Test Root"],
    ],
    ["OpenSSL 1 (RC2-40 and 3DES)", "openssl1-rc2.pfx", MAIL, ["CN=Contoso Test Issuing CA", "CN=Contoso Test Root"]],
    ["Windows with TripleDES-SHA1", "windows-3des.pfx", MAIL, ["CN=Contoso Test Issuing CA", "CN=Contoso Test Root"]],
    ["Windows with AES256-SHA256", "windows-aes-ksp.pfx", MAIL, ["CN=Contoso Test Issuing CA", "CN=Contoso Test Root"]],
    ["Java's keytool", "keytool.p12", JAVA, []],
    ["a writer that leaves the integrity check out", "no-mac.pfx", MAIL, []],
    ["anyone with an ECC key", "ecc.pfx", ECC, ["CN=Contoso Test Issuing CA", "CN=Contoso Test Root"]],
    ["anyone with an RSA key of 4096 bits", "rsa4096.pfx", BIG, []],
  ])("reads a file of %s", (_what, file, thumbprint, chain) => {
    const material = open(fixture(file), PASSWORD);
    expect(material.facts.thumbprint).toBe(thumbprint);
    expect(subjectsOf(material)).toEqual(chain.map((name) => `${name}, O=Contoso`));
    expectKeyFits(material);
  });

  it("gives the certificate's bytes exactly as they are in the file", () => {
    expect(open(fixture("openssl3-aes.pfx"), PASSWORD).facts).toMatchObject({
      subject: 'CN=mail.contoso.com, OU=IT, O="Contoso, Ltd.", C=US',
      issuer: "CN=Contoso Test Issuing CA, O=Contoso",
      serialNumber: "00C3EDCF18",
      dnsNames: ["mail.contoso.com", "autodiscover.contoso.com"],
      keyAlgorithm: "RSA",
      keySizeBits: 2048,
    });
  });

  it("reads a password with letters beyond ASCII", () => {
    expect(open(fixture("unicode-password.pfx"), "Pässwörd €✓").facts.thumbprint).toBe(MAIL);
  });

  it("reads a password that an old OpenSSL wrote byte by byte", () => {
    const widened = Buffer.from("Pässwörd €✓", "utf8").toString("latin1");
    const { der, chain, privateKey } = makeTestCertificate({});
    const pfx = packPfx({ der, chain, privateKey }, new Secret(widened));
    expect(open(pfx.reveal(), "Pässwörd €✓").der).toEqual(der);
  });

  it.each([
    ["not given", undefined],
    ["given as empty", ""],
  ])("reads a file with an empty password when the password is %s", (_what, password) => {
    const { der, chain, privateKey } = makeTestCertificate({});
    const empty = packPfx({ der, chain, privateKey }, new Secret(""));
    const none = packPfx({ der, chain, privateKey }, new Secret<string>(null as unknown as string));
    expect(open(fixture("empty-password.pfx"), password).facts.thumbprint).toBe(MAIL);
    expect(open(empty.reveal(), password).der).toEqual(der);
    expect(open(none.reveal(), password).der).toEqual(der);
  });

  it("reads a file in the loose BER form with values in pieces", () => {
    const loose = toBer(readAsn1(fixture("openssl3-aes.pfx")));
    const material = open(loose, PASSWORD);
    expect(material.facts.thumbprint).toBe(MAIL);
    expect(material.chain).toHaveLength(2);
  });

  it("ignores a line break after the end of the file", () => {
    expect(open(Buffer.concat([fixture("ecc.pfx"), Buffer.from("\r\n")]), PASSWORD).facts.thumbprint).toBe(ECC);
  });

  it("finds the certificate that fits the key wherever it stands, and puts the chain in order", () => {
    const leaf = makeTestCertificate({ dnsNames: ["mail.contoso.com"], issuer: makeTestAuthority() });
    const [issuing, root] = leaf.chain as [Uint8Array, Uint8Array];
    const stray = makeTestCertificate({ subject: "CN=Stray", key: "ecc" }).der;
    const pfx = packPfx(
      { der: root, chain: [stray, leaf.der, issuing], privateKey: leaf.privateKey },
      new Secret(PASSWORD),
    );
    const material = open(pfx.reveal(), PASSWORD);
    expect(material.facts.thumbprint).toBe(leaf.facts.thumbprint);
    expect(subjectsOf(material)).toEqual([
      "CN=Contoso Issuing CA, O=Contoso",
      "CN=Contoso Root, O=Contoso",
      "CN=Stray",
    ]);
  });

  it("takes the certificate that the file ties to the key when a renewed one has the same key", () => {
    const old = makeTestCertificate({ dnsNames: ["mail.contoso.com"] });
    const renewed = makeTestCertificate({ dnsNames: ["mail.contoso.com"] });
    const pfx = packPfx({ ...renewed, chain: [old.der] }, new Secret(PASSWORD));
    expect(open(pfx.reveal(), PASSWORD).facts.thumbprint).toBe(renewed.facts.thumbprint);
  });

  it("leaves the certificate itself out of the chain when the file holds it twice", () => {
    const { der, privateKey } = makeTestCertificate({});
    expect(open(packPfx({ der, chain: [der], privateKey }, new Secret("")).reveal(), "").chain).toEqual([]);
  });

  it("notices a key storage provider, and no other provider", () => {
    expect(open(fixture("windows-aes-ksp.pfx"), PASSWORD).notices).toEqual(["keyStorageProviderDropped"]);
    expect(open(fixture("windows-3des.pfx"), PASSWORD).notices).toEqual([]);
    expect(open(fixture("openssl3-aes.pfx"), PASSWORD).notices).toEqual([]);
  });
});

describe("readPfx refuses", () => {
  const leaf = makeTestCertificate({ dnsNames: ["mail.contoso.com"] });
  const secret = new Secret(PASSWORD);
  const withOtherKey = packPfx({ ...leaf, privateKey: makeTestCertificate({ key: "rsa2048b" }).privateKey }, secret);
  const withEccKey = packPfx({ ...leaf, privateKey: makeTestCertificate({ key: "ecc" }).privateKey }, secret);
  const pem = new TextEncoder().encode("-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----\n");

  it.each<[string, Uint8Array, string | undefined, ErrorCode, string]>([
    ["nothing at all", new Uint8Array(), PASSWORD, "PfxUnreadable", "it is empty"],
    ["something else", new TextEncoder().encode("Hello"), PASSWORD, "PfxUnreadable", "not a PFX"],
    ["a bare certificate", leaf.der, PASSWORD, "PfxWithoutKey", leaf.facts.thumbprint],
    ["half of a file", fixture("ecc.pfx").subarray(0, 1500), PASSWORD, "PfxUnreadable", "not a PFX, or not all of it"],
    ["damaged PEM text", pem, PASSWORD, "PfxUnreadable", "between its BEGIN and END lines is damaged"],
    ["a wrong password", fixture("ecc.pfx"), "wrong", "PfxWrongPassword", "the password doesn't fit"],
    ["no password where one is needed", fixture("ecc.pfx"), undefined, "PfxWrongPassword", "none was given"],
    ["a password too many", fixture("empty-password.pfx"), "x", "PfxWrongPassword", "the password doesn't fit"],
    ["a wrong password without integrity check", fixture("no-mac.pfx"), "x", "PfxWrongPassword", "no integrity check"],
    ["a key alone", fixture("key-only.pfx"), PASSWORD, "PfxWithoutCertificate", "a key and no certificate"],
    ["a certificate alone", fixture("certificate-only.pfx"), PASSWORD, "PfxWithoutKey", MAIL],
    ["an RSA key of another certificate", withOtherKey.reveal(), PASSWORD, "PfxKeyDoesNotFit", leaf.facts.thumbprint],
    ["a key of another kind", withEccKey.reveal(), PASSWORD, "PfxKeyDoesNotFit", leaf.facts.thumbprint],
  ])("%s", (_what, pfx, password, code, text) => {
    const error = refusal(() => open(pfx, password));
    expect(error.code).toBe(code);
    expect(error.message).toContain(text);
  });

  it("an empty safe", () => {
    const empty = pfxOf(sequence());
    expect(refusal(() => open(empty, "")).code).toBe("PfxWithoutCertificate");
  });

  it("more rounds of key derivation than anyone uses, at once", () => {
    const pfx = readAsn1(fixture("ecc.pfx"));
    const [digestInfo, salt] = childrenOf(childOf(pfx, 2)) as [Asn1, Asn1];
    const slow = sequence(childOf(pfx, 0), childOf(pfx, 1), sequence(digestInfo, salt, integer(0x7fffffff)));
    const error = refusal(() => open(writeAsn1(slow), PASSWORD));
    expect(error.code).toBe("PfxUnreadable");
    expect(error.message).toContain(`(1 to ${MAX_ROUNDS} are accepted)`);
  });

  it("encryption that it doesn't know, by its identifier", () => {
    const encryptedContent = sequence(
      objectIdentifier("1.2.840.113549.1.7.1"),
      sequence(objectIdentifier("1.2.3.4"), sequence()),
      context(0, Buffer.alloc(16)),
    );
    const error = refusal(() =>
      open(
        pfxOf(
          sequence(
            sequence(objectIdentifier("1.2.840.113549.1.7.6"), context(0, [sequence(integer(0), encryptedContent)])),
          ),
        ),
        "x",
      ),
    );
    expect(error.code).toBe("PfxUnreadable");
    expect(error.message).toContain("it uses encryption 1.2.3.4, which is not supported");
  });

  it("a file that is signed instead of protected by a password", () => {
    const signed = sequence(integer(3), sequence(objectIdentifier("1.2.840.113549.1.7.2"), context(0, [sequence()])));
    expect(refusal(() => open(writeAsn1(signed), "x")).message).toContain("protected with a signature");
  });

  it("a file for Windows accounts, and says what it looks like", () => {
    const protectedPassword = octetString(writeAsn1(objectIdentifier("1.3.6.1.4.1.311.17.4")));
    const [, content, mac] = childrenOf(readAsn1(fixture("ecc.pfx")));
    const forAccounts = sequence(
      integer(3),
      sequence(childOf(content as Asn1, 0), context(0, [protectedPassword])),
      mac as Asn1,
    );
    expect(refusal(() => open(writeAsn1(forAccounts), undefined)).message).toContain(
      "for certain Windows accounts only",
    );
  });

  it("a file that was cut off anywhere", () => {
    const pfx = fixture("windows-3des.pfx");
    fc.assert(
      fc.property(fc.nat({ max: pfx.length - 1 }), (length) => {
        expect(refusal(() => open(pfx.slice(0, length), PASSWORD)).code).toBe("PfxUnreadable");
      }),
    );
  });

  it("a changed byte with an error of its own, never with another one and never with other contents", () => {
    const pfx = fixture("windows-3des.pfx");
    const openChanged = (at: number, flip: number): CertificateMaterial | ExchangeBindingError => {
      const changed = Uint8Array.from(pfx);
      changed[at] = (pfx[at] ?? 0) ^ flip;
      try {
        return open(changed, PASSWORD);
      } catch (error) {
        if (error instanceof ExchangeBindingError) return error;
        throw error;
      }
    };
    fc.assert(
      fc.property(fc.nat({ max: pfx.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const result = openChanged(at, flip);
        if (result instanceof ExchangeBindingError) {
          expect(["PfxUnreadable", "PfxWrongPassword"]).toContain(result.code);
          expect(result.cause).toBeUndefined();
          expect(inspect(result)).not.toContain(PASSWORD);
        } else {
          expect(result.facts.thumbprint).toBe(MAIL);
        }
      }),
    );
  });
});

describe("certificate material", () => {
  const material = open(fixture("openssl3-aes.pfx"), PASSWORD);
  const key = material.privateKey.reveal();
  const pieces = [
    ...key.export({ format: "pem", type: "pkcs8" }).toString().split("\n").slice(1, -2),
    key.export({ format: "jwk" }).d ?? "",
    PASSWORD,
  ];

  it.each([
    ["JSON", JSON.stringify(material)],
    ["inspection with hidden properties", inspect(material, { showHidden: true, depth: 20, maxStringLength: null })],
    ["string conversion", `${String(material.privateKey)} ${Object.values(material).join(" ")}`],
  ])("shows neither key nor password in %s", (_what, printed) => {
    expect(pieces.length).toBeGreaterThan(20);
    for (const piece of pieces) expect(printed).not.toContain(piece);
  });

  it("isn't in the error that a wrong password gives, nor is that password", () => {
    const error = refusal(() => open(fixture("openssl3-aes.pfx"), "not-the-password"));
    const printed = `${inspect(error, { showHidden: true, depth: 20 })} ${JSON.stringify(error)} ${error.stack ?? ""}`;
    for (const piece of [...pieces, "not-the-password"]) expect(printed).not.toContain(piece);
  });
});

function subjectsOf({ chain }: CertificateMaterial): readonly string[] {
  return chain.map((der) => readCertificate(der).subject);
}

/** A PFX without integrity check around an AuthenticatedSafe. */
function pfxOf(authenticatedSafe: Asn1): Uint8Array {
  const content = context(0, [octetString(writeAsn1(authenticatedSafe))]);
  return writeAsn1(sequence(integer(3), sequence(objectIdentifier("1.2.840.113549.1.7.1"), content)));
}

/**
 * The same values with lengths left open, and with octet strings of the outer layer in pieces, as Bouncy Castle writes
 * them.
 */
function toBer(node: Asn1): Buffer {
  const tag = node.tagClass | node.type;
  const end = Buffer.from([0, 0]);
  if (node.constructed) {
    return Buffer.concat([Buffer.from([tag | 0x20, 0x80]), ...childrenOf(node).map(toBer), end]);
  }
  const bytes = bytesOf(node);
  if (!isUniversal(node, "OCTETSTRING") || bytes.length < 40) return writeAsn1(node);
  const middle = Math.floor(bytes.length / 2);
  const pieces = [bytes.subarray(0, middle), bytes.subarray(middle)].map((piece) => writeAsn1(octetString(piece)));
  return Buffer.concat([Buffer.from([tag | 0x20, 0x80]), ...pieces, end]);
}
