import { randomBytes } from "node:crypto";
import { makeDefaultOrganisation } from "../../../provider/backends/simulator/defaultOrganisation";
import { organisationSchema, type Organisation } from "../../../provider/backends/simulator/organisation";
import { NOW, openLab, textOf } from "./lab";

describe("the default organisation", () => {
  let organisation: Organisation;
  beforeAll(async () => {
    organisation = await makeDefaultOrganisation({ now: NOW, randomBytes });
  });

  const shown = (Server: string) =>
    openLab(organisation)
      .output("Get-ExchangeCertificate", { Server })
      .map(({ Subject, Services, IISServices, RootCAType, PrivateKeyExportable, Status, CertificateDomains }) => ({
        Subject,
        Services,
        IISServices,
        RootCAType,
        PrivateKeyExportable,
        Status,
        CertificateDomains,
      }));

  it("can be written to a file and read again", () => {
    expect(organisationSchema.parse(JSON.parse(JSON.stringify(organisation)))).toEqual(organisation);
  });

  it.each(["EX01", "EX02"])("gives %s the three certificates of setup", (name) => {
    const fqdn = `${name.toLowerCase()}.contoso.com`;
    expect(shown(fqdn)).toEqual([
      {
        Subject: "CN=Microsoft Exchange Server Auth Certificate",
        Services: "SMTP",
        IISServices: [],
        RootCAType: "None",
        PrivateKeyExportable: true,
        Status: "Valid",
        CertificateDomains: [],
      },
      {
        Subject: `CN=${name}`,
        Services: "IMAP, POP, IIS, SMTP",
        IISServices: [`IIS://${name}/W3SVC/1`, `IIS://${name}/W3SVC/2`],
        RootCAType: "Registry",
        PrivateKeyExportable: false,
        Status: "Valid",
        CertificateDomains: [name.toLowerCase(), fqdn],
      },
      {
        Subject: `CN=WMSvc-SHA2-${name}`,
        Services: "None",
        IISServices: [],
        RootCAType: "Registry",
        PrivateKeyExportable: true,
        Status: "Valid",
        CertificateDomains: [`wmsvc-sha2-${name.toLowerCase()}`],
      },
    ]);
  });

  it("makes each server's own certificate its default SMTP certificate", () => {
    const lab = openLab(organisation);
    for (const name of ["EX01", "EX02"]) {
      const [service] = lab.output("Get-TransportService", { Identity: name });
      const Thumbprint = textOf(service, "InternalTransportCertificateThumbprint");
      const [certificate] = lab.output("Get-ExchangeCertificate", { Server: name, Thumbprint });
      expect(certificate?.["Subject"]).toBe(`CN=${name}`);
    }
  });

  it("has the same Auth certificate on both servers, known to the organisation", () => {
    const lab = openLab(organisation);
    const Thumbprint = textOf(lab.output("Get-AuthConfig")[0], "CurrentCertificateThumbprint");
    for (const Server of ["EX01", "EX02"]) {
      const [certificate] = lab.output("Get-ExchangeCertificate", { Server, Thumbprint });
      expect(certificate?.["FriendlyName"]).toBe("Microsoft Exchange Server Auth Certificate");
    }
  });

  it("has an Exchange 2019 server, and an Exchange 2016 server with unified messaging to try", () => {
    const lab = openLab(organisation);
    expect(lab.output("Get-ExchangeServer").map((one) => one["AdminDisplayVersion"])).toEqual([
      "Version 15.2 (Build 1748.10)",
      "Version 15.1 (Build 2507.6)",
    ]);
    const Thumbprint = String(lab.server("ex02.contoso.com").iis.frontEnd);
    const enable = (Services: string) => ({ Server: "EX02", Thumbprint, Services });
    lab.complete("Enable-ExchangeCertificate", enable("UM"));
    lab.fail("Enable-ExchangeCertificate", enable("UMCallRouter"));
    lab.complete("Set-UMCallRouterSettings", { Server: "EX02", UMStartupMode: "TLS" });
    lab.complete("Enable-ExchangeCertificate", enable("UMCallRouter"));
  });

  it("has the connectors of setup, and one send connector that names no certificate", () => {
    const lab = openLab(organisation);
    expect(lab.output("Get-ReceiveConnector", { Server: "EX01" }).map((one) => one["Identity"])).toEqual([
      "EX01\\Default EX01",
      "EX01\\Client Proxy EX01",
      "EX01\\Default Frontend EX01",
      "EX01\\Outbound Proxy Frontend EX01",
      "EX01\\Client Frontend EX01",
    ]);
    expect(lab.output("Get-SendConnector")).toMatchObject([
      { Name: "Outbound to Internet", TlsCertificateName: null, SourceTransportServers: ["EX01", "EX02"] },
    ]);
  });

  it("holds no private key", () => {
    // Every key in DER begins with these, for RSA with 2048 bits (PKCS#8 and PKCS#1).
    const text = JSON.stringify(organisation);
    for (const beginning of ["MIIEv", "MIIEp", "PRIVATE KEY"]) expect(text).not.toContain(beginning);
  });
});
