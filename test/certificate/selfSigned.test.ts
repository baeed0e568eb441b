import { X509Certificate } from "node:crypto";

import type { SelfSignedWish } from "../../provider/certificate/selfSigned";
import { makeSelfSigned, problemsOfSelfSigned } from "../../provider/certificate/selfSigned";
import { isBindingError } from "../../provider/errors";

const NOW = new Date("2026-11-23T20:00:00Z");
const wishFor = (wish: Partial<SelfSignedWish>): SelfSignedWish => ({
  dnsNames: ["mail.contoso.com"],
  validityDays: 365,
  keySize: 2048,
  ...wish,
});
const make = (wish: Partial<SelfSignedWish>, fill = 0xff) =>
  makeSelfSigned(wishFor(wish), { now: NOW, randomBytes: (size) => Buffer.alloc(size, fill) });

describe("makeSelfSigned", () => {
  it("makes a server certificate for the wished names", async () => {
    const { der, facts, chain } = await make({ dnsNames: ["mail.contoso.com", "autodiscover.contoso.com"] });
    expect(facts).toMatchObject({
      subject: "CN=mail.contoso.com",
      issuer: "CN=mail.contoso.com",
      dnsNames: ["mail.contoso.com", "autodiscover.contoso.com"],
      keyAlgorithm: "RSA",
      keySizeBits: 2048,
      isSelfSigned: true,
    });
    expect(chain).toEqual([]);
    const certificate = new X509Certificate(der);
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(certificate.ca).toBe(false);
    expect(certificate.checkHost("autodiscover.contoso.com")).toBe("autodiscover.contoso.com");
  });

  it("holds the key that the certificate was made for", async () => {
    const { der, privateKey } = await make({});
    expect(new X509Certificate(der).checkPrivateKey(privateKey.reveal())).toBe(true);
  });

  it("begins an hour before now, for servers whose clock is behind, and ends the wished days after now", async () => {
    const { facts } = await make({ validityDays: 10 });
    expect(facts.notBefore).toBe("2026-11-23T19:00:00.000Z");
    expect(facts.notAfter).toBe("2026-12-03T20:00:00.000Z");
  });

  it("can end after 2049, from when on dates are encoded in another way", async () => {
    const { facts } = await make({ validityDays: 9_000 });
    expect(facts.notAfter).toBe("2051-07-15T20:00:00.000Z");
  });

  it.each([
    ["all ones", 0xff, "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"],
    ["all zeros", 0x00, "40000000000000000000000000000000"],
  ])("has a positive serial number of 16 bytes when the random bytes are %s", async (_what, fill, serialNumber) => {
    expect((await make({}, fill)).facts.serialNumber).toBe(serialNumber);
  });

  it("takes a subject in the form that Windows prints", async () => {
    const subject = 'CN=Mail, O="Contoso, Ltd.", C=US';
    expect((await make({ subject })).facts.subject).toBe(subject);
  });

  it("takes wildcards and names with other letters, which go in as xn--", async () => {
    const { facts } = await make({ dnsNames: ["*.contoso.com", "müller.example"] });
    expect(facts.dnsNames).toEqual(["*.contoso.com", "xn--mller-kva.example"]);
    expect(facts.subject).toBe("CN=*.contoso.com");
  });

  it("takes the first name that is short enough as common name", async () => {
    const long = `${"a".repeat(60)}.contoso.com`;
    expect((await make({ dnsNames: [long, "mail.contoso.com"] })).facts.subject).toBe("CN=mail.contoso.com");
  });

  it("refuses a wish with everything that is wrong with it", async () => {
    const caught: unknown = await make({ subject: "mail", keySize: 1024 }).catch((error: unknown) => error);
    expect(isBindingError(caught, "SelfSignedInvalid")).toBe(true);
    expect(String(caught)).toMatch(/subject: "mail" is not in the form .*; keySize: must be one of 2048, 3072, 4096/);
  });
});

describe("problemsOfSelfSigned", () => {
  it("finds none in an ordinary wish", () => {
    expect(problemsOfSelfSigned(wishFor({}))).toEqual([]);
  });

  it.each<[string, Partial<SelfSignedWish>, keyof SelfSignedWish]>([
    ["a name with a blank", { dnsNames: ["mail contoso"] }, "dnsNames"],
    ["an address", { dnsNames: ["192.0.2.10"], subject: "CN=x" }, "dnsNames"],
    ["no name and no subject", { dnsNames: [] }, "subject"],
    ["a subject that isn't one", { subject: "XX=1" }, "subject"],
    ["no day", { validityDays: 0 }, "validityDays"],
    ["half a day", { validityDays: 1.5 }, "validityDays"],
    ["more than a hundred years", { validityDays: 40_000 }, "validityDays"],
    ["a key that is too small", { keySize: 1024 }, "keySize"],
  ])("finds %s", (_what, wish, property) => {
    expect(problemsOfSelfSigned(wishFor(wish)).map((problem) => problem.property)).toEqual([property]);
  });
});
