import { ApplyFailure, apply, doneOf, seenAgain } from "../apply";
import type { Applied } from "../apply";
import { ExchangeBindingError, asSentence } from "../errors";
import { readInputs } from "../inputs";
import type { ReadInputs } from "../inputs";
import { sortServices, valueOr } from "../model";
import type { ExchangeService } from "../model";
import { heldNamesOf } from "../plan/connectorGap";
import type { HeldNames } from "../plan/connectorGap";
import { declaresAny } from "../plan/desired";
import type { DesiredBinding, NotDone } from "../plan/desired";
import { findCertificate, holds } from "../plan/holdings";
import type { ObservedServer } from "../plan/observedServer";
import { tasksAfter, tasksOf, withFollowUps } from "../plan/followUps";
import type { FollowUpTask } from "../plan/followUps";
import { lineOf } from "../plan/line";
import type { Deed } from "../plan/line";
import { describeLine, describeSurprise } from "../plan/lineText";
import { linesOfChange, linesOfLeft, progressOf, stepsDone } from "../plan/lines";
import type { Left } from "../plan/lines";
import { plan, planCreate } from "../plan/plan";
import { describeBlocker } from "../plan/blockerText";
import type { Plan, Step, Work } from "../plan/planTypes";
import { doneBefore } from "../plan/resumed";
import type { Remembered, Resumed } from "../plan/resumed";
import { surprises } from "../plan/surprises";
import { idOf, outputsOf, parseId, readState } from "../state";
import type { StoredBinding } from "../state";
import { applyEnvOf } from "./applyEnv";
import { chosenBefore } from "./choosing";
import type { Deployment } from "./deployment";
import { removeElsewhere } from "./elsewhere";
import { putBack } from "./failedChange";
import { HalfDone, limitsOf } from "./requests";
import type { Bag, ChangeRequest, CreateAnswer, CreateRequest, Limits } from "./requests";
import { untilFired, withTimeLimit } from "./timeLimit";
import type { Anew, Limited } from "./timeLimit";
import { setWaitingConnectors } from "./waitingConnectors";

/** Makes a binding: the plan's work, then what the server shows afterwards. Throws {@link HalfDone}. */
export async function create(deployment: Deployment, request: CreateRequest): Promise<CreateAnswer> {
  const { read, desired } = await fullyKnown(deployment, request);
  deployment.wish(desired);
  const replaces = deployment.replacementOf(desired.identity);
  const done = await change(deployment, { limits: request, read, desired, stored: undefined, replaces });
  deployment.endReplacement(desired.identity);
  deployment.holds(desired.identity, done.held);
  deployment.declarations.declare(desired.server, done.thumbprint, desired.identity);
  const made = { id: idOf(desired.server, done.thumbprint), outputs: done.outputs };
  if (replaces === undefined) return made;
  return { ...made, outputs: await removeElsewhere(deployment, { ...made, stored: replaces, desired }, request) };
}

/**
 * Changes a binding in place: adds what is missing, hands over what is released, and never more. Throws
 * {@link HalfDone}.
 */
export async function update(deployment: Deployment, request: ChangeRequest): Promise<Bag> {
  const stored = readState(request.id, request.state);
  await deployment.refuseOtherBackend(stored);
  const { read, desired } = await fullyKnown(deployment, request);
  const done = await change(deployment, { limits: request, read, desired, stored, replaces: undefined });
  deployment.holds(desired.identity, done.held);
  return removeElsewhere(deployment, { id: stored.id, stored, desired, outputs: done.outputs }, request);
}

interface Change {
  readonly limits: Limits;
  readonly read: ReadInputs;
  readonly desired: DesiredBinding;
  readonly stored: StoredBinding | undefined;
  readonly replaces: StoredBinding | undefined;
}

async function fullyKnown(
  deployment: Deployment,
  request: CreateRequest,
): Promise<{ readonly read: ReadInputs; readonly desired: DesiredBinding }> {
  const read = await readInputs(request.inputs, deployment.reading(request));
  const { desired } = read;
  if (desired === undefined || desired.successor === "unknown" || read.failures.length > 0) {
    const reasons = read.failures.map(({ property, reason }) => `${property}: ${reason}`);
    throw new ExchangeBindingError(
      "Refused",
      `Changing binding "${read.identity.label}": ${reasons.length > 0 ? reasons.join(" ") : "a value is still unknown."}`,
    );
  }
  if (read.onServer === undefined) return { read, desired };
  const chosen = chosenBefore(deployment, desired, read.onServer, request.inputs);
  if (chosen.certificate.kind === "unknown") {
    throw new ExchangeBindingError(
      "Refused",
      `Changing binding "${read.identity.label}": its certificate hasn't been chosen, because ${desired.server} wasn't asked. Run again when it can be.`,
    );
  }
  return { read, desired: chosen };
}

interface Finished {
  readonly thumbprint: Applied["thumbprint"];
  readonly outputs: Bag;
  readonly held: HeldNames | undefined;
}

function change(deployment: Deployment, what: Change): Promise<Finished> {
  const { desired, limits } = what;
  const doing = `Binding "${desired.identity.label}" on ${desired.server}`;
  deployment.refuseOffline(doing);
  const change = { ...what, doing };
  deployment.declarations.beginsRemovals(desired.identity);
  return deployment.onServer(desired.server, async () => {
    try {
      const work: Limited<Finished> = (signal, anew) => changeNow(deployment, change, { signal, anew });
      const options = { signal: limits.signal, override: limits.limit, timer: deployment.env.limitTimer };
      return await withTimeLimit(desired.timeoutSeconds, doing, work, options);
    } catch (error) {
      // Outside of the limit: what is left to find out after a failure has one of its own.
      throw error instanceof Unfinished ? await unfinished(deployment, change, error) : error;
    }
  });
}

/** A change that has been begun and failed. */
class Unfinished extends Error {
  readonly work: Work;
  /** The server before it. */
  readonly before: ObservedServer;
  /** What a run before this one, which was killed, has done. */
  readonly resumed: readonly Step[];

  constructor(work: Work, before: ObservedServer, resumed: readonly Step[], cause: unknown) {
    super("unfinished", { cause });
    this.work = work;
    this.before = before;
    this.resumed = resumed;
  }
}

/**
 * The server after a failure, for the state to remember. At once, and with a limit of its own, as long again: the
 * failure may be that the first one was reached.
 */
async function lookAgain(deployment: Deployment, what: Change, failure: ApplyFailure): Promise<ApplyFailure> {
  if (failure.thumbprint === undefined || failure.server !== undefined) return failure;
  const { server, timeoutSeconds } = what.desired;
  const look = (signal: AbortSignal): Promise<ObservedServer> => deployment.observe(server, signal);
  const options = { timer: deployment.env.limitTimer };
  // Whoever wants the run to stop doesn't wait for a server that is slow.
  const seconds =
    what.limits.signal?.aborted === true ? Math.min(timeoutSeconds, LOOK_WHEN_STOPPED_SECONDS) : timeoutSeconds;
  try {
    return seenAgain(failure, await withTimeLimit(seconds, `Reading ${server} after the failure`, look, options));
  } catch {
    // The first error says what happened; that the server can't be read now adds nothing to it.
    return failure;
  }
}

const LOOK_WHEN_STOPPED_SECONDS = 5;

async function changeNow(
  deployment: Deployment,
  what: Change & { readonly doing: string },
  { signal, anew }: { readonly signal: AbortSignal; readonly anew: Anew },
): Promise<Finished> {
  const { desired, doing } = what;
  const { server: name, identity } = desired;
  const decided = await decideAgain(deployment, what, doing, signal);
  if (decided.work === undefined) {
    const thumbprint = what.stored?.previous.thumbprint;
    return finished(deployment, what, {
      work: undefined,
      before: decided.server,
      server: decided.server,
      thumbprint,
      setsOthers: false,
    });
  }
  try {
    const limits = limitsOf(desired, what.limits);
    const env = await applyEnvOf(deployment, { server: name, identity, limits }, { signal, anew });
    const applied = await apply(decided.work, what.read.source?.material, env);
    const work = { ...decided.work, steps: applied.done };
    const setsOthers = await setWaitingConnectors(deployment, desired, applied.server, env);
    return await finished(deployment, what, { ...applied, work, before: decided.server, setsOthers });
  } catch (error) {
    const { work, server: before } = decided;
    throw new Unfinished(work, before, doneByAnother(what, work, before).steps, error);
  }
}

/**
 * Reads the server again right before the first change and plans anew: another stack or a person may have been there
 * since the plan was shown. What the new plan demands beyond the shown one is not done.
 */
async function decideAgain(
  deployment: Deployment,
  what: Change,
  doing: string,
  signal: AbortSignal,
): Promise<{ readonly work: Work | undefined; readonly server: ObservedServer }> {
  const { desired } = what;
  const previous = what.stored?.previous ?? what.replaces?.previous;
  const decide = what.stored === undefined ? planCreate : plan;
  const assumed = deployment.snapshots.last(desired.server);
  const server = await untilFired(signal, () => deployment.observe(desired.server, signal));
  deployment.snapshots.keep(desired.server, server);
  await deployment.sources.read(server, desired.connectors.send, { ...limitsOf(desired, what.limits), signal });
  const context = deployment.planContext(desired.server, desired.identity);
  // What others are going to bring is good enough for a preview; now it has to be there.
  const actual = decide(desired, previous, server, { ...context, expected: new Map() });
  if (actual.kind === "blocked") {
    const reasons = actual.blockers.map((blocker) =>
      describeBlocker(blocker, { server: desired.server, now: context.now }),
    );
    throw new ExchangeBindingError("Refused", `${doing}: ${reasons.join(" ")} Nothing was changed.`);
  }
  if (assumed !== undefined) {
    const shown = decide(desired, previous, assumed, context);
    const news = surprises({ plan: shown, server: assumed }, { plan: actual, server }).map(describeSurprise);
    if (news.length > 0) {
      throw new ExchangeBindingError(
        "ServerChanged",
        `${doing}: since the plan was shown somebody has changed the server: ${news.join("; ")}. Nothing was changed. Run a preview and look at the new plan.`,
        { facts: { server: desired.server, news } },
      );
    }
  }
  return { work: workOf(actual, what, doing), server };
}

function workOf(
  decision: Plan & { kind: "inSync" | "create" | "update" | "replace" },
  what: Change,
  doing: string,
): Work | undefined {
  if (decision.kind === "inSync") return undefined;
  if (decision.kind === "replace" && what.stored !== undefined) {
    throw new ExchangeBindingError(
      "ServerChanged",
      `${doing}: it can't be changed in place any more, because the certificate is gone or due for renewal. Nothing was changed. Run again: the next plan replaces it.`,
    );
  }
  return decision.work;
}

async function finished(
  deployment: Deployment,
  what: Change,
  {
    work,
    before,
    server,
    thumbprint,
    setsOthers,
  }: {
    readonly work: Work | undefined;
    readonly before: ObservedServer;
    readonly server: ObservedServer;
    readonly thumbprint: Applied["thumbprint"] | undefined;
    /** Whether connectors that other bindings declare were set. */
    readonly setsOthers: boolean;
  },
): Promise<Finished> {
  if (thumbprint === undefined)
    throw new ExchangeBindingError("Internal", "A binding without a certificate was finished.");
  deployment.snapshots.keep(what.desired.server, server);
  deployment.declarations.endsRemovals(what.desired.identity, server);
  const now = deployment.env.now();
  const certificate = { kind: "known", thumbprint } as const;
  const done = work ?? {
    server: server.server,
    certificate,
    steps: [],
    goals: [],
    declaresConnectors: declaresAny(what.desired.connectors),
  };
  const resumed = doneByAnother(what, done, before);
  const whole: Work = { ...done, steps: [...resumed.steps, ...done.steps] };
  const left = leftToDo(what.stored, tasksOf(whole, server, thumbprint, setsOthers), now);
  const outputs = outputsOf({
    inputs: what.read.normalised,
    backend: (await deployment.backend()).kind,
    server,
    serverName: what.desired.server,
    thumbprint,
    work: whole,
    stored: what.stored,
    replaces: what.replaces,
    leftToOthers: leaveToOthers(deployment, what),
    now,
    followUps: left.all,
  });
  const { requireSsl, identity } = what.desired;
  if (resumed.unknown.length > 0) {
    const line = lineOf("change", { kind: "formerHolderUnknown", services: resumed.unknown });
    deployment.say(server.server, identity, [line]);
  }
  if (work !== undefined) {
    deployment.say(server.server, identity, linesOfChange(work, left, { server, thumbprint, requireSsl, now }));
  }
  const { connectors } = what.desired;
  return { thumbprint, outputs, held: heldNamesOf({ thumbprint, connectors }, server) };
}

/** Certificates that the binding has replaced and that others declare: they decide about them from now on. */
function leaveToOthers(deployment: Deployment, { desired, stored, replaces }: Change): ReadonlySet<string> {
  const { declarations } = deployment;
  const all = [
    ...(replaces === undefined ? [] : [replaces]),
    ...(replaces?.supersedes ?? []),
    ...(stored?.supersedes ?? []),
  ];
  const left = new Set<string>();
  for (const { id } of desired.onDelete === "remove" ? all : []) {
    const { server, thumbprint } = parseId(id);
    const by = declarations.declaredByOthers(server, thumbprint, desired.identity);
    if (by.length === 0) continue;
    left.add(id);
    if (declarations.hasLeft(id, desired.identity)) continue;
    declarations.leaves(id, desired.identity);
    // Of the one that is replaced now its delete tells.
    if (id === replaces?.id) continue;
    deployment.say(server, desired.identity, [
      lineOf("change", { kind: "keptDeclared", thumbprint, by, decides: true }),
    ]);
  }
  return left;
}

/** What was done already since the state was written, by a run of ours that nobody has heard of since. */
function doneByAnother({ desired, stored, replaces }: Change, work: Work, before: ObservedServer): Resumed {
  if (work.certificate.kind !== "known") return { steps: [], unknown: [] };
  const remembered = (of: StoredBinding | undefined): Remembered | undefined =>
    of === undefined || of.previous.server !== desired.server
      ? undefined
      : {
          thumbprint: of.previous.thumbprint,
          heldServices: of.heldServices,
          isDefaultSmtp: of.raw["isDefaultSmtpCertificate"] === true,
        };
  return doneBefore({
    server: before,
    own: work.certificate.thumbprint,
    services: desired.services,
    requireSsl: desired.requireSsl,
    isOurs: desired.certificate.kind === "selfSigned",
    stored: remembered(stored),
    replaces: remembered(replaces),
  });
}

/** After the first side effect the state must know of the resource; before it, nothing has happened. */
async function unfinished(
  deployment: Deployment,
  what: Change & { readonly doing: string },
  { work, before, resumed, cause }: Unfinished,
): Promise<unknown> {
  const { desired, stored, doing } = what;
  deployment.snapshots.drop(desired.server);
  if (!(cause instanceof ApplyFailure)) return cause;
  const error = await lookAgain(deployment, what, cause);
  if (error.thumbprint === undefined) return error;
  if (error.server !== undefined) deployment.snapshots.keep(desired.server, error.server);
  // An old certificate that couldn't be removed is no reason to undo what has come about.
  const goesBack = desired.onFailure === "rollback" && !error.isVerified;
  const back = goesBack ? await putBack(deployment, what, before, error) : undefined;
  if (back?.isComplete === true) {
    return new ExchangeBindingError(error.code, `${withLead(error, doing)} ${back.told}`, {
      facts: error.facts,
      cause: error,
    });
  }
  const seen = back === undefined ? error.server : back.server;
  const thumbprint = stored?.previous.thumbprint ?? error.thumbprint;
  const { server } = desired;
  const { begun, leftOut } = error;
  const now = deployment.env.now();
  const progress = progressOf({ work, begun, leftOut, server: seen, thumbprint, isRolledBack: back !== undefined });
  const { uncertain, undone } = progress;
  const workDone = { ...work, steps: [...resumed, ...stepsDone(progress, doneOf(error))] };
  const tasks = seen === undefined ? tasksAfter(workDone, []) : tasksOf(workDone, seen, thumbprint);
  const left = leftToDo(stored, tasks, now);
  const outputs = outputsOf({
    notDone: notDoneOf([...uncertain, ...undone]),
    inputs: { ...what.read.normalised, services: stillToRelease(what, seen) },
    backend: (await deployment.backend()).kind,
    server: seen,
    serverName: desired.server,
    thumbprint,
    work: workDone,
    stored,
    replaces: what.replaces,
    leftToOthers: leaveToOthers(deployment, what),
    now,
    followUps: left.all,
  });
  const caused = { earlier: [], all: left.all.filter((one) => !left.earlier.includes(one)) };
  deployment.say(server, desired.identity, linesOfLeft(caused));
  const howFar = lineOf("change", progress);
  const told = new ExchangeBindingError(
    error.code,
    `${withLead(error, doing)}${back === undefined ? "" : ` ${back.told}`} ${asSentence(describeLine(howFar, { server, now }))} The state remembers how far it came; run again to continue.`,
    { facts: error.facts, cause: error },
  );
  return new HalfDone(told, { id: idOf(server, thumbprint), outputs });
}

/** What is left to do after a change: what the state has of it, and what the change caused. */
function leftToDo(stored: StoredBinding | undefined, tasks: readonly FollowUpTask[], now: Date): Left {
  const earlier = stored?.followUps ?? [];
  return { earlier, all: withFollowUps(earlier, tasks, now) };
}

/** What the next plan must not take for somebody else's doing. */
function notDoneOf(deeds: readonly Deed[]): NotDone {
  return {
    services: sortServices(deeds.flatMap((deed) => (deed.kind === "enabled" ? [deed.service] : []))),
    names: deeds.flatMap((deed) => (deed.kind === "named" ? [deed.service] : [])),
    defaultSmtp: deeds.some(({ kind }) => kind === "becameDefaultSmtp"),
  };
}

/** The message after what was being done, unless it begins with that, as one of our own time limit does. */
function withLead({ message, facts }: ExchangeBindingError, doing: string): string {
  return asSentence(facts["doing"] === doing ? message : `${doing}: ${message}`);
}

/**
 * The services for the state after a failed change: what is declared, and what was to be released and may not have
 * been. Without the latter the next run wouldn't know that it still has somebody to hand it to.
 */
function stillToRelease({ desired, stored }: Change, server: ObservedServer | undefined): readonly ExchangeService[] {
  if (stored === undefined) return desired.services;
  const { services, thumbprint } = stored.previous;
  const certificate = server === undefined ? undefined : findCertificate(server, thumbprint);
  const isReleased = (service: ExchangeService): boolean =>
    server !== undefined && (certificate === undefined || !valueOr(holds(server, certificate, service), true));
  return sortServices([...desired.services, ...services.filter((service) => !isReleased(service))]);
}
