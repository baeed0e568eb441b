import { readFileSync } from "node:fs";
import path from "node:path";

import type { CertificateMaterial } from "../../provider/certificate/material";
import type { Given } from "../../provider/certificate/pem";
import { readPemHere } from "../../provider/certificate/pem";
import { readPfxHere } from "../../provider/certificate/pfx";
import { readCertificate } from "../../provider/certificate/readCertificate";
import { isBindingError } from "../../provider/errors";
import { Secret } from "../../provider/secret";

/**
 * Files that people have. They aren't part of this project; EXCHANGE_FIELD_INPUTS names their directory. Files of the same
 * kinds that are: see recognise.test.ts and fixtures/README.md.
 */
const directory = process.env["EXCHANGE_FIELD_INPUTS"] ?? "";
const suffix = directory === "" ? " (skipped: set EXCHANGE_FIELD_INPUTS to their directory)" : "";
const file = (name: string): Buffer => readFileSync(path.join(directory, name));
const text = (name: string): string => file(name).toString("utf8");

const pfx = (name: string, password = "pw"): CertificateMaterial =>
  readPfxHere(new Secret(file(name)), new Secret(password));
const pem = (certificate: Given, key: Given, chain?: Given): CertificateMaterial =>
  readPemHere({ certificate, privateKey: new Secret(key), chain });

function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (isBindingError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error("it was read");
}

(directory === "" ? describe.skip : describe)(`files that people have${suffix}`, () => {
  const leaf = (): CertificateMaterial => pem(text("leaf.pem"), text("leaf.key"));

  it("3: a chain is read as PEM and as PKCS#7, and is never taken for nothing", () => {
    const chain = pem(text("leaf.pem"), text("leaf.key"), text("chain.pem")).chain;
    expect(chain.length).toBeGreaterThan(0);
    expect(pem(text("leaf.pem"), text("leaf.key"), file("chain.p7b")).chain).toEqual(chain);
    expect(pem(text("leaf.pem"), text("leaf.key"), text("trusted.pem")).chain).toHaveLength(0);
    expect(refusal(() => pem(text("leaf.pem"), text("leaf.key"), "/etc/ssl/chain.pem"))).toMatch(
      /`chain`: it is a path/,
    );
    expect(refusal(() => pem(text("leaf.pem"), text("leaf.key"), "chain"))).toMatch(/`chain`: it is neither/);
  });

  it("3, 9: OpenSSL's trusted certificate and UTF-16 are read as what they are", () => {
    expect(pem(text("trusted.pem"), text("leaf.key")).facts).toEqual(leaf().facts);
    const utf16 = pem(file("full-utf16.pem"), text("leaf.key"));
    expect(utf16.facts).toEqual(leaf().facts);
    expect(utf16.chain.length).toBeGreaterThan(0);
  });

  it("4: a keystore of two keys is refused, with both subjects and how to export one", () => {
    const refused = refusal(() => pfx("two.p12", "changeit"));
    expect(refused).toMatch(
      /^PfxAmbiguous: .*2 certificates with their keys: CN=.*\([0-9A-F]{40}\); CN=.*\([0-9A-F]{40}\)/,
    );
    expect(refused).toContain("-srcalias ALIAS");
  });

  it("5, 14, 15: what doesn't fit a server is read all the same, with what is said of its use", () => {
    expect(pfx("client-only.pfx").facts.purposes).toEqual(["1.3.6.1.5.5.7.3.2"]);
    expect(pfx("smime.pfx").facts.dnsNames).toEqual([]);
    expect(pfx("ca.pfx").facts.isAuthority).toBe(true);
    expect(pfx("crlsign-only.pfx").facts.keyUsage).toEqual(["keyCertSign", "cRLSign"]);
    expect(pfx("empty-subject.pfx").facts).toMatchObject({ subject: "", commonName: undefined });
    expect(pfx("odd-subject.pfx").facts.subject).not.toBe("");
  });

  it("6: two certificates of one subject, each with its issuer", () => {
    const [old, renewed] = [pfx("m10.pfx").facts, pfx("m11.pfx").facts];
    expect(renewed.subject).toBe(old.subject);
    expect(renewed.issuer).not.toBe(old.issuer);
  });

  it.each([
    ["line breaks that are two characters", "leaf-bsn.pem", "key-bsn.pem"],
    ["line breaks that have become blanks", "leaf-spaces.pem", "key-spaces.pem"],
    ["indented lines", "full-indented.pem", "leaf.key"],
    ["PKCS#7 between the lines of a certificate", "full-p7-as-cert.pem", "leaf.key"],
  ])("8, 9: %s", (_what, certificate, key) => {
    expect(pem(text(certificate), text(key)).facts).toEqual(leaf().facts);
  });

  it("10: a PFX between the lines that certutil writes is the PFX", () => {
    expect(readPfxHere(new Secret(text("m10-certutil.txt")), new Secret("pw")).facts).toEqual(pfx("m10.pfx").facts);
    expect(pfx("m10-certutil.txt").facts).toEqual(pfx("m10.pfx").facts);
  });

  it("11: a PFX with PBMAC1 or without integrity check", () => {
    expect(pfx("pbmac1.pfx").facts.thumbprint).toBe(pfx("nomac.pfx").facts.thumbprint);
    expect(refusal(() => pfx("pbmac1.pfx", "wrong"))).toMatch(/the password doesn't fit/);
  });

  it("1: a serial number with superfluous zeros is read, as Windows does", () => {
    expect(readCertificate(file("bad-serial-padding.der")).serialNumber).toMatch(/^0000/);
  });

  it("7: a certificate alone is told from one with its key", () => {
    expect(refusal(() => readPfxHere(new Secret(file("leaf-without-key.der")), undefined))).toMatch(/^PfxWithoutKey/);
  });

  it("20: a password that ends in a line break and fits without it", () => {
    for (const slip of ["pw\n", "pw\r\n", "pw\n\n"]) {
      expect(refusal(() => pfx("m10.pfx", slip))).toMatch(/ends in a line break, and fits without it/);
      expect(refusal(() => pfx("nomac.pfx", slip))).toMatch(/ends in a line break, and fits without it/);
    }
    expect(refusal(() => pfx("m10.pfx", " pw"))).toMatch(/begins or ends with a blank/);
    expect(refusal(() => pfx("m10.pfx", '"pw"'))).toMatch(/stands in quotes/);
    expect(refusal(() => pfx("m10.pfx", "qw\n"))).toMatch(/the password doesn't fit/);
  });
});
