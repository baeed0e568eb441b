import type { CertificateWish } from "../../../../provider/backends/simulator/cmdlet";
import { certificateWishOf } from "../../../../provider/backends/simulator/exchangeModel";
import type { ServerState } from "../../../../provider/backends/simulator/organisation";
import { makeTestCertificate } from "../../../certificate/testCertificates";
import { NOW, openLab, organisation, published, server, stored, textOf } from "../lab";

const own = makeTestCertificate({ subject: "CN=EX01", dnsNames: ["EX01", "ex01.contoso.com"] });

function lab(changes: Partial<ServerState> = {}) {
  const wishes: CertificateWish[] = [];
  const made = new Map<string, ReturnType<typeof makeTestCertificate>>();
  const here = openLab(
    server({ certificates: [stored(own)], internalTransportCertificate: published(own), ...changes }),
    {
      makeCertificate: (wish) => {
        wishes.push(wish);
        const key = JSON.stringify(wish);
        const certificate = made.get(key) ?? makeTestCertificate(wish);
        made.set(key, certificate);
        return certificate.der;
      },
    },
  );
  return { here, wishes };
}

describe("New-ExchangeCertificate", () => {
  it("makes one for the server's own names and enables it for IMAP, POP and SMTP", () => {
    const { here, wishes } = lab();
    const [made] = here.output("New-ExchangeCertificate", { Server: "EX01", Force: true });
    expect(wishes).toEqual([{ subject: "CN=EX01", dnsNames: ["EX01", "ex01.contoso.com"], keySize: 2048 }]);
    expect(made).toMatchObject({
      Services: "IMAP, POP, SMTP",
      FriendlyName: "Microsoft Exchange",
      PrivateKeyExportable: false,
      RootCAType: "None",
      IsSelfSigned: true,
    });
    expect(here.server().internalTransportCertificate?.thumbprint).toBe(made?.["Thumbprint"]);
  });

  it("asks whether to overwrite the default SMTP certificate, and gives the same certificate after the answer", () => {
    const { here } = lab();
    const outcome = here.run("New-ExchangeCertificate");
    expect(outcome).toMatchObject({ kind: "question", question: { kind: "overwriteDefaultSmtpCertificate" } });
    const [made] = here.output("New-ExchangeCertificate", {}, { answers: { overwriteDefaultSmtpCertificate: "no" } });
    expect(JSON.stringify(outcome)).toContain(textOf(made, "Thumbprint"));
    expect(made?.["Services"]).toBe("IMAP, POP, SMTP");
    expect(here.server().internalTransportCertificate).toEqual(published(own));
  });

  it("can be told to enable nothing", () => {
    const { here } = lab();
    const [made] = here.output("New-ExchangeCertificate", { DomainName: ["a.contoso.com"], Services: "None" });
    expect(made).toMatchObject({ Services: "None", CertificateDomains: ["a.contoso.com"] });
  });

  it("makes what it is told to make", () => {
    const { here, wishes } = lab();
    const [made] = here.output("New-ExchangeCertificate", {
      SubjectName: "CN=mail.contoso.com, O=Contoso",
      DomainName: ["mail.contoso.com", "EX01.contoso.com"],
      IncludeServerFQDN: true,
      IncludeServerNetBIOSName: true,
      KeySize: 4096,
      FriendlyName: "Mail",
      PrivateKeyExportable: true,
      Services: ["None"],
    });
    expect(wishes).toEqual([
      {
        subject: "CN=mail.contoso.com, O=Contoso",
        dnsNames: ["mail.contoso.com", "EX01.contoso.com", "EX01"],
        keySize: 4096,
      },
    ]);
    expect(made).toMatchObject({ FriendlyName: "Mail", PrivateKeyExportable: true });
  });

  it("makes a certificate without names for an empty -DomainName, as for an Auth certificate", () => {
    const { here, wishes } = lab();
    const SubjectName = "CN=Microsoft Exchange Server Auth Certificate";
    here.complete("New-ExchangeCertificate", { SubjectName, DomainName: [], Services: ["None"] });
    expect(wishes).toEqual([{ subject: SubjectName, dnsNames: [], keySize: 2048 }]);
  });

  it("takes Federation, and lets the transport service use the key; the flag comes with the trust", () => {
    const { here } = lab();
    const [made] = here.output("New-ExchangeCertificate", { DomainName: ["Federation"], Services: ["Federation"] });
    expect(made?.["Services"]).toBe("SMTP");
  });

  it("leaves the new certificate in the store when enabling fails half-way", () => {
    const { here } = lab({ faults: { enableFailsAfter: "IMAP" } });
    here.fail("New-ExchangeCertificate", { Force: true });
    expect(here.server().certificates).toHaveLength(2);
  });

  it("refuses sizes of keys that Exchange doesn't make, and services that don't exist", () => {
    const { here } = lab();
    expect(here.fail("New-ExchangeCertificate", { KeySize: 512 }).error.message).toContain("1024, 2048, 4096");
    expect(here.fail("New-ExchangeCertificate", { Services: ["Web"] }).error.message).toContain('"Web"');
    expect(here.server().certificates).toHaveLength(1);
  });

  it("tells beforehand what it would make, so that the key can be made outside of it", () => {
    const context = { now: NOW, answers: {}, newGuid: () => "" };
    const state = organisation([server()]);
    const wishOf = (name: string, parameters = {}) => certificateWishOf(state, { name, parameters }, context);
    expect(wishOf("new-exchangecertificate", { SubjectName: "CN=a", DomainName: "b.contoso.com" })).toEqual({
      subject: "CN=a",
      dnsNames: ["b.contoso.com"],
      keySize: 2048,
    });
    expect(wishOf("New-ExchangeCertificate", { Server: "nosuch" })).toBeUndefined();
    expect(wishOf("Get-ExchangeCertificate")).toBeUndefined();
  });
});
