import { makeTestCertificate } from "../../../certificate/testCertificates";
import { openLab, organisation, server, stored } from "../lab";

const mail = makeTestCertificate({ dnsNames: ["mail.contoso.com"] });
const wildcard = makeTestCertificate({ dnsNames: ["*.contoso.com"] });

describe.each([
  ["Get-ImapSettings", "Set-ImapSettings", "IMAP", "IMAP4"],
  ["Get-PopSettings", "Set-PopSettings", "POP", "POP3"],
])("%s and %s", (get, set, flag, protocol) => {
  const open = () => openLab(server({ certificates: [stored(mail), stored(wildcard)] }));

  it("set the name, and clear it again (T26)", () => {
    const lab = open();
    lab.complete(set, { Server: "EX01", X509CertificateName: "mail.contoso.com" });
    expect(lab.output(get, { Server: "EX01" })).toEqual([
      {
        ProtocolName: protocol,
        Name: "1",
        Server: "EX01",
        X509CertificateName: "mail.contoso.com",
        Identity: "EX01\\1",
      },
    ]);
    expect(lab.services(mail)).toBe(flag);
    for (const cleared of ["", null]) {
      lab.complete(set, { Server: "EX01", X509CertificateName: cleared });
      expect(lab.output(get, { Server: "EX01" })[0]?.["X509CertificateName"]).toBeNull();
      expect(lab.services(mail)).toBe("None");
    }
  });

  it("take any name: the one for a wildcard certificate, which shows no flag, and one that nothing covers", () => {
    const lab = open();
    for (const name of ["imap.contoso.com", "imap.fabrikam.com"]) {
      lab.complete(set, { X509CertificateName: name });
      expect(lab.services(wildcard)).toBe("None");
      expect(lab.output(get)[0]?.["X509CertificateName"]).toBe(name);
    }
  });

  it("warn about the restart only when something changed", () => {
    const lab = open();
    expect(lab.complete(set, { X509CertificateName: "mail.contoso.com" }).warnings).toHaveLength(1);
    const before = lab.organisation;
    expect(lab.complete(set, { X509CertificateName: "mail.contoso.com" }).warnings).toEqual([]);
    expect(lab.complete(set).warnings).toEqual([]);
    expect(lab.organisation).toBe(before);
  });

  it("leave the other server and the other protocol alone", () => {
    const lab = openLab(organisation([server(), server({ name: "EX02" })]));
    lab.complete(set, { Server: "ex02.contoso.com", X509CertificateName: "mail.contoso.com" });
    expect(lab.server()).toEqual(server());
    const names = [lab.server("ex02.contoso.com").imap, lab.server("ex02.contoso.com").pop];
    expect(names.map((one) => one.x509CertificateName).filter((name) => name !== null)).toHaveLength(1);
  });
});
