import type { ServerFaults } from "../../../provider/backends/simulator/organisation";
import { makeTestCertificate } from "../../certificate/testCertificates";
import { NOW, openLab, organisation, published, server, stored } from "./lab";

const own = makeTestCertificate({ subject: "CN=EX01", dnsNames: ["ex01"] });
const mail = makeTestCertificate({ dnsNames: ["mail.contoso.com"] });
const enable = (Services: string) => ({ Thumbprint: mail.facts.thumbprint, Services, Force: true });

function lab(directoryDelay: ServerFaults["directoryDelay"]) {
  const here = openLab(
    organisation([
      server({
        certificates: [stored(own), stored(mail)],
        imap: { x509CertificateName: "ex01" },
        internalTransportCertificate: published(own),
        faults: { directoryDelay },
      }),
    ]),
  );
  const defaultAt = (now: Date = NOW) =>
    here.output("Get-TransportService", { Identity: "EX01" }, { now })[0]?.["InternalTransportCertificateThumbprint"];
  const imapAt = (now: Date = NOW) =>
    here.output("Get-ImapSettings", { Server: "EX01" }, { now })[0]?.["X509CertificateName"];
  return { here, defaultAt, imapAt };
}

function later(milliseconds: number): Date {
  return new Date(NOW.getTime() + milliseconds);
}

describe("a server that waits for Active Directory", () => {
  it("shows the old default SMTP certificate for as many reads as told, then the new one", () => {
    const { here, defaultAt } = lab({ reads: 2 });
    expect(defaultAt()).toBe(own.facts.thumbprint);
    here.complete("Enable-ExchangeCertificate", enable("SMTP"));
    expect([defaultAt(), defaultAt(), defaultAt()]).toEqual([
      own.facts.thumbprint,
      own.facts.thumbprint,
      mail.facts.thumbprint,
    ]);
    expect(here.server().notYetReplicated).toEqual({});
  });

  it("shows the old name of IMAP, and the flag where that name puts it", () => {
    const { here, imapAt } = lab({ reads: 1 });
    here.complete("Enable-ExchangeCertificate", enable("IMAP"));
    expect([here.services(own), here.services(mail)]).toEqual(["IMAP", "None"]);
    expect([imapAt(), imapAt()]).toEqual(["ex01", "mail.contoso.com"]);
    expect([here.services(own), here.services(mail)]).toEqual(["None", "IMAP"]);
  });

  it("counts the reads of each attribute by itself, and no other reads", () => {
    const { here, imapAt, defaultAt } = lab({ reads: 1 });
    here.complete("Enable-ExchangeCertificate", enable("IMAP, SMTP"));
    here.output("Get-ExchangeCertificate");
    here.output("Get-PopSettings");
    expect([defaultAt(), defaultAt()]).toEqual([own.facts.thumbprint, mail.facts.thumbprint]);
    expect(imapAt()).toBe("ex01");
  });

  it("shows the old value until the time is over", () => {
    const { here, defaultAt } = lab({ milliseconds: 5000 });
    here.complete("Enable-ExchangeCertificate", enable("SMTP"));
    expect([defaultAt(later(4999)), defaultAt(later(5000))]).toEqual([own.facts.thumbprint, mail.facts.thumbprint]);
  });

  it("shows the old value until both the reads and the time are over", () => {
    const { here, defaultAt } = lab({ reads: 1, milliseconds: 5000 });
    here.complete("Enable-ExchangeCertificate", enable("SMTP"));
    expect([defaultAt(later(6000)), defaultAt(later(6000))]).toEqual([own.facts.thumbprint, mail.facts.thumbprint]);
    const other = lab({ reads: 1, milliseconds: 5000 });
    other.here.complete("Enable-ExchangeCertificate", enable("SMTP"));
    expect([other.defaultAt(), other.defaultAt(), other.defaultAt(later(5000))]).toEqual([
      own.facts.thumbprint,
      own.facts.thumbprint,
      mail.facts.thumbprint,
    ]);
  });

  it("shows the oldest value, not one in between, when it is changed twice", () => {
    const { here, imapAt } = lab({ reads: 1 });
    here.complete("Set-ImapSettings", { X509CertificateName: "a.contoso.com" });
    here.complete("Set-ImapSettings", { X509CertificateName: "b.contoso.com" });
    expect([imapAt(), imapAt()]).toEqual(["ex01", "b.contoso.com"]);
  });

  it("shows a cleared name late as well", () => {
    const { here, imapAt } = lab({ reads: 1 });
    here.complete("Set-ImapSettings", { X509CertificateName: null });
    expect([imapAt(), imapAt()]).toEqual(["ex01", null]);
  });

  it("knows the truth where it counts: Exchange refuses to remove the new default one at once", () => {
    const { here } = lab({ milliseconds: 5000 });
    here.complete("Enable-ExchangeCertificate", enable("SMTP"));
    const call = { Thumbprint: mail.facts.thumbprint, Confirm: false };
    expect(here.fail("Remove-ExchangeCertificate", call).error.code).toBe("RemovalRefused");
  });

  it("leaves the organisation alone, down to the reference, when a read has nothing to count", () => {
    const { here, defaultAt } = lab({ milliseconds: 5000 });
    here.complete("Enable-ExchangeCertificate", enable("SMTP"));
    const before = here.organisation;
    defaultAt(later(1));
    expect(here.organisation).toBe(before);
  });
});
