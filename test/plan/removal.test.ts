import { consequencesOn, type Consequence } from "../../provider/backends/simulator/consequences";
import type { Organisation, ServerState } from "../../provider/backends/simulator/organisation";
import { simulatorBackend } from "../../provider/backends/simulator/simulatorBackend";
import { memoryState } from "../../provider/backends/simulator/stateFile";
import { known, unknown } from "../../provider/model";
import { observeServer } from "../../provider/observe";
import { isMerelyWaiting, judgeRemoval, REMOVAL_GUARDS } from "../../provider/plan/removal";
import type { Removal, RemovalRequest } from "../../provider/plan/removal";
import { makeTestAuthority, makeTestCertificate } from "../certificate/testCertificates";
import {
  EXCHANGE_2016 as VERSION_2016,
  NOW,
  openLab,
  organisation,
  published,
  server as serverState,
  stored,
} from "../backends/simulator/lab";
import * as facts from "./servers";

const authority = makeTestAuthority();
const SMTP = { privateKey: { networkServiceRead: true } };
const own = makeTestCertificate({ subject: "CN=EX01", dnsNames: ["EX01", "ex01.contoso.com"] });
const webManagement = makeTestCertificate({ subject: "CN=WMSvc-SHA2-EX01" });
/** The one to be removed. */
const old = makeTestCertificate({ dnsNames: ["mail.contoso.com"], issuer: authority });
/** The same, renewed. */
const renewed = makeTestCertificate({ dnsNames: ["mail.contoso.com"], issuer: authority });
const expired = makeTestCertificate({
  dnsNames: ["mail.contoso.com"],
  issuer: authority,
  notAfter: new Date("2026-02-01T00:00:00Z"),
});
const { thumbprint } = old.facts;
const OLD_NAME = `<I>${old.facts.issuer}<S>${old.facts.subject}`;

/** A healthy server on which the old certificate holds nothing but SMTP, and isn't needed. */
function state(changes: Partial<ServerState> = {}): ServerState {
  return serverState({
    certificates: [stored(own, SMTP), stored(webManagement), stored(old, SMTP)],
    iis: { frontEnd: own.facts.thumbprint, backEnd: own.facts.thumbprint, requireSsl: true },
    imap: { x509CertificateName: "EX01" },
    pop: { x509CertificateName: "EX01" },
    internalTransportCertificate: published(own),
    receiveConnectors: [{ name: "Default EX01", fqdn: "ex01.contoso.com", tlsCertificateName: null }],
    ...changes,
  });
}

async function judge(of: Organisation, changes: Partial<RemovalRequest> = {}): Promise<Removal> {
  const backend = simulatorBackend(memoryState(of), {
    now: () => NOW,
    newGuid: () => "",
    pause: () => Promise.resolve(),
  });
  const server = await observeServer(backend, facts.EX01, { signal: new AbortController().signal });
  return judgeRemoval({ server, thumbprint, declaredBy: known([]), notBefore: undefined, now: NOW, ...changes });
}

const reasonsOf = (removal: Removal) => (removal.kind === "kept" ? removal.reasons : []);

/** What the removal breaks on the model: what Exchange says when it refuses, or what no longer works. */
function broken(of: Organisation): readonly string[] {
  const lab = openLab(of);
  const kinds = (seen: readonly Consequence[]): readonly string[] => seen.map((one) => JSON.stringify(one));
  const before = kinds(consequencesOn(lab.organisation, lab.server(), NOW));
  const ended = lab.run("Remove-ExchangeCertificate", { Server: "EX01", Thumbprint: thumbprint, Confirm: false });
  if (ended.kind === "failed") return [`refused: ${ended.error.code}`];
  return kinds(consequencesOn(lab.organisation, lab.server(), NOW)).filter((one) => !before.includes(one));
}

interface Case {
  readonly guard: string;
  readonly because: string;
  readonly of: Organisation;
  readonly reasons: readonly unknown[];
  readonly breaks: string;
}

const NO_AUTH = {
  currentCertificate: null,
  previousCertificate: null,
  nextCertificate: null,
  nextCertificateEffectiveDate: null,
};
const withConnector = (name: string | null, fqdn = "mail.contoso.com") => ({
  receiveConnectors: [{ name: "Relay", fqdn, tlsCertificateName: name }],
});
const cases: readonly Case[] = [
  {
    guard: "the default SMTP certificate",
    because: "is the default SMTP certificate",
    of: organisation([state({ internalTransportCertificate: published(old) })]),
    reasons: [{ kind: "defaultSmtp" }],
    breaks: "refused: RemovalRefused",
  },
  {
    guard: "a site of IIS",
    because: "is bound to the front end",
    of: organisation([state({ iis: { frontEnd: thumbprint, backEnd: own.facts.thumbprint, requireSsl: true } })]),
    reasons: [{ kind: "iisSite", sites: [1] }],
    breaks: "siteWithout",
  },
  {
    guard: "a site of IIS",
    because: "is bound to the back end, where the remote shell is",
    of: organisation([state({ iis: { frontEnd: own.facts.thumbprint, backEnd: thumbprint, requireSsl: true } })]),
    reasons: [{ kind: "iisSite", sites: [2] }],
    breaks: "siteWithout",
  },
  {
    guard: "unified messaging",
    because: "is that of UM",
    of: organisation([state({ version: VERSION_2016, um: { startupMode: "TLS", certificate: thumbprint } })]),
    reasons: [{ kind: "unifiedMessaging", services: ["UM"] }],
    breaks: "umWithout",
  },
  {
    guard: "SMTP",
    because: "is the only one with SMTP",
    of: organisation([
      state({
        certificates: [stored(own), stored(webManagement), stored(old, SMTP)],
        receiveConnectors: [{ name: "Relay", fqdn: "mail.contoso.com", tlsCertificateName: null }],
      }),
    ]),
    reasons: [
      { kind: "onlyHolder", service: "SMTP", doubtful: [] },
      { kind: "receiveConnectors", connectors: ["EX01\\Relay"] },
    ],
    breaks: "noStartTls",
  },
  {
    guard: "IMAP and POP by their name",
    because: "is the only one with IMAP's name",
    of: organisation([state({ imap: { x509CertificateName: "mail.contoso.com" } })]),
    reasons: [{ kind: "onlyHolder", service: "IMAP", name: "mail.contoso.com", doubtful: [] }],
    breaks: "protocolWithout",
  },
  {
    guard: "IMAP and POP by their name",
    because: "shares POP's name with none but an expired one",
    of: organisation([
      state({
        certificates: [...state().certificates, stored(expired)],
        pop: { x509CertificateName: "mail.contoso.com" },
      }),
    ]),
    reasons: [{ kind: "onlyHolder", service: "POP", name: "mail.contoso.com", doubtful: [] }],
    breaks: "protocolWithout",
  },
  {
    guard: "receive connectors",
    because: "is the only one for a receive connector's name",
    of: organisation([state(withConnector(null))]),
    reasons: [{ kind: "receiveConnectors", connectors: ["EX01\\Relay"] }],
    breaks: "noStartTls",
  },
  {
    guard: "receive connectors",
    because: "is the only one that a receive connector names",
    of: organisation([state(withConnector(OLD_NAME, "ex01.contoso.com"))]),
    reasons: [{ kind: "receiveConnectors", connectors: ["EX01\\Relay"] }],
    breaks: "noStartTls",
  },
  {
    guard: "receive connectors",
    because: "is the only one that a receive connector names, in another case and without blanks",
    of: organisation([state(withConnector(OLD_NAME.toUpperCase().replaceAll(", ", ","), "ex01.contoso.com"))]),
    reasons: [{ kind: "receiveConnectors", connectors: ["EX01\\Relay"] }],
    breaks: "noStartTls",
  },
  {
    guard: "send connectors",
    because: "has the issuer and subject that a send connector names",
    of: organisation([state({ certificates: [...state().certificates, stored(renewed, SMTP)] })], {
      sendConnectors: [{ name: "Out", fqdn: null, tlsCertificateName: OLD_NAME, sourceServers: ["EX01"] }],
    }),
    reasons: [
      {
        kind: "sendConnectors",
        connectors: ["Out"],
        issuer: old.facts.issuer,
        subject: old.facts.subject,
        thumbprints: [thumbprint],
      },
    ],
    breaks: "refused: RemovalRefused",
  },
  ...(["currentCertificate", "previousCertificate", "nextCertificate"] as const).map((which) => ({
    guard: "certificates of Exchange's own",
    because: `is the Auth certificate (${which})`,
    of: organisation([state()], { authConfig: { ...NO_AUTH, [which]: thumbprint } }),
    reasons: [{ kind: "reserved", what: "auth" }],
    breaks: "oauthWithout",
  })),
  {
    guard: "certificates of Exchange's own",
    because: "is that of the federation trust",
    of: organisation([state()], {
      federationTrust: {
        name: "MFG",
        currentCertificate: thumbprint,
        previousCertificate: null,
        nextCertificate: null,
      },
    }),
    reasons: [{ kind: "reserved", what: "federation" }],
    breaks: "federationWithout",
  },
];

describe("a certificate stays when it", () => {
  it.each(cases)("$because, for without it the model breaks", async ({ of, reasons, breaks }) => {
    expect(reasonsOf(await judge(of))).toEqual(reasons);
    expect(broken(of)).toContainEqual(expect.stringContaining(breaks));
  });

  it("is that of Web Management, for without it the model breaks", async () => {
    const of = organisation([state()]);
    const found = await judge(of, { thumbprint: webManagement.facts.thumbprint });
    expect(reasonsOf(found)).toEqual([{ kind: "reserved", what: "webManagement" }]);
    const lab = openLab(of);
    lab.complete("Remove-ExchangeCertificate", { Thumbprint: webManagement.facts.thumbprint, Confirm: false });
    expect(consequencesOn(lab.organisation, lab.server(), NOW)).toEqual([{ kind: "webManagementWithout" }]);
  });

  it("has a case for every guard", () => {
    const tried = new Set(cases.map(({ guard }) => guard));
    expect(REMOVAL_GUARDS.map(({ name }) => name).filter((name) => !tried.has(name))).toEqual([]);
  });

  it("holds something that couldn't be read: unknown is not none", () => {
    const server = facts.server(
      [{ ...facts.shown(facts.MAIL), iisSites: unknown("no"), displayedServices: unknown("no") }],
      {
        defaultSmtpThumbprint: unknown("no"),
        imapCertificateName: unknown("no"),
        receiveConnectors: unknown("no"),
        authCertificates: unknown("no"),
        federationThumbprints: unknown("no"),
      },
    );
    const request = { thumbprint: facts.MAIL.thumbprint, declaredBy: known([]), notBefore: undefined, now: facts.NOW };
    expect(reasonsOf(judgeRemoval({ server, ...request })).map(({ kind }) => kind)).toEqual([
      "defaultSmtpUnknown",
      "iisUnknown",
      "servicesUnknown",
      "nameUnknown",
      "receiveConnectorsUnknown",
      "reservedUnknown",
      "reservedUnknown",
    ]);
  });

  it("is there and can't be read: that is not gone", () => {
    const server = facts.server([], { unreadable: [facts.unreadable("odd", { thumbprint: facts.MAIL.thumbprint })] });
    const request = { thumbprint: facts.MAIL.thumbprint, declaredBy: known([]), notBefore: undefined, now: facts.NOW };
    expect(judgeRemoval({ server, ...request })).toMatchObject({ kind: "kept", reasons: [{ kind: "unreadable" }] });
  });

  it("is declared by the program, whatever else: nobody has to know why it is there", async () => {
    const of = organisation([state({ internalTransportCertificate: published(old) })]);
    expect(await judge(of, { declaredBy: known(["web/mail"]) })).toEqual({ kind: "declared", by: ["web/mail"] });
  });

  it("is to be kept for some days yet", async () => {
    const notBefore = "2026-11-24T20:00:00.000Z";
    const reasons = reasonsOf(await judge(organisation([state()]), { notBefore }));
    expect(reasons).toEqual([{ kind: "keptUntil", until: notBefore }]);
    expect(reasons.every(isMerelyWaiting)).toBe(true);
  });
});

describe("a certificate goes when", () => {
  it("nothing needs it, and then nothing breaks", async () => {
    const of = organisation([state()]);
    expect(await judge(of)).toMatchObject({ kind: "due" });
    expect(broken(of)).toEqual([]);
  });

  it("a renewed one holds the same by the same name, and then nothing breaks", async () => {
    const of = organisation([
      state({
        certificates: [...state().certificates, stored(renewed, SMTP)],
        imap: { x509CertificateName: "mail.contoso.com" },
        pop: { x509CertificateName: "mail.contoso.com" },
        ...withConnector(OLD_NAME),
      }),
    ]);
    expect(await judge(of)).toMatchObject({ kind: "due" });
    expect(broken(of)).toEqual([]);
  });

  it("it is gone already", async () => {
    expect(await judge(organisation([state()]), { thumbprint: renewed.facts.thumbprint })).toEqual({ kind: "gone" });
  });

  it("its days as a way back are over", async () => {
    expect(await judge(organisation([state()]), { notBefore: NOW.toISOString() })).toMatchObject({ kind: "due" });
  });
});

it("counts none as another holder that has no key, has expired, or is Exchange's own", () => {
  const request = { thumbprint: facts.MAIL.thumbprint, declaredBy: known([]), notBefore: undefined, now: facts.NOW };
  const unfit = [
    facts.shown(facts.RENEWED, { services: ["SMTP"], hasPrivateKey: known(false) }),
    facts.shown(facts.certificate("mail.contoso.com", { notAfter: facts.inDays(-1) }), { services: ["SMTP"] }),
    facts.shown(facts.certificate("mail.contoso.com", { serialNumber: "9" }), { services: ["SMTP", "Federation"] }),
    facts.shown(facts.certificate("mail.contoso.com", { serialNumber: "8" }), {
      services: ["SMTP"],
      status: facts.status("Revoked"),
    }),
  ];
  for (const other of unfit) {
    const server = facts.server([facts.shown(facts.MAIL, { services: ["SMTP"] }), other], {
      popCertificateName: known("mail.contoso.com"),
    });
    expect(reasonsOf(judgeRemoval({ server, ...request }))).toEqual([
      { kind: "onlyHolder", service: "POP", name: "mail.contoso.com", doubtful: [] },
    ]);
  }
});

describe("another holder of which something isn't known", () => {
  const request = { thumbprint: facts.MAIL.thumbprint, declaredBy: known([]), notBefore: undefined, now: facts.NOW };
  const judged = (
    other: Parameters<typeof facts.shown>[1],
    { own = {}, changes = {} }: { readonly own?: Parameters<typeof facts.shown>[1]; readonly changes?: object } = {},
  ) => {
    const certificates = [
      facts.shown(facts.MAIL, { services: ["SMTP"], ...own }),
      facts.shown(facts.RENEWED, { services: ["SMTP"], ...other }),
    ];
    const without = facts.server(certificates, changes);
    // The server's own certificate would do as well.
    const server = {
      ...without,
      certificates: without.certificates.filter(({ facts: { dnsNames } }) => dnsNames.includes("mail.contoso.com")),
    };
    return reasonsOf(judgeRemoval({ server: { ...server, receiveConnectors: known([]) }, ...request }));
  };
  const ONLY = [{ kind: "onlyHolder", service: "SMTP", doubtful: [facts.RENEWED.thumbprint] }];

  it("doesn't count: its key, its status, or whether it belongs to Exchange", () => {
    expect(judged({})).toEqual([]);
    expect(judged({ hasPrivateKey: unknown("no") })).toEqual(ONLY);
    expect(judged({ status: unknown("no") })).toEqual(ONLY);
    expect(judged({}, { changes: { authCertificates: unknown("no") } })).toContainEqual(ONLY[0]);
  });

  it("counts when the server shows the same trouble of both: it takes nothing away then", () => {
    const troubled = { status: facts.status("RevocationCheckFailure") };
    expect(judged(troubled)).toEqual(ONLY);
    expect(judged(troubled, { own: troubled })).toEqual([]);
  });
});
