import { tlsCertificateNameOf } from "../backends/connectorName";
import type { CertificateFacts } from "../certificate/facts";
import type { Thumbprint } from "../certificate/thumbprint";
import {
  type ExchangeService,
  type NameService,
  type Observed,
  EXCLUSIVE_SERVICES,
  isNameService,
  isUmService,
  known,
  NAME_SERVICES,
  valueOr,
} from "../model";
import { connectorsNaming } from "./comparison";
import { workForConnectors } from "./connectorWork";
import type { DesiredBinding, PreviousBinding } from "./desired";
import { type FrontEndCandidate, guardCertificate, guardKeyAlgorithm, guardOwnChannel, guardUm } from "./guards";
import { fitnessNotices, guardUse } from "./fitness";
import type { Findings } from "./guards";
import { findCertificate, holdersOf, someHolderUnknown } from "./holdings";
import { targetHolds, workForName } from "./nameWork";
import type { ObservedServer } from "./observedServer";
import type { Blocker, CertificateRef, Goal, Notice, Step, TakeOver } from "./planTypes";
import { workForSmtp } from "./smtpWork";
import { exclusiveTakeOvers, nameTakeOvers } from "./takeOvers";
import { factsOf, madeFriendlyName, named, namesOf, refOf } from "./target";
import type { PlanContext, Target } from "./target";
import { nameWrittenByEnable } from "./names";

/** A service that has to leave the target for a successor. */
export interface HandOver {
  readonly service: ExchangeService;
  readonly from: Thumbprint;
  readonly successor: CertificateRef & { readonly kind: "known" };
  /** The name that Enable will write for the successor; only for IMAP and POP. */
  readonly name: string | undefined;
}

/** What the steps are worked out from. */
export interface WorkRequest {
  readonly desired: DesiredBinding;
  readonly target: Target;
  readonly server: ObservedServer;
  readonly handOvers: readonly HandOver[];
  /** What the state remembers of a binding that keeps its certificate; undefined for a new certificate. */
  readonly kept: PreviousBinding | undefined;
  readonly context: PlanContext;
}

/** What has to be done for the target to hold what is declared, and what stands in the way. */
export interface TargetWork {
  readonly steps: readonly Step[];
  readonly goals: readonly Goal[];
  readonly blockers: readonly Blocker[];
  readonly notices: readonly Notice[];
  /** Declared services that the target doesn't hold yet. */
  readonly missing: readonly ExchangeService[];
  /** X509CertificateName after the steps, as far as it can be told. */
  readonly finalNames: Readonly<Record<NameService, Observed<string | undefined>>>;
}

function importSteps({ desired, target, kept }: WorkRequest): Step[] {
  const certificate = refOf(target);
  const { friendlyName, privateKeyExportable } = desired;
  if (target.kind === "toBeMade") {
    return [
      { kind: "makeCertificate", wish: target.wish },
      {
        kind: "importCertificate",
        certificate,
        friendlyName: madeFriendlyName(desired.identity),
        privateKeyExportable,
        because: "made",
      },
    ];
  }
  return target.kind === "importable"
    ? [
        {
          kind: "importCertificate",
          certificate,
          friendlyName,
          privateKeyExportable,
          because: kept === undefined ? "absent" : "gone",
        },
      ]
    : [];
}

/** Connectors that choose their certificate by issuer and subject: an import alone may change which one they use. */
function connectorNotices(server: ObservedServer, target: Target): Notice[] {
  if (target.kind !== "importable") return [];
  const connectors = connectorsNaming(server, tlsCertificateNameOf(target.facts)).map(({ identity }) => identity);
  return connectors.length === 0 ? [] : [{ kind: "connectorWillMatch", connectors }];
}

interface Holdings {
  readonly missing: readonly ExchangeService[];
  readonly unknown: readonly ExchangeService[];
  readonly reason: string;
}

/** Which declared services are missing, and of which that can't be told. */
function holdingsOf(desired: DesiredBinding, target: Target, server: ObservedServer): Holdings {
  const missing: ExchangeService[] = [];
  const unknown: ExchangeService[] = [];
  let reason = "";
  for (const service of desired.services) {
    const held = targetHolds(server, target, service);
    if (held.kind === "unknown") {
      unknown.push(service);
      reason = held.reason;
    } else if (!held.value) missing.push(service);
  }
  return { missing, unknown, reason };
}

/**
 * A server that tells of no certificate which services it has won't tell it of the one that is imported either: what
 * would be taken from whom isn't known before, nor afterwards whether it came about.
 */
function untoldServices(server: ObservedServer, services: readonly ExchangeService[]): Blocker | undefined {
  const flagged = services.filter((service) => !isNameService(service));
  const [first] = server.certificates;
  if (flagged.length === 0 || first?.displayedServices.kind !== "unknown") return undefined;
  if (server.certificates.some(({ displayedServices }) => displayedServices.kind === "known")) return undefined;
  return { kind: "servicesUnknown", property: "services", services: flagged, reason: first.displayedServices.reason };
}

/** What speaks against importing or enabling the target for the declared services. */
function guardTarget({ desired, target, server, context }: WorkRequest, um: readonly ExchangeService[]): Findings {
  const facts = factsOf(target);
  const umBlockers = guardUm(server, um);
  if (facts === undefined) return { blockers: umBlockers, notices: [] };
  const observed = target.kind === "present" ? target.certificate : undefined;
  const own = guardCertificate(facts, observed, context.now);
  const key = guardKeyAlgorithm(facts, desired.services, server.version);
  const fitness = fitnessNotices(facts, target.kind === "importable" ? desired.certificate : undefined);
  return {
    blockers: [...own.blockers, ...key.blockers, ...guardUse(facts), ...umBlockers],
    notices: [...own.notices, ...key.notices, ...fitness],
  };
}

/** Whoever is to get IIS must not lock us out by it. */
function guardFrontEnd({ desired, target, server, handOvers }: WorkRequest, isTarget: boolean): readonly Blocker[] {
  const blockers: Blocker[] = [];
  if (isTarget && target.kind !== "unknown") {
    const facts = factsOf(target);
    const brought =
      desired.certificate.kind === "given" ? (desired.certificate.chain ?? []).map(({ issuer }) => issuer) : [];
    const candidate =
      facts === undefined
        ? ({ selfSigned: target.kind === "toBeMade" ? "toBeMade" : undefined, issuers: [] } as const)
        : asFrontEnd(facts, brought);
    blockers.push(...guardOwnChannel(server, { names: namesOf(target), ...candidate }));
  }
  for (const { successor } of handOvers.filter(({ service }) => service === "IIS")) {
    const facts = findCertificate(server, successor.thumbprint)?.facts;
    if (facts === undefined) continue;
    blockers.push(...guardOwnChannel(server, { names: facts, ...asFrontEnd(facts, []) }));
  }
  return blockers;
}

function asFrontEnd(
  { isSelfSigned, thumbprint, issuer }: CertificateFacts,
  brought: readonly string[],
): Pick<FrontEndCandidate, "selfSigned" | "issuers"> {
  if (isSelfSigned) return { selfSigned: thumbprint, issuers: [] };
  return { selfSigned: undefined, issuers: [issuer, ...brought] };
}

/** For a binding with nothing to do, what would stop a change is worth knowing and no more. */
function asNotice(blocker: Blocker): Notice {
  if (blocker.kind === "outOfDates") {
    const { when, notBefore, notAfter } = blocker;
    return { kind: "outOfDates", when, notBefore, notAfter };
  }
  if (blocker.kind === "statusNotValid") return { kind: "statusNotValid", status: blocker.status };
  return { kind: "wouldBeRefused", blocker };
}

/**
 * Works out the steps on one server in their only order: import, POP/IMAP and UM, names, SMTP in a call of its own,
 * IIS last because it may change the certificate under our own connection.
 */
export function workFor(request: WorkRequest): TargetWork {
  const { desired, target, server, handOvers, kept, context } = request;
  const ref = refOf(target);
  const holdings = holdingsOf(desired, target, server);
  const { missing } = holdings;
  const names = {
    IMAP: workForName(desired, target, server, "IMAP"),
    POP: workForName(desired, target, server, "POP"),
  };
  const um = missing.filter(isUmService);
  const smtp = workForSmtp(request, missing.includes("SMTP"));
  const blockers: Blocker[] = [...NAME_SERVICES.flatMap((service) => names[service].blockers), ...smtp.blockers];
  const notices: Notice[] = [...smtp.notices];

  const enable = (
    services: readonly ExchangeService[],
    takeOvers: readonly TakeOver[],
    by: CertificateRef = ref,
  ): Step => ({
    kind: "enable",
    certificate: by,
    services,
    defaultSmtp: "notConcerned",
    requireSsl: desired.requireSsl,
    takeOvers,
    because: by === ref ? "missing" : "successor",
  });
  const steps: Step[] = importSteps(request);
  const byEnable = NAME_SERVICES.filter((service) => names[service].enable);
  if (byEnable.length + um.length > 0) {
    const written = nameWrittenByEnable(namesOf(target));
    const unset = byEnable.filter((service) => names[service].setStep === undefined);
    steps.push(
      enable(
        [...byEnable, ...um],
        [
          ...(target.kind === "unknown" ? [] : unset.flatMap((service) => nameTakeOvers(server, service, written))),
          ...um.flatMap((service) => exclusiveTakeOvers(server, service, ref)),
        ],
      ),
    );
  }
  steps.push(...NAME_SERVICES.flatMap((service) => names[service].setStep ?? []));
  for (const { service, successor, name } of handOvers.filter((one) => one.service !== "IIS")) {
    const takeOvers = isNameService(service)
      ? nameTakeOvers(server, service, name)
      : exclusiveTakeOvers(server, service, successor);
    steps.push(enable([service], takeOvers, successor));
  }
  if (smtp.step !== undefined) steps.push(smtp.step);
  const connectors = workForConnectors({ desired, target, server, steps, kept, context });
  steps.push(...connectors.steps);
  blockers.push(...connectors.blockers);
  notices.push(...connectors.notices);
  if (missing.includes("IIS")) steps.push(enable(["IIS"], exclusiveTakeOvers(server, "IIS", ref)));
  for (const { successor } of handOvers.filter((one) => one.service === "IIS")) {
    steps.push(enable(["IIS"], exclusiveTakeOvers(server, "IIS", successor), successor));
  }

  if (holdings.unknown.length > 0) {
    const finding = { services: holdings.unknown, reason: holdings.reason };
    if (kept === undefined || steps.length > 0) {
      blockers.push({ kind: "servicesUnknown", property: "services", ...finding });
    } else notices.push({ kind: "servicesUnknown", ...finding });
  }
  // A declared name is how a wildcard certificate gets IMAP or POP: as good as enabling it. A receive connector offers what
  // it is told to; of send connectors it is looked at server by server.
  const touchesTarget = steps.some(
    (step) =>
      (step.kind === "enable" && step.because !== "successor") ||
      step.kind === "importCertificate" ||
      (step.kind === "setConnector" && step.type === "receive") ||
      (step.kind === "setCertificateName" && missing.includes(step.service)),
  );
  if (touchesTarget) {
    const findings = guardTarget(request, um);
    const untold = target.kind === "present" ? undefined : untoldServices(server, missing);
    blockers.push(...findings.blockers, ...(untold === undefined ? [] : [untold]));
    notices.push(...findings.notices, ...connectorNotices(server, target));
  } else if (target.kind === "present") {
    notices.push(...guardTarget(request, desired.services.filter(isUmService)).blockers.map(asNotice));
  }
  blockers.push(...guardFrontEnd(request, missing.includes("IIS")));
  if (target.kind === "unknown") {
    for (const service of byEnable.filter((one) => names[one].setStep === undefined)) {
      const holders = holdersOf(server, service).map(({ facts }) => named(facts));
      notices.push({ kind: "nameNotKnownYet", service, holders });
    }
  }
  for (const service of EXCLUSIVE_SERVICES.filter((one) => missing.includes(one))) {
    if (someHolderUnknown(server, service)) notices.push({ kind: "takeOverUnknown", service });
  }

  const finalNames = { IMAP: names.IMAP.finalName, POP: names.POP.finalName };
  for (const handOver of handOvers) {
    if (isNameService(handOver.service)) finalNames[handOver.service] = known(handOver.name);
  }
  const goals = steps.length === 0 ? [] : goalsFor(request, steps);
  return { steps, goals, blockers, notices, missing, finalNames };
}

function goalsFor({ desired, target, server, handOvers }: WorkRequest, steps: readonly Step[]): readonly Goal[] {
  const certificate = refOf(target);
  const goals: Goal[] = [{ kind: "present", certificate }];
  for (const service of desired.services) goals.push({ kind: "holds", certificate, service });
  for (const step of steps) {
    if (step.kind === "setCertificateName")
      goals.push({ kind: "certificateNameIs", service: step.service, name: step.name });
    if (step.kind === "setConnector") {
      goals.push({ kind: "connectorNames", type: step.type, connector: step.connector, certificate: step.certificate });
    }
  }
  for (const { service, successor, from } of handOvers) {
    goals.push({ kind: "holds", certificate: successor, service }, { kind: "releases", thumbprint: from, service });
  }
  // Nothing but an asked-for replacement may change it, so it's looked at after every change.
  const replaced = steps.some((step) => step.kind === "enable" && step.defaultSmtp === "replace");
  const before = valueOr(server.defaultSmtpThumbprint, undefined);
  if (replaced) goals.push({ kind: "defaultSmtpIs", certificate });
  else if (before !== undefined)
    goals.push({ kind: "defaultSmtpIs", certificate: { kind: "known", thumbprint: before } });
  return goals;
}
