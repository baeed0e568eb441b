import { X509Certificate } from "node:crypto";
import { inspect } from "node:util";

import type { PemSource } from "../../provider/certificate/pem";
import { readPemHere } from "../../provider/certificate/pem";
import type { ErrorCode } from "../../provider/errors";
import { ExchangeBindingError } from "../../provider/errors";
import { Secret } from "../../provider/secret";
import { makeTestAuthority, makeTestCertificate, testKey } from "./testCertificates";

const pemOf = (der: Uint8Array): string => new X509Certificate(der).toString();
const keyText = (type: "pkcs1" | "pkcs8" | "sec1", key = testKey(type === "sec1" ? "ecc" : "rsa2048")): string =>
  key.export({ format: "pem", type }).toString();

const leaf = makeTestCertificate({ dnsNames: ["mail.contoso.com"], issuer: makeTestAuthority() });
const ecc = makeTestCertificate({ dnsNames: ["ecc.contoso.com"], key: "ecc" });
const [issuing, root] = leaf.chain.map(pemOf) as [string, string];
const certificate = pemOf(leaf.der);

const read = (source: Partial<Omit<PemSource, "privateKey">> & { privateKey?: string }) =>
  readPemHere({ certificate, ...source, privateKey: new Secret(source.privateKey ?? keyText("pkcs8")) });

describe("readPemHere", () => {
  it.each([
    ["PKCS#8", certificate, keyText("pkcs8"), leaf],
    ["PKCS#1", certificate, keyText("pkcs1"), leaf],
    ["SEC1", pemOf(ecc.der), keyText("sec1"), ecc],
    ["PKCS#8 with an ECC key", pemOf(ecc.der), keyText("pkcs8", testKey("ecc")), ecc],
  ])("reads a key as %s", (_what, text, privateKey, expected) => {
    const material = read({ certificate: text, privateKey });
    expect(material.facts).toEqual(expected.facts);
    expect(material.privateKey.reveal().equals(expected.privateKey.reveal())).toBe(true);
  });

  it.each([
    ["the chain after the certificate", { certificate: certificate + issuing + root }],
    ["the chain before the certificate", { certificate: root + issuing + certificate }],
    ["the chain in a text of its own, in any order", { chain: root + issuing }],
    ["the chain in both", { certificate: certificate + issuing, chain: issuing + root }],
  ])("puts the chain in order, once: %s", (_what, source) => {
    const material = read(source);
    expect(material.facts.thumbprint).toBe(leaf.facts.thumbprint);
    expect(material.chain).toEqual(leaf.chain);
  });

  it("says that the chain wasn't in order, where that is so", () => {
    expect(read({ certificate: certificate + issuing + root }).notices).toEqual([]);
    expect(read({ chain: issuing + root }).notices).toEqual([]);
    expect(read({ certificate: certificate + issuing, chain: issuing + root }).notices).toEqual([]);
    expect(read({ certificate: issuing + certificate }).notices).toEqual(["chainReordered"]);
    expect(read({ chain: root + issuing }).notices).toEqual(["chainReordered"]);
    expect(read({ chain: certificate + root + issuing }).notices).toEqual(["chainReordered"]);
    expect(read({ chain: pemOf(ecc.der) + issuing }).notices).toEqual([]);
  });

  it("passes over what stands around the blocks, and Windows' line breaks", () => {
    const text = `Bag Attributes\n    localKeyID: 01\nsubject=CN = x - y\n${certificate}\n`.replaceAll("\n", "\r\n");
    expect(read({ certificate: text }).facts).toEqual(leaf.facts);
  });

  it("passes over the curve that openssl writes in front of an ECC key", () => {
    const curve = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    const material = read({ certificate: pemOf(ecc.der), privateKey: curve + keyText("sec1") });
    expect(material.facts).toEqual(ecc.facts);
  });

  it("takes the fitting one of several keys", () => {
    const other = keyText("pkcs8", testKey("rsa2048b"));
    expect(read({ privateKey: other + keyText("pkcs8") }).facts).toEqual(leaf.facts);
  });

  it("reads the key from a text that holds the certificate as well", () => {
    expect(read({ privateKey: certificate + keyText("pkcs8") }).facts).toEqual(leaf.facts);
  });
});

describe("readPemHere refuses", () => {
  const encrypted = testKey("rsa2048").export({ format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase: "p" });
  const oldEncrypted = testKey("rsa2048").export({
    format: "pem",
    type: "pkcs1",
    cipher: "aes-256-cbc",
    passphrase: "p",
  });
  const damaged = certificate.replace(/\n[A-Za-z0-9+/]{64}\n/, "\n");
  const damagedKey = keyText("pkcs8").replace(/\n[A-Za-z0-9+/]{64}\n/, "\n");

  it.each<[string, Parameters<typeof read>[0], ErrorCode, string]>([
    ["an empty certificate", { certificate: " " }, "PemUnreadable", "it is empty"],
    [
      "a path in place of the text",
      { certificate: "/etc/ssl/mail.pem" },
      "PemUnreadable",
      "it is a path or an address",
    ],
    ["lost line breaks", { certificate: certificate.replaceAll("\n", "\\n").slice(12) }, "PemUnreadable", "cut off"],
    [
      "a damaged certificate",
      { certificate: damaged },
      "PemUnreadable",
      "`certificate`: what stands between its BEGIN and END lines is damaged",
    ],
    ["a damaged chain", { chain: root + damaged }, "PemUnreadable", "`chain`, in a part of it: what stands between"],
    ["an empty key", { privateKey: "" }, "PemWithoutKey", "it is empty"],
    [
      "a certificate in place of the key",
      { privateKey: certificate },
      "PemWithoutKey",
      "holds a certificate and no private key",
    ],
    ["an encrypted PKCS#8 key", { privateKey: encrypted.toString() }, "PemUnreadable", "encrypted with a passphrase"],
    [
      "an encrypted PKCS#1 key",
      { privateKey: oldEncrypted.toString() },
      "PemUnreadable",
      "encrypted with a passphrase",
    ],
    ["a damaged key", { privateKey: damagedKey }, "PemUnreadable", "`privateKey`: what stands between"],
    [
      "another RSA key",
      { privateKey: keyText("pkcs8", testKey("rsa2048b")) },
      "PemKeyDoesNotFit",
      leaf.facts.thumbprint,
    ],
    ["a key of another kind", { privateKey: keyText("sec1") }, "PemKeyDoesNotFit", leaf.facts.thumbprint],
  ])("%s", (_what, source, code, text) => {
    let caught: unknown;
    try {
      read(source);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(ExchangeBindingError);
    const error = caught as ExchangeBindingError;
    expect(error.code).toBe(code);
    expect(error.message).toContain(text);
    const printed = inspect(error, { showHidden: true, depth: 20 });
    for (const line of keyText("pkcs8").split("\n").slice(1, -2)) expect(printed).not.toContain(line);
  });
});
