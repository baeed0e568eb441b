import { formatServices } from "../../../provider/backends/simulator/displayedServices";
import { makeTestCertificate } from "../../certificate/testCertificates";
import { EXCHANGE_2016, openLab, organisation, server, stored } from "./lab";

const mail = makeTestCertificate({ subject: "CN=mail.contoso.com", dnsNames: ["mail.contoso.com", "pop.contoso.com"] });
const other = makeTestCertificate({ subject: "CN=other.contoso.com", dnsNames: ["other.contoso.com"] });
const wildcard = makeTestCertificate({ subject: "CN=*.contoso.com", dnsNames: ["*.contoso.com"] });
const certificates = [stored(mail), stored(other), stored(wildcard)];

describe("the services that Get-ExchangeCertificate displays", () => {
  it("are None for a certificate that nothing points at", () => {
    expect(openLab(server({ certificates })).services(mail)).toBe("None");
  });

  it("show IIS for the front end, for the back end alone, and on two certificates at once", () => {
    const iis = { frontEnd: mail.facts.thumbprint, backEnd: other.facts.thumbprint, requireSsl: true };
    const lab = openLab(server({ certificates, iis }));
    expect([mail, other, wildcard].map((one) => lab.services(one))).toEqual(["IIS", "IIS", "None"]);
    const sites = lab.output("Get-ExchangeCertificate").map((one) => one["IISServices"]);
    expect(sites).toEqual([["IIS://EX01/W3SVC/1"], ["IIS://EX01/W3SVC/2"], []]);
  });

  it("follow the names of IMAP and POP, whatever their case, though nothing was ever enabled", () => {
    const named = server({
      certificates,
      imap: { x509CertificateName: "MAIL.contoso.com" },
      pop: { x509CertificateName: "pop.contoso.com" },
    });
    expect(openLab(named).services(mail)).toBe("IMAP, POP");
    expect(openLab(named).services(other)).toBe("None");
  });

  it("show IMAP and POP on every certificate that has the name", () => {
    const twin = makeTestCertificate({ dnsNames: ["mail.contoso.com"] });
    const lab = openLab(
      server({ certificates: [stored(mail), stored(twin)], imap: { x509CertificateName: "mail.contoso.com" } }),
    );
    expect([lab.services(mail), lab.services(twin)]).toEqual(["IMAP", "IMAP"]);
  });

  it("never show IMAP or POP on a wildcard certificate, not even for its own name", () => {
    for (const x509CertificateName of ["mail.contoso.com", "*.contoso.com"]) {
      const state = server({ certificates, imap: { x509CertificateName }, pop: { x509CertificateName } });
      expect(openLab(state).services(wildcard)).toBe("None");
    }
  });

  it("show IMAP for the common name too, and for an explicit name beside a wildcard", () => {
    const commonNameOnly = makeTestCertificate({ subject: "CN=EX01", dnsNames: ["ex01.contoso.com"] });
    const beside = makeTestCertificate({ subject: "CN=*.contoso.com", dnsNames: ["*.contoso.com", "ex01"] });
    const lab = openLab(
      server({ certificates: [stored(commonNameOnly), stored(beside)], imap: { x509CertificateName: "EX01" } }),
    );
    expect([lab.services(commonNameOnly), lab.services(beside)]).toEqual(["IMAP", "IMAP"]);
  });

  it("show SMTP while Network Service can read the key", () => {
    const readable = stored(mail, { privateKey: { networkServiceRead: true } });
    expect(openLab(server({ certificates: [readable] })).services(mail)).toBe("SMTP");
  });

  it("show no SMTP without a key, whatever was once allowed", () => {
    const keyless = stored(mail, { privateKey: { present: false, networkServiceRead: true } });
    const lab = openLab(server({ certificates: [keyless] }));
    const [shown] = lab.output("Get-ExchangeCertificate", { Thumbprint: mail.facts.thumbprint });
    expect(shown?.["Services"]).toBe("None");
  });

  it("show Federation on the trust's current certificate only, after SMTP", () => {
    const duplicate = makeTestCertificate({ subject: "CN=Federation" });
    const current = makeTestCertificate({ subject: "CN=Federation" });
    const readable = [current, duplicate].map((one) => stored(one, { privateKey: { networkServiceRead: true } }));
    const trust = {
      name: "Microsoft Federation Gateway",
      currentCertificate: current.facts.thumbprint,
      previousCertificate: duplicate.facts.thumbprint,
      nextCertificate: null,
    };
    const lab = openLab(organisation([server({ certificates: readable })], { federationTrust: trust }));
    expect([lab.services(current), lab.services(duplicate)]).toEqual(["SMTP, Federation", "SMTP"]);
  });

  it("show UM and UMCallRouter on the assigned certificates", () => {
    const state = server({
      certificates,
      version: EXCHANGE_2016,
      um: { startupMode: "TLS", certificate: mail.facts.thumbprint },
      umCallRouter: { startupMode: "Dual", certificate: other.facts.thumbprint },
    });
    const lab = openLab(state);
    expect([lab.services(mail), lab.services(other)]).toEqual(["UM", "UMCallRouter"]);
  });

  it("can be several on one certificate, in the order of the flags (T16)", () => {
    const state = server({
      certificates: [stored(mail, { privateKey: { networkServiceRead: true } })],
      iis: { frontEnd: mail.facts.thumbprint, backEnd: null, requireSsl: true },
      imap: { x509CertificateName: "mail.contoso.com" },
      pop: { x509CertificateName: "mail.contoso.com" },
    });
    expect(openLab(state).services(mail)).toBe("IMAP, POP, IIS, SMTP");
  });
});

describe("formatServices", () => {
  it("prints flags as .NET does: by value, with None for nothing", () => {
    expect(formatServices([])).toBe("None");
    expect(formatServices(["UMCallRouter", "Federation", "SMTP", "IIS", "UM", "POP", "IMAP"])).toBe(
      "IMAP, POP, UM, IIS, SMTP, Federation, UMCallRouter",
    );
  });
});

describe("a certificate's details", () => {
  const auth = makeTestCertificate({ subject: "CN=Microsoft Exchange Server Auth Certificate" });
  const authConfig = {
    currentCertificate: auth.facts.thumbprint,
    previousCertificate: null,
    nextCertificate: null,
    nextCertificateEffectiveDate: null,
  };
  const keysOf = (lab: ReturnType<typeof openLab>) =>
    lab.output("Get-ExchangeCertificate").map((one) => Object.keys(one).length);

  it("come down to RawData when the server is told so, for every certificate (C17)", () => {
    const lab = openLab(server({ certificates, faults: { servicesUnknown: true } }));
    expect(lab.output("Get-ExchangeCertificate")).toEqual(
      [mail, other, wildcard].map(({ der }) => ({ RawData: new Uint8Array(der) })),
    );
  });

  it("come down to RawData once the Auth certificate that signs them is gone", () => {
    const state = server({ certificates: [stored(auth), stored(mail)] });
    const lab = openLab(organisation([state], { authConfig }));
    expect(keysOf(lab).every((count) => count > 1)).toBe(true);
    lab.complete("Remove-ExchangeCertificate", { Thumbprint: auth.facts.thumbprint, Confirm: false });
    expect(keysOf(lab)).toEqual([1]);
  });

  it("come down to RawData once the Auth certificate has expired", () => {
    const state = server({ certificates: [stored(auth)] });
    const lab = openLab(organisation([state], { authConfig }), { now: new Date("2045-01-02T00:00:00Z") });
    expect(keysOf(lab)).toEqual([1]);
  });

  it("are sent all the same by builds from before November 2023, which don't sign", () => {
    for (const version of [
      { major: 15, minor: 0, build: 1497, revision: 48 },
      EXCHANGE_2016,
      { major: 15, minor: 2, build: 986, revision: 5 },
      { major: 15, minor: 2, build: 1258, revision: 27 },
    ]) {
      const lab = openLab(organisation([server({ certificates, version })], { authConfig }));
      expect(keysOf(lab).every((count) => count > 1)).toBe(true);
    }
  });

  it("are signed by the builds of November 2023 and later", () => {
    for (const version of [
      { major: 15, minor: 1, build: 2507, revision: 35 },
      { major: 15, minor: 2, build: 1118, revision: 40 },
      { major: 15, minor: 2, build: 1258, revision: 28 },
      { major: 15, minor: 2, build: 2562, revision: 17 },
    ]) {
      const lab = openLab(organisation([server({ certificates, version })], { authConfig }));
      expect(keysOf(lab)).toEqual([1, 1, 1]);
    }
  });
});
