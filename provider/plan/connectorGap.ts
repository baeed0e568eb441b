import { sameConnectorName, tlsCertificateNameOf } from "../backends/connectorName";
import type { CertificateFacts } from "../certificate/facts";
import { decideSend, isAmong, isNameOf, notReady } from "./connectors";
import type { NotReady, SourceServer } from "./connectors";
import type { DesiredBinding, PreviousBinding } from "./desired";
import { findCertificate } from "./holdings";
import type { ObservedServer } from "./observedServer";
import type { Blocker, ConnectorStep, Goal, Notice, Plan } from "./planTypes";
import type { Removal } from "./removal";
import { withoutCertificate } from "./serverAfter";
import type { PlanContext } from "./target";

/*
 * Exchange lets no certificate go whose issuer and subject a send connector names, and a renewed certificate has those
 * of the old one. Only in a gap, in which the connector names none, can the old one be removed.
 */

/** Send connectors in a binding's outputs, and what these say that they name: what a run after a kill sets again. */
export interface HeldNames {
  readonly connectors: readonly string[];
  /** `<I>issuer<S>subject`. */
  readonly certificateName: string;
}

/** Why there is no gap although the program allows one. */
export type GapRefusal =
  | { readonly kind: "connectorsUnknown"; readonly reason: string }
  /** Nothing of this binding's would set their names again after a kill. */
  | { readonly kind: "notHeld"; readonly connectors: readonly string[] }
  /** Others' gaps came first, and took as long as the operation had time. */
  | { readonly kind: "noTurn" }
  /** Without the certificate these source servers would have none of that issuer and subject. */
  | { readonly kind: "notReady"; readonly connector: string; readonly for: readonly NotReady[] };

export type GapDecision =
  | { readonly kind: "possible"; readonly connectors: readonly string[] }
  | { readonly kind: "refused"; readonly because: GapRefusal };

export interface GapRequest {
  /** The certificate that is to go. */
  readonly facts: Pick<CertificateFacts, "issuer" | "subject">;
  /** The server without it, and without those that go before. */
  readonly server: ObservedServer;
  /** The connectors that the program declares for this binding. */
  readonly declared: readonly string[];
  readonly held: HeldNames | undefined;
  readonly sourceOf: (name: string) => SourceServer;
  readonly now: Date;
}

/**
 * Whether the names of the send connectors that name a certificate may be cleared for its removal: only those that the
 * binding declares and whose name its outputs hold already, so that a kill in the gap loses nothing, and only when every
 * source server has another valid certificate of that issuer and subject with SMTP.
 */
export function decideGap({ facts, server, declared, held, sourceOf, now }: GapRequest): GapDecision {
  const { sendConnectors: shown } = server;
  if (shown.kind === "unknown") return refused({ kind: "connectorsUnknown", reason: shown.reason });
  const wanted = tlsCertificateNameOf(facts);
  const naming = shown.value.filter(
    ({ tlsCertificateName: name }) => name !== undefined && sameConnectorName(name, wanted),
  );
  const isHeld = (connector: string): boolean =>
    isAmong(declared, connector) &&
    held !== undefined &&
    sameConnectorName(held.certificateName, wanted) &&
    isAmong(held.connectors, connector);
  const others = naming.filter(({ name }) => !isHeld(name));
  if (others.length > 0) return refused({ kind: "notHeld", connectors: others.map(({ name }) => name) });
  for (const { name: connector, sourceServers } of naming) {
    const sources = sourceServers.map((name) => seenFrom(server, sourceOf)(name));
    const waitsFor = notReady(wanted, sources, now);
    if (waitsFor.length > 0) return refused({ kind: "notReady", connector, for: waitsFor });
  }
  return { kind: "possible", connectors: naming.map(({ name }) => name) };
}

/** What a binding wishes of send connectors that stand in the way of a removal. */
export interface GapWishes extends Pick<GapRequest, "held" | "sourceOf">, Pick<DesiredBinding, "connectors"> {
  /** `allowConnectorGap`. */
  readonly allowed: boolean;
}

/** A removal that only send connectors stand in the way of: in a gap, where the program allows one. */
export function throughGap(
  removal: Removal,
  { allowed, connectors, ...wishes }: GapWishes,
  { server, now }: { readonly server: ObservedServer; readonly now: Date },
): Removal {
  if (removal.kind !== "kept" || !allowed) return removal;
  const [reason, ...more] = removal.reasons;
  if (reason?.kind !== "sendConnectors" || more.length > 0) return removal;
  const certificate = findCertificate(server, removal.certificate.thumbprint);
  if (certificate === undefined) return removal;
  const { facts } = certificate;
  const rest = withoutCertificate(server, facts.thumbprint);
  const decision = decideGap({ ...wishes, facts, server: rest, declared: connectors.send, now });
  return decision.kind === "possible"
    ? { kind: "due", certificate, gap: decision.connectors }
    : { ...removal, reasons: [{ ...reason, noGap: decision.because }] };
}

function refused(because: GapRefusal): GapDecision {
  return { kind: "refused", because };
}

/** Source servers, the binding's own one as it is known here. */
function seenFrom(server: ObservedServer, sourceOf: PlanContext["sourceOf"]): PlanContext["sourceOf"] {
  return (name) => (isNameOf(server.server, name) ? { kind: "seen", name, server } : sourceOf(name));
}

/**
 * Send connectors whose name the state holds and that name nothing now: a run that was killed in its gap leaves them
 * so. They are set before anything else, whatever else is to be done; never to what isn't valid on every source server.
 */
export function namesToPutBack(
  { thumbprint, connectors, server: own }: PreviousBinding,
  server: ObservedServer,
  { sourceOf, now }: Pick<PlanContext, "sourceOf" | "now">,
): readonly ConnectorStep[] {
  const facts = thumbprint === undefined ? undefined : findCertificate(server, thumbprint)?.facts;
  if (facts === undefined || own !== server.server) return [];
  const certificate = { kind: "known", thumbprint: facts.thumbprint } as const;
  return connectors.send.flatMap((connector): ConnectorStep[] => {
    const decision = decideSend({ connector, facts, server, sourceOf: seenFrom(server, sourceOf), now });
    if (decision.kind !== "complete" || decision.previous !== undefined) return [];
    const { connector: shown, name, previous } = decision;
    return [{ kind: "setConnector", type: "send", connector: shown, certificate, name, previous, isPutBack: true }];
  });
}

/** A plan with these set first. */
export function puttingBack(
  plan: Plan,
  desired: DesiredBinding,
  back: readonly ConnectorStep[],
  notSetYet: readonly string[] = [],
): Plan {
  if (back.length === 0) return plan;
  if (plan.kind === "blocked") {
    const stayEmpty = back.map(({ connector }): Blocker => {
      return { kind: "connectorStaysEmpty", property: "connectors", connector };
    });
    return { ...plan, blockers: [...plan.blockers, ...stayEmpty] };
  }
  const notices = [
    ...back.flatMap(({ connector }): Notice[] => {
      if (desired.allowConnectorGap) return [{ kind: "connectorLeftEmpty", connector }];
      return isAmong(notSetYet, connector)
        ? []
        : [{ kind: "connectorDrifted", type: "send", connector, actual: undefined }];
    }),
    ...plan.notices,
  ];
  const [{ certificate }] = back as readonly [ConnectorStep, ...ConnectorStep[]];
  if (plan.kind === "inSync") {
    return {
      kind: "update",
      work: { server: desired.server, certificate, steps: back, goals: goalsOf(back) },
      notices,
    };
  }
  const { work } = plan;
  const goals = plan.kind === "update" ? goalsOf(back) : [];
  return { ...plan, notices, work: { ...work, steps: [...back, ...work.steps], goals: [...goals, ...work.goals] } };
}

function goalsOf(back: readonly ConnectorStep[]): readonly Goal[] {
  return back.map(({ type, connector, certificate }) => ({ kind: "connectorNames", type, connector, certificate }));
}

/** What a binding's outputs hold, as far as the server shows its certificate. */
export function heldNamesOf(
  { thumbprint, connectors }: Pick<PreviousBinding, "thumbprint" | "connectors">,
  server: ObservedServer,
): HeldNames | undefined {
  const facts = thumbprint === undefined ? undefined : findCertificate(server, thumbprint)?.facts;
  return facts && { connectors: connectors.send, certificateName: tlsCertificateNameOf(facts) };
}
