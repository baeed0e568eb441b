import { coversName, isWildcard } from "../certificate/names";
import type { Thumbprint } from "../certificate/thumbprint";
import { EXCLUSIVE_SERVICES, NAME_SERVICES, known, valueOr } from "../model";
import type { ExchangeService, NameService, Observed } from "../model";
import type { DesiredBinding } from "./desired";
import { guardCertificate, guardKeyAlgorithm, guardUm, outOfDates } from "./guards";
import {
  certificateNameOf,
  findCertificate,
  holdersOf,
  holds,
  isNameService,
  someHolderUnknown,
  tlsCertificateNameOf,
} from "./holdings";
import type { ObservedServer } from "./observedServer";
import type { Blocker, CertificateRef, Goal, Notice, Step, TakeOver } from "./planTypes";
import { factsOf, named, namesOf, refOf } from "./target";
import type { PlanContext, Target } from "./target";

/** A service that has to leave the target for a successor. */
export interface HandOver {
  readonly service: ExchangeService;
  readonly from: Thumbprint;
  readonly successor: CertificateRef & { readonly kind: "known" };
  /** The name that Enable will write for the successor; only for IMAP and POP. */
  readonly name: string | undefined;
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

const NAME_PROPERTY = { IMAP: "imapCertificateName", POP: "popCertificateName" } as const satisfies Record<
  NameService,
  string
>;

function sameName(one: string | undefined, other: string | undefined): boolean {
  return one?.toLowerCase() === other?.toLowerCase();
}

/** Holding as seen now, for a certificate that may not be on the server yet (a name may cover it even so). */
function targetHolds(server: ObservedServer, target: Target, service: ExchangeService): Observed<boolean> {
  if (target.kind === "present") return holds(server, target.certificate, service);
  if (!isNameService(service)) return known(false);
  const name = certificateNameOf(server, service);
  if (name.kind === "unknown") return name;
  return known(name.value !== undefined && coversName(namesOf(target), name.value));
}

/** What Enable writes into X509CertificateName: the subject's common name; without one the first DNS name. */
export function nameWrittenByEnable(names: {
  commonName: string | undefined;
  dnsNames: readonly string[];
}): string | undefined {
  return names.commonName ?? names.dnsNames[0];
}

/** Certificates that lose a service that exactly one may hold. */
function exclusiveTakeOvers(server: ObservedServer, service: ExchangeService, to: CertificateRef): TakeOver[] {
  return holdersOf(server, service)
    .filter(({ facts }) => to.kind === "made" || facts.thumbprint !== to.thumbprint)
    .map(({ facts }) => ({ service, from: named(facts) }));
}

/** Certificates that lose IMAP or POP because another name is written. */
function nameTakeOvers(
  server: ObservedServer,
  service: NameService,
  name: string | undefined,
  to: CertificateRef,
): TakeOver[] {
  return exclusiveTakeOvers(server, service, to).filter(({ from }) => {
    const facts = findCertificate(server, from.thumbprint)?.facts;
    return name === undefined || facts === undefined || !coversName(facts, name);
  });
}

interface NameWork {
  readonly enable: boolean;
  readonly finalName: Observed<string | undefined>;
  readonly setStep: (Step & { readonly kind: "setCertificateName" }) | undefined;
  readonly blockers: readonly Blocker[];
}

/** IMAP or POP: which name the protocol's settings get, and whether the certificate must be enabled as well. */
function workForName(desired: DesiredBinding, target: Target, server: ObservedServer, service: NameService): NameWork {
  const declaredService = desired.services.includes(service);
  const declaredName = desired.certificateNames[service];
  const current = certificateNameOf(server, service);
  const names = namesOf(target);
  const property = NAME_PROPERTY[service];
  const blockers: Blocker[] = [];
  const isWild = isWildcard(names);

  if (declaredService && target.kind !== "absent") {
    if (isWild && typeof declaredName !== "string") {
      blockers.push({
        kind: "wildcardNeedsName",
        property,
        service,
        subject: factsOf(target)?.subject ?? names.commonName ?? "",
      });
    }
    if (typeof declaredName === "string" && !coversName(names, declaredName)) {
      blockers.push({ kind: "nameNotCovered", property, service, name: declaredName, dnsNames: names.dnsNames });
    }
  }
  if (current.kind === "unknown" || blockers.length > 0)
    return { enable: false, finalName: current, setStep: undefined, blockers };

  const held = targetHolds(server, target, service);
  const enable = declaredService && !isWild && held.kind === "known" && !held.value;
  // Enable overwrites the name, so a declared one is written after it in any case.
  const afterEnable = enable ? nameWrittenByEnable(names) : current.value;
  const wanted = declaredName === null ? undefined : (declaredName ?? afterEnable);
  const mustSet = declaredName !== undefined && (enable || !sameName(current.value, wanted));
  const finalName = mustSet ? wanted : afterEnable;
  return {
    enable,
    finalName: known(finalName),
    blockers,
    setStep: mustSet
      ? {
          kind: "setCertificateName",
          service,
          name: wanted,
          previousName: current.value,
          takeOvers: nameTakeOvers(server, service, finalName, refOf(target)),
          because: wanted === undefined ? "cleared" : "declared",
        }
      : undefined,
  };
}

/** SMTP and the default SMTP certificate: whether to enable, and how the overwrite question will be answered. */
function workForSmtp(
  desired: DesiredBinding,
  target: Target,
  server: ObservedServer,
  isMissing: boolean,
  now: Date,
): { readonly step: Step | undefined; readonly blockers: readonly Blocker[]; readonly notices: readonly Notice[] } {
  const none = { step: undefined, blockers: [], notices: [] };
  if (!desired.services.includes("SMTP")) return none;
  const ref = refOf(target);
  const isTarget = (thumbprint: string | undefined): boolean => ref.kind === "known" && ref.thumbprint === thumbprint;
  const current = server.defaultSmtpThumbprint;
  const wantsDefault = desired.replaceDefaultSmtpCertificate;
  const becomes = wantsDefault && !(current.kind === "known" && isTarget(current.value));
  if (!isMissing && !becomes) return none;
  if (current.kind === "unknown") {
    return {
      ...none,
      blockers: [{ kind: "defaultSmtpUnknown", property: "replaceDefaultSmtpCertificate", reason: current.reason }],
    };
  }
  const notices: Notice[] = [];
  const holder = current.value === undefined ? undefined : findCertificate(server, current.value);
  if (becomes) {
    notices.push({ kind: "defaultSmtpReplaced", from: holder === undefined ? current.value : named(holder.facts) });
    const edgeServers = valueOr(server.edgeSubscriptions, []);
    if (edgeServers.length > 0) notices.push({ kind: "edgeSubscriptionsBreak", edgeServers });
  } else if (current.value === undefined) {
    // Exchange fills an empty attribute by itself when SMTP is enabled: nobody asked for that.
    return { ...none, blockers: [{ kind: "defaultSmtpMissing", property: "replaceDefaultSmtpCertificate" }] };
  } else if (holder === undefined) {
    notices.push({ kind: "defaultSmtpStaysDangling", thumbprint: current.value });
  } else if (outOfDates(holder.facts, now) !== undefined) {
    notices.push({ kind: "defaultSmtpStaysExpired", certificate: named(holder.facts) });
  } else if (!isTarget(current.value)) {
    notices.push({ kind: "defaultSmtpStays", certificate: named(holder.facts) });
  }
  const step: Step = {
    kind: "enable",
    certificate: ref,
    services: ["SMTP"],
    defaultSmtp: becomes ? "replace" : "keep",
    takeOvers: [],
    because: isMissing ? "missing" : "defaultSmtpWanted",
  };
  return { step, blockers: [], notices };
}

function importSteps(target: Target, isNew: boolean): Step[] {
  const certificate = refOf(target);
  if (target.kind === "toBeMade") {
    return [
      { kind: "makeCertificate", because: isNew ? "newBinding" : "replacement" },
      { kind: "importCertificate", certificate, because: "made" },
    ];
  }
  return target.kind === "importable"
    ? [{ kind: "importCertificate", certificate, because: isNew ? "absent" : "gone" }]
    : [];
}

/** Connectors that choose their certificate by issuer and subject: an import alone may change which one they use. */
function connectorNotices(server: ObservedServer, target: Target): Notice[] {
  if (target.kind !== "importable") return [];
  const name = tlsCertificateNameOf(target.facts);
  const connectors = [
    ...valueOr(server.sendConnectors, [])
      .filter((one) => one.tlsCertificateName === name)
      .map((one) => one.name),
    ...valueOr(server.receiveConnectors, [])
      .filter((one) => one.tlsCertificateName === name)
      .map((one) => one.identity),
  ];
  return connectors.length === 0 ? [] : [{ kind: "connectorWillMatch", connectors }];
}

/**
 * Works out the steps on one server in their only order: import, POP/IMAP and UM, names, SMTP in a call of its own,
 * IIS last because it may change the certificate under our own connection.
 */
export function workFor(
  desired: DesiredBinding,
  target: Target,
  server: ObservedServer,
  handOvers: readonly HandOver[],
  isNew: boolean,
  context: PlanContext,
): TargetWork {
  const ref = refOf(target);
  const blockers: Blocker[] = [];
  const notices: Notice[] = [];
  const missing: ExchangeService[] = [];
  const unknownServices: ExchangeService[] = [];
  let unknownReason = "";
  for (const service of desired.services) {
    const held = targetHolds(server, target, service);
    if (held.kind === "unknown") {
      unknownServices.push(service);
      unknownReason = held.reason;
    } else if (!held.value) missing.push(service);
  }

  const nameWork = {
    IMAP: workForName(desired, target, server, "IMAP"),
    POP: workForName(desired, target, server, "POP"),
  };
  const steps: Step[] = importSteps(target, isNew);
  const enable = (
    services: readonly ExchangeService[],
    takeOvers: readonly TakeOver[],
    by: CertificateRef = ref,
  ): Step => ({
    kind: "enable",
    certificate: by,
    services,
    defaultSmtp: "notConcerned",
    takeOvers,
    because: by === ref ? "missing" : "successor",
  });

  const names = NAME_SERVICES.filter((service) => nameWork[service].enable);
  for (const service of NAME_SERVICES) blockers.push(...nameWork[service].blockers);
  const um = missing.filter((service) => service === "UM" || service === "UMCallRouter");
  const early = [...names, ...um];
  if (early.length > 0) {
    steps.push(
      enable(early, [
        ...names
          .filter((service) => nameWork[service].setStep === undefined)
          .flatMap((service) => nameTakeOvers(server, service, nameWrittenByEnable(namesOf(target)), ref)),
        ...um.flatMap((service) => exclusiveTakeOvers(server, service, ref)),
      ]),
    );
  }
  for (const service of NAME_SERVICES) {
    const step = nameWork[service].setStep;
    if (step !== undefined) steps.push(step);
  }
  for (const { service, successor, name } of handOvers.filter((one) => one.service !== "IIS")) {
    const takeOvers = isNameService(service)
      ? nameTakeOvers(server, service, name, successor)
      : exclusiveTakeOvers(server, service, successor);
    steps.push(enable([service], takeOvers, successor));
  }
  const smtp = workForSmtp(desired, target, server, missing.includes("SMTP"), context.now);
  blockers.push(...smtp.blockers);
  notices.push(...smtp.notices);
  if (smtp.step !== undefined) steps.push(smtp.step);
  if (missing.includes("IIS")) steps.push(enable(["IIS"], exclusiveTakeOvers(server, "IIS", ref)));
  for (const { successor } of handOvers.filter((one) => one.service === "IIS")) {
    steps.push(enable(["IIS"], exclusiveTakeOvers(server, "IIS", successor), successor));
  }

  const touchesTarget = steps.some(
    (step) => step.kind !== "setCertificateName" && !(step.kind === "enable" && step.certificate !== ref),
  );
  if (unknownServices.length > 0) {
    const finding = { services: unknownServices, reason: unknownReason };
    if (isNew || steps.length > 0) blockers.push({ kind: "servicesUnknown", property: "services", ...finding });
    else notices.push({ kind: "servicesUnknown", ...finding });
  }
  if (touchesTarget) {
    const facts = factsOf(target);
    if (facts !== undefined) {
      const observed = target.kind === "present" ? target.certificate : undefined;
      const own = guardCertificate(facts, observed, context.now);
      const key = guardKeyAlgorithm(facts, desired.services, server.version);
      blockers.push(...own.blockers, ...key.blockers);
      notices.push(...own.notices, ...key.notices);
    }
    blockers.push(...guardUm(server, um));
    notices.push(...connectorNotices(server, target));
  }
  for (const service of [...EXCLUSIVE_SERVICES].filter((one) => missing.includes(one))) {
    if (someHolderUnknown(server, service)) notices.push({ kind: "takeOverUnknown", service });
  }

  const finalNames = { IMAP: nameWork.IMAP.finalName, POP: nameWork.POP.finalName };
  for (const handOver of handOvers) {
    if (isNameService(handOver.service)) finalNames[handOver.service] = known(handOver.name);
  }
  return {
    steps,
    goals: steps.length === 0 ? [] : goalsFor(desired, target, server, steps, handOvers),
    blockers,
    notices,
    missing,
    finalNames,
  };
}

function goalsFor(
  desired: DesiredBinding,
  target: Target,
  server: ObservedServer,
  steps: readonly Step[],
  handOvers: readonly HandOver[],
): readonly Goal[] {
  const certificate = refOf(target);
  const goals: Goal[] = [{ kind: "present", certificate }];
  for (const service of desired.services) goals.push({ kind: "holds", certificate, service });
  for (const step of steps) {
    if (step.kind === "setCertificateName")
      goals.push({ kind: "certificateNameIs", service: step.service, name: step.name });
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
