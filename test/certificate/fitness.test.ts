import { createPublicKey, generateKeyPairSync } from "node:crypto";

import type { CertificateFacts } from "../../provider/certificate/facts";
import { chainFlaws, losesClientUse, PURPOSES, unfitnessOf, unusableFor } from "../../provider/certificate/fitness";
import { readCertificate } from "../../provider/certificate/readCertificate";
import { buildCertificate } from "../../provider/certificate/buildCertificate";
import { makeTestAuthority, makeTestCertificate } from "./testCertificates";

const authority = makeTestAuthority();
const mail = makeTestCertificate({ dnsNames: ["mail.contoso.com"], issuer: authority });
const facts = (changes: Partial<CertificateFacts> = {}): CertificateFacts => ({ ...mail.facts, ...changes });
const EMAIL = "1.3.6.1.5.5.7.3.4";
const unfit = (changes: Partial<CertificateFacts>, chainsToPublicRoot = false) =>
  unfitnessOf(facts(changes), { chainsToPublicRoot });

describe("what a server can't use", () => {
  it("is nothing of an ordinary certificate, and of one without any extension", () => {
    expect(unusableFor(mail.facts)).toEqual([]);
    expect(unusableFor(facts({ purposes: undefined, keyUsage: undefined }))).toEqual([]);
  });

  it.each([
    ["for clients alone", [PURPOSES.clientAuth]],
    ["for mail alone", [EMAIL]],
    ["for nothing at all", []],
  ])("is one that is %s", (_what, purposes) => {
    expect(unusableFor(facts({ purposes }))).toEqual([{ kind: "notForServers", purposes }]);
  });

  it.each([
    ["any purpose", [PURPOSES.any]],
    ["servers among others", [EMAIL, PURPOSES.serverAuth]],
  ])("isn't one for %s", (_what, purposes) => {
    expect(unusableFor(facts({ purposes }))).toEqual([]);
  });

  it.each<[string, CertificateFacts["keyUsage"], CertificateFacts["keyAlgorithm"], boolean]>([
    ["signing", ["digitalSignature"], "RSA", true],
    ["enciphering with RSA", ["keyEncipherment"], "RSA", true],
    ["enciphering with ECC, which there isn't", ["keyEncipherment"], "ECC", false],
    ["agreeing on keys with ECC", ["keyAgreement"], "ECC", true],
    ["signing lists", ["cRLSign"], "RSA", false],
    ["signing certificates and lists", ["keyCertSign", "cRLSign"], "RSA", false],
    ["nothing", [], "RSA", false],
  ])("is judged by the use of its key: %s", (_what, keyUsage, keyAlgorithm, fits) => {
    const found = unusableFor(facts({ keyUsage, keyAlgorithm }));
    expect(found.map(({ kind }) => kind)).toEqual(fits ? [] : ["keyUsage"]);
  });

  it.each([
    ["secp256k1", false],
    ["prime256v1", true],
    ["secp384r1", true],
    ["brainpoolP256r1", true],
    ["sect233r1", false],
  ])("is judged by its curve, read from a real certificate: %s", (namedCurve, fits) => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve });
    const der = buildCertificate(
      {
        subject: [],
        publicKey: createPublicKey(privateKey),
        dnsNames: ["a.contoso.com"],
        notBefore: new Date("2026-01-01"),
        notAfter: new Date("2027-01-01"),
        serialNumber: new Uint8Array([1]),
        isAuthority: false,
      },
      { privateKey, certificate: undefined },
    );
    expect(unusableFor(readCertificate(der))).toEqual(fits ? [] : [{ kind: "curve", curve: namedCurve }]);
  });
});

describe("what is worth saying of a certificate", () => {
  it("is nothing of an ordinary one, however long a private CA made it valid", () => {
    expect(unfitnessOf(mail.facts, { chainsToPublicRoot: false })).toEqual([]);
  });

  it("is that it is the CA's own", () => {
    expect(unfitnessOf(authority.facts, { chainsToPublicRoot: false })).toEqual([
      { kind: "authority" },
      { kind: "noNames" },
    ]);
  });

  it.each<[string, Partial<CertificateFacts>, object]>([
    ["it has no name that clients use", { dnsNames: [] }, { kind: "noNames" }],
    ["its key is short", { keySizeBits: 1024 }, { kind: "shortKey", bits: 1024 }],
    ["it is signed with SHA-1", { signature: "sha1" }, { kind: "sha1Signature" }],
    ["it is signed with RSASSA-PSS", { signature: "pss" }, { kind: "pssSignature" }],
  ])("is that %s", (_what, changes, flaw) => {
    expect(unfit(changes)).toEqual([flaw]);
  });

  it("isn't the SHA-1 of one that signs itself, as Exchange's old ones do", () => {
    expect(unfit({ signature: "sha1", isSelfSigned: true })).toEqual([]);
  });

  it.each([
    ["2025-06-01", 398, 398],
    ["2026-03-14", 398, 398],
    ["2026-03-15", 200, 200],
    ["2027-03-14", 200, 200],
    ["2027-03-15", 100, 100],
    ["2029-03-15", 47, 47],
  ])("is that one from %s may be valid for %d days, with a public root", (day, days, allowed) => {
    const begins = Date.parse(`${day}T00:00:00Z`);
    const until = (count: number) => ({
      notBefore: new Date(begins).toISOString(),
      notAfter: new Date(begins + count * 86_400_000 - 1000).toISOString(),
    });
    expect(unfit(until(days), true)).toEqual([]);
    expect(unfit(until(days + 1), true)).toEqual([{ kind: "tooLong", days: days + 1, allowed }]);
    expect(unfit(until(days + 1), false)).toEqual([]);
  });
});

describe("a renewal that can't be shown as a client any more", () => {
  it.each<[string, CertificateFacts["purposes"], CertificateFacts["purposes"], boolean]>([
    ["had it and hasn't", [PURPOSES.serverAuth, PURPOSES.clientAuth], [PURPOSES.serverAuth], true],
    ["had all of them and hasn't", undefined, [PURPOSES.serverAuth], true],
    ["has it still", [PURPOSES.clientAuth], [PURPOSES.serverAuth, PURPOSES.clientAuth], false],
    ["never had it", [PURPOSES.serverAuth], [PURPOSES.serverAuth], false],
    ["has any", [PURPOSES.clientAuth], [PURPOSES.any], false],
  ])("%s", (_what, old, next, loses) => {
    expect(losesClientUse(facts({ purposes: old }), facts({ purposes: next }))).toBe(loses);
  });
});

describe("the certificates that go along", () => {
  const [root] = authority.chain.map(readCertificate) as [CertificateFacts];
  const stray = makeTestCertificate({ subject: "CN=Stray" }).facts;

  it("have no flaw when they lead up to what a root issued", () => {
    expect(chainFlaws(mail.facts, [authority.facts])).toEqual([]);
    expect(chainFlaws(mail.facts, [])).toEqual([]);
  });

  it("may end in a root, which is told", () => {
    expect(chainFlaws(mail.facts, [authority.facts, root])).toEqual([{ kind: "root", subject: root.subject }]);
  });

  it("lead nowhere when none of them issued the certificate", () => {
    expect(chainFlaws(mail.facts, [stray])).toEqual([
      { kind: "leadsNowhere", issuer: authority.facts.subject },
      { kind: "strays", subjects: ["CN=Stray"] },
    ]);
  });

  it("may hold strays", () => {
    expect(chainFlaws(mail.facts, [authority.facts, stray])).toEqual([{ kind: "strays", subjects: ["CN=Stray"] }]);
  });
});
