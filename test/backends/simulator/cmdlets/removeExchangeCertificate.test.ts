import type { Organisation, ServerState } from "../../../../provider/backends/simulator/organisation";
import { tlsCertificateNameOf } from "../../../../provider/backends/connectorName";
import { makeTestCertificate } from "../../../certificate/testCertificates";
import { openLab, organisation, published, server, stored } from "../lab";

const own = makeTestCertificate({ subject: "CN=EX01", dnsNames: ["EX01", "ex01.contoso.com"] });
const mail = makeTestCertificate({ subject: "CN=mail.contoso.com, O=Contoso", dnsNames: ["mail.contoso.com"] });
const renewed = makeTestCertificate({ subject: "CN=mail.contoso.com, O=Contoso", dnsNames: ["mail.contoso.com"] });
const Thumbprint = mail.facts.thumbprint;
const NOW_GONE = { Thumbprint, Confirm: false };

function lab(changes: Partial<ServerState> = {}, more: Partial<Organisation> = {}) {
  return openLab(
    organisation(
      [server({ certificates: [stored(own), stored(mail)], internalTransportCertificate: published(own), ...changes })],
      more,
    ),
  );
}

function sendConnector(name: string, tlsCertificateName: string | null) {
  return { name, fqdn: null, tlsCertificateName, sourceServers: ["EX01"] };
}

describe("Remove-ExchangeCertificate", () => {
  it("asks first, in Exchange's words, with nothing changed", () => {
    const here = lab();
    expect(here.run("Remove-ExchangeCertificate", { Thumbprint })).toEqual({
      kind: "question",
      question: {
        kind: "removeCertificate",
        caption: "Confirm",
        message: `Are you sure you want to perform this action?\nRemove certificate with thumbprint ${Thumbprint} from the computer's certificate store?`,
        defaultAnswer: "yes",
      },
    });
    expect(here.services(mail)).toBe("None");
  });

  it("removes on Yes and leaves it on No", () => {
    const here = lab();
    here.complete("Remove-ExchangeCertificate", { Thumbprint }, { answers: { removeCertificate: "no" } });
    expect(here.services(mail)).toBe("None");
    here.complete("Remove-ExchangeCertificate", { Thumbprint }, { answers: { removeCertificate: "yes" } });
    expect(here.services(mail)).toBe("absent");
  });

  it("asks nothing with -Confirm:$false; what is gone can't be found afterwards (T19)", () => {
    const here = lab();
    here.complete("Remove-ExchangeCertificate", NOW_GONE);
    expect(here.services(mail)).toBe("absent");
    expect(here.fail("Remove-ExchangeCertificate", NOW_GONE).error.code).toBe("CertificateNotFound");
    expect(here.fail("Get-ExchangeCertificate", { Thumbprint }).error.code).toBe("CertificateNotFound");
  });

  it("takes the certificate by identity too", () => {
    const here = lab();
    here.complete("Remove-ExchangeCertificate", { Identity: `ex01.contoso.com\\${Thumbprint}`, Confirm: false });
    expect(here.services(mail)).toBe("absent");
  });

  it("refuses the internal transport certificate, in Exchange's words", () => {
    const here = lab();
    const call = { Thumbprint: own.facts.thumbprint, Confirm: false };
    const { error } = here.fail("Remove-ExchangeCertificate", call, { now: new Date("2018-07-05T07:45:01Z") });
    expect(error).toMatchObject({
      code: "RemovalRefused",
      message:
        "A special Rpc error occurs on server EX01: The internal transport certificate cannot be removed because that would cause the Microsoft Exchange Transport service to stop. To replace the internal transport certificate, create a new certificate. The new certificate will automatically become the internal transport certificate. You can then remove the existing certificate.",
      categoryInfo: "InvalidArgument: (:) [Remove-ExchangeCertificate], InvalidOperationException",
    });
    expect(error.fullyQualifiedErrorId).toMatch(
      /^\[Server=EX01,RequestId=487b16ef-.*,TimeStamp=7\/5\/2018 7:45:01 AM\] .* DCA528C3,.*\.RemoveExchangeCertificate$/,
    );
    expect(here.services(own)).toBe("None");
  });

  it("removes the old one after another has become the internal transport certificate", () => {
    const here = lab();
    here.complete("Enable-ExchangeCertificate", { Thumbprint, Services: ["SMTP"], Force: true });
    here.complete("Remove-ExchangeCertificate", { Thumbprint: own.facts.thumbprint, Confirm: false });
    expect(here.services(own)).toBe("absent");
  });

  it("refuses a certificate whose issuer and subject a send connector names, in Exchange's words", () => {
    const name = tlsCertificateNameOf(mail.facts);
    expect(name).toBe("<I>CN=mail.contoso.com, O=Contoso<S>CN=mail.contoso.com, O=Contoso");
    const sendConnectors = [
      sendConnector("Outbound to Internet", null),
      sendConnector("Outbound to Office 365", name),
      sendConnector("Partner", name.toUpperCase()),
    ];
    const { error } = lab({}, { sendConnectors }).fail("Remove-ExchangeCertificate", NOW_GONE);
    expect(error.code).toBe("RemovalRefused");
    expect(error.message).toBe(
      "A special Rpc error occurs on server EX01: These certificates are tagged with following Send Connectors : Outbound to Office 365, Partner. Removing and replacing certificates from Send Connector would break the mail flow. If you still want to proceed then replace or remove these certificates from Send Connector and then try this command.",
    );
  });

  it("refuses the old and the renewed certificate alike: a connector can't tell them apart", () => {
    const sendConnectors = [sendConnector("Outbound", tlsCertificateNameOf(mail.facts))];
    const here = lab({ certificates: [stored(mail), stored(renewed)] }, { sendConnectors });
    for (const { facts } of [mail, renewed]) {
      const call = { Thumbprint: facts.thumbprint, Confirm: false };
      expect(here.fail("Remove-ExchangeCertificate", call).error.code).toBe("RemovalRefused");
    }
  });

  it("goes on when only the issuer or only the subject is the same", () => {
    const sendConnectors = [sendConnector("A", "<I>CN=CA<S>CN=mail.contoso.com, O=Contoso")];
    const here = lab({}, { sendConnectors });
    here.complete("Remove-ExchangeCertificate", NOW_GONE);
    expect(here.services(mail)).toBe("absent");
  });

  it("follows the documented way: clear the connectors' names, remove, set the new name", () => {
    const Identity = "Outbound";
    const here = lab({}, { sendConnectors: [sendConnector(Identity, tlsCertificateNameOf(mail.facts))] });
    here.complete("Set-SendConnector", { Identity, TlsCertificateName: null });
    here.complete("Remove-ExchangeCertificate", NOW_GONE);
    here.complete("Set-SendConnector", { Identity, TlsCertificateName: tlsCertificateNameOf(renewed.facts) });
    expect(here.services(mail)).toBe("absent");
  });
});

describe("a dangerous removal goes through", () => {
  it("of the front-end certificate: the binding dangles", () => {
    const here = lab({ iis: { frontEnd: Thumbprint, backEnd: own.facts.thumbprint, requireSsl: true } });
    here.complete("Remove-ExchangeCertificate", NOW_GONE);
    expect(here.server().iis.frontEnd).toBe(Thumbprint);
    expect(here.output("Get-ExchangeCertificate").map((one) => one["IISServices"])).toEqual([["IIS://EX01/W3SVC/2"]]);
  });

  it("of the certificate that UM uses: the assignment dangles", () => {
    const um = { startupMode: "TLS", certificate: Thumbprint } as const;
    const here = lab({ version: { major: 15, minor: 1, build: 2507, revision: 6 }, um });
    here.complete("Remove-ExchangeCertificate", NOW_GONE);
    expect(here.server().um).toEqual(um);
  });

  it("of a certificate that a receive connector names", () => {
    const connector = {
      name: "Default Frontend EX01",
      fqdn: null,
      tlsCertificateName: tlsCertificateNameOf(mail.facts),
    };
    const here = lab({ receiveConnectors: [connector] });
    here.complete("Remove-ExchangeCertificate", NOW_GONE);
    expect(here.services(mail)).toBe("absent");
  });

  it("of the WMSVC certificate and of the Auth certificate", () => {
    const service = makeTestCertificate({ subject: "CN=WMSvc-SHA2-EX01" });
    const auth = makeTestCertificate({ subject: "CN=Microsoft Exchange Server Auth Certificate" });
    const here = lab({ certificates: [stored(service), stored(auth)] });
    for (const { facts } of [service, auth]) {
      here.complete("Remove-ExchangeCertificate", { Thumbprint: facts.thumbprint, Confirm: false });
    }
    expect(here.server().certificates).toEqual([]);
  });

  it("of the back-end certificate: the server's remote shell is gone, and with it the way to repair it", () => {
    const here = lab({ iis: { frontEnd: own.facts.thumbprint, backEnd: Thumbprint, requireSsl: true } });
    here.complete("Remove-ExchangeCertificate", NOW_GONE);
    for (const call of ["Get-ExchangeCertificate", "Get-SendConnector", "Enable-ExchangeCertificate"]) {
      const { error } = here.fail(call, {}, { session: "ex01.contoso.com" });
      expect(error.code).toBe("ServerUnreachable");
      expect(error.message).toBe(
        "[ex01.contoso.com] Processing data from remote server ex01.contoso.com failed with the following error message: The WinRM Shell client cannot process the request. The shell handle passed to the WSMan Shell function is not valid. The shell handle is valid only when WSManCreateShell function completes successfully. Change the request including a valid shell handle and try again. For more information, see the about_Remote_Troubleshooting Help topic.",
      );
      expect(error.fullyQualifiedErrorId).toBe("-2144108212,PSSessionOpenFailed");
    }
  });

  it("of the back-end certificate: another server's shell still reaches it", () => {
    const broken = server({
      certificates: [stored(own), stored(mail)],
      iis: { frontEnd: null, backEnd: Thumbprint, requireSsl: true },
    });
    const here = openLab(organisation([broken, server({ name: "EX02" })]));
    here.complete("Remove-ExchangeCertificate", NOW_GONE);
    const seen = here.output("Get-ExchangeCertificate", { Server: "EX01" }, { session: "EX02" });
    expect(seen.map((one) => one["Thumbprint"])).toEqual([own.facts.thumbprint]);
  });
});
