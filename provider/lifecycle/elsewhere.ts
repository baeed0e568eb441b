import { applyRemoval } from "../apply";
import type { ApplyEnv } from "../applyRun";
import { ExchangeBindingError, isBindingError, messageOf } from "../errors";
import type { Observed, ServerFqdn } from "../model";
import type { DesiredBinding, SupersededCertificate } from "../plan/desired";
import { lineOf } from "../plan/line";
import type { Fact, Phase } from "../plan/line";
import { isOnServer } from "../plan/holdings";
import type { ObservedServer } from "../plan/observedServer";
import type { Plan } from "../plan/planTypes";
import { keptUntil, planRemovalsElsewhere, sendConnectorsSetBy } from "../plan/removalWork";
import type { RemovalStep } from "../plan/removalWork";
import { withConnectors } from "../plan/serverAfter";
import { idOf } from "../state";
import type { StoredBinding } from "../state";
import { applyEnvOf } from "./applyEnv";
import type { Deployment } from "./deployment";
import { HalfDone, limitsOf } from "./requests";
import type { Bag, Limits } from "./requests";
import { withTimeLimit } from "./timeLimit";

/*
 * A binding that moves to another server may leave certificates on the one before that it had replaced there. They are
 * removed once they are due, by the create that moves it or by a later update, as those of its own server are.
 */

/** Nobody waits longer for a server on which nothing is declared: it may not exist any more. */
const WAIT_SECONDS = 30;

interface Planned {
  readonly stored: StoredBinding;
  readonly desired: DesiredBinding;
  /** What is done on its own server, before anything is removed on others. */
  readonly plan: Plan;
}

/** What a change does on servers that the binding has left or leaves; told as part of the plan. */
export async function planElsewhere(
  deployment: Deployment,
  { stored, desired, plan }: Planned,
  limits: Limits,
): Promise<boolean> {
  const set = sendConnectorsSetBy(plan);
  let isToBeDone = false;
  for (const [server, superseded] of dueElsewhere(deployment, stored, desired)) {
    const say = (facts: readonly Fact[]): void => {
      tell(deployment, { server, desired, phase: "plan" }, facts);
    };
    try {
      const seen = await deployment.snapshots.get(server, {
        seconds: WAIT_SECONDS,
        setBy: null,
        signal: limits.signal,
      });
      // Send connectors are the organisation's: what the plan sets is true on this server too.
      const after = withConnectors(seen, set);
      const { steps, notices } = removalsOn(deployment, { seen: after, superseded, desired });
      const removed = steps.map(({ certificate }) => certificate.thumbprint);
      deployment.declarations.plansRemoval(server, removed, desired.identity);
      isToBeDone ||= steps.length > 0;
      say([...steps.map(removes), ...notices]);
    } catch (error) {
      limits.signal?.throwIfAborted();
      say([
        {
          kind: "notLookedElsewhere",
          thumbprints: superseded.map(({ thumbprint }) => thumbprint),
          reason: messageOf(error),
        },
      ]);
    }
  }
  return isToBeDone;
}

interface Changed {
  /** What the state knew before the change. */
  readonly stored: StoredBinding;
  readonly desired: DesiredBinding;
  readonly id: string;
  readonly outputs: Bag;
}

/**
 * Removes what the plan has announced on servers that the binding has left, as far as it still may go. Throws
 * {@link HalfDone}; returns the outputs after it.
 */
export async function removeElsewhere(
  deployment: Deployment,
  { stored, desired, id, outputs }: Changed,
  limits: Limits,
): Promise<Bag> {
  const { declarations, snapshots } = deployment;
  const gone = new Set<string>();
  const left = (): Bag => ({
    ...outputs,
    supersedes: ((outputs["supersedes"] ?? []) as readonly { readonly id: string }[]).filter(
      (one) => !gone.has(one.id),
    ),
  });
  for (const [server, superseded] of dueElsewhere(deployment, stored, desired)) {
    const seenBefore = snapshots.last(server);
    for (const { thumbprint } of superseded) {
      if (seenBefore !== undefined && !isOnServer(seenBefore, thumbprint)) gone.add(idOf(server, thumbprint));
    }
    const announced = superseded.filter(({ thumbprint }) =>
      declarations.isRemoving(server, thumbprint, desired.identity),
    );
    if (announced.length === 0) continue;
    const doing = `Binding "${desired.identity.label}": removing what it left on ${server}`;
    const options = { signal: limits.signal, override: limits.limit, timer: deployment.env.limitTimer };
    try {
      await deployment.onServer(server, () =>
        withTimeLimit(
          desired.timeoutSeconds,
          doing,
          async (signal, anew) => {
            const operation = { server, identity: desired.identity, limits: limitsOf(desired, limits) };
            const env = await applyEnvOf(deployment, operation, { signal, anew });
            const seen = await env.observe();
            snapshots.keep(server, seen);
            for (const { thumbprint } of announced) env.removing(thumbprint);
            const { steps, notices } = removalsOn(deployment, { seen, superseded: announced, desired });
            const due = new Set(steps.map(({ certificate }) => certificate.thumbprint));
            for (const { thumbprint } of announced) {
              if (!due.has(thumbprint)) env.staying(thumbprint);
            }
            tell(deployment, { server, desired, phase: "change" }, notices);
            for (const step of steps) {
              if (await removeOne(deployment, step, { server, env })) {
                gone.add(idOf(server, step.certificate.thumbprint));
                tell(deployment, { server, desired, phase: "change" }, [removes(step)]);
              }
            }
          },
          options,
        ),
      );
    } catch (error) {
      snapshots.drop(server);
      const code = isBindingError(error) ? error.code : "Internal";
      const told = new ExchangeBindingError(code, `${doing}: ${messageOf(error)}`, { facts: { server }, cause: error });
      throw new HalfDone(told, { id, outputs: left() });
    }
  }
  return left();
}

interface On {
  readonly server: ServerFqdn;
  readonly desired: DesiredBinding;
}

/** Whether it is gone; what Exchange refuses is told, and tried again by the next run. */
async function removeOne(
  deployment: Deployment,
  step: RemovalStep,
  { server, env }: { readonly server: ServerFqdn; readonly env: ApplyEnv },
): Promise<boolean> {
  const { certificate } = step;
  const { thumbprint } = certificate;
  try {
    const after = await applyRemoval(
      { server, certificate: { kind: "known", thumbprint }, steps: [step], goals: [{ kind: "absent", thumbprint }] },
      env,
    );
    deployment.snapshots.keep(server, after);
    return true;
  } catch (error) {
    if (!isBindingError(error, "RemovalRefused")) throw error;
    env.say({ kind: "removalNotDone", certificate, message: error.message });
    return false;
  }
}

function removes({ certificate, onlyThere }: RemovalStep): Fact {
  return { kind: "removes", certificate, onlyThere };
}

function removalsOn(
  { declarations, env }: Deployment,
  {
    seen,
    superseded,
    desired,
  }: {
    readonly seen: ObservedServer;
    readonly superseded: readonly SupersededCertificate[];
    readonly desired: DesiredBinding;
  },
): ReturnType<typeof planRemovalsElsewhere> {
  const { removeAfterDays } = desired;
  const declaredBy = (thumbprint: SupersededCertificate["thumbprint"]): Observed<readonly string[]> =>
    declarations.declaredBy(seen.server, thumbprint);
  return planRemovalsElsewhere({ removeAfterDays, now: env.now(), declaredBy }, superseded, seen);
}

/** By server, and only where the days as a way back are over: until then nobody is asked. */
function dueElsewhere(
  { env, settings }: Deployment,
  { previous }: StoredBinding,
  { onDelete, removeAfterDays, server: own }: DesiredBinding,
): ReadonlyMap<ServerFqdn, readonly SupersededCertificate[]> {
  const all = new Map<ServerFqdn, readonly SupersededCertificate[]>();
  if (onDelete !== "remove" || settings.offline) return all;
  for (const one of previous.superseded) {
    const until = keptUntil(one.since, removeAfterDays);
    if (one.server === own || (until !== undefined && Date.parse(until) > env.now().getTime())) continue;
    all.set(one.server, [...(all.get(one.server) ?? []), one]);
  }
  return all;
}

function tell(
  deployment: Deployment,
  { server, desired, phase }: On & { readonly phase: Phase },
  facts: readonly Fact[],
): void {
  const lines = facts.map((fact) => lineOf(phase, fact));
  if (phase === "plan") deployment.sayOnce(server, desired.identity, lines);
  else deployment.say(server, desired.identity, lines);
}
