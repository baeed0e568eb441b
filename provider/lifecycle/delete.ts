import { applyRemoval, applyWithConnectors } from "../apply";
import { ExchangeBindingError } from "../errors";
import { valueOr } from "../model";
import { namesToPutBack, throughGap } from "../plan/connectorGap";
import { findCertificate, heldServices, isOnServer } from "../plan/holdings";
import { lineOf } from "../plan/line";
import type { Fact } from "../plan/line";
import { linesOfChange, linesOfForgetting } from "../plan/lines";
import type { Step, Work } from "../plan/planTypes";
import { judgeRemoval } from "../plan/removal";
import type { Removal } from "../plan/removal";
import { describeRefusedRemoval } from "../plan/removalText";
import { keptNotices, keptUntil } from "../plan/removalWork";
import { withConnectors } from "../plan/serverAfter";
import { named } from "../plan/target";
import { readState } from "../state";
import type { StoredBinding } from "../state";
import { applyEnvOf } from "./applyEnv";
import type { Deployment } from "./deployment";
import { limitsOf } from "./requests";
import type { Limits, StateRequest } from "./requests";
import { untilFired, withTimeLimit } from "./timeLimit";
import type { Anew, TimeLimitOptions } from "./timeLimit";

/**
 * Deletes a binding: forgets it, or removes its certificate where that is asked for and nothing speaks against it. What
 * this deployment's program says counts more than what the state says.
 */
export async function remove(deployment: Deployment, request: StateRequest): Promise<void> {
  const stored = readState(request.id, request.state);
  const { server, thumbprint } = stored.previous;
  deployment.refuseOffline(`Deleting binding "${stored.identity.label}"`);
  await deployment.refuseOtherBackend(stored);
  const identity = deployment.identityNow(stored);
  if ((deployment.wishOf(identity)?.onDelete ?? stored.onDelete) === "retain") {
    forget(deployment, stored);
    return;
  }
  const { declarations } = deployment;
  const by = valueOr(declarations.declaredBy(server, thumbprint), []);
  if (by.length > 0) {
    const decides = declarations.hasLeft(stored.id, identity);
    tell(deployment, stored, { kind: "keptDeclared", thumbprint, by, decides });
    return;
  }
  // It is to be replaced, and the engine deletes it before the new one is there. A plan that didn't know (plugins aren't
  // told of the option, nobody is told that a dependency is deleted first) has left the certificate to this delete. The
  // next plan has it among what is superseded, and is told in its preview by whom else it is declared.
  if (deployment.replacementOf(identity)?.id === stored.id) {
    tell(deployment, stored, { kind: "keptUntilReplaced", thumbprint });
    return;
  }
  const doing = `Deleting binding "${stored.identity.label}" on ${server}`;
  const deletion: Deletion = { stored, doing, limits: limitsOf(stored, request) };
  await deployment.onServer(server, () =>
    withTimeLimit(stored.timeoutSeconds, doing, (signal, anew) => removeNow(deployment, deletion, { signal, anew }), {
      signal: request.signal,
      override: request.limit,
      timer: deployment.env.limitTimer,
    } satisfies TimeLimitOptions),
  );
}

interface Deletion {
  readonly stored: StoredBinding;
  readonly doing: string;
  readonly limits: Limits;
}

interface Limit {
  readonly signal: AbortSignal;
  readonly anew: Anew;
}

/** Looks at the server, and removes the certificate or tells why not. */
async function removeNow(deployment: Deployment, deletion: Deletion, limit: Limit): Promise<void> {
  const { stored, doing, limits } = deletion;
  const { signal } = limit;
  const { server: name, thumbprint, onlyThere, connectors: own } = stored.previous;
  const identity = deployment.identityNow(stored);
  const wish = deployment.wishOf(identity);
  const now = deployment.env.now();
  const seen = await untilFired(signal, () => deployment.observe(name, signal));
  deployment.snapshots.keep(name, seen);
  const { connectors, allowConnectorGap } = wish ?? { connectors: own, allowConnectorGap: false };
  const sourceOf = await deployment.sources.read(seen, connectors.send, { ...limits, signal }, true);
  // A binding that is there still sets them first itself.
  const mayBeLeftEmpty = wish === undefined && stored.raw["allowConnectorGap"] === true;
  const back = mayBeLeftEmpty ? namesToPutBack(stored.previous, seen, { sourceOf, now }) : [];
  if (back.length > 0) await carryOut(deployment, deletion, back, limit);
  const server = withConnectors(seen, back);
  const { declarations } = deployment;
  declarations.callsRemoval(name, thumbprint, identity);
  let isRemoved = false;
  try {
    const judged = judgeRemoval({
      server,
      thumbprint,
      declaredBy: declarations.declaredBy(name, thumbprint),
      // Without a successor there is nothing that one could go back from.
      notBefore: wish === undefined ? undefined : keptUntil(now.toISOString(), wish.removeAfterDays),
      now,
    });
    const held = deployment.heldBy(identity);
    const gap = { allowed: allowConnectorGap, connectors, held, sourceOf };
    const removal = throughGap(judged, gap, { server, now });
    if (removal.kind === "gone") {
      tell(deployment, stored, { kind: "wasGoneBefore", thumbprint });
    } else if (removal.kind === "declared") {
      tell(deployment, stored, { kind: "keptDeclared", thumbprint, by: removal.by });
    } else if (wish === undefined && (onlyThere || removal.kind === "kept")) {
      const reasons = removal.kind === "kept" ? removal.reasons : [];
      const all = onlyThere ? [...reasons, { kind: "onlyThere" } as const] : reasons;
      throw refused(doing, stored, describeRefusedRemoval(all, name), back);
    } else if (removal.kind === "kept") {
      // The new resource remembers it, and a later run removes it.
      for (const notice of keptNotices([removal])) tell(deployment, stored, notice);
    } else {
      isRemoved = await carryOut(deployment, deletion, [removalStep(removal, onlyThere)], limit);
      const by = isRemoved ? [] : valueOr(declarations.declaredBy(name, thumbprint), []);
      if (by.length > 0) tell(deployment, stored, { kind: "keptDeclared", thumbprint, by });
    }
  } finally {
    if (!isRemoved) declarations.withdrawsRemoval(name, thumbprint, identity);
  }
}

function removalStep({ certificate, gap }: Removal & { readonly kind: "due" }, onlyThere: boolean): Step {
  const step = { kind: "removeCertificate", certificate: named(certificate.facts), onlyThere } as const;
  return gap === undefined ? step : { ...step, gap };
}

/** Whether all was done. */
async function carryOut(
  deployment: Deployment,
  { stored, limits }: Deletion,
  steps: readonly Step[],
  limit: Limit,
): Promise<boolean> {
  const identity = deployment.identityNow(stored);
  const { server, thumbprint } = stored.previous;
  const removes = steps.some(({ kind }) => kind === "removeCertificate");
  const work: Work = {
    server,
    certificate: { kind: "known", thumbprint },
    steps,
    goals: removes ? [{ kind: "absent", thumbprint }] : [],
  };
  const isPlain = steps.every((step) => step.kind === "removeCertificate" && step.gap === undefined);
  try {
    const env = await applyEnvOf(deployment, { server, identity, limits }, limit);
    const { server: after, done } = isPlain
      ? { server: await applyRemoval(work, env), done: steps }
      : await applyWithConnectors(work, env);
    deployment.snapshots.keep(server, after);
    deployment.say(server, identity, linesOfChange({ ...work, steps: done }));
    return done.length === steps.length;
  } catch (error) {
    deployment.snapshots.drop(server);
    throw error;
  }
}

function refused(
  doing: string,
  { previous: { server, thumbprint } }: StoredBinding,
  why: string,
  back: ReturnType<typeof namesToPutBack>,
): Error {
  // What was set has been told.
  const ending = back.length === 0 ? " Nothing was changed." : "";
  return new ExchangeBindingError("Refused", `${doing}: certificate ${thumbprint}: ${why}${ending}`, {
    facts: { server, thumbprint },
  });
}

function tell(deployment: Deployment, stored: StoredBinding, fact: Fact): void {
  deployment.say(stored.previous.server, deployment.identityNow(stored), [lineOf("change", fact)]);
}

/**
 * Exchange can't take services away from a certificate, so the certificate stays as it is, and one line says what it
 * still holds. No call is made.
 */
function forget(deployment: Deployment, stored: StoredBinding): void {
  const { server, thumbprint } = stored.previous;
  const last = deployment.snapshots.last(server);
  const certificate = last === undefined ? undefined : findCertificate(last, thumbprint);
  const held =
    last === undefined || certificate === undefined
      ? stored.heldServices
      : valueOr(heldServices(last, certificate), undefined);
  const isThere = last === undefined || isOnServer(last, thumbprint);
  deployment.say(server, deployment.identityNow(stored), linesOfForgetting(thumbprint, held, isThere));
}
