import type { ServerState } from "../../../../provider/backends/simulator/organisation";
import { makeTestCertificate } from "../../../certificate/testCertificates";
import { EXCHANGE_2016, openLab, published, server, stored } from "../lab";

const own = makeTestCertificate({ subject: "CN=EX01", dnsNames: ["EX01", "ex01.contoso.com"] });
const mail = makeTestCertificate({
  subject: "CN=mail.contoso.com, O=Contoso",
  dnsNames: ["autodiscover.contoso.com", "mail.contoso.com"],
});
const Thumbprint = mail.facts.thumbprint;

/** As setup leaves a server, with one more certificate in the store. */
function afterSetup(changes: Partial<ServerState> = {}) {
  return openLab(
    server({
      certificates: [stored(own, { privateKey: { networkServiceRead: true } }), stored(mail)],
      iis: { frontEnd: own.facts.thumbprint, backEnd: own.facts.thumbprint, requireSsl: false },
      imap: { x509CertificateName: "EX01" },
      pop: { x509CertificateName: "EX01" },
      internalTransportCertificate: published(own),
      ...changes,
    }),
  );
}

describe("Enable-ExchangeCertificate", () => {
  it("gives a certificate all the services asked for (T17)", () => {
    const lab = afterSetup();
    expect(lab.services(mail)).toBe("None");
    lab.complete("Enable-ExchangeCertificate", { Thumbprint, Services: ["IIS", "SMTP", "IMAP", "POP"], Force: true });
    expect(lab.services(mail)).toBe("IMAP, POP, IIS, SMTP");
  });

  it("hands the services of one certificate to another, with -DoNotRequireSsl and -NetworkServiceAllowed (T18)", () => {
    const lab = afterSetup();
    lab.complete("Enable-ExchangeCertificate", {
      Thumbprint,
      Services: ["IIS", "SMTP", "IMAP", "POP"],
      DoNotRequireSsl: true,
      NetworkServiceAllowed: true,
      Force: true,
    });
    expect(lab.services(mail)).toBe("IMAP, POP, IIS, SMTP");
    // The old one stays behind with what it isn't taken: the back end and the use of its key.
    expect(lab.services(own)).toBe("IIS, SMTP");
  });

  it("takes the services as a list, as one text with commas, in any case", () => {
    for (const Services of [["IMAP", "POP"], ["imap , Pop"], "IMAP,POP"]) {
      const lab = afterSetup();
      lab.complete("Enable-ExchangeCertificate", { Thumbprint, Services });
      expect(lab.services(mail)).toBe("IMAP, POP");
    }
  });

  it("only adds: what a certificate has stays, whatever is enabled next", () => {
    const lab = afterSetup();
    lab.complete("Enable-ExchangeCertificate", { Thumbprint, Services: ["IMAP", "SMTP"], Force: true });
    lab.complete("Enable-ExchangeCertificate", { Thumbprint, Services: ["IIS"] });
    expect(lab.services(mail)).toBe("IMAP, IIS, SMTP");
  });

  it("accepts None and changes nothing", () => {
    const lab = afterSetup();
    lab.complete("Enable-ExchangeCertificate", { Thumbprint, Services: ["IMAP"] });
    const before = lab.organisation;
    lab.complete("Enable-ExchangeCertificate", { Thumbprint, Services: ["None"] });
    expect(lab.organisation).toBe(before);
  });

  it("changes nothing when everything is as asked already, down to the reference", () => {
    const lab = afterSetup();
    const call = { Thumbprint, Services: ["IIS", "IMAP", "POP", "SMTP"], Force: true };
    lab.complete("Enable-ExchangeCertificate", call);
    const before = lab.organisation;
    lab.complete("Enable-ExchangeCertificate", call);
    expect(lab.organisation).toBe(before);
  });

  it("returns no object", () => {
    expect(afterSetup().output("Enable-ExchangeCertificate", { Thumbprint, Services: ["IIS"] })).toEqual([]);
  });

  it("refuses Federation", () => {
    const lab = afterSetup();
    const { error } = lab.fail("Enable-ExchangeCertificate", { Thumbprint, Services: ["SMTP", "Federation"] });
    expect(error.message).toContain("Set-FederationTrust");
    expect(lab.services(mail)).toBe("None");
  });

  it("refuses a service that doesn't exist", () => {
    const { error } = afterSetup().fail("Enable-ExchangeCertificate", { Thumbprint, Services: ["IIS", "FTP"] });
    expect(error.message).toContain('"FTP"');
  });

  it("fails for a thumbprint that isn't there", () => {
    const { error } = afterSetup().fail("Enable-ExchangeCertificate", { Thumbprint: "00", Services: ["IIS"] });
    expect(error.code).toBe("CertificateNotFound");
  });

  it("asks for a certificate when none is named", () => {
    const { error } = afterSetup().fail("Enable-ExchangeCertificate", { Services: ["IIS"] });
    expect(error.fullyQualifiedErrorId).toBe("MissingMandatoryParameter,Enable-ExchangeCertificate");
  });

  it("refuses a certificate without a private key, in Exchange's words", () => {
    const lab = afterSetup({ certificates: [stored(mail, { privateKey: { present: false } })], iis: NO_SITES });
    const { error } = lab.fail("Enable-ExchangeCertificate", { Thumbprint, Services: ["IIS"] });
    expect(error).toMatchObject({
      code: "PrivateKeyMissing",
      message: `A special Rpc error occurs on server EX01: The certificate with thumbprint ${Thumbprint} was found but is not valid for use with Exchange Server (reason: PrivateKeyMissing).`,
      categoryInfo: "NotSpecified: (:) [Enable-ExchangeCertificate], InvalidOperationException",
    });
    expect(error.fullyQualifiedErrorId).toContain(
      "] DA6D9EA1,Microsoft.Exchange.Management.SystemConfigurationTasks.EnableExchangeCertificate",
    );
  });

  it("gives Network Service the key with -NetworkServiceAllowed alone, which then shows as SMTP", () => {
    const lab = afterSetup();
    lab.complete("Enable-ExchangeCertificate", { Thumbprint, Services: ["None"], NetworkServiceAllowed: true });
    expect(lab.services(mail)).toBe("SMTP");
    expect(lab.server().internalTransportCertificate?.thumbprint).toBe(own.facts.thumbprint);
  });

  it("changes nothing with -WhatIf, and asks nothing", () => {
    const lab = afterSetup();
    const before = lab.organisation;
    lab.complete("Enable-ExchangeCertificate", { Thumbprint, Services: ["IIS", "SMTP"], WhatIf: true });
    expect(lab.organisation).toBe(before);
  });
});

const NO_SITES = { frontEnd: null, backEnd: null, requireSsl: true };

describe("enabling IIS", () => {
  it("binds the front end only: the certificate that had it keeps the back end and its IIS flag", () => {
    const lab = afterSetup();
    lab.complete("Enable-ExchangeCertificate", { Thumbprint, Services: ["IIS"] });
    expect(lab.server().iis).toMatchObject({ frontEnd: Thumbprint, backEnd: own.facts.thumbprint });
    expect([lab.services(own), lab.services(mail)]).toEqual(["IMAP, POP, IIS, SMTP", "IIS"]);
  });

  it("takes IIS from a certificate that had the front end alone", () => {
    const lab = afterSetup();
    lab.complete("Enable-ExchangeCertificate", { Thumbprint, Services: ["IIS"] });
    lab.complete("Enable-ExchangeCertificate", { Thumbprint: own.facts.thumbprint, Services: ["IIS"] });
    expect(lab.services(mail)).toBe("None");
  });

  it("turns Require SSL on, unless told not to: then it stays as it was", () => {
    const lab = afterSetup();
    lab.complete("Enable-ExchangeCertificate", { Thumbprint, Services: ["IIS"], DoNotRequireSsl: true });
    expect(lab.server().iis.requireSsl).toBe(false);
    lab.complete("Enable-ExchangeCertificate", { Thumbprint, Services: ["IIS"] });
    expect(lab.server().iis.requireSsl).toBe(true);
    lab.complete("Enable-ExchangeCertificate", { Thumbprint, Services: ["IIS"], DoNotRequireSsl: true });
    expect(lab.server().iis.requireSsl).toBe(true);
  });
});

describe("enabling IMAP and POP", () => {
  it("writes the common name, and takes the flag from a certificate with another name", () => {
    const lab = afterSetup();
    lab.complete("Enable-ExchangeCertificate", { Thumbprint, Services: ["IMAP"] });
    expect(lab.server()).toMatchObject({
      imap: { x509CertificateName: "mail.contoso.com" },
      pop: { x509CertificateName: "EX01" },
    });
    expect([lab.services(own), lab.services(mail)]).toEqual(["POP, IIS, SMTP", "IMAP"]);
  });

  it("leaves the flag on another certificate of the same name", () => {
    const twin = makeTestCertificate({ subject: "CN=EX01", dnsNames: ["EX01"] });
    const lab = afterSetup({ certificates: [stored(own), stored(twin)] });
    lab.complete("Enable-ExchangeCertificate", { Thumbprint: twin.facts.thumbprint, Services: ["IMAP", "POP"] });
    expect([lab.services(own), lab.services(twin)]).toEqual(["IMAP, POP, IIS", "IMAP, POP"]);
  });

  it("writes nothing for a certificate without a common name", () => {
    const nameless = makeTestCertificate({ subject: "O=Contoso", dnsNames: ["*.contoso.com", "imap.contoso.com"] });
    const lab = afterSetup({ certificates: [stored(nameless)], iis: NO_SITES });
    lab.complete("Enable-ExchangeCertificate", { Thumbprint: nameless.facts.thumbprint, Services: ["IMAP"] });
    expect(lab.server().imap.x509CertificateName).toBe("EX01");
  });

  it("warns about a wildcard certificate, once per protocol in Exchange's words, and changes nothing", () => {
    const wildcard = makeTestCertificate({ subject: "CN=*.contoso.com", dnsNames: ["*.contoso.com", "contoso.com"] });
    const lab = afterSetup({ certificates: [stored(wildcard)], iis: NO_SITES });
    const before = lab.organisation;
    const { warnings } = lab.complete("Enable-ExchangeCertificate", {
      Thumbprint: wildcard.facts.thumbprint,
      Services: ["POP", "IMAP"],
    });
    expect(warnings.toSorted()).toEqual([
      `This certificate with thumbprint ${wildcard.facts.thumbprint} and subject '*.contoso.com' cannot used for IMAP SSL/TLS connections because the subject is not a Fully Qualified Domain Name (FQDN). Use command Set-IMAPSettings to set X509CertificateName to the FQDN of the service.`,
      `This certificate with thumbprint ${wildcard.facts.thumbprint} and subject '*.contoso.com' cannot used for POP SSL/TLS connections because the subject is not a Fully Qualified Domain Name (FQDN). Use command Set-POPSettings to set X509CertificateName to the FQDN of the service.`,
    ]);
    expect(lab.organisation).toBe(before);
  });

  it("warns likewise when the common name is no DNS name", () => {
    const titled = makeTestCertificate({ subject: "CN=Contoso Mail", dnsNames: ["mail.contoso.com"] });
    const lab = afterSetup({ certificates: [stored(titled)], iis: NO_SITES });
    const call = { Thumbprint: titled.facts.thumbprint, Services: ["IMAP"] };
    expect(lab.complete("Enable-ExchangeCertificate", call).warnings).toHaveLength(1);
    expect(lab.server().imap.x509CertificateName).toBe("EX01");
  });
});

describe("enabling SMTP", () => {
  const smtp = { Thumbprint, Services: ["SMTP"] };

  it("asks whether to replace the default SMTP certificate, in Exchange's words, with nothing changed yet", () => {
    const lab = afterSetup();
    const before = lab.organisation;
    const outcome = lab.run("Enable-ExchangeCertificate", { ...smtp, Services: ["IIS", "IMAP", "SMTP"] });
    expect(outcome).toEqual({
      kind: "question",
      question: {
        kind: "overwriteDefaultSmtpCertificate",
        caption: "Confirm",
        message:
          "Overwrite the existing default SMTP certificate?\n\n" +
          `Current certificate: '${own.facts.thumbprint}' (expires 1/1/2045 12:00:00 AM)\n` +
          `Replace it with certificate: '${Thumbprint}' (expires 1/1/2045 12:00:00 AM)`,
        defaultAnswer: "yes",
      },
    });
    expect(lab.organisation).toBe(before);
  });

  it("makes it the default one on Yes; the old one keeps SMTP", () => {
    const lab = afterSetup();
    lab.complete("Enable-ExchangeCertificate", smtp, { answers: { overwriteDefaultSmtpCertificate: "yes" } });
    expect(lab.server().internalTransportCertificate).toEqual(published(mail));
    expect([lab.services(own), lab.services(mail)]).toEqual(["IMAP, POP, IIS, SMTP", "SMTP"]);
  });

  it("keeps the default one on No, and shows SMTP all the same", () => {
    const lab = afterSetup();
    lab.complete("Enable-ExchangeCertificate", smtp, { answers: { overwriteDefaultSmtpCertificate: "no" } });
    expect(lab.server().internalTransportCertificate).toEqual(published(own));
    expect(lab.services(mail)).toBe("SMTP");
  });

  it("takes -Force for a Yes", () => {
    const lab = afterSetup();
    lab.complete("Enable-ExchangeCertificate", { ...smtp, Force: true });
    expect(lab.output("Get-TransportService")[0]).toMatchObject({ InternalTransportCertificateThumbprint: Thumbprint });
  });

  it("asks again for a certificate that shows SMTP already but isn't the default one", () => {
    const lab = afterSetup();
    lab.complete("Enable-ExchangeCertificate", smtp, { answers: { overwriteDefaultSmtpCertificate: "no" } });
    expect(lab.run("Enable-ExchangeCertificate", smtp).kind).toBe("question");
  });

  it("asks nothing for the certificate that is the default one", () => {
    const lab = afterSetup();
    lab.complete("Enable-ExchangeCertificate", { Thumbprint: own.facts.thumbprint, Services: ["SMTP"] });
    expect(lab.server().internalTransportCertificate).toEqual(published(own));
  });

  it("asks nothing when the attribute is empty, and fills it", () => {
    const lab = afterSetup({ internalTransportCertificate: null });
    lab.complete("Enable-ExchangeCertificate", smtp, { answers: { overwriteDefaultSmtpCertificate: "no" } });
    expect(lab.server().internalTransportCertificate).toEqual(published(mail));
  });

  it("asks about a default one that is gone from the store too: the attribute still has it", () => {
    const lab = afterSetup({ certificates: [stored(mail)], iis: NO_SITES });
    const outcome = lab.run("Enable-ExchangeCertificate", smtp);
    expect(outcome).toMatchObject({ question: { message: expect.stringContaining(own.facts.thumbprint) } });
  });

  it("puts the old default one back when that is enabled with -Force again", () => {
    const lab = afterSetup();
    lab.complete("Enable-ExchangeCertificate", { ...smtp, Force: true });
    lab.complete("Enable-ExchangeCertificate", { Thumbprint: own.facts.thumbprint, Services: "SMTP", Force: true });
    expect(lab.server().internalTransportCertificate).toEqual(published(own));
  });
});

describe("enabling UM and UMCallRouter", () => {
  const um = (mode: "TCP" | "TLS" | "Dual") => ({ startupMode: mode, certificate: own.facts.thumbprint });

  it("moves the service to the certificate while its mode is TLS or Dual", () => {
    for (const mode of ["TLS", "Dual"] as const) {
      const lab = afterSetup({ version: EXCHANGE_2016, um: um(mode), umCallRouter: um(mode) });
      lab.complete("Enable-ExchangeCertificate", { Thumbprint, Services: "UM, UMCallRouter" });
      expect([lab.services(own), lab.services(mail)]).toEqual(["IMAP, POP, IIS, SMTP", "UM, UMCallRouter"]);
    }
  });

  it("is refused while the mode is TCP, for each service by its own mode", () => {
    const lab = afterSetup({ version: EXCHANGE_2016, um: um("Dual"), umCallRouter: um("TCP") });
    lab.complete("Enable-ExchangeCertificate", { Thumbprint, Services: ["UM"] });
    const { error } = lab.fail("Enable-ExchangeCertificate", { Thumbprint, Services: ["UMCallRouter"] });
    expect(error.message).toContain("UMStartupMode is TCP");
    expect(lab.services(own)).toBe("IMAP, POP, IIS, SMTP, UMCallRouter");
  });

  it("is refused where there is no unified messaging", () => {
    const { error } = afterSetup().fail("Enable-ExchangeCertificate", { Thumbprint, Services: ["UM"] });
    expect(error.code).toBe("CmdletFailed");
  });
});

describe("a failing Enable-ExchangeCertificate", () => {
  const all = { Thumbprint, Services: ["IIS", "IMAP", "POP", "SMTP"], Force: true };

  it("leaves done what it had done before it failed half-way", () => {
    const lab = afterSetup({ faults: { enableFailsAfter: "IMAP" } });
    const { error } = lab.fail("Enable-ExchangeCertificate", all);
    expect(error.code).toBe("CmdletFailed");
    expect(lab.services(mail)).toBe("IMAP, IIS");
  });

  it("fails at another place when the server deals with services in another order", () => {
    const lab = afterSetup({ faults: { enableFailsAfter: "IMAP", enableOrder: ["SMTP", "IMAP"] } });
    lab.fail("Enable-ExchangeCertificate", all);
    expect(lab.services(mail)).toBe("IMAP, SMTP");
    expect(lab.server().internalTransportCertificate?.thumbprint).toBe(Thumbprint);
  });

  it("doesn't fail when the call isn't about the service after which it would", () => {
    const lab = afterSetup({ faults: { enableFailsAfter: "SMTP" } });
    lab.complete("Enable-ExchangeCertificate", { Thumbprint, Services: ["IIS"] });
    expect(lab.services(mail)).toBe("IIS");
  });

  it("can't let Network Service use the key when that is refused, and has no SMTP then", () => {
    const lab = afterSetup({ faults: { privateKeyAccessRefused: true } });
    const { error } = lab.fail("Enable-ExchangeCertificate", all);
    expect(error).toMatchObject({
      code: "PrivateKeyAccess",
      message: `A special Rpc error occurs on server EX01: Insufficient rights to grant Network Service access to the certificate with thumbprint ${Thumbprint}`,
    });
    expect(lab.services(mail)).toBe("IMAP, POP, IIS");
    expect(lab.server().internalTransportCertificate).toEqual(published(own));
  });

  it("may say that it succeeded and not have changed a thing", () => {
    const lab = afterSetup({ faults: { enableHasNoEffectOn: ["IIS", "SMTP"] } });
    lab.complete("Enable-ExchangeCertificate", { ...all, Force: false });
    expect(lab.services(mail)).toBe("IMAP, POP");
  });
});
