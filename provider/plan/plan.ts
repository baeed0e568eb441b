import { coversName } from "../certificate/names";
import type { Thumbprint } from "../certificate/thumbprint";
import { type ExchangeService, type ServerFqdn, isNameService, valueOr } from "../model";
import { heldNamesOf, namesToPutBack, puttingBack } from "./connectorGap";
import { declaresAny } from "./desired";
import type { DesiredBinding, PreviousBinding, SupersededCertificate } from "./desired";
import { reservedAs } from "./reserved";
import { outOfDates } from "./guards";
import { comparisonNotices, connectorsLeft, successorNotices } from "./comparison";
import type { Exchange } from "./comparison";
import { clientUseLost } from "./fitness";
import { findCertificate, holds, isPending, someHolderUnknown } from "./holdings";
import type { ObservedCertificate, ObservedServer } from "./observedServer";
import type { Blocker, ConnectorsLeft, Notice, Plan, ReplaceReason, Work } from "./planTypes";
import { namedHoldersOf } from "./takeOvers";
import { afterReplacement, planRelease, planReleaseByReplacement, releasedServices } from "./release";
import type { ReleaseRequest } from "./release";
import { planRemovals } from "./removalWork";
import { withConnectors } from "./serverAfter";
import type { Removals, RemovalsRequest } from "./removalWork";
import { daysUntil } from "./days";
import {
  chosenMark,
  factsOf,
  isRenewalDue,
  keptTarget,
  named,
  namesOf,
  newTarget,
  refOf,
  replacementReason,
} from "./target";
import type { PlanContext, Target } from "./target";
import { workFor } from "./work";
import type { TargetWork } from "./work";

/** The input that each reason shows at. */
export const REPLACED_PROPERTY: Readonly<Record<ReplaceReason, string>> = {
  server: "server",
  certificate: "certificate",
  chosen: "certificate",
  notKnownYet: "certificate",
  wish: "certificate",
  renewal: "certificate",
  gone: "certificate",
  releasedServices: "services",
  asked: "certificate",
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
  return frozen(decide(desired, previous, server, context));
}

/** Nobody changes a decision: it is compared, shown and applied as it was made. */
function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) frozen(part);
  }
  return value;
}

function decide(
  desired: DesiredBinding,
  previous: PreviousBinding | undefined,
  server: ObservedServer,
  context: PlanContext,
): Plan {
  if (previous === undefined) return planCreation(desired, server, context);
  return afterPuttingBack({ desired, previous, server, context }, (request) => {
    const reason = replacementReason(desired, previous, request.server, context);
    return reason === undefined
      ? planUpdate(desired, previous, request.server, context)
      : planReplacement(request, reason);
  });
}

/**
 * Decides how a binding is created. `replaced` is the one that it takes the place of: also where nothing but the
 * engine's own wish (an option such as `replaceOnChanges`) demands another one.
 */
export function planCreate(
  desired: DesiredBinding,
  replaced: PreviousBinding | undefined,
  server: ObservedServer,
  context: PlanContext,
): Plan {
  const decision = plan(desired, replaced, server, context);
  return replaced === undefined || decision.kind === "replace" || decision.kind === "blocked"
    ? decision
    : frozen(
        afterPuttingBack({ desired, previous: replaced, server, context }, (request) =>
          planReplacement(request, "asked"),
        ),
      );
}

/** Names that a killed run has left empty are set first, and the rest is decided as if they were set. */
function afterPuttingBack(request: ReleaseRequest, decide: (request: ReleaseRequest) => Plan): Plan {
  const { desired, previous, server, context } = request;
  const back = namesToPutBack(previous, server, context);
  return puttingBack(
    decide({ ...request, server: withConnectors(server, back) }),
    desired,
    back,
    previous.connectorsNotSet,
  );
}

/** What may never be bound, and what isn't there. */
function targetBlockers(
  desired: DesiredBinding,
  target: Target,
  server: ObservedServer,
  gone: boolean,
): readonly Blocker[] {
  if (target.kind === "absent") {
    const { thumbprint } = target;
    return [{ kind: "certificateAbsent", property: "certificate", thumbprint, gone, ...chosenMark(desired) }];
  }
  if (target.kind === "unreadable") {
    return [{ kind: "unreadableCertificate", property: "certificate", thumbprint: target.thumbprint }];
  }
  const thumbprint = factsOf(target)?.thumbprint;
  const reserved = thumbprint === undefined ? undefined : reservedAs(server, thumbprint);
  return thumbprint === undefined || reserved === undefined
    ? []
    : [{ kind: "reservedCertificate", property: "certificate", what: reserved, thumbprint }];
}

/** Whether there is nothing that could be bound. */
function isMissingTarget(target: Target): boolean {
  return target.kind === "absent" || target.kind === "unreadable";
}

/** What the notices about a certificate are worked out from. */
interface Scene extends Exchange {
  readonly desired: DesiredBinding;
  readonly work: TargetWork;
  /** The binding gets this certificate only now. */
  readonly isNew: boolean;
}

/** Notices about the certificate's own life and about the company it keeps. */
function targetNotices({ desired, work, isNew, ...exchange }: Scene): Notice[] {
  const { target, server, now } = exchange;
  const facts = factsOf(target);
  const notices: Notice[] = isNew ? [...comparisonNotices(exchange)] : [];
  if (target.kind === "unknown") notices.push({ kind: "certificateNotKnownYet" });
  notices.push(...work.notices);
  if (server.unreadable.length > 0) {
    notices.push({ kind: "unreadableCertificates", thumbprints: server.unreadable.map((one) => one.thumbprint) });
  }
  if (target.kind === "expected") notices.push({ kind: "comesFromBinding", binding: target.binding });
  if (target.kind === "present" && target.foundAgain) {
    notices.push({ kind: "foundAgain", thumbprint: target.certificate.facts.thumbprint });
  }
  if (facts !== undefined) {
    if (isNew && work.steps.length === 0) {
      notices.push({ kind: "alreadyThere", certificate: named(facts), services: desired.services });
    }
    if (!isNew) notices.push({ kind: "lifeLeft", certificate: named(facts) });
    const isDue = desired.certificate.kind !== "selfSigned" && isRenewalDue(facts, desired.renewBeforeDays, now);
    if (isDue && outOfDates(facts, now) === undefined) {
      const { notAfter } = facts;
      notices.push({ kind: "expiresSoon", daysLeft: daysUntil(notAfter, now), notAfter, ...chosenMark(desired) });
    }
  }
  notices.push(...sharedNames(desired, work, facts?.thumbprint, server));
  const left = isNew ? connectorsLeft(exchange, desired) : undefined;
  if (left !== undefined) notices.push({ kind: "connectorsStay", ...left });
  const lost = clientUseLost(desired, exchange);
  if (lost !== undefined) notices.push(lost);
  return notices;
}

type WhatGoes = Pick<Removals, "steps" | "goals" | "removedAtEnd">;
const NOTHING_GOES: WhatGoes = { steps: [], goals: [], removedAtEnd: undefined };

/** Other certificates among which Exchange chooses when a client of IMAP or POP connects. */
function sharedNames(
  desired: DesiredBinding,
  work: TargetWork,
  own: Thumbprint | undefined,
  server: ObservedServer,
): readonly Notice[] {
  return desired.services.filter(isNameService).flatMap((service): readonly Notice[] => {
    const name = valueOr(work.finalNames[service], undefined);
    if (name === undefined) return [];
    const others = server.certificates.filter(
      (one) => one.facts.thumbprint !== own && !isPending(one) && coversName(one.facts, name),
    );
    return others.length === 0
      ? []
      : [{ kind: "sharedByName", service, name, others: others.map((one) => named(one.facts)) }];
  });
}

function asWork(
  desired: DesiredBinding,
  { target, work }: { readonly target: Target; readonly work: TargetWork },
  { steps, goals, removedAtEnd }: WhatGoes = NOTHING_GOES,
  left?: ConnectorsLeft,
): Work {
  return {
    server: desired.server,
    certificate: refOf(target),
    declaresConnectors: declaresAny(desired.connectors),
    steps: [...work.steps, ...steps],
    goals: [...work.goals, ...goals],
    ...(left === undefined ? {} : { connectorsLeft: left }),
    ...(removedAtEnd === undefined ? {} : { removedAtEnd }),
  };
}

function planCreation(desired: DesiredBinding, server: ObservedServer, context: PlanContext): Plan {
  const target = newTarget(desired, server, context);
  const work = workFor({ desired, target, server, handOvers: [], kept: undefined, context });
  const blockers = [
    ...targetBlockers(desired, target, server, false),
    ...(isMissingTarget(target) ? [] : work.blockers),
  ];
  const { now } = context;
  const { steps } = work;
  const notices = targetNotices({ desired, target, replaced: undefined, server, work, steps, now, isNew: true });
  return blockers.length > 0
    ? { kind: "blocked", blockers, notices }
    : { kind: "create", work: asWork(desired, { target, work }), notices };
}

function planUpdate(
  desired: DesiredBinding,
  previous: PreviousBinding,
  server: ObservedServer,
  context: PlanContext,
): Plan {
  const target = keptTarget(desired, previous, server, context);
  const request = { desired, previous, server, context };
  const release = planRelease(request, target);
  if (release.replace) return planReplacement(request, "releasedServices");
  const work = workFor({ desired, target, server, handOvers: release.handOvers, kept: previous, context });
  const { steps } = work;
  const blockers = [
    ...targetBlockers(desired, target, server, true),
    ...(isMissingTarget(target) ? [] : work.blockers),
    ...release.blockers,
  ];
  const notices = [
    ...(target.kind === "present"
      ? lossNotices(previous, target.certificate.facts.thumbprint, server, work.missing)
      : []),
    ...release.notices,
    ...targetNotices({ desired, target, replaced: undefined, server, work, steps, now: context.now, isNew: false }),
    ...successorNotices(steps, target.kind === "present" ? target.certificate : undefined, server),
  ];
  const superseded = supersededOn(desired.server, previous);
  const held = heldNamesOf(previous, server);
  const removals = planRemovals({ desired, superseded, replaced: undefined, target, server, steps, held, context });
  notices.push(...removals.notices);
  if (blockers.length > 0) return { kind: "blocked", blockers, notices };
  if (steps.length + removals.steps.length === 0) return { kind: "inSync", notices };
  return { kind: "update", work: asWork(desired, { target, work }, removals), notices };
}

/**
 * Services that were declared and aren't held: what our own failed run left undone, and otherwise what somebody else
 * did, with who has them now.
 */
function lossNotices(
  previous: PreviousBinding,
  own: Thumbprint | undefined,
  server: ObservedServer,
  missing: readonly ExchangeService[],
): readonly Notice[] {
  return missing
    .filter((service) => previous.services.includes(service))
    .map((service): Notice => {
      // Many may hold SMTP: none of them has taken it from this one.
      const holders =
        service === "SMTP" ? [] : namedHoldersOf(server, service).filter(({ thumbprint }) => thumbprint !== own);
      if (previous.notDone?.services.includes(service) === true) return { kind: "notDoneYet", service, holders };
      const mayHaveOthers = service === "SMTP" || someHolderUnknown(server, service);
      return { kind: "driftedTo", service, holders, mayHaveOthers };
    });
}

/** Of a certificate that gives way to another one: what it has lost before that. */
function lossesOf(previous: PreviousBinding, old: ObservedCertificate, server: ObservedServer): readonly Notice[] {
  const missing = previous.services.filter((service) => !valueOr(holds(server, old, service), true));
  return lossNotices(previous, old.facts.thumbprint, server, missing);
}

function planReplacement(request: ReleaseRequest, because: ReplaceReason): Plan {
  const { desired, previous, server, context } = request;
  const replaced = previous.thumbprint ?? context.replaced;
  const target = newTarget(desired, server, { ...context, replaced });
  const old = replacedCertificate(desired, previous, target, server);
  const release = old === undefined ? undefined : planReleaseByReplacement(request, old);
  const handOvers = release?.handOvers ?? [];
  const work = workFor({ desired, target, server, handOvers, kept: undefined, context });
  const removals = removalsOnReplacement({ desired, previous, target, server, steps: work.steps, context }, old);
  const blockers = [
    ...targetBlockers(desired, target, server, false),
    ...(isMissingTarget(target) ? [] : work.blockers),
    ...(release?.blockers ?? []),
    ...removals.blockers,
  ];
  const exchange = { target, replaced: old, server, steps: work.steps, now: context.now };
  const own = targetNotices({ ...exchange, desired, work, isNew: true });
  const leftBehind = old === undefined ? undefined : defaultLeftBehind(desired, old, server, context.now);
  const notices: Notice[] = [
    ...(old === undefined ? [] : lossesOf(previous, old, server)),
    ...(release?.notices ?? []),
    ...successorNotices(work.steps, old, server),
    ...(old === undefined || release === undefined
      ? []
      : whatLeaves(afterReplacement(request, old, work, release), { old, target }, work, removals)),
    ...(leftBehind === undefined ? own : [leftBehind, ...own.filter((one) => !isDefaultStaying(one))]),
    ...(previous.server === desired.server ? [] : [leaving(desired, previous)]),
    ...removals.notices,
  ];
  if (blockers.length > 0) return { kind: "blocked", blockers, notices };
  return {
    kind: "replace",
    because,
    deletesFirst: desired.deleteBeforeReplace,
    properties: [REPLACED_PROPERTY[because]],
    work: asWork(desired, { target, work }, removals, connectorsLeft(exchange, desired)),
    notices,
  };
}

/** What becomes of the certificate on the server that the binding leaves. */
function leaving({ onDelete, removeAfterDays }: DesiredBinding, { server, thumbprint }: PreviousBinding): Notice {
  return onDelete === "remove"
    ? { kind: "removedElsewhere", server, thumbprint, days: removeAfterDays }
    : { kind: "leftOnServer", server, thumbprint };
}

/** On the server that is planned for: elsewhere they are dealt with on their own. */
function supersededOn(server: ServerFqdn, { superseded }: PreviousBinding): readonly SupersededCertificate[] {
  return superseded.filter((one) => one.server === server);
}

/** The old certificate, and those that it replaced before. */
function removalsOnReplacement(
  request: Pick<RemovalsRequest, "desired" | "target" | "server" | "steps" | "context"> & {
    readonly previous: PreviousBinding;
  },
  old: ObservedCertificate | undefined,
): Removals {
  const { previous, desired, context } = request;
  const next = factsOf(request.target)?.thumbprint;
  const superseded = supersededOn(desired.server, previous).filter(({ thumbprint }) => thumbprint !== next);
  const replaced =
    old === undefined
      ? undefined
      : {
          server: desired.server,
          thumbprint: old.facts.thumbprint,
          since: undefined,
          onlyThere: previous.onlyThere,
          givesUpServices: releasedServices(desired, previous).length > 0,
        };
  // Where the engine deletes first there is no delete after the new one is in place.
  return replaced !== undefined && desired.deleteBeforeReplace
    ? planRemovals({
        ...request,
        superseded: [...superseded, { ...replaced, since: context.now.toISOString() }],
        replaced: undefined,
        // Nor is it in the state any more what the connectors named.
        held: undefined,
      })
    : planRemovals({ ...request, superseded, replaced, held: heldNamesOf(previous, request.server) });
}

/**
 * What would stay behind with the old certificate goes with it when that is removed; what the new one holds by the same
 * name comes along.
 */
function whatLeaves(
  notices: readonly Notice[],
  { old, target }: { readonly old: ObservedCertificate; readonly target: Target },
  { finalNames }: TargetWork,
  { removedAtEnd }: Removals,
): Notice[] {
  const stays = notices.flatMap((one) => (one.kind === "staysBehind" ? [one.service] : []));
  if (removedAtEnd === undefined || stays.length === 0) return [...notices];
  const comesAlong = stays.filter((service) => {
    const name = isNameService(service) ? valueOr(finalNames[service], undefined) : undefined;
    return name !== undefined && coversName(namesOf(target), name);
  });
  const goes = stays.filter((service) => !comesAlong.includes(service));
  const certificate = named(old.facts);
  return [
    ...notices.filter(({ kind }) => kind !== "staysBehind"),
    ...(goes.length === 0 ? [] : [{ kind: "goesWithIt", services: goes, certificate } as const]),
    ...(comesAlong.length === 0 ? [] : [{ kind: "comesAlong", services: comesAlong } as const]),
  ];
}

/** The certificate that loses its binding to another one, when it is on the same server. */
function replacedCertificate(
  desired: DesiredBinding,
  previous: PreviousBinding,
  target: Target,
  server: ObservedServer,
): ObservedCertificate | undefined {
  if (previous.server !== desired.server || previous.thumbprint === undefined) return undefined;
  const next: Thumbprint | undefined = factsOf(target)?.thumbprint;
  return previous.thumbprint === next ? undefined : findCertificate(server, previous.thumbprint);
}

function isDefaultStaying(notice: Notice): boolean {
  return notice.kind === "defaultSmtpStays" || notice.kind === "defaultSmtpStaysExpired";
}

/** The old certificate is the default SMTP certificate and stays it: it will expire in that role. */
function defaultLeftBehind(
  desired: DesiredBinding,
  old: ObservedCertificate,
  server: ObservedServer,
  now: Date,
): Notice | undefined {
  const isDefault = valueOr(server.defaultSmtpThumbprint, undefined) === old.facts.thumbprint;
  return isDefault && !desired.replaceDefaultSmtpCertificate
    ? { kind: "defaultSmtpLeftBehind", certificate: named(old.facts), daysLeft: daysUntil(old.facts.notAfter, now) }
    : undefined;
}
