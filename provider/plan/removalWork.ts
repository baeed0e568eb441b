import { sameConnectorName, tlsCertificateNameOf } from "../backends/connectorName";
import type { Thumbprint } from "../certificate/thumbprint";
import { DAY_MS } from "../model";
import type { Observed } from "../model";
import { throughGap } from "./connectorGap";
import { isAmong } from "./connectors";
import type { GapWishes, HeldNames } from "./connectorGap";
import type { DesiredBinding, SupersededCertificate } from "./desired";
import type { ObservedServer } from "./observedServer";
import type { Blocker, ConnectorStep, Goal, NamedCertificate, Notice, Plan, Step } from "./planTypes";
import { isMerelyWaiting, judgeRemoval } from "./removal";
import type { Removal, RemovalReason } from "./removal";
import { factsBefore, serverAfter, withoutCertificate } from "./serverAfter";
import { stepsOf } from "./steps";
import { named } from "./target";
import type { PlanContext, Target } from "./target";

export interface RemovalsRequest {
  readonly desired: DesiredBinding;
  /** Those of this server that were replaced earlier. */
  readonly superseded: readonly SupersededCertificate[];
  /** The one that the change replaces; the engine has it deleted once the new one is in place. */
  readonly replaced: (SupersededCertificate & { readonly givesUpServices: boolean }) | undefined;
  readonly target: Target;
  readonly server: ObservedServer;
  /** What the plan does before anything is removed. */
  readonly steps: readonly Step[];
  /** What the outputs in the state hold of send connectors; undefined where a kill would lose it. */
  readonly held: HeldNames | undefined;
  readonly context: PlanContext;
}

/** What becomes of the certificates that a binding has replaced. */
export interface Removals {
  readonly steps: readonly Step[];
  readonly goals: readonly Goal[];
  readonly notices: readonly Notice[];
  readonly blockers: readonly Blocker[];
  /** The replaced certificate, where it goes at the end. */
  readonly removedAtEnd: Thumbprint | undefined;
}

const NOTHING: Removals = { steps: [], goals: [], notices: [], blockers: [], removedAtEnd: undefined };

/** The moment until which a replaced certificate stays as a way back; undefined for none. */
export function keptUntil(since: string | undefined, removeAfterDays: number): string | undefined {
  if (since === undefined || removeAfterDays === 0) return undefined;
  return new Date(Date.parse(since) + removeAfterDays * DAY_MS).toISOString();
}

/**
 * Decides about every certificate that the binding has replaced, by the server as it will be after the steps and after
 * each removal before. What is replaced now is judged here too, so that what would be refused at the end is refused
 * before anything is created; a renewal never is, it keeps the old one.
 */
export function planRemovals(request: RemovalsRequest): Removals {
  const { desired, superseded, replaced, target, context } = request;
  // Of a server after a certificate that isn't known yet nothing can be said.
  if (desired.onDelete !== "remove" || target.kind === "unknown") return NOTHING;
  const { now } = context;
  const { allowConnectorGap: allowed, connectors } = desired;
  const gap = { allowed, connectors, sourceOf: context.sourceOf, held: request.held };
  const wishes = { ...desired, ...context, gap };
  const { steps, kept, server } = judgeSuperseded(
    wishes,
    superseded,
    serverAfter(request.server, request.steps, target, now),
  );
  const notices: Notice[] = [];
  const blockers: Blocker[] = [];
  let removedAtEnd: Thumbprint | undefined;
  const facts = factsBefore(target, now);
  if (replaced !== undefined) {
    // It goes after the new one is in the state.
    const held = facts && { connectors: connectors.send, certificateName: tlsCertificateNameOf(facts) };
    const old = { ...replaced, since: replaced.since ?? now.toISOString() };
    const removal = judge({ ...wishes, gap: { ...gap, held } }, old, server);
    if (removal.kind === "due") {
      removedAtEnd = replaced.thumbprint;
      const certificate = named(removal.certificate.facts);
      notices.push({ kind: "removedAtEnd", certificate, onlyThere: replaced.onlyThere, ...gapOf(removal) });
    } else if (removal.kind === "declared") {
      notices.push({ kind: "keptDeclared", thumbprint: replaced.thumbprint, by: removal.by });
    } else if (removal.kind === "kept") {
      if (replaced.givesUpServices && !removal.reasons.every(isMerelyWaiting)) {
        const { certificate } = removal;
        const reasons = removal.reasons.filter((one) => !isMerelyWaiting(one));
        blockers.push({ kind: "removalRefused", property: "onDelete", certificate, reasons });
      } else kept.push(removal);
    }
  }
  notices.push(...keptNotices(kept.map((one) => withMoves(one, connectors.send, facts))));
  return { steps, goals: goalsOf(steps), notices, blockers, removedAtEnd };
}

/** Told as what it is where the connectors in the way are to name the new certificate: they wait for others until then. */
function withMoves(
  { certificate, reasons }: Kept,
  declared: readonly string[],
  facts: ReturnType<typeof factsBefore>,
): Kept {
  const isToMove = (connector: string): boolean => isAmong(declared, connector);
  return {
    certificate,
    reasons: reasons.map((one) =>
      one.kind === "sendConnectors" &&
      facts !== undefined &&
      !sameConnectorName(tlsCertificateNameOf(one), tlsCertificateNameOf(facts)) &&
      one.connectors.every(isToMove)
        ? { ...one, moves: true }
        : one,
    ),
  };
}

/** What a binding wishes of certificates that it has replaced. */
export interface RemovalWishes {
  readonly removeAfterDays: number;
  readonly now: Date;
  /** Labels of the bindings of this deployment that declare a certificate of that server. */
  readonly declaredBy: (thumbprint: Thumbprint) => Observed<readonly string[]>;
  /** What is wished of send connectors that stand in the way; left out where no gap is made. */
  readonly gap?: GapWishes;
}

/** The same on a server that the binding has left: nothing else is done there. */
export function planRemovalsElsewhere(
  wishes: RemovalWishes,
  superseded: readonly SupersededCertificate[],
  server: ObservedServer,
): { readonly steps: readonly RemovalStep[]; readonly notices: readonly Notice[] } {
  const { steps, kept } = judgeSuperseded(wishes, superseded, server);
  return { steps, notices: keptNotices(kept) };
}

export type RemovalStep = Step & { readonly kind: "removeCertificate" };

function goalsOf(steps: readonly RemovalStep[]): readonly Goal[] {
  return steps.map(({ certificate: { thumbprint } }) => ({ kind: "absent", thumbprint }));
}

function judge(
  { removeAfterDays, now, declaredBy, gap }: RemovalWishes,
  one: SupersededCertificate,
  server: ObservedServer,
): Removal {
  const removal = judgeRemoval({
    server,
    thumbprint: one.thumbprint,
    declaredBy: declaredBy(one.thumbprint),
    notBefore: keptUntil(one.since, removeAfterDays),
    now,
  });
  return gap === undefined ? removal : throughGap(removal, gap, { server, now });
}

/** Each by the server as it is after those before it. */
function judgeSuperseded(
  wishes: RemovalWishes,
  superseded: readonly SupersededCertificate[],
  before: ObservedServer,
): { readonly steps: readonly RemovalStep[]; readonly kept: Kept[]; readonly server: ObservedServer } {
  let server = before;
  const steps: RemovalStep[] = [];
  const kept: Kept[] = [];
  for (const one of superseded) {
    const removal = judge(wishes, one, server);
    if (removal.kind === "kept") kept.push(removal);
    if (removal.kind !== "due") continue;
    const certificate = named(removal.certificate.facts);
    steps.push({ kind: "removeCertificate", certificate, onlyThere: one.onlyThere, ...gapOf(removal) });
    server = withoutCertificate(server, one.thumbprint);
  }
  return { steps, kept, server };
}

function gapOf({ gap }: Removal & { readonly kind: "due" }): { readonly gap?: readonly string[] } {
  return gap === undefined ? {} : { gap };
}

/** What the steps of a plan remove; not what the engine has deleted afterwards. */
export function removedBy(plan: Plan): readonly Thumbprint[] {
  return stepsOf(plan).flatMap((step) => (step.kind === "removeCertificate" ? [step.certificate.thumbprint] : []));
}

/** The steps of a plan that let send connectors name another certificate. */
export function sendConnectorsSetBy(plan: Plan): readonly ConnectorStep[] {
  return stepsOf(plan).flatMap((step) => (step.kind === "setConnector" && step.type === "send" ? [step] : []));
}

interface Kept {
  readonly certificate: NamedCertificate;
  readonly reasons: readonly RemovalReason[];
}

type KeptNotice = Notice & { readonly kind: "keptOld" | "keptForNow" };

/** Those that stay for the same reasons in one notice: after years there may be many. */
export function keptNotices(kept: readonly Kept[]): readonly KeptNotice[] {
  const groups = new Map<string, { readonly certificates: NamedCertificate[]; reasons: readonly RemovalReason[] }>();
  for (const { certificate, reasons } of kept) {
    const key = JSON.stringify(reasons.map(whatItSays));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { certificates: [certificate], reasons });
    else {
      group.certificates.push(certificate);
      group.reasons = group.reasons.map((one, i) => together(one, reasons[i]));
    }
  }
  return [...groups.values()].map(({ certificates, reasons }) => ({
    kind: reasons.every(goesByItself) ? "keptForNow" : "keptOld",
    certificates,
    reasons,
  }));
}

/** Nobody has to do anything about it. */
function goesByItself(reason: RemovalReason): boolean {
  return reason.kind === "keptUntil" || (reason.kind === "sendConnectors" && reason.moves === true);
}

/** A reason without what may differ between certificates that stay for it. */
function whatItSays(reason: RemovalReason): unknown {
  switch (reason.kind) {
    case "keptUntil":
      return reason.kind;
    case "sendConnectors":
      return { ...reason, thumbprints: [] };
    default:
      return reason;
  }
}

function together(one: RemovalReason, other: RemovalReason | undefined): RemovalReason {
  if (one.kind === "keptUntil" && other?.kind === "keptUntil") {
    const [first = one.until, ...rest] = [one.until, one.last, other.until].flatMap((until) => until ?? []).sort();
    return { kind: "keptUntil", until: first, last: rest.at(-1) };
  }
  return one.kind === "sendConnectors" && other?.kind === "sendConnectors"
    ? { ...one, thumbprints: [...one.thumbprints, ...other.thumbprints] }
    : one;
}
