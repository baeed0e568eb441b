import { ExchangeBindingError } from "../errors";
import { readInputs } from "../inputs";
import type { ReadInputs } from "../inputs";
import { heldNamesOf } from "../plan/connectorGap";
import type { DesiredBinding } from "../plan/desired";
import { lineOf } from "../plan/line";
import type { Line } from "../plan/line";
import { linesOfPlan, linesOfRefresh } from "../plan/lines";
import { REPLACED_PROPERTY, plan } from "../plan/plan";
import { describeBlocker } from "../plan/blockerText";
import { findCertificate } from "../plan/holdings";
import type { Blocker, Plan } from "../plan/planTypes";
import { removedBy } from "../plan/removalWork";
import { meansAnother, replacementReason } from "../plan/target";
import { readState } from "../state";
import type { StoredBinding } from "../state";
import { declareOn } from "./check";
import { choose } from "./choosing";
import type { Deployment } from "./deployment";
import { planElsewhere } from "./elsewhere";
import { differencesOf, differencesOfInputs } from "./differences";
import { lastKnownServer } from "./lastKnown";
import { materialNotices } from "./materialNotices";
import { limitsOf } from "./requests";
import type { ChangeRequest, Decision, Difference } from "./requests";

/**
 * Compares the wish with the server, not with the state: so a plain preview shows drift. The engine also calls it
 * during a refresh, with the outputs just read and the stored inputs; its answer decides whether there is drift.
 */
export async function diff(deployment: Deployment, request: ChangeRequest): Promise<Decision> {
  const stored = readState(request.id, request.state);
  await deployment.refuseOtherBackend(stored);
  const read = await readInputs(request.inputs, deployment.reading(request));
  const { desired, identity } = read;
  if (desired !== undefined && (read.unknown.size === 0 || deployment.wasChecked(desired.server, identity))) {
    return diffKnown(deployment, { request, stored, read, desired });
  }
  const decision = diffUnknown(stored, read);
  // Where what it depends on is deleted before it is replaced, the engine asks beforehand, with what won't be known,
  // whether this goes too, and then deletes it before it knows the program's wish.
  if (decision.kind === "replace") deployment.beginReplacement(identity, stored);
  return decision;
}

function decided(differences: readonly Difference[], replaces: readonly string[] = []): Decision {
  const kind = replaces.length > 0 ? "replace" : differences.length > 0 ? "update" : "none";
  return { kind, differences, replaces };
}

/** Something isn't known yet: what is known decides, and an unknown certificate may turn out to be another one. */
function diffUnknown(stored: StoredBinding, read: ReadInputs): Decision {
  const differences = differencesOfInputs(stored.raw, read.normalised);
  // Nothing is unknown in a refresh, but a file or variable that the inputs name may be missing there.
  if (read.unknown.size === 0) return decided(differences);
  const { previous } = stored;
  const isMove = read.server !== undefined && read.server !== previous.server;
  const isAnother =
    read.source !== undefined &&
    read.onServer === undefined &&
    meansAnother(read.source.desired, previous) !== undefined;
  const replaces = [
    ...(read.unknown.has("server") || isMove ? ["server"] : []),
    ...(read.unknown.has("certificate") || isAnother ? ["certificate"] : []),
  ];
  const { kind } = decided(differences, replaces);
  return { kind: kind === "none" ? "update" : kind, differences, replaces };
}

interface Known {
  readonly request: ChangeRequest;
  readonly stored: StoredBinding;
  readonly read: ReadInputs;
  readonly desired: DesiredBinding;
}

async function diffKnown(deployment: Deployment, known: Known): Promise<Decision> {
  const { request, stored, read } = known;
  const { identity } = known.desired;
  // In a refresh the outputs are those just read, from which a lost service is missing already; what was declared is
  // in the inputs.
  const isRefresh = !deployment.wasChecked(known.desired.server, identity);
  // An option of the engine may replace what this says is to be updated. A refresh replaces nothing, and says nothing of
  // the program either: a destroy may follow in the same process.
  if (!isRefresh) deployment.beginReplacement(identity, stored);
  const observation = await deployment.look(known.desired.server, known.desired.timeoutSeconds, request);
  const choosing = { ...known.read, desired: known.desired };
  // A refresh chooses nothing.
  const chooseOn = isRefresh || observation.kind === "notAsked" ? undefined : observation.server;
  const { desired, blocker, lines: choice } = choose(deployment, choosing, chooseOn, stored.previous);
  if (blocker !== undefined) throw refused(desired, [blocker], deployment.env.now());
  const phase = isRefresh ? "refresh" : "plan";
  const say = (lines: readonly Line[]): void => {
    deployment.sayOnce(desired.server, identity, lines);
  };
  const notAsked =
    observation.kind === "notAsked" ? [lineOf(phase, { kind: "notAsked", reason: observation.reason })] : [];
  const ofInputs = differencesOfInputs(stored.raw, read.normalised);
  const server = observation.kind === "observed" ? observation.server : lastKnownServer(stored, observation.reason);
  // The state knows the old server only; what a move brings there can't be told.
  const isMove = desired.server !== stored.previous.server;
  if (server === undefined || (observation.kind === "notAsked" && isMove)) {
    say(notAsked);
    return isMove ? decided(ofInputs, ["server"]) : decided(ofInputs);
  }
  // Nor does a refresh know what the program declares: nothing is due for removal there.
  const previous = isRefresh ? { ...stored.previous, services: desired.services, superseded: [] } : stored.previous;
  if (observation.kind === "observed")
    await deployment.sources.read(server, desired.connectors.send, limitsOf(desired, request));
  if (observation.kind === "observed" && !isRefresh) deployment.holds(identity, heldNamesOf(stored.previous, server));
  const planContext = deployment.planContext(desired.server, identity);
  const { thumbprint } = stored.previous;
  let decision = plan(desired, previous, server, planContext);
  const waiting = isRefresh ? [] : waitingConnectorsOf(decision);
  const bound = findCertificate(server, thumbprint)?.facts;
  if (waiting.length > 0 && bound !== undefined) {
    // Whoever makes their last server ready in this run sets them. First the word, then the look, as in `decide`.
    for (const connector of waiting) deployment.sources.waits(server.server, connector, bound);
    await deployment.sources.read(server, waiting, limitsOf(desired, request));
    decision = plan(desired, previous, server, planContext);
  }
  if (!isRefresh && decision.kind !== "replace") {
    const removed = declareOn(deployment, desired.server, thumbprint, identity);
    if (removed !== undefined) throw refused(desired, [removed], planContext.now);
  }
  // Whoever is refused removes nothing: the others may declare what it would have removed.
  if (!isRefresh && observation.kind === "observed") {
    deployment.declarations.plansRemoval(desired.server, removedBy(decision), identity);
    const atEnd = decision.kind === "replace" ? decision.work.removedAtEnd : undefined;
    if (atEnd !== undefined) deployment.declarations.announcesEnd(desired.server, atEnd, identity);
  }
  const differences = differencesOf(decision, stored.raw, read.normalised);
  const isNotRefused = decision.kind === "blocked" && (observation.kind === "notAsked" || isRefresh);
  if (isRefresh || isNotRefused) say([...notAsked, ...linesOfRefresh(decision)]);
  else if (decision.kind !== "blocked") {
    say([...notAsked, ...choice, ...linesOfPlan(decision), ...materialNotices(read, decision)]);
  }
  const removesElsewhere =
    decision.kind !== "blocked" &&
    !isRefresh &&
    (await planElsewhere(deployment, { stored, desired, plan: decision }, request));
  switch (decision.kind) {
    case "inSync":
      return decided(removesElsewhere ? withRemoval(ofInputs) : ofInputs);
    case "create":
    case "update":
      return { kind: "update", differences: removesElsewhere ? withRemoval(differences) : differences, replaces: [] };
    case "replace":
      return decided(differences, decision.properties);
    case "blocked": {
      // In a refresh nobody asked for a change: the difference is drift, and only a program can be refused. Nor is a
      // refusal of use that comes from not having asked.
      if (isNotRefused) {
        const reason = replacementReason(desired, previous, server, planContext);
        return reason === undefined
          ? { kind: "update", differences, replaces: [] }
          : decided(differences, [REPLACED_PROPERTY[reason]]);
      }
      throw refused(desired, decision.blockers, planContext.now);
    }
  }
}

/** Those with which nothing may be done by this binding because a source server isn't ready. */
function waitingConnectorsOf(decision: Plan): readonly string[] {
  if (decision.kind !== "inSync" && decision.kind !== "update") return [];
  return decision.notices.flatMap((one) => (one.kind === "connectorWaits" ? [one.connector] : []));
}

function withRemoval(differences: readonly Difference[]): readonly Difference[] {
  if (differences.some(({ path }) => path === "onDelete")) return differences;
  return [...differences, { path: "onDelete", kind: "update", ofInputs: false }];
}

function refused({ identity, server }: DesiredBinding, blockers: readonly Blocker[], now: Date): Error {
  const reasons = blockers.map((blocker) => describeBlocker(blocker, { server, now }));
  return new ExchangeBindingError(
    "Refused",
    `Planning binding "${identity.label}" on ${server}: ${reasons.join(" ")}`,
    {
      facts: { server, binding: identity.label },
    },
  );
}
