import { organisationSchema, type Organisation } from "../../../provider/backends/simulator/organisation";
import { parseOrganisation } from "../../../provider/backends/simulator/organisationText";
import { makeTestCertificate } from "../../certificate/testCertificates";
import { EXCHANGE_2016, organisation, published, server, stored } from "./lab";

const mail = makeTestCertificate({ dnsNames: ["mail.contoso.com"] });

const full: Organisation = organisation(
  [
    server({
      version: EXCHANGE_2016,
      certificates: [stored(mail, { status: "Revoked" })],
      iis: { frontEnd: mail.facts.thumbprint, backEnd: null, requireSsl: false },
      imap: { x509CertificateName: "mail.contoso.com" },
      um: { startupMode: "Dual", certificate: mail.facts.thumbprint },
      umCallRouter: { startupMode: "TCP", certificate: null },
      internalTransportCertificate: published(mail),
      receiveConnectors: [{ name: "Default EX01", fqdn: "ex01.contoso.com", tlsCertificateName: null }],
      notYetReplicated: { imapCertificateName: { shown: null, reads: 2, until: "2026-11-23T20:00:00.000Z" } },
      faults: {
        unreachable: false,
        servicesUnknown: true,
        enableFailsAfter: "IIS",
        enableOrder: ["SMTP", "IIS"],
        enableHasNoEffectOn: ["UM"],
        slowMilliseconds: 100,
        hiddenCmdlets: ["Get-AuthConfig"],
        directoryDelay: { reads: 1, milliseconds: 10 },
        privateKeyAccessRefused: true,
        answersAs: "ex02.contoso.com",
      },
    }),
    server({ name: "EX02" }),
  ],
  {
    sendConnectors: [{ name: "Outbound", fqdn: null, tlsCertificateName: "<I>CN=a<S>CN=b", sourceServers: ["EX01"] }],
    federationTrust: {
      name: "Microsoft Federation Gateway",
      currentCertificate: mail.facts.thumbprint,
      previousCertificate: null,
      nextCertificate: null,
    },
    edgeSubscriptions: [{ name: "EDGE01", site: "contoso.com/Configuration/Sites/Default-First-Site-Name" }],
  },
);

/** The organisation as a file has it, with one value at `path` put in its place. */
function spoilt(path: readonly string[], value: unknown): string {
  const copy = JSON.parse(JSON.stringify(full)) as Record<string, unknown>;
  const last = path.at(-1) ?? "";
  let place: Record<string, unknown> = copy;
  for (const step of path.slice(0, -1)) place = place[step] as Record<string, unknown>;
  place[last] = value;
  return JSON.stringify(copy);
}

const EX01 = ["servers", "ex01.contoso.com"];

describe("the file of an organisation", () => {
  it("gives back what went into it", () => {
    expect(parseOrganisation(JSON.stringify(full))).toEqual(full);
    expect(organisationSchema.parse(full)).toEqual(full);
  });

  it("may begin with the byte order mark that Windows editors write", () => {
    expect(parseOrganisation(`\uFEFF${JSON.stringify(full)}`)).toEqual(full);
  });

  it.each([
    ["a misspelt fault", [...EX01, "faults", "unreachabel"], true, "unreachabel"],
    ["a service that doesn't exist", [...EX01, "faults", "enableFailsAfter"], "FTP", "enableFailsAfter"],
    ["a thumbprint in lower case", [...EX01, "iis", "frontEnd"], mail.facts.thumbprint.toLowerCase(), "frontEnd"],
    ["a mode that doesn't exist", [...EX01, "um", "startupMode"], "UDP", "startupMode"],
    ["bytes that are no certificate", [...EX01, "certificates", "0", "der"], "AAAA", "not a certificate"],
    ["a server filed under another name", [...EX01, "fqdn"], "ex09.contoso.com", 'filed under, "ex01.contoso.com"'],
    ["an answer from nowhere", [...EX01, "faults", "answersAs"], "ex09.contoso.com", 'no server "ex09.contoso.com"'],
    ["a part that is missing", [...EX01, "iis"], undefined, "iis"],
    ["no server at all", ["servers"], {}, "at least one server"],
  ])("is refused with %s, and the place is named", (_what, path, value, said) => {
    expect(() => parseOrganisation(spoilt(path, value))).toThrow(said);
  });

  it.each([
    ["a wait of more than an hour", [...EX01, "faults", "slowMilliseconds"], 3_600_001, "at most an hour"],
    ["a wait that no timer holds", [...EX01, "faults", "slowMilliseconds"], 1e15, "slowMilliseconds"],
    ["a delay of more than an hour", [...EX01, "faults", "directoryDelay"], { milliseconds: 9e15 }, "at most an hour"],
  ])("is refused with %s", (_what, path, value, said) => {
    expect(() => parseOrganisation(spoilt(path, value))).toThrow(said);
  });

  it("is refused when a later release wrote it", () => {
    expect(() => parseOrganisation(spoilt(["version"], 2))).toThrow("this release reads version 1");
  });

  it.each([
    ["", "it is empty"],
    ["  \n", "it is empty"],
    ["{", "it isn't JSON"],
    ["[]", "it isn't a simulated organisation"],
    ['{"name": "my-package", "version": "1.0.0", "dependencies": {}}', "it isn't a simulated organisation"],
  ])("is refused when it is something else: %j", (text, said) => {
    expect(() => parseOrganisation(text)).toThrow(said);
  });

  it("names the first few mistakes and counts the rest", () => {
    expect(() => parseOrganisation('{"servers": {"ex01.contoso.com": {}}}')).toThrow(/; and \d+ more\)$/);
  });
});
