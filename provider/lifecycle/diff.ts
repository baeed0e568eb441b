import { ExchangeBindingError } from "../errors";
import { readInputs } from "../inputs";
import type { ReadInputs } from "../inputs";
import type { DesiredBinding } from "../plan/desired";
import { REPLACED_PROPERTY, plan } from "../plan/plan";
import { describeBlocker, describeNotice, describePlan } from "../plan/planText";
import { meansAnother, replacementReason } from "../plan/target";
import { readState, stateOnlyChanges } from "../state";
import type { StoredBinding } from "../state";
import type { Deployment } from "./deployment";
import { lastKnownServer } from "./lastKnown";
import { materialNotices } from "./materialNotices";

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
  return read.desired === undefined ? diffUnknown(stored, read) : diffKnown(deployment, stored, read, read.desired);
}

/** Something isn't known yet: what is known decides, and an unknown certificate may turn out to be another one. */
function diffUnknown(stored: StoredBinding, read: ReadInputs): DiffResult {
  // Nothing is unknown in a refresh, but a file or variable that the inputs name may be missing there.
  if (read.unknown.size === 0) return { changes: stateOnlyChanges(stored.raw, read.normalised).length > 0 };
  const { previous } = stored;
  const isMove = read.server !== undefined && read.server !== previous.server;
  const isAnother = read.source !== undefined && meansAnother(read.source.desired, previous) !== undefined;
  const replaces = [
    ...(read.unknown.has("server") || isMove ? ["server"] : []),
    ...(read.unknown.has("certificate") || isAnother ? ["certificate"] : []),
  ];
  return replaces.length > 0 ? replacing(replaces) : { changes: true };
}

async function diffKnown(
  deployment: Deployment,
  stored: StoredBinding,
  read: ReadInputs,
  desired: DesiredBinding,
): Promise<DiffResult> {
  const { identity } = desired;
  // An option of the engine may replace what this says is to be updated.
  deployment.beginReplacement(identity, stored);
  const context = { server: desired.server, now: deployment.env.now() };
  const observation = await deployment.look(desired.server, desired.timeoutSeconds);
  const say = (lines: readonly string[]): void => {
    deployment.sayOnce(desired.server, identity, lines);
  };
  const notAsked =
    observation.kind === "notAsked" ? [describeNotice({ kind: "notAsked", reason: observation.reason }, context)] : [];
  const isStateOnly = stateOnlyChanges(stored.raw, read.normalised).length > 0;
  const server = observation.kind === "observed" ? observation.server : lastKnownServer(stored, observation.reason);
  // The state knows the old server only; what a move brings there can't be told.
  const isMove = desired.server !== stored.previous.server;
  if (server === undefined || (observation.kind === "notAsked" && isMove)) {
    say(notAsked);
    return isMove ? replacing(["server"]) : { changes: isStateOnly };
  }
  // In a refresh the outputs are those just read, from which a lost service is missing already; what was declared is
  // in the inputs.
  const isRefresh = !deployment.wasChecked(desired.server, identity);
  const previous = isRefresh ? { ...stored.previous, services: desired.services } : stored.previous;
  const planContext = deployment.planContext(desired.server, identity);
  const decision = plan(desired, previous, server, planContext);
  const lines = [...notAsked, ...(decision.kind === "blocked" ? [] : describePlan(decision, context))];
  switch (decision.kind) {
    case "inSync":
      say(lines);
      return { changes: isStateOnly };
    case "create":
    case "update":
      say([...lines, ...materialNotices(read, decision, context)]);
      return { changes: true };
    case "replace":
      say([...lines, ...materialNotices(read, decision, context)]);
      return replacing(decision.properties);
    case "blocked": {
      // In a refresh nobody asked for a change: the difference is drift, and only a program can be refused. Nor is a
      // refusal of use that comes from not having asked.
      if (observation.kind === "notAsked" || isRefresh) {
        say([...lines, ...decision.notices.map((notice) => describeNotice(notice, context))]);
        const reason = replacementReason(desired, previous, server, planContext);
        return reason === undefined ? { changes: true } : replacing([REPLACED_PROPERTY[reason]]);
      }
      const reasons = decision.blockers.map((blocker) => describeBlocker(blocker, context));
      throw new ExchangeBindingError(
        "Refused",
        `Planning binding "${identity.label}" on ${desired.server}: ${reasons.join(" ")}`,
        { facts: { server: desired.server, binding: identity.label } },
      );
    }
  }
}

function replacing(properties: readonly string[]): DiffResult {
  return { changes: true, replaces: [...properties], deleteBeforeReplace: false };
}
