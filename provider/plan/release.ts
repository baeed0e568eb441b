import { coversName } from "../certificate/names";
import type { Thumbprint } from "../certificate/thumbprint";
import { type ExchangeService, isNameService, known, valueOr } from "../model";
import type { DesiredBinding, PreviousBinding } from "./desired";
import { guardUse } from "./fitness";
import { guardKeyAlgorithm, guardUm, judgeStatus, outOfDates } from "./guards";
import { reservedAs } from "./reserved";
import { findCertificate, holds } from "./holdings";
import { nameWrittenByEnable } from "./names";
import type { ObservedCertificate, ObservedServer } from "./observedServer";
import type { Blocker, Notice } from "./planTypes";
import { named } from "./target";
import type { PlanContext, Target } from "./target";
import type { HandOver, TargetWork } from "./work";

/** Services that were declared and no longer are: who gets them, or why nobody can. */
export interface Release {
  readonly handOvers: readonly HandOver[];
  readonly blockers: readonly Blocker[];
  readonly notices: readonly Notice[];
  /** Services that go to the successor once that is on the server: only so in previews. */
  readonly later: readonly ExchangeService[];
  /** The only way is a newly made certificate. */
  readonly replace: boolean;
}

const NOTHING: Release = { handOvers: [], blockers: [], notices: [], later: [], replace: false };

export function releasedServices(desired: DesiredBinding, previous: PreviousBinding): readonly ExchangeService[] {
  return previous.services.filter((service) => !desired.services.includes(service));
}

/** A wish, what the state remembers, and the server on which services are given up. */
export interface ReleaseRequest {
  readonly desired: DesiredBinding;
  readonly previous: PreviousBinding;
  readonly server: ObservedServer;
  readonly context: PlanContext;
}

/** Releases from a binding that keeps its certificate. */
export function planRelease(request: ReleaseRequest, target: Target): Release {
  const { desired, previous, server } = request;
  if (target.kind !== "present") return NOTHING;
  const { certificate } = target;
  const forgets = desired.onServiceRemoved === "forget";
  const handOvers: HandOver[] = [];
  const blockers: Blocker[] = [];
  const notices: Notice[] = [];
  const later: ExchangeService[] = [];
  let replace = false;
  for (const service of releasedServices(desired, previous)) {
    const held = holds(server, certificate, service);
    if (held.kind === "unknown") {
      if (forgets) notices.push({ kind: "forgotten", service });
      else blockers.push({ kind: "servicesUnknown", property: "services", services: [service], reason: held.reason });
      continue;
    }
    if (!held.value || isReleasedByName(desired, certificate, service)) {
      notices.push(whoHasIt(desired, service, server));
      continue;
    }
    const answer =
      desired.successor === undefined ? undefined : handOver(request, desired.successor, service, certificate);
    if (answer?.kind === "handOver") handOvers.push(answer.handOver);
    else if (answer?.kind === "later") later.push(service);
    else if (answer?.kind === "wrongSuccessor") blockers.push(answer.blocker);
    else if (forgets) notices.push({ kind: "forgotten", service });
    else if (desired.certificate.kind === "selfSigned") replace = true;
    else blockers.push(answer?.blocker ?? cannotRelease(service, certificate));
  }
  if (later.length > 0) notices.push({ kind: "successorLater", services: later });
  return { handOvers, blockers, notices, later, replace };
}

function cannotRelease(service: ExchangeService, { facts }: ObservedCertificate): Blocker {
  return { kind: "cannotRelease", property: "services", service, certificate: named(facts) };
}

function whoHasIt({ successor }: DesiredBinding, service: ExchangeService, server: ObservedServer): Notice {
  const other = successor === undefined || successor === "unknown" ? undefined : findCertificate(server, successor);
  return other !== undefined && valueOr(holds(server, other, service), false)
    ? { kind: "successorHasIt", service, successor: other.facts.thumbprint }
    : { kind: "alreadyReleased", service };
}

/** Another declared name, or a cleared one, takes IMAP or POP away without a successor. */
function isReleasedByName(
  desired: DesiredBinding,
  certificate: ObservedCertificate,
  service: ExchangeService,
): boolean {
  if (!isNameService(service)) return false;
  const name = desired.certificateNames[service];
  return name === null || (name !== undefined && !coversName(certificate.facts, name));
}

type HandOverAnswer =
  | { readonly kind: "handOver"; readonly handOver: HandOver }
  | { readonly kind: "later" }
  /** No successor can take this service; the other ways out are still open. */
  | { readonly kind: "impossible"; readonly blocker: Blocker }
  /** The named certificate is a mistake. */
  | { readonly kind: "wrongSuccessor"; readonly blocker: Blocker };

function handOver(
  { desired, server, context }: ReleaseRequest,
  successor: Thumbprint | "unknown",
  service: ExchangeService,
  from: ObservedCertificate,
): HandOverAnswer {
  const property = "successor";
  const impossible = (why: (Blocker & { readonly kind: "successorCannotTake" })["why"]): HandOverAnswer => ({
    kind: "impossible",
    blocker: { kind: "successorCannotTake", property, service, successor, why },
  });
  const wrong = (blocker: Blocker): HandOverAnswer => ({ kind: "wrongSuccessor", blocker });

  if (service === "SMTP") return impossible("smtp");
  // The declared name would be written again by the next run, and this certificate covers it.
  if (isNameService(service) && desired.certificateNames[service] !== undefined) return impossible("nameDeclared");
  if (successor === "unknown") return { kind: "later" };
  if (successor === from.facts.thumbprint) return wrong({ kind: "successorIsItself", property });
  const certificate = findCertificate(server, successor);
  if (server.unreadable.some(({ thumbprint }) => thumbprint === successor)) {
    return wrong({ kind: "successorNotUsable", property, successor, why: "unreadable" });
  }
  const facts = certificate?.facts ?? context.expected.get(successor)?.facts;
  if (facts === undefined) return wrong({ kind: "successorAbsent", property, successor });
  const why =
    successorFlaw(certificate, successor, server, context.now) ??
    (guardKeyAlgorithm(facts, [service], server.version).blockers.length > 0 ? "keyAlgorithm" : undefined) ??
    (guardUse(facts).length > 0 ? "unusable" : undefined);
  if (why !== undefined) return wrong({ kind: "successorNotUsable", property, successor, why });
  const [um] = guardUm(server, [service]);
  if (um !== undefined) return wrong(um);
  const has = certificate === undefined ? undefined : holds(server, certificate, service);
  if (has?.kind === "unknown") {
    return wrong({ kind: "servicesUnknown", property, services: [service], reason: has.reason });
  }
  const name = isNameService(service) ? nameWrittenByEnable(facts) : undefined;
  if (isNameService(service)) {
    if (name === undefined) return wrong({ kind: "successorNotUsable", property, successor, why: "noHostName" });
    if (coversName(from.facts, name)) return impossible("sameNames");
  }
  // Brought by a binding of the same program, which comes first because its thumbprint is an input here.
  if (certificate === undefined) return { kind: "later" };
  return {
    kind: "handOver",
    handOver: { service, from: from.facts.thumbprint, successor: { kind: "known", thumbprint: successor }, name },
  };
}

function successorFlaw(
  certificate: ObservedCertificate | undefined,
  thumbprint: Thumbprint,
  server: ObservedServer,
  now: Date,
): (Blocker & { readonly kind: "successorNotUsable" })["why"] | undefined {
  if (reservedAs(server, thumbprint) !== undefined) return "reserved";
  if (certificate === undefined) return undefined;
  const when = outOfDates(certificate.facts, now);
  if (when !== undefined) return when;
  if (judgeStatus(certificate.status) === "bad") return "status";
  return certificate.hasPrivateKey.kind === "known" && !certificate.hasPrivateKey.value ? "noPrivateKey" : undefined;
}

/** A successor named in the same change gets what the new certificate doesn't take, where that is possible. */
export function planReleaseByReplacement(request: ReleaseRequest, old: ObservedCertificate): Release {
  const { desired, previous, server } = request;
  const handOvers: HandOver[] = [];
  const blockers: Blocker[] = [];
  const later: ExchangeService[] = [];
  if (desired.successor === undefined) return NOTHING;
  for (const service of releasedServices(desired, previous)) {
    if (!valueOr(holds(server, old, service), false) || isReleasedByName(desired, old, service)) continue;
    const answer = handOver(request, desired.successor, service, old);
    if (answer.kind === "handOver") handOvers.push(answer.handOver);
    else if (answer.kind === "later") later.push(service);
    else if (answer.kind === "wrongSuccessor") blockers.push(answer.blocker);
    // What no successor can take stays with the old certificate, and the plan says so.
  }
  const notices: Notice[] = later.length === 0 ? [] : [{ kind: "successorLater", services: later }];
  return { ...NOTHING, handOvers, blockers, notices, later };
}

/** For each released service: who holds it once the new certificate is in place. */
export function afterReplacement(
  { desired, previous, server }: ReleaseRequest,
  old: ObservedCertificate,
  work: TargetWork,
  { handOvers, later }: Release,
): Notice[] {
  return releasedServices(desired, previous)
    .filter((service) => !later.includes(service))
    .map((service): Notice => {
      const certificate = named(old.facts);
      const successor = handOvers.find((one) => one.service === service)?.successor;
      if (successor !== undefined) return { kind: "releasedTo", service, holder: successor, from: certificate };
      const finalName = isNameService(service) ? valueOr(work.finalNames[service], undefined) : undefined;
      const held = isNameService(service)
        ? known(finalName !== undefined && coversName(old.facts, finalName))
        : holds(server, old, service);
      if (held.kind === "unknown") return { kind: "staysBehind", service, certificate, unknown: held.reason };
      return held.value ? { kind: "staysBehind", service, certificate } : whoHasIt(desired, service, server);
    });
}
