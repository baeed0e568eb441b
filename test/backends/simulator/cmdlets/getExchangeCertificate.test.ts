import { makeTestAuthority, makeTestCertificate } from "../../../certificate/testCertificates";
import { openLab, organisation, server, stored } from "../lab";

const mail = makeTestCertificate({ subject: "CN=mail.contoso.com", dnsNames: ["mail.contoso.com"] });
const issued = makeTestCertificate({
  subject: "CN=mail.contoso.com, O=Contoso",
  dnsNames: ["mail.contoso.com", "autodiscover.contoso.com"],
  issuer: makeTestAuthority(),
});
const UNKNOWN = "0000000000000000000000000000000000000000";

describe("Get-ExchangeCertificate", () => {
  const lab = openLab(server({ certificates: [stored(mail, { rootStore: "trusted" }), stored(issued)] }));

  it("prints the properties in the order of Format-List, then what Format-List * adds", () => {
    const [first] = lab.output("Get-ExchangeCertificate");
    expect(Object.keys(first ?? {}).slice(0, 14)).toEqual([
      "AccessRules",
      "CertificateDomains",
      "HasPrivateKey",
      "IsSelfSigned",
      "Issuer",
      "NotAfter",
      "NotBefore",
      "PublicKeySize",
      "RootCAType",
      "SerialNumber",
      "Services",
      "Status",
      "Subject",
      "Thumbprint",
    ]);
    expect(first).toMatchObject({
      CertificateDomains: ["mail.contoso.com"],
      HasPrivateKey: true,
      IsSelfSigned: true,
      Issuer: "CN=mail.contoso.com",
      NotBefore: new Date("2025-01-01T00:00:00Z"),
      PublicKeySize: 2048,
      RootCAType: "Registry",
      SerialNumber: mail.facts.serialNumber,
      Status: "Valid",
      Identity: `ex01.contoso.com\\${mail.facts.thumbprint}`,
      RawData: new Uint8Array(mail.der),
    });
  });

  it("finds one certificate by thumbprint, whatever its case", () => {
    const found = lab.output("Get-ExchangeCertificate", { Thumbprint: issued.facts.thumbprint.toLowerCase() });
    expect(found.map((one) => one["Thumbprint"])).toEqual([issued.facts.thumbprint]);
  });

  it("fails for a thumbprint that isn't there, in Exchange's words", () => {
    const { error } = lab.fail("Get-ExchangeCertificate", { Server: "EX01", Thumbprint: UNKNOWN });
    expect(error.code).toBe("CertificateNotFound");
    expect(error.message).toBe(
      `A special Rpc error occurs on server EX01: The certificate with thumbprint ${UNKNOWN} was not found.`,
    );
    expect(error.categoryInfo).toBe("NotSpecified: (:) [Get-ExchangeCertificate], InvalidOperationException");
    expect(error.fullyQualifiedErrorId).toMatch(
      /^\[Server=EX01,RequestId=[0-9a-f-]{36},TimeStamp=11\/23\/2026 8:00:00 PM\] \[FailureCategory=Cmdlet-InvalidOperationException\] 71D7F7B0,Microsoft\.Exchange\.Management\.SystemConfigurationTasks\.GetExchangeCertificate$/,
    );
  });

  it("returns all certificates for an identity that isn't there, and for an empty one", () => {
    for (const Identity of [UNKNOWN, `EX01\\${UNKNOWN}`, "nonsense", null]) {
      expect(lab.output("Get-ExchangeCertificate", { Identity })).toHaveLength(2);
    }
  });

  it("takes the server from the identity", () => {
    const two = openLab(
      organisation([
        server({ certificates: [stored(mail)] }),
        server({ name: "EX02", certificates: [stored(issued)] }),
      ]),
    );
    const [found, ...more] = two.output("Get-ExchangeCertificate", { Identity: `EX02\\${issued.facts.thumbprint}` });
    expect(found?.["Identity"]).toBe(`ex02.contoso.com\\${issued.facts.thumbprint}`);
    expect(more).toEqual([]);
  });

  it("refuses -Identity together with -Server", () => {
    const { error } = lab.fail("Get-ExchangeCertificate", { Identity: mail.facts.thumbprint, Server: "EX01" });
    expect(error.fullyQualifiedErrorId).toBe("AmbiguousParameterSet,Get-ExchangeCertificate");
  });

  it("puts the certificate that Exchange would choose first when asked by domain name", () => {
    const older = makeTestCertificate({ dnsNames: ["mail.contoso.com"], notBefore: new Date("2024-01-01T00:00:00Z") });
    const wildcard = makeTestCertificate({ dnsNames: ["*.contoso.com"], notBefore: new Date("2026-01-01T00:00:00Z") });
    const elsewhere = makeTestCertificate({ dnsNames: ["mail.fabrikam.com"] });
    const all = openLab(server({ certificates: [older, mail, elsewhere, wildcard, issued].map((one) => stored(one)) }));
    const found = all.output("Get-ExchangeCertificate", { DomainName: "mail.contoso.com" });
    expect(found.map((one) => one["Thumbprint"])).toEqual(
      [issued, wildcard, mail, older].map(({ facts }) => facts.thumbprint),
    );
  });

  it("doesn't list a certificate without a private key, but finds it by thumbprint", () => {
    const keyless = openLab(server({ certificates: [stored(mail, { privateKey: { present: false } })] }));
    expect(keyless.output("Get-ExchangeCertificate")).toEqual([]);
    const [found] = keyless.output("Get-ExchangeCertificate", { Thumbprint: mail.facts.thumbprint });
    expect(found).toMatchObject({ HasPrivateKey: false, Services: "None" });
  });

  it("returns nothing, and no error, for an empty store (C18)", () => {
    expect(openLab(server()).output("Get-ExchangeCertificate", { Server: "EX01" })).toEqual([]);
  });

  it("works out the status from the dates", () => {
    const statusAt = (now: string) =>
      lab.output("Get-ExchangeCertificate", {}, { now: new Date(now) }).map((one) => one["Status"]);
    expect(statusAt("2024-12-31T23:59:59Z")).toEqual(["DateInvalid", "DateInvalid"]);
    expect(statusAt("2025-01-01T00:00:00Z")).toEqual(["Valid", "Valid"]);
    expect(statusAt("2045-01-01T00:00:01Z")).toEqual(["DateInvalid", "DateInvalid"]);
  });

  it("shows the status that the file sets, above everything", () => {
    for (const status of ["Revoked", "Untrusted", "RevocationCheckFailure", "Unknown", "Invalid"] as const) {
      const [shown] = openLab(server({ certificates: [stored(mail, { status })] })).output("Get-ExchangeCertificate");
      expect(shown?.["Status"]).toBe(status);
    }
    const pending = openLab(server({ certificates: [stored(mail, { status: "PendingRequest" })] }));
    expect(pending.output("Get-ExchangeCertificate")[0]).toMatchObject({
      Status: "PendingRequest",
      RootCAType: "Unknown",
    });
  });

  it("derives RootCAType from the store that the root is in", () => {
    const types = (["none", "trusted", "thirdParty", "enterprise", "groupPolicy"] as const).map((rootStore) => {
      const [shown] = openLab(server({ certificates: [stored(mail, { rootStore })] })).output(
        "Get-ExchangeCertificate",
      );
      return shown?.["RootCAType"];
    });
    expect(types).toEqual(["None", "Registry", "ThirdParty", "Enterprise", "GroupPolicy"]);
  });

  it("gives away no bytes that a caller could change for the next one", () => {
    const read = () => lab.output("Get-ExchangeCertificate")[0]?.["RawData"] as Uint8Array;
    read().fill(0);
    expect(read()).toEqual(new Uint8Array(mail.der));
  });
});
