import { generateKeyPairSync, X509Certificate } from "node:crypto";
import type { KeyObject } from "node:crypto";

import { buildCertificate } from "../../provider/certificate/buildCertificate";
import { readCertificate } from "../../provider/certificate/readCertificate";
import { isBindingError } from "../../provider/errors";
import { makeTestAuthority, makeTestCertificate } from "./testCertificates";

/** The default certificate of an Exchange 2019 server, from the public captures of CSS-Exchange. */
const SOLO_E19A = [
  "MIIDETCCAfmgAwIBAgIQaCaDZNC6fqFDv1CGpan7ODANBgkqhkiG9w0BAQUFADAUMRIwEAYDVQQDEwlTb2xvLUUxOUEwHhcNMTkxMjAz",
  "MjI0NTU4WhcNMjQxMjAzMjI0NTU4WjAUMRIwEAYDVQQDEwlTb2xvLUUxOUEwggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQDp",
  "6z8qqO2y8ULD+z8UAQ0CQScuLHsYRSBlH1pFq1z7WCfvzLuAqU2vVJkwFKEWj3HsyX8mFscTdfIlqNpj2wERXN/mmJFMG0MMSjpWn5Ra",
  "nEPvAgfVPa8I/oYmHrodXxrvrrhE4eELy/uDriupcug3nPZ1qUuoXcNLVA8wOhp9Fd1NtV4TXqaw5iOQeqlZV96ZBbp5t3DHUTOpRxNZ",
  "X4lDUH0jdkfcwP9j6ZEmwN4HVYzYKp5bOve8JNL0kkrbHC/qaF8EP04cmuZeS7lcaxV20rCqpwvKxQjijUm6GxumbKF1+O6qa4/dRHFA",
  "W0lH+XPufs+srDKoQebdS52ccpvRAgMBAAGjXzBdMA4GA1UdDwEB/wQEAwIFoDAoBgNVHREEITAfgglTb2xvLUUxOUGCElNvbG8tRTE5",
  "QS5Tb2xvLmNvbTATBgNVHSUEDDAKBggrBgEFBQcDATAMBgNVHRMBAf8EAjAAMA0GCSqGSIb3DQEBBQUAA4IBAQDn/PV6dOr6+uRurwBH",
  "+nUfpiDsx+/WVjDLHHEXeokeZ/+zD5HjObaydn7Wb603ETQG7whghPQRvpvchwS4V7L8hYQN6kCzzppZYJrw6DFS/8tmBXZprqQhyypC",
  "pORqFv2ncVReXh1bJ7hrg5VTzlYmooI/u1UKCxFhKtu4pIFkpTIOdMRWFgLxBACPgSNK5iz5r/DelyrvlkzQA7Tiz2h9wnTGP4v6sGs0",
  "9quto8dfQENEiyeRh4SgSE4erAJCmzAUIMs+k6kyjCP+jkn28uPMPN7CyP2n3VmsRpXRaNaXJ67dply/dT+MHkXuwojBrmob7oCLYvQ2",
  "aop/EeRfQbwz",
].join("");

describe("readCertificate", () => {
  const authority = makeTestAuthority();

  it("reads a certificate that Exchange made", () => {
    expect(readCertificate(Buffer.from(SOLO_E19A, "base64"))).toEqual({
      thumbprint: "6C7DE09FB39A40144F57EFEBC3DF0148E3A9AB28",
      subject: "CN=Solo-E19A",
      issuer: "CN=Solo-E19A",
      serialNumber: "68268364D0BA7EA143BF5086A5A9FB38",
      commonName: "Solo-E19A",
      dnsNames: ["solo-e19a", "solo-e19a.solo.com"],
      notBefore: "2019-12-03T22:45:58.000Z",
      notAfter: "2024-12-03T22:45:58.000Z",
      keyAlgorithm: "RSA",
      keySizeBits: 2048,
      isSelfSigned: true,
      isAuthority: false,
      keyUsage: ["digitalSignature", "keyEncipherment"],
      purposes: ["1.3.6.1.5.5.7.3.1"],
      signature: "sha1",
    });
  });

  it("reads subject and issuer in Windows' order and form", () => {
    const { facts } = makeTestCertificate({
      subject: 'CN=mail.contoso.com, OU=IT, O="Contoso, Ltd.", S=Bavaria, C=DE',
      dnsNames: ["mail.contoso.com"],
      issuer: authority,
    });
    expect(facts.subject).toBe('CN=mail.contoso.com, OU=IT, O="Contoso, Ltd.", S=Bavaria, C=DE');
    expect(facts.issuer).toBe("CN=Contoso Issuing CA, O=Contoso");
    expect(facts.commonName).toBe("mail.contoso.com");
    expect(facts.isSelfSigned).toBe(false);
  });

  it("takes thumbprint and validity from the certificate", () => {
    const { der, facts } = makeTestCertificate({
      notBefore: new Date("2026-03-01T08:00:00Z"),
      notAfter: new Date("2051-03-01T08:00:00Z"),
    });
    expect(facts.thumbprint).toBe(new X509Certificate(der).fingerprint.replaceAll(":", ""));
    expect(facts.notBefore).toBe("2026-03-01T08:00:00.000Z");
    expect(facts.notAfter).toBe("2051-03-01T08:00:00.000Z");
  });

  it("keeps the leading zeros of a serial number, as Windows does", () => {
    const { facts } = makeTestCertificate({ serialNumber: new Uint8Array([0x00, 0xc3, 0xed]) });
    expect(facts.serialNumber).toBe("00C3ED");
  });

  it("lists the SAN's DNS names in lower case, once each, in their order", () => {
    const { facts } = makeTestCertificate({ dnsNames: ["Mail.contoso.com", "EX01", "mail.CONTOSO.com"] });
    expect(facts.dnsNames).toEqual(["mail.contoso.com", "ex01"]);
  });

  it("takes the common name for a DNS name only where there is no SAN", () => {
    expect(makeTestCertificate({ subject: "CN=WMSvc-SHA2-EX01" }).facts.dnsNames).toEqual(["wmsvc-sha2-ex01"]);
    const withSan = makeTestCertificate({ subject: "CN=EX01", dnsNames: ["mail.contoso.com"] });
    expect(withSan.facts.dnsNames).toEqual(["mail.contoso.com"]);
  });

  it("takes no DNS name from a common name that can't be one", () => {
    const { facts } = makeTestCertificate({ subject: "CN=Microsoft Exchange Server Auth Certificate" });
    expect(facts.dnsNames).toEqual([]);
    expect(facts.commonName).toBe("Microsoft Exchange Server Auth Certificate");
  });

  it("knows no common name where the subject has none", () => {
    const { facts } = makeTestCertificate({ subject: "O=Contoso", dnsNames: ["mail.contoso.com"] });
    expect(facts.commonName).toBeUndefined();
  });

  it("takes the last of several common names, the most specific one", () => {
    expect(makeTestCertificate({ subject: "CN=mail.contoso.com, CN=Servers, O=Contoso" }).facts.commonName).toBe(
      "mail.contoso.com",
    );
  });

  it("takes the template of AD CS by its identifier, or by the name that old templates have", () => {
    const oid = "1.3.6.1.4.1.311.21.8.13950086.7.4711";
    expect(makeTestCertificate({ template: oid }).facts.template).toBe(oid);
    expect(makeTestCertificate({ template: "WebServer" }).facts.template).toBe("WebServer");
    expect(makeTestCertificate({}).facts.template).toBeUndefined();
  });

  it("calls a certificate self-signed although its key may not sign certificates", () => {
    expect(makeTestCertificate({ dnsNames: ["ex01.contoso.com"] }).facts.isSelfSigned).toBe(true);
  });

  it("doesn't call a certificate self-signed because its issuer has the same name", () => {
    const other = makeTestCertificate({ subject: "CN=EX01", key: "rsa2048b", isAuthority: true });
    expect(makeTestCertificate({ subject: "CN=EX01", issuer: other }).facts).toMatchObject({
      subject: "CN=EX01",
      issuer: "CN=EX01",
      isSelfSigned: false,
    });
  });

  const ecKey = (namedCurve: string) => () => generateKeyPairSync("ec", { namedCurve }).publicKey;
  it.each<[string, () => KeyObject, string, number | undefined]>([
    ["RSA", () => generateKeyPairSync("rsa", { modulusLength: 3072 }).publicKey, "RSA", 3072],
    ["P-256", ecKey("P-256"), "ECC", 256],
    ["P-384", ecKey("P-384"), "ECC", 384],
    ["P-521", ecKey("P-521"), "ECC", 521],
    ["brainpoolP256r1", ecKey("brainpoolP256r1"), "ECC", 256],
    ["Ed25519", () => generateKeyPairSync("ed25519").publicKey, "other", undefined],
  ])("knows algorithm and size of a key: %s", (_what, makeKey, keyAlgorithm, keySizeBits) => {
    const der = buildCertificate(
      {
        subject: [[{ oid: "2.5.4.3", value: "x" }]],
        publicKey: makeKey(),
        dnsNames: [],
        notBefore: new Date("2026-01-01T00:00:00Z"),
        notAfter: new Date("2027-01-01T00:00:00Z"),
        serialNumber: new Uint8Array([1]),
        isAuthority: false,
      },
      { privateKey: authority.privateKey.reveal(), certificate: authority.der },
    );
    expect(readCertificate(der)).toMatchObject({ keyAlgorithm, keySizeBits });
  });

  it.each([
    ["nothing", new Uint8Array()],
    ["text", new TextEncoder().encode("-----BEGIN CERTIFICATE-----")],
    ["half a certificate", Buffer.from(SOLO_E19A, "base64").subarray(0, 400)],
  ])("refuses %s, saying what it wants", (_what, bytes) => {
    let caught: unknown;
    try {
      readCertificate(bytes);
    } catch (error) {
      caught = error;
    }
    expect(isBindingError(caught, "CertificateUnreadable")).toBe(true);
    expect(String(caught)).toContain("not an X.509 certificate in DER form");
  });
});
