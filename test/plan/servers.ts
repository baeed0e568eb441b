import { createHash } from "node:crypto";

import type { CertificateFacts } from "../../provider/certificate/facts";
import type { Thumbprint } from "../../provider/certificate/thumbprint";
import { known, parseServerFqdn, sortServices, unknown } from "../../provider/model";
import type {
  CertificateStatus,
  DisplayedService,
  ExchangeService,
  Observed,
  ServerFqdn,
  UmStartupMode,
} from "../../provider/model";
import type { DesiredBinding, PreviousBinding, SelfSignedWish } from "../../provider/plan/desired";
import type { ObservedCertificate, ObservedServer, UnreadableCertificate } from "../../provider/plan/observedServer";
import { plan } from "../../provider/plan/plan";
import { describeBlocker } from "../../provider/plan/blockerText";
import { linesOfPlan } from "../../provider/plan/lines";
import { describeLine } from "../../provider/plan/lineText";
import { describeNotice } from "../../provider/plan/noticeText";
import type { TextContext } from "../../provider/plan/words";
import type { Notice, Plan, Step } from "../../provider/plan/planTypes";
import { madeFriendlyName } from "../../provider/plan/target";
import type { PlanContext } from "../../provider/plan/target";
import { identityOf } from "../identities";

/*
 * Servers, wishes and states for tests of decisions. Certificates are hand-made facts: what a decision sees of one is
 * what its bytes say, and nothing here needs the bytes.
 */

/** The moment of every test. */
export const NOW = new Date("2026-11-23T20:00:00.000Z");

export function fqdn(text: string): ServerFqdn {
  const server = parseServerFqdn(text);
  if (server === undefined) throw new Error(`"${text}" is no FQDN`);
  return server;
}

export const EX01 = fqdn("ex01.contoso.com");
export const EX02 = fqdn("ex02.contoso.com");

/** A start-up mode as a server tells it; none where there is no such service. */
export function mode(value?: UmStartupMode): Observed<UmStartupMode | undefined> {
  return known(value);
}

/** A status as a server tells it. */
export function status(value: CertificateStatus): Observed<CertificateStatus> {
  return known(value);
}

/** A thumbprint that belongs to the given text. */
export function thumbprintOf(label: string): Thumbprint {
  return createHash("sha1").update(label).digest("hex").toUpperCase() as Thumbprint;
}

/** A day so many days from the moment of the tests. */
export function inDays(days: number): string {
  return new Date(NOW.getTime() + days * 24 * 60 * 60 * 1000).toISOString();
}

/** A certificate for these names, the first of them its common name; RSA, with a year left unless told otherwise. */
export function certificate(
  names: string | readonly string[],
  changes: Partial<CertificateFacts> = {},
): CertificateFacts {
  const dnsNames = typeof names === "string" ? [names] : names;
  const commonName = "commonName" in changes ? changes.commonName : dnsNames[0];
  const subject = changes.subject ?? `CN=${commonName ?? ""}`;
  return {
    thumbprint: thumbprintOf(`${dnsNames.join(" ")} ${JSON.stringify(changes)}`),
    subject,
    issuer: "CN=Contoso Issuing CA",
    serialNumber: "01",
    commonName,
    dnsNames: dnsNames.map((name) => name.toLowerCase()),
    notBefore: inDays(-10),
    notAfter: inDays(365),
    keyAlgorithm: "RSA",
    keySizeBits: 2048,
    isSelfSigned: false,
    ...changes,
  };
}

export interface Shown extends Partial<Omit<ObservedCertificate, "facts" | "displayedServices" | "iisSites">> {
  /** Flags of Get-ExchangeCertificate; IMAP and POP follow the server's names whatever stands here. */
  readonly services?: readonly DisplayedService[];
  /** IIS sites; `[1]` when IIS is among the services. */
  readonly sites?: readonly number[];
}

/** A certificate in the store of a server that tells everything. */
export function shown(facts: CertificateFacts, { services = [], sites, ...changes }: Shown = {}): ObservedCertificate {
  return {
    facts,
    displayedServices: known(sortServices(services)),
    iisSites: known(sites ?? (services.includes("IIS") ? [1] : [])),
    status: known("Valid"),
    friendlyName: known(""),
    hasPrivateKey: known(true),
    privateKeyExportable: known(false),
    ...changes,
  };
}

/** The same when the server sends no more of it than its bytes. */
export function rawDataOnly(facts: CertificateFacts): ObservedCertificate {
  const no = unknown("RawData only");
  return {
    facts,
    displayedServices: no,
    iisSites: no,
    status: no,
    friendlyName: no,
    hasPrivateKey: no,
    privateKeyExportable: no,
  };
}

/** A certificate that can't be parsed, on a server that shows no more of it than that it is there. */
export function unreadable(label: string, changes: Partial<UnreadableCertificate> = {}): UnreadableCertificate {
  const { facts: _facts, ...shownOf } = shown(BUILT_IN);
  return { ...shownOf, thumbprint: thumbprintOf(label), ...changes };
}

export const BUILT_IN = certificate(["EX01", "ex01.contoso.com"], { isSelfSigned: true, issuer: "CN=EX01" });
export const AUTH = certificate([], {
  commonName: "Microsoft Exchange Server Auth Certificate",
  subject: "CN=Microsoft Exchange Server Auth Certificate",
});
export const MAIL = certificate(["mail.contoso.com", "autodiscover.contoso.com"]);
/** Another one, with other names. */
export const OWA = certificate("owa.contoso.com");
/** {@link MAIL} renewed: the same names and subject. */
export const RENEWED = certificate(["mail.contoso.com", "autodiscover.contoso.com"], { serialNumber: "02" });
export const WILDCARD = certificate("*.contoso.com");
export const ECC = certificate("mail.contoso.com", { keyAlgorithm: "ECC", keySizeBits: 256 });

export const EXCHANGE_2016 = known({ major: 15, minor: 1, build: 2507, revision: 6 });

/**
 * An Exchange 2019 CU15 server whose own certificate holds everything that setup gives it, with these certificates
 * besides.
 */
export function server(
  certificates: readonly ObservedCertificate[] = [],
  changes: Partial<ObservedServer> = {},
): ObservedServer {
  return {
    server: EX01,
    version: known({ major: 15, minor: 2, build: 1748, revision: 10 }),
    certificates: [shown(BUILT_IN, { services: ["IIS", "IMAP", "POP", "SMTP"], sites: [1, 2] }), ...certificates],
    unreadable: [],
    defaultSmtpThumbprint: known(BUILT_IN.thumbprint),
    imapCertificateName: known("EX01"),
    popCertificateName: known("EX01"),
    umStartupMode: known(undefined),
    umCallRouterStartupMode: known(undefined),
    sendConnectors: known([]),
    receiveConnectors: known([]),
    authCertificates: known({ current: AUTH.thumbprint, previous: undefined, next: undefined }),
    federationThumbprints: known([]),
    edgeSubscriptions: known([]),
    ...changes,
  };
}

/** The same without the services of its own certificate: somebody else has them. */
export function serverOf(
  certificates: readonly ObservedCertificate[],
  changes: Partial<ObservedServer> = {},
): ObservedServer {
  return server([], {
    certificates: [shown(BUILT_IN, { services: ["SMTP"], sites: [2] }), ...certificates],
    ...changes,
  });
}

export const WISH: SelfSignedWish = {
  subject: undefined,
  dnsNames: ["mail.contoso.com"],
  validityDays: 365,
  keySize: 2048,
};

/** A certificate that the binding "mail" made for the wish. */
export function made(changes: Partial<CertificateFacts> = {}, wish: SelfSignedWish = WISH): ObservedCertificate {
  const facts = certificate(wish.dnsNames, {
    isSelfSigned: true,
    keySizeBits: wish.keySize,
    notBefore: inDays(-1),
    notAfter: inDays(wish.validityDays - 1),
    ...changes,
  });
  return shown(facts, { friendlyName: known(madeFriendlyName(desired().identity)) });
}

/** A binding "mail" on EX01 with {@link MAIL} for IIS and SMTP. */
export function desired(changes: Partial<DesiredBinding> = {}): DesiredBinding {
  return {
    identity: identityOf("mail"),
    deleteBeforeReplace: false,
    server: EX01,
    certificate: { kind: "given", facts: MAIL },
    services: ["IIS", "SMTP"],
    replaceDefaultSmtpCertificate: false,
    requireSsl: true,
    certificateNames: { IMAP: undefined, POP: undefined },
    successor: undefined,
    onServiceRemoved: "refuse",
    connectors: { send: [], receive: [] },
    onDelete: "retain",
    removeAfterDays: 0,
    allowConnectorGap: false,
    onFailure: "keep",
    friendlyName: undefined,
    privateKeyExportable: false,
    renewBeforeDays: 30,
    timeoutSeconds: 300,
    ...changes,
  };
}

export function services(...names: ExchangeService[]): { readonly services: readonly ExchangeService[] } {
  return { services: sortServices(names) };
}

export function given(facts: CertificateFacts): Pick<DesiredBinding, "certificate"> {
  return { certificate: { kind: "given", facts } };
}

export function named(facts: CertificateFacts): Pick<DesiredBinding, "certificate"> {
  return { certificate: { kind: "thumbprint", thumbprint: facts.thumbprint } };
}

export function selfSigned(wish: Partial<SelfSignedWish> = {}): Pick<DesiredBinding, "certificate"> {
  return { certificate: { kind: "selfSigned", wish: { ...WISH, ...wish } } };
}

/** The state of {@link desired} after it was applied. */
export function previous(changes: Partial<PreviousBinding> = {}): PreviousBinding {
  return {
    server: EX01,
    thumbprint: MAIL.thumbprint,
    services: ["IIS", "SMTP"],
    selfSigned: undefined,
    connectors: { send: [], receive: [] },
    onlyThere: false,
    superseded: [],
    replaceDefaultSmtpCertificate: false,
    certificateNames: { IMAP: undefined, POP: undefined },
    ...changes,
  };
}

export function context(changes: Partial<PlanContext> = {}): PlanContext {
  return {
    now: NOW,
    expected: new Map(),
    replaced: undefined,
    superseded: [],
    declaredBy: () => known([]),
    sourceOf: (name) => ({ kind: "unreachable", name, reason: "not in this test" }),
    ...changes,
  };
}

export function planned(
  wish: Partial<DesiredBinding>,
  state: Partial<PreviousBinding> | undefined,
  observed: ObservedServer,
  more: Partial<PlanContext> = {},
): Plan {
  return plan(desired(wish), state === undefined ? undefined : previous(state), observed, context(more));
}

const TEXT = { server: EX01, now: NOW };

/** Why a plan is refused: `property: sentence`. Empty when it isn't. */
export function refusals(decision: Plan): readonly string[] {
  return decision.kind === "blocked"
    ? decision.blockers.map((blocker) => `${blocker.property}: ${describeBlocker(blocker, TEXT)}`)
    : [];
}

export function notices(decision: Plan): readonly string[] {
  return decision.notices.map((notice) => describeNotice(notice, TEXT));
}

export function noticesOf<K extends Notice["kind"]>(decision: Plan, kind: K): readonly (Notice & { kind: K })[] {
  return decision.notices.filter((notice): notice is Notice & { kind: K } => notice.kind === kind);
}

export function lines(decision: Plan, context: TextContext = TEXT): readonly string[] {
  return linesOfPlan(decision).map((line) => describeLine(line, context));
}

/** The steps; none for a plan that does nothing. */
export function steps(decision: Plan): readonly Step[] {
  return decision.kind === "create" || decision.kind === "update" || decision.kind === "replace"
    ? decision.work.steps
    : [];
}

/** The steps in short: `enable IIS`, `set IMAP mail.contoso.com`. */
export function stepsInShort(decision: Plan): readonly string[] {
  return steps(decision).map((step) => {
    switch (step.kind) {
      case "makeCertificate":
        return "make";
      case "importCertificate":
        return "import";
      case "enable":
        return `enable ${step.services.join("+")}${step.because === "successor" ? " for the successor" : ""}`;
      case "setConnector":
        return `set ${step.type} ${step.connector}`;
      case "removeCertificate":
        return `remove ${step.certificate.thumbprint}`;
      case "setCertificateName":
        return `set ${step.service} ${step.name ?? "to nothing"}`;
    }
  });
}

/** Who loses what: `IIS from <thumbprint>`. */
export function losses(decision: Plan): readonly string[] {
  return steps(decision).flatMap((step) =>
    step.kind === "enable" || step.kind === "setCertificateName"
      ? step.takeOvers.map(({ service, from }) => `${service} from ${from.thumbprint}`)
      : [],
  );
}
