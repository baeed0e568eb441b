import { ApplyFailure, apply } from "../apply";
import type { Applied } from "../apply";
import type { Backend } from "../backends/backend";
import { packPfx } from "../certificate/packPfx";
import { ExchangeBindingError, asSentence } from "../errors";
import { readInputs } from "../inputs";
import type { ReadInputs } from "../inputs";
import { sortServices, valueOr } from "../model";
import type { ExchangeService } from "../model";
import type { DesiredBinding } from "../plan/desired";
import { findCertificate, holds } from "../plan/holdings";
import type { ObservedServer } from "../plan/observedServer";
import { plan, planCreate } from "../plan/plan";
import { describeBlocker } from "../plan/planText";
import type { Plan, Work } from "../plan/planTypes";
import { surprises } from "../plan/surprises";
import { idOf, outputsOf, readState } from "../state";
import type { StoredBinding } from "../state";
import type { Deployment } from "./deployment";
import { EngineError } from "./engineError";
import { untilFired, withTimeLimit } from "./timeLimit";

type Bag = Readonly<Record<string, unknown>>;

export interface CreateResult {
  readonly id: string;
  readonly outs: Bag;
}

/** Makes a binding: the plan's work, then what the server shows afterwards. */
export async function create(deployment: Deployment, inputs: Bag): Promise<CreateResult> {
  const { read, desired } = fullyKnown(deployment, inputs);
  const replaces = deployment.replacementOf(desired.identity);
  const done = await change(deployment, { inputs, read, desired, stored: undefined, replaces });
  deployment.endReplacement(desired.identity);
  return { id: idOf(desired.server, done.thumbprint), outs: done.outs };
}

/** Changes a binding in place: adds what is missing, hands over what is released, and never more. */
export async function update(
  deployment: Deployment,
  id: string,
  olds: Bag,
  news: Bag,
): Promise<{ readonly outs: Bag }> {
  const stored = readState(id, olds);
  await deployment.refuseOtherBackend(stored);
  const { read, desired } = fullyKnown(deployment, news);
  const { outs } = await change(deployment, { inputs: news, read, desired, stored, replaces: undefined });
  return { outs };
}

interface Change {
  readonly inputs: Bag;
  readonly read: ReadInputs;
  readonly desired: DesiredBinding;
  readonly stored: StoredBinding | undefined;
  readonly replaces: StoredBinding | undefined;
}

function fullyKnown(
  deployment: Deployment,
  inputs: Bag,
): { readonly read: ReadInputs; readonly desired: DesiredBinding } {
  const read = readInputs(inputs, deployment.env);
  const { desired } = read;
  if (desired === undefined || desired.successor === "unknown" || read.failures.length > 0) {
    const reasons = read.failures.map(({ property, reason }) => `${property}: ${reason}`);
    throw new ExchangeBindingError(
      "Refused",
      `Changing binding "${read.identity.label}": ${reasons.length > 0 ? reasons.join(" ") : "a value is still unknown."}`,
    );
  }
  return { read, desired };
}

async function change(
  deployment: Deployment,
  what: Change,
): Promise<{ readonly thumbprint: Applied["thumbprint"]; readonly outs: Bag }> {
  const { desired } = what;
  const { server: name, identity } = desired;
  const doing = `Binding "${identity.label}" on ${name}`;
  deployment.refuseOffline(doing);
  return deployment.onServer(name, () =>
    withTimeLimit(desired.timeoutSeconds, doing, async (signal) => {
      const decided = await decideAgain(deployment, what, doing, signal);
      if (decided.work === undefined) {
        return finished(deployment, what, undefined, decided.server, what.stored?.previous.thumbprint);
      }
      try {
        const applied = await apply(desired, decided.work, what.read.source?.material, {
          backend: heeding(await deployment.backend(), signal),
          observe: () => untilFired(signal, () => deployment.observe(name, signal)),
          options: { signal },
          now: deployment.env.now,
          sleep: (milliseconds) => deployment.env.sleep(milliseconds, signal),
          randomBytes: deployment.env.randomBytes,
          makeCertificate: deployment.env.makeCertificate,
          packPfx,
          say: (line) => {
            deployment.say(name, identity, [line]);
          },
        });
        return await finished(deployment, what, decided.work, applied.server, applied.thumbprint);
      } catch (error) {
        throw await unfinished(deployment, what, decided.work, doing, error);
      }
    }),
  );
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
  const context = deployment.planContext(desired.server, desired.identity);
  const decide = what.stored === undefined ? planCreate : plan;
  const assumed = deployment.snapshots.last(desired.server);
  const server = await untilFired(signal, () => deployment.observe(desired.server, signal));
  deployment.snapshots.keep(desired.server, server);
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
    const news = surprises({ plan: shown, server: assumed }, { plan: actual, server });
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
  work: Work | undefined,
  server: ObservedServer,
  thumbprint: Applied["thumbprint"] | undefined,
): Promise<{ readonly thumbprint: Applied["thumbprint"]; readonly outs: Bag }> {
  if (thumbprint === undefined)
    throw new ExchangeBindingError("Internal", "A binding without a certificate was finished.");
  deployment.snapshots.keep(what.desired.server, server);
  const outs = outputsOf({
    inputs: what.read.normalised,
    backend: (await deployment.backend()).kind,
    server,
    serverName: what.desired.server,
    thumbprint,
    work,
    stored: what.stored,
    replaces: what.replaces,
  });
  const followUps = (work === undefined ? [] : (outs["followUps"] as readonly string[])).map(
    (todo) => `still to do: ${todo}`,
  );
  deployment.say(what.desired.server, what.desired.identity, followUps);
  return { thumbprint, outs };
}

/** After the first side effect the state must know of the resource; before it, nothing has happened. */
async function unfinished(
  deployment: Deployment,
  what: Change,
  work: Work,
  doing: string,
  error: unknown,
): Promise<unknown> {
  const { desired, stored } = what;
  deployment.snapshots.drop(desired.server);
  if (!(error instanceof ApplyFailure) || error.thumbprint === undefined) return error;
  if (error.server !== undefined) deployment.snapshots.keep(desired.server, error.server);
  const thumbprint = stored?.previous.thumbprint ?? error.thumbprint;
  const properties = {
    ...outputsOf({
      inputs: { ...what.read.normalised, services: stillToRelease(what, error) },
      backend: (await deployment.backend()).kind,
      server: error.server,
      serverName: desired.server,
      thumbprint,
      work: { ...work, steps: error.begun },
      stored,
      replaces: what.replaces,
    }),
    // The engine's server adds this on success only; without it the resource could never be read or deleted again.
    __provider: what.inputs["__provider"],
  };
  const told = new ExchangeBindingError(
    error.code,
    `${doing}: ${sentenceOf(error, doing)} The state remembers how far it came; run again to continue.`,
    { facts: error.facts, cause: error },
  );
  return new EngineError(told, { id: idOf(desired.server, thumbprint), properties });
}

/** The message to go on from: a time limit names what was done already, and not every error ends with a full stop. */
function sentenceOf({ message }: Error, doing: string): string {
  const bare = message.startsWith(`${doing}: `) ? message.slice(doing.length + 2) : message;
  return asSentence(bare);
}

/**
 * The services for the state after a failed change: what is declared, and what was to be released and may not have
 * been. Without the latter the next run wouldn't know that it still has somebody to hand it to.
 */
function stillToRelease({ desired, stored }: Change, { server }: ApplyFailure): readonly ExchangeService[] {
  if (stored === undefined) return desired.services;
  const { services, thumbprint } = stored.previous;
  const certificate = server === undefined ? undefined : findCertificate(server, thumbprint);
  const isReleased = (service: ExchangeService): boolean =>
    server !== undefined && (certificate === undefined || !valueOr(holds(server, certificate, service), true));
  return sortServices([...desired.services, ...services.filter((service) => !isReleased(service))]);
}

/** The backend with calls that end when the signal fires, whether it pays heed or not. */
function heeding(backend: Backend, signal: AbortSignal): Backend {
  return {
    kind: backend.kind,
    readSnapshot: (...args) => untilFired(signal, () => backend.readSnapshot(...args)),
    importCertificate: (...args) => untilFired(signal, () => backend.importCertificate(...args)),
    enableServices: (...args) => untilFired(signal, () => backend.enableServices(...args)),
    setCertificateName: (...args) => untilFired(signal, () => backend.setCertificateName(...args)),
    setSendConnectorCertificate: (...args) => untilFired(signal, () => backend.setSendConnectorCertificate(...args)),
    setReceiveConnectorCertificate: (...args) =>
      untilFired(signal, () => backend.setReceiveConnectorCertificate(...args)),
    removeCertificate: (...args) => untilFired(signal, () => backend.removeCertificate(...args)),
    close: () => backend.close(),
  };
}
