import { factsOf } from "../../../provider/backends/simulator/derFacts";
import { listedCertificates } from "../../../provider/backends/simulator/cmdlets/certificateObject";
import { displayedServices, formatServices } from "../../../provider/backends/simulator/displayedServices";
import type { Organisation, ServerState } from "../../../provider/backends/simulator/organisation";
import { CAPTURED_CERTIFICATES } from "./capturedCertificates";
import { CAPTURED_SERVERS, type CapturedCertificate, type CapturedServer } from "./capturedServers";
import { openLab, organisation, server } from "./lab";

/*
 * The model against reality: for each captured server there is one state that explains everything it displayed at that
 * moment. What the capture leaves no choice about is "fixed", what it says nothing about is "free"; the tests try the
 * other choices and see that they explain less, or just as much.
 */

function der(thumbprint: string): string {
  const found = CAPTURED_CERTIFICATES[thumbprint];
  if (found === undefined) throw new Error(`no certificate ${thumbprint}`);
  return found;
}

/** A moment at which all certificates of the capture were within their dates. */
function momentOf({ certificates }: CapturedServer): Date {
  const begins = certificates.map(({ thumbprint }) => Date.parse(factsOf(der(thumbprint)).notBefore));
  return new Date(Math.max(...begins) + 24 * 3600 * 1000);
}

function shows(certificate: CapturedCertificate, service: string): boolean {
  return certificate.services.split(", ").includes(service);
}

function boundTo({ certificates }: CapturedServer, site: number): string | null {
  return certificates.find(({ iisSites }) => iisSites.includes(site))?.thumbprint ?? null;
}

/** All that the capture fixes directly, with the two names still to be chosen. */
function stateOf(captured: CapturedServer, imapName: string | null, popName: string | null): Organisation {
  const state: ServerState = server({
    name: captured.name,
    fqdn: captured.fqdn,
    certificates: captured.certificates.map((one) => ({
      der: der(one.thumbprint),
      friendlyName: one.friendlyName,
      privateKey: {
        present: true,
        exportable: one.exportable,
        provider: "CSP",
        networkServiceRead: shows(one, "SMTP"),
      },
      rootStore: one.rootCaType === "Registry" ? "trusted" : "none",
    })),
    iis: { frontEnd: boundTo(captured, 1), backEnd: boundTo(captured, 2), requireSsl: true },
    imap: { x509CertificateName: imapName },
    pop: { x509CertificateName: popName },
  });
  return organisation([state]);
}

/** Every name that a certificate of the server has, one that none has, and no name. */
function candidateNames({ certificates }: CapturedServer): (string | null)[] {
  const names = certificates.flatMap(({ thumbprint }) => factsOf(der(thumbprint)).dnsNames);
  return [...new Set(names), "mail.elsewhere.example", null];
}

/** What each certificate displays of one service, for every name that the setting could have. */
function namesThatExplain(captured: CapturedServer, service: "IMAP" | "POP"): (string | null)[] {
  return candidateNames(captured).filter((name) => {
    const model = service === "IMAP" ? stateOf(captured, name, null) : stateOf(captured, null, name);
    const [state] = Object.values(model.servers);
    if (state === undefined) throw new Error("no server");
    return listedCertificates(state).every((one) => {
      const expected = captured.certificates.find(({ thumbprint }) => thumbprint === one.facts.thumbprint);
      const displayed = displayedServices(model, state, one, momentOf(captured));
      return expected !== undefined && displayed.includes(service) === shows(expected, service);
    });
  });
}

/** What the captures leave open about the two names. Everything that isn't listed explains less. */
const NAME_CHOICES: Readonly<Record<string, Record<"IMAP" | "POP", readonly (string | null)[]>>> = {
  "Solo-E19A, Exchange 2019": {
    IMAP: ["solo-e19a", "solo-e19a.solo.com"],
    POP: ["solo-e19a", "solo-e19a.solo.com"],
  },
  "Solo-E16A, Exchange 2016": {
    IMAP: ["solo-e16a", "solo-e16a.solo.local"],
    POP: ["solo-e16a", "solo-e16a.solo.local"],
  },
  // The long name would show IMAP on the certificate for mail.contoso.lab too. So Enable-ExchangeCertificate writes
  // the common name, short as it is.
  "E2k16-1 with eight certificates": { IMAP: ["e2k16-1"], POP: ["mail.elsewhere.example", null] },
  "E2k16-1 when it ran in Azure": {
    IMAP: ["mail.elsewhere.example", null],
    POP: ["mail.elsewhere.example", null],
  },
  "WIN-CTD3L0RGEN4": {
    IMAP: ["win-ctd3l0rgen4", "win-ctd3l0rgen4.exlab.dom"],
    POP: ["win-ctd3l0rgen4", "win-ctd3l0rgen4.exlab.dom"],
  },
  "WIN-CTD3L0RGEN4, later": {
    IMAP: ["win-ctd3l0rgen4", "win-ctd3l0rgen4.exlab.dom"],
    POP: ["win-ctd3l0rgen4", "win-ctd3l0rgen4.exlab.dom"],
  },
};

describe.each(CAPTURED_SERVERS)("the captured server $title", (captured) => {
  const choices = NAME_CHOICES[captured.title];
  const imapName = choices?.IMAP[0] ?? null;
  const popName = choices?.POP[0] ?? null;
  const context = { now: momentOf(captured) };

  it("is explained by one state: services, sites, root types, friendly names and all (C16)", () => {
    const lab = openLab(stateOf(captured, imapName, popName), context);
    const displayed = lab.output("Get-ExchangeCertificate", { Server: captured.fqdn });
    expect(displayed).toMatchObject(
      captured.certificates.map((one) => ({
        Thumbprint: one.thumbprint,
        Subject: one.subject,
        Services: one.services,
        IISServices: one.iisSites.map((site) => `IIS://${captured.name}/W3SVC/${site}`),
        RootCAType: one.rootCaType,
        PrivateKeyExportable: one.exportable,
        FriendlyName: one.friendlyName,
        Status: "Valid",
        IsSelfSigned: true,
        Identity: `${captured.fqdn}\\${one.thumbprint}`,
      })),
    );
  });

  it("holds the alternative names that the capture says", () => {
    for (const { thumbprint, alternativeNames } of captured.certificates) {
      if (alternativeNames.length === 0) continue;
      expect(factsOf(der(thumbprint)).dnsNames).toEqual(alternativeNames.map((name) => name.toLowerCase()));
    }
  });

  it("fixes the names of IMAP and POP as far as listed, and leaves the rest free", () => {
    expect(namesThatExplain(captured, "IMAP")).toEqual(choices?.IMAP);
    expect(namesThatExplain(captured, "POP")).toEqual(choices?.POP);
  });

  it("fixes for every certificate whether Network Service can read its key", () => {
    const explained = stateOf(captured, imapName, popName);
    for (const { thumbprint, services } of captured.certificates) {
      const state = explained.servers[captured.fqdn] as ServerState;
      const other = {
        ...state,
        certificates: state.certificates.map((one) =>
          factsOf(one.der).thumbprint === thumbprint
            ? { ...one, privateKey: { ...one.privateKey, networkServiceRead: !one.privateKey.networkServiceRead } }
            : one,
        ),
      };
      const changed = listedCertificates(other).find(({ facts }) => facts.thumbprint === thumbprint);
      expect(changed).toBeDefined();
      if (changed === undefined) continue;
      expect(formatServices(displayedServices(explained, other, changed, context.now))).not.toBe(services);
    }
  });

  it("leaves free: the default SMTP certificate, Require SSL, UM, connectors, the Auth configuration", () => {
    const explained = stateOf(captured, imapName, popName);
    const state = explained.servers[captured.fqdn] as ServerState;
    const last = captured.certificates.at(-1)?.thumbprint ?? "";
    const other = openLab(
      organisation(
        [
          {
            ...state,
            version: { major: 15, minor: 1, build: 2375, revision: 7 },
            iis: { ...state.iis, requireSsl: false },
            um: { startupMode: "Dual", certificate: null },
            umCallRouter: { startupMode: "TCP", certificate: null },
            internalTransportCertificate: { thumbprint: last, der: der(last) },
            receiveConnectors: [{ name: "Default", fqdn: captured.fqdn, tlsCertificateName: "<I>CN=a<S>CN=b" }],
          },
        ],
        { authConfig: { ...explained.authConfig, currentCertificate: last } },
      ),
      context,
    );
    const shown = other.output("Get-ExchangeCertificate", { Server: captured.fqdn });
    expect(shown.map((one) => one["Services"])).toEqual(captured.certificates.map(({ services }) => services));
  });
});

describe("E2k16-1", () => {
  it("shows IMAP and SMTP on what New-ExchangeCertificate -Services SMTP makes there, as captured: IMAP comes by name", () => {
    const captured = CAPTURED_SERVERS.find(({ title }) => title === "E2k16-1 with eight certificates");
    if (captured === undefined) throw new Error("the capture is missing");
    const lab = openLab(stateOf(captured, "E2k16-1", null), { now: new Date("2023-01-06T00:00:00Z") });
    const [made] = lab.output(
      "New-ExchangeCertificate",
      {
        Server: "E2k16-1",
        KeySize: 2048,
        PrivateKeyExportable: true,
        FriendlyName: "E2k16-1",
        DomainName: ["E2k16-1"],
        IncludeServerFQDN: true,
        Services: ["SMTP"],
        Force: true,
      },
      {
        makeCertificate: (wish) => {
          expect(wish).toEqual({
            subject: "CN=E2k16-1",
            dnsNames: ["E2k16-1", "e2k16-1.contoso.lab"],
            keySize: 2048,
          });
          return Buffer.from(der("A86B1B7414E51491D446905511A329A7FE120510"), "base64");
        },
      },
    );
    expect(made).toMatchObject({
      Thumbprint: "A86B1B7414E51491D446905511A329A7FE120510",
      Services: "IMAP, SMTP",
      RootCAType: "None",
      PrivateKeyExportable: true,
      FriendlyName: "E2k16-1",
      IISServices: [],
    });
  });
});
