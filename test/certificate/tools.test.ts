import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";

import type { CertificateMaterial } from "../../provider/certificate/material";
import { readPemHere } from "../../provider/certificate/pem";
import { readPfxHere } from "../../provider/certificate/pfx";
import { readCertificate } from "../../provider/certificate/readCertificate";
import type { Stranger } from "../../provider/certificate/recognise";
import { recogniseFile } from "../../provider/certificate/recognise";
import { isBindingError } from "../../provider/errors";
import { Secret } from "../../provider/secret";

/** Files that tools wrote; fixtures/README.md says which tool, and how. */
const directory = path.join(__dirname, "fixtures", "tools");
const file = (name: string): Uint8Array => readFileSync(path.join(directory, name));

const MAIL = "CN=mail.contoso.com, O=Contoso";
const GNUTLS = "CN=gnutls.contoso.com";
const NSS = "CN=nss.contoso.com, O=Contoso";

/** PFX files: what is in them, and how many certificates go along. The password is "exchange-test" or none. */
const PFX: readonly (readonly [string, string, number])[] = [
  ["gnutls-3des.p12", GNUTLS, 0],
  ["gnutls-p12.pem", GNUTLS, 0],
  ["gnutls.p12", GNUTLS, 0],
  ["keytool-legacy.p12", "CN=java.contoso.com", 0],
  ["keytool.p12", "CN=java.contoso.com, O=Contoso", 0],
  ["nss-3des.p12", NSS, 0],
  ["nss.p12", NSS, 0],
  ["openssl-2des.pfx", MAIL, 0],
  ["openssl-default.pfx", MAIL, 1],
  ["openssl-legacy.pfx", MAIL, 1],
  ["openssl-plain.pfx", MAIL, 0],
  ["openssl-rc2-128.pfx", MAIL, 0],
  ["openssl-sha384.pfx", MAIL, 0],
  ["openssl-sha512.pfx", MAIL, 0],
  ["python-3des.p12", MAIL, 1],
  ["python-best.p12", MAIL, 1],
  ["python-none.p12", MAIL, 0],
];

/** PFX files that are refused, and why. */
const REFUSED: readonly (readonly [string, RegExp])[] = [
  ["keytool-trust.p12", /^PfxWithoutKey: .*no private key/],
  ["keytool-two.p12", /^PfxAmbiguous: .*CN=java\.contoso\.com, O=Contoso \(.*CN=old\.contoso\.com \(.*-srcalias/],
  ["openssl-rc4.pfx", /^PfxUnreadable: .*1\.2\.840\.113549\.1\.12\.1\.1, which is not supported\. Export it again/],
];

/** Other files: the subjects of their certificates, and how many keys. */
const PARTS: readonly (readonly [string, readonly string[], number])[] = [
  ["authority.pem", ["CN=Tools CA, O=Contoso"], 0],
  ["gnutls.key", [], 1],
  ["gnutls.pem", [GNUTLS], 0],
  ["keytool.der", ["CN=java.contoso.com, O=Contoso"], 0],
  ["keytool.pem", ["CN=java.contoso.com, O=Contoso"], 0],
  ["mail.key", [], 1],
  ["mail.pem", [MAIL], 0],
  ["nss.der", [NSS], 0],
  ["nss.pem", [NSS], 0],
  ["openssl-bag-attributes.pem", [MAIL, "CN=Tools CA, O=Contoso"], 1],
  ["openssl-der.p7b", [MAIL], 0],
  ["openssl-ecparam.key", [], 1],
  ["openssl-explicit.key", [], 1],
  ["openssl-pkcs8.der", [], 1],
  ["openssl-sec1.key", [], 1],
  ["openssl-text.pem", [MAIL], 0],
  ["openssl-trusted.pem", [MAIL], 0],
  ["openssl.cer", [MAIL], 0],
  ["openssl.p7b", [MAIL, "CN=Tools CA, O=Contoso"], 0],
  ["python-der.p7b", [MAIL], 0],
  ["python-pkcs8.key", [], 1],
  ["python.p7b", ["CN=Tools CA, O=Contoso", MAIL], 0],
];

const NAMED: readonly (readonly [string, Stranger])[] = [
  ["gnutls-encrypted.key", "encryptedKey"],
  ["gpg.asc", "pgp"],
  ["gpg.gpg", "pgp"],
  ["keytool.csr", "request"],
  ["keytool.jceks", "keystore"],
  ["keytool.jks", "keystore"],
  ["openssh.key", "opensshKey"],
  ["openssh.pub", "sshPublicKey"],
  ["openssl-cms.pem", "encryptedMessage"],
  ["openssl-der.csr", "request"],
  ["openssl-encrypted.key", "encryptedKey"],
  ["openssl-old-encrypted.key", "encryptedKey"],
  ["openssl-public.pem", "publicKey"],
  ["openssl.crl", "revocationList"],
  ["openssl.csr", "request"],
  ["python-openssh.key", "opensshKey"],
];

const open = (name: string): CertificateMaterial =>
  readPfxHere(new Secret(file(name)), /-(?:plain|none)\./.test(name) ? undefined : new Secret("exchange-test"));

describe("files that tools wrote", () => {
  it("are all in one of these tables", () => {
    const told = [...PFX, ...REFUSED, ...PARTS, ...NAMED].map(([name]) => name);
    expect([...told].sort()).toEqual(readdirSync(directory).sort());
  });

  it.each(PFX)("%s is a PFX with its key", (name, subject, others) => {
    const material = open(name);
    expect(material.facts.subject).toBe(subject);
    expect(material.chain).toHaveLength(others);
  });

  it.each(REFUSED)("%s is refused with the reason and a way out", (name, reason) => {
    try {
      open(name);
    } catch (error) {
      expect(isBindingError(error) ? `${error.code}: ${error.message}` : error).toMatch(reason);
      return;
    }
    throw new Error("it was read");
  });

  it.each(PARTS)("%s holds %j", (name, subjects, keys) => {
    const found = recogniseFile(file(name));
    if (found.kind !== "parts") throw new Error(JSON.stringify(found));
    expect(found.certificates.map((der) => readCertificate(der).subject)).toEqual(subjects);
    expect(found.keys).toHaveLength(keys);
  });

  it.each(NAMED)("%s is named: %s", (name, stranger) => {
    expect(recogniseFile(file(name))).toEqual({ kind: "stranger", stranger });
  });

  it.each([
    "mail.key",
    "openssl-sec1.key",
    "openssl-ecparam.key",
    "openssl-explicit.key",
    "openssl-pkcs8.der",
    "python-pkcs8.key",
  ])("%s is the key of the certificate", (name) => {
    const material = readPemHere({ certificate: file("openssl.p7b"), privateKey: new Secret(file(name)) });
    expect(material.facts.subject).toBe(MAIL);
    expect(material.chain).toHaveLength(1);
  });
});
