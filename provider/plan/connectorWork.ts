import { tlsCertificateNameOf } from "../backends/connectorName";
import { declaresAny } from "./desired";
import type { DesiredBinding, PreviousBinding } from "./desired";
import { decideReceive, decideSend, isAmong, isNameOf } from "./connectors";
import type { SourceServer } from "./connectors";
import type { ObservedServer } from "./observedServer";
import type { Blocker, Notice, Step } from "./planTypes";
import { factsBefore, serverAfter } from "./serverAfter";
import { refOf } from "./target";
import type { PlanContext, Target } from "./target";

export interface ConnectorRequest {
  readonly desired: DesiredBinding;
  readonly target: Target;
  readonly server: ObservedServer;
  /** What comes before: SMTP has to be there. */
  readonly steps: readonly Step[];
  /** What the state remembers of a binding that keeps its certificate. */
  readonly kept: PreviousBinding | undefined;
  readonly context: PlanContext;
}

export interface ConnectorWork {
  readonly steps: readonly Step[];
  readonly blockers: readonly Blocker[];
  readonly notices: readonly Notice[];
}

/**
 * Connectors that are to name the certificate. A receive connector is set at once; a send connector when every source
 * server is ready, by whoever finds it so: a binding that changes anything looks again then, one that doesn't waits.
 */
export function workForConnectors(request: ConnectorRequest): ConnectorWork {
  const { desired, target, kept, context } = request;
  const { connectors } = desired;
  const notices: Notice[] = leftAlone(desired, kept);
  const facts = factsBefore(target, context.now);
  if (!declaresAny(connectors) || facts === undefined) {
    return { steps: [], blockers: [], notices };
  }
  if (facts.subject === "") {
    return {
      steps: [],
      blockers: [{ kind: "connectorNeedsSubject", property: "connectors", names: facts.dnsNames }],
      notices,
    };
  }
  const server = serverAfter(request.server, request.steps, target, context.now);
  const set = { kind: "setConnector", certificate: refOf(target), name: tlsCertificateNameOf(facts) } as const;
  const steps: Step[] = [];
  const blockers: Blocker[] = [];
  const property = "connectors";
  const drifted = (type: "send" | "receive", connector: string, actual: string | undefined): void => {
    const hasWaited = type === "send" && isAmong(kept?.connectorsNotSet ?? [], connector);
    const wasSet = isAmong(kept?.connectors[type] ?? [], connector) && !hasWaited;
    if (wasSet) notices.push({ kind: "connectorDrifted", type, connector, actual });
  };
  for (const name of connectors.receive) {
    const decision = decideReceive(name, facts, server);
    if (decision.kind === "missing")
      blockers.push({ kind: "connectorMissing", property, type: "receive", connector: name });
    if (decision.kind === "unknown") {
      blockers.push({ kind: "connectorUnknown", property, connector: name, reason: decision.reason });
    }
    if (decision.kind !== "change") continue;
    drifted("receive", decision.connector, decision.previous);
    const { connector, previous } = decision;
    steps.push({ ...set, type: "receive", connector, previous });
  }
  const isChanging = kept === undefined || request.steps.length + steps.length > 0;
  for (const name of connectors.send) {
    const sourceOf = (source: string): SourceServer =>
      isNameOf(server.server, source) ? { kind: "seen", name: source, server } : context.sourceOf(source);
    const decision = decideSend({ connector: name, facts, server, sourceOf, now: context.now });
    switch (decision.kind) {
      case "missing":
        blockers.push({ kind: "connectorMissing", property, type: "send", connector: name });
        break;
      case "unknown":
        blockers.push({ kind: "connectorUnknown", property, connector: name, reason: decision.reason });
        break;
      case "set":
        break;
      case "complete":
        drifted("send", decision.connector, decision.previous);
        steps.push({
          ...set,
          type: "send",
          connector: decision.connector,
          previous: decision.previous,
          waits: false,
        });
        break;
      case "waiting":
        notices.push({ kind: "connectorWaits", connector: decision.connector, for: decision.for });
        if (isChanging) {
          steps.push({ ...set, type: "send", connector: decision.connector, previous: undefined, waits: true });
        }
    }
  }
  return { steps, blockers, notices };
}

/** Connectors that were declared and no longer are. */
function leftAlone({ connectors }: DesiredBinding, kept: PreviousBinding | undefined): Notice[] {
  if (kept === undefined) return [];
  const gone = (["send", "receive"] as const).flatMap((type) =>
    kept.connectors[type].filter((one) => !isAmong(connectors[type], one)),
  );
  return gone.length === 0 ? [] : [{ kind: "connectorsForgotten", connectors: gone }];
}
