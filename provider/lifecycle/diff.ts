import { ExchangeBindingError } from "../errors";
import { readInputs } from "../inputs";
import type { ReadInputs } from "../inputs";
import type { DesiredBinding } from "../plan/desired";
import type { ObservedServer } from "../plan/observedServer";
import { plan } from "../plan/plan";
import { describeBlocker, describeNotice, describePlan } from "../plan/planText";
import { readState, stateOnlyChanges } from "../state";
import type { StoredBinding } from "../state";
import type { Deployment } from "./deployment";
import { lastKnownServer } from "./lastKnown";

type Bag = Readonly<Record<string, unknown>>;

export interface DiffResult {
  readonly changes: boolean;
  readonly replaces?: string[];
  readonly deleteBeforeReplace?: boolean;
}

/**
 * Compares the wish with the server, not with the state: so a plain preview shows drift. The engine also calls it
 * during a refresh, with the outputs just read and the stored inputs; its answer decides whether there is drift.
 */
export async function diff(deployment: Deployment, id: string, olds: Bag, news: Bag): Promise<DiffResult> {
  const stored = readState(id, olds);
  await deployment.refuseOtherBackend(stored);
  const read = readInputs(news, deployment.env);
  if (read.desired === undefined || read.desired.successor === "unknown") return diffUnknown(deployment, stored, read);
  return diffKnown(deployment, stored, read, read.desired);
}

/** Something isn't known yet: what is known decides, and an unknown certificate may turn out to be another one. */
async function diffUnknown(deployment: Deployment, stored: StoredBinding, read: ReadInputs): Promise<DiffResult> {
  if (read.desired !== undefined) return diffKnown(deployment, stored, read, read.desired);
  const replaces = [
    ...(read.unknown.has("server") || (read.server !== undefined && read.server !== stored.previous.server)
      ? ["server"]
      : []),
    ...(read.unknown.has("certificate") ? ["certificate"] : []),
  ];
  // Nothing is unknown in a refresh, but a file or variable that the inputs name may be missing there.
  if (read.unknown.size === 0) return { changes: stateOnlyChanges(stored.raw, read.normalised).length > 0 };
  return replaces.length > 0 ? { changes: true, replaces, deleteBeforeReplace: false } : { changes: true };
}

async function diffKnown(
  deployment: Deployment,
  stored: StoredBinding,
  read: ReadInputs,
  desired: DesiredBinding,
): Promise<DiffResult> {
  const { bindingName } = desired;
  const context = { server: desired.server, now: deployment.env.now() };
  const observation = await deployment.look(desired.server);
  let server: ObservedServer | undefined;
  const lines: string[] = [];
  if (observation.kind === "observed") server = observation.server;
  else {
    lines.push(describeNotice({ kind: "notAsked", reason: observation.reason }, context));
    server = lastKnownServer(stored, observation.reason);
  }
  const isStateOnly = stateOnlyChanges(stored.raw, read.normalised).length > 0;
  if (server === undefined) {
    deployment.sayOnce(desired.server, bindingName, lines);
    return { changes: isStateOnly };
  }
  const decision = plan(desired, stored.previous, server, deployment.planContext(desired.server, bindingName));
  if (decision.kind !== "blocked") lines.push(...describePlan(decision, context));
  switch (decision.kind) {
    case "inSync":
      deployment.sayOnce(desired.server, bindingName, lines);
      return { changes: isStateOnly };
    case "create":
    case "update":
      deployment.sayOnce(desired.server, bindingName, lines);
      return { changes: true };
    case "replace":
      deployment.beginReplacement(bindingName, stored);
      deployment.sayOnce(desired.server, bindingName, lines);
      return { changes: true, replaces: [...decision.properties], deleteBeforeReplace: false };
    case "blocked": {
      const reasons = decision.blockers.map((blocker) => describeBlocker(blocker, context));
      // In a refresh nobody asked for a change: the difference is drift, and only a program can be refused.
      if (observation.kind === "notAsked" || !deployment.wasChecked(desired.server, bindingName)) {
        deployment.sayOnce(desired.server, bindingName, [
          ...lines,
          ...decision.notices.map((notice) => describeNotice(notice, context)),
        ]);
        return { changes: true };
      }
      throw new ExchangeBindingError(
        "Refused",
        `Planning binding "${bindingName}" on ${desired.server}: ${reasons.join(" ")}`,
        {
          facts: { server: desired.server, bindingName },
        },
      );
    }
  }
}
