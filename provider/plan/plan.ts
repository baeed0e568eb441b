import { coversName, isWildcard } from "../certificate/names";
import { valueOr } from "../model";
import type { ExchangeService } from "../model";
import type { DesiredBinding, PreviousBinding } from "./desired";
import { judgeStatus, outOfDates, reservedAs } from "./guards";
import { findCertificate, holdersOf, holds, isNameService } from "./holdings";
import type { ObservedCertificate, ObservedServer } from "./observedServer";
import type { Blocker, Notice, Plan, ReplaceReason, Work } from "./planTypes";
import { daysUntil, factsOf, isRenewalDue, keptTarget, named, newTarget, refOf, replacementReason } from "./target";
import type { PlanContext, Target } from "./target";
import { nameWrittenByEnable, workFor } from "./work";
import type { HandOver, TargetWork } from "./work";

const REPLACED_PROPERTY: Readonly<Record<ReplaceReason, string>> = {
  server: "server",
  certificate: "certificate",
  wish: "certificate",
  renewal: "certificate",
  gone: "certificate",
  releasedServices: "services",
};

/**
 * Decides what has to be done for a binding. Pure: the same wish, state, server and moment give the same plan.
 * `previous` is what the state remembers; undefined for a new binding.
 */
export function plan(
  desired: DesiredBinding,
  previous: PreviousBinding | undefined,
  server: ObservedServer,
  context: PlanContext,
): Plan {
  if (previous === undefined) return planCreation(desired, server, context);
  const reason = replacementReason(desired, previous, server, context);
  if (reason !== undefined) return planReplacement(desired, previous, server, reason, context);
  return planUpdate(desired, previous, server, context);
}

/** What may never be bound, and what isn't there. */
function targetBlockers(target: Target, server: ObservedServer, gone: boolean): readonly Blocker[] {
  if (target.kind === "absent") {
    return [{ kind: "certificateAbsent", property: "certificate", thumbprint: target.thumbprint, gone }];
  }
  const thumbprint = factsOf(target)?.thumbprint;
  const reserved = thumbprint === undefined ? undefined : reservedAs(server, thumbprint);
  return thumbprint === undefined || reserved === undefined
    ? []
    : [{ kind: "reservedCertificate", property: "certificate", what: reserved, thumbprint }];
}

/** Notices about the certificate's own life and about the company it keeps. */
function targetNotices(
  desired: DesiredBinding,
  target: Target,
  server: ObservedServer,
  work: TargetWork,
  now: Date,
): Notice[] {
  const notices: Notice[] = [...work.notices];
  if (target.kind === "expected") notices.push({ kind: "comesFromBinding", bindingName: target.bindingName });
  if (target.kind === "present" && target.foundAgain) {
    notices.push({ kind: "foundAgain", thumbprint: target.certificate.facts.thumbprint });
  }
  const facts = factsOf(target);
  if (facts === undefined) return notices;
  const { notBefore, notAfter } = facts;
  const when = outOfDates(facts, now);
  if (when !== undefined) notices.push({ kind: "outOfDates", when, notBefore, notAfter });
  else if (desired.certificate.kind !== "selfSigned" && isRenewalDue(facts, desired.renewBeforeDays, now)) {
    notices.push({ kind: "expiresSoon", daysLeft: daysUntil(notAfter, now), notAfter });
  }
  if (work.steps.length === 0 && target.kind === "present") {
    const status = target.certificate.status;
    if (status.kind === "known" && status.value !== "DateInvalid" && judgeStatus(status) === "bad") {
      notices.push({ kind: "statusNotValid", status: status.value });
    }
  }
  for (const service of desired.services.filter(isNameService)) {
    const name = valueOr(work.finalNames[service], undefined);
    if (name === undefined) continue;
    const others = server.certificates.filter(
      (one) => one.facts.thumbprint !== facts.thumbprint && coversName(one.facts, name),
    );
    if (others.length > 0)
      notices.push({ kind: "sharedByName", service, name, others: others.map((one) => named(one.facts)) });
  }
  return notices;
}

function asWork(target: Target, work: TargetWork): Work {
  return { certificate: refOf(target), steps: work.steps, goals: work.goals };
}

function planCreation(desired: DesiredBinding, server: ObservedServer, context: PlanContext): Plan {
  const target = newTarget(desired, server, context);
  const work = workFor(desired, target, server, [], true, context);
  const blockers = [...targetBlockers(target, server, false), ...(target.kind === "absent" ? [] : work.blockers)];
  const notices = targetNotices(desired, target, server, work, context.now);
  return blockers.length > 0
    ? { kind: "blocked", blockers, notices }
    : { kind: "create", work: asWork(target, work), notices };
}

function planUpdate(
  desired: DesiredBinding,
  previous: PreviousBinding,
  server: ObservedServer,
  context: PlanContext,
): Plan {
  const target = keptTarget(desired, previous, server, context);
  const release = planRelease(desired, previous, target, server, context);
  if (release.replace) return planReplacement(desired, previous, server, "releasedServices", context);
  const work = workFor(desired, target, server, release.handOvers, false, context);
  const blockers = [
    ...targetBlockers(target, server, true),
    ...(target.kind === "absent" ? [] : work.blockers),
    ...release.blockers,
  ];
  const drift = work.missing
    .filter((service) => previous.services.includes(service) && target.kind === "present")
    .map((service): Notice => ({
      kind: "driftedTo",
      service,
      holders: holdersOf(server, service).map(({ facts }) => named(facts)),
    }));
  const notices = [...drift, ...release.notices, ...targetNotices(desired, target, server, work, context.now)];
  if (blockers.length > 0) return { kind: "blocked", blockers, notices };
  if (work.steps.length === 0) return { kind: "inSync", notices };
  return { kind: "update", work: asWork(target, work), notices };
}

interface Release {
  readonly handOvers: readonly HandOver[];
  readonly blockers: readonly Blocker[];
  readonly notices: readonly Notice[];
  /** The only way is a newly made certificate. */
  readonly replace: boolean;
}

/** Services that were declared and no longer are: who gets them, or why nobody can. */
function planRelease(
  desired: DesiredBinding,
  previous: PreviousBinding,
  target: Target,
  server: ObservedServer,
  context: PlanContext,
): Release {
  const handOvers: HandOver[] = [];
  const blockers: Blocker[] = [];
  const notices: Notice[] = [];
  const later: ExchangeService[] = [];
  let replace = false;
  const released = previous.services.filter((service) => !desired.services.includes(service));
  for (const service of released) {
    if (target.kind !== "present") continue;
    const held = holds(server, target.certificate, service);
    if (held.kind === "unknown") {
      if (desired.onServiceRemoved === "forget") notices.push({ kind: "forgotten", service });
      else blockers.push({ kind: "servicesUnknown", property: "services", services: [service], reason: held.reason });
      continue;
    }
    if (!held.value || isReleasedByName(desired, target.certificate, service)) {
      notices.push({ kind: "alreadyReleased", service });
      continue;
    }
    if (desired.successor !== undefined && !(service === "SMTP" && desired.onServiceRemoved === "forget")) {
      if (desired.successor === "unknown" && service !== "SMTP") {
        later.push(service);
        continue;
      }
      const answer = handOver(desired.successor, service, target.certificate, server, context);
      if (answer.kind === "blocker") blockers.push(answer.blocker);
      else if (answer.kind === "later") later.push(service);
      else handOvers.push(answer.handOver);
      continue;
    }
    if (desired.onServiceRemoved === "forget") notices.push({ kind: "forgotten", service });
    else if (desired.certificate.kind === "selfSigned") replace = true;
    else {
      blockers.push({
        kind: "cannotRelease",
        property: "services",
        service,
        certificate: named(target.certificate.facts),
        given: desired.certificate.kind === "given",
      });
    }
  }
  if (later.length > 0) notices.push({ kind: "successorLater", services: later });
  return { handOvers, blockers, notices, replace };
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
  | { readonly kind: "blocker"; readonly blocker: Blocker };

function handOver(
  successor: NonNullable<DesiredBinding["successor"]>,
  service: ExchangeService,
  from: ObservedCertificate,
  server: ObservedServer,
  context: PlanContext,
): HandOverAnswer {
  const property = "successor";
  const block = (blocker: Blocker): HandOverAnswer => ({ kind: "blocker", blocker });
  if (successor === "unknown") return { kind: "later" };
  if (service === "SMTP") return block({ kind: "successorCannotTake", property, service, successor, why: "smtp" });
  if (successor === from.facts.thumbprint) return block({ kind: "successorIsItself", property });
  const certificate = findCertificate(server, successor);
  const facts = certificate?.facts ?? context.expected.get(successor)?.facts;
  if (facts === undefined) return block({ kind: "successorAbsent", property, successor });
  const why = successorFlaw(certificate, successor, server, context.now);
  if (why !== undefined) return block({ kind: "successorNotUsable", property, successor, why });
  const name = isNameService(service) ? nameWrittenByEnable(facts) : undefined;
  if (isNameService(service)) {
    if (isWildcard(facts)) return block({ kind: "successorCannotTake", property, service, successor, why: "wildcard" });
    if (name === undefined || coversName(from.facts, name)) {
      return block({ kind: "successorCannotTake", property, service, successor, why: "sameNames" });
    }
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
  thumbprint: NonNullable<PreviousBinding["thumbprint"]>,
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

function planReplacement(
  desired: DesiredBinding,
  previous: PreviousBinding,
  server: ObservedServer,
  because: ReplaceReason,
  context: PlanContext,
): Plan {
  const replaced = previous.thumbprint === undefined ? context.replaced : [...context.replaced, previous.thumbprint];
  const target = newTarget(desired, server, { ...context, replaced });
  const sameServer = previous.server === desired.server;
  const old =
    sameServer && previous.thumbprint !== undefined ? findCertificate(server, previous.thumbprint) : undefined;
  const released = old === undefined ? undefined : planReleaseByReplacement(desired, previous, old, server, context);
  const work = workFor(desired, target, server, released?.handOvers ?? [], true, context);
  const blockers = [
    ...targetBlockers(target, server, false),
    ...(target.kind === "absent" ? [] : work.blockers),
    ...(released?.blockers ?? []),
  ];
  const notices = [
    ...(released?.notices ?? []),
    ...(old === undefined ? [] : staysBehind(desired, previous, old, server, work, released?.handOvers ?? [])),
    ...(old === undefined ? [] : defaultLeftBehind(desired, old, server, context.now)),
    ...(sameServer
      ? []
      : [{ kind: "leftOnServer", server: previous.server, thumbprint: previous.thumbprint } as const]),
    ...targetNotices(desired, target, server, work, context.now),
  ];
  if (blockers.length > 0) return { kind: "blocked", blockers, notices };
  return { kind: "replace", because, properties: [REPLACED_PROPERTY[because]], work: asWork(target, work), notices };
}

/** A successor named in the same change gets what the new certificate doesn't take, where that is possible. */
function planReleaseByReplacement(
  desired: DesiredBinding,
  previous: PreviousBinding,
  old: ObservedCertificate,
  server: ObservedServer,
  context: PlanContext,
): Omit<Release, "replace"> {
  const handOvers: HandOver[] = [];
  const blockers: Blocker[] = [];
  const later: ExchangeService[] = [];
  if (desired.successor === undefined) return { handOvers, blockers, notices: [] };
  for (const service of previous.services.filter((one) => !desired.services.includes(one) && one !== "SMTP")) {
    if (!valueOr(holds(server, old, service), false) || isReleasedByName(desired, old, service)) continue;
    const answer = handOver(desired.successor, service, old, server, context);
    if (answer.kind === "blocker") blockers.push(answer.blocker);
    else if (answer.kind === "later") later.push(service);
    else handOvers.push(answer.handOver);
  }
  return { handOvers, blockers, notices: later.length === 0 ? [] : [{ kind: "successorLater", services: later }] };
}

/** For each released service: who holds it once the new certificate is in place. */
function staysBehind(
  desired: DesiredBinding,
  previous: PreviousBinding,
  old: ObservedCertificate,
  server: ObservedServer,
  work: TargetWork,
  handOvers: readonly HandOver[],
): Notice[] {
  const notices: Notice[] = [];
  for (const service of previous.services.filter((one) => !desired.services.includes(one))) {
    const successor = handOvers.find((one) => one.service === service)?.successor;
    if (successor !== undefined) {
      notices.push({ kind: "releasedTo", service, holder: successor, from: named(old.facts) });
      continue;
    }
    const finalName = isNameService(service) ? valueOr(work.finalNames[service], undefined) : undefined;
    const holdsStill = isNameService(service)
      ? finalName !== undefined && coversName(old.facts, finalName)
      : valueOr(holds(server, old, service), true);
    if (holdsStill) notices.push({ kind: "staysBehind", service, certificate: named(old.facts) });
    else notices.push({ kind: "alreadyReleased", service });
  }
  return notices;
}

/** The old certificate is the default SMTP certificate and stays it: it will expire in that role. */
function defaultLeftBehind(
  desired: DesiredBinding,
  old: ObservedCertificate,
  server: ObservedServer,
  now: Date,
): Notice[] {
  const isDefault = valueOr(server.defaultSmtpThumbprint, undefined) === old.facts.thumbprint;
  return isDefault && !desired.replaceDefaultSmtpCertificate
    ? [{ kind: "defaultSmtpLeftBehind", certificate: named(old.facts), daysLeft: daysUntil(old.facts.notAfter, now) }]
    : [];
}
