import { applyRemoval } from "../apply";
import { ExchangeBindingError } from "../errors";
import { valueOr } from "../model";
import { findCertificate, heldServices } from "../plan/holdings";
import { lineOf } from "../plan/line";
import type { Fact } from "../plan/line";
import { linesOfChange, linesOfForgetting } from "../plan/lines";
import type { ObservedCertificate } from "../plan/observedServer";
import type { Work } from "../plan/planTypes";
import { judgeRemoval } from "../plan/removal";
import { describeRefusedRemoval } from "../plan/removalText";
import { keptNotices, keptUntil } from "../plan/removalWork";
import { named } from "../plan/target";
import { readState } from "../state";
import type { StoredBinding } from "../state";
import { heeding } from "./heeding";
import type { Deployment } from "./deployment";
import type { StateRequest } from "./requests";
import { untilFired, withTimeLimit } from "./timeLimit";
import type { TimeLimitOptions } from "./timeLimit";

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
  const by = declarations.declaredBy(server, thumbprint);
  if (by.length > 0) {
    const decides = declarations.hasLeft(stored.id, identity);
    tell(deployment, stored, { kind: "keptDeclared", thumbprint, by, decides });
    return;
  }
  // It is to be replaced, and the engine deletes it before the new one is there.
  if (deployment.replacementOf(identity)?.id === stored.id) {
    tell(deployment, stored, { kind: "keptUntilReplaced", thumbprint });
    return;
  }
  const doing = `Deleting binding "${stored.identity.label}" on ${server}`;
  await deployment.onServer(server, () =>
    withTimeLimit(stored.timeoutSeconds, doing, (signal) => removeNow(deployment, stored, doing, signal), {
      signal: request.signal,
      override: request.limit,
      timer: deployment.env.limitTimer,
    } satisfies TimeLimitOptions),
  );
}

/** Looks at the server, and removes the certificate or tells why not. */
async function removeNow(
  deployment: Deployment,
  stored: StoredBinding,
  doing: string,
  signal: AbortSignal,
): Promise<void> {
  const { server: name, thumbprint, onlyThere } = stored.previous;
  const wish = deployment.wishOf(deployment.identityNow(stored));
  const now = deployment.env.now();
  const server = await untilFired(signal, () => deployment.observe(name, signal));
  deployment.snapshots.keep(name, server);
  const removal = judgeRemoval({
    server,
    thumbprint,
    declaredBy: deployment.declarations.declaredBy(name, thumbprint),
    // Without a successor there is nothing that one could go back from.
    notBefore: wish === undefined ? undefined : keptUntil(now.toISOString(), wish.removeAfterDays),
    now,
  });
  switch (removal.kind) {
    case "gone":
      tell(deployment, stored, { kind: "wasGoneBefore", thumbprint });
      return;
    case "declared":
      tell(deployment, stored, { kind: "keptDeclared", thumbprint, by: removal.by });
      return;
    case "kept":
      // The new resource remembers it, and a later run removes it.
      if (wish !== undefined) {
        for (const notice of keptNotices([removal])) tell(deployment, stored, notice);
        return;
      }
      throw refused(doing, stored, describeRefusedRemoval(removal.reasons, name));
    case "due":
      if (onlyThere && wish === undefined) {
        throw refused(doing, stored, describeRefusedRemoval([{ kind: "onlyThere" }], name));
      }
      await carryOut(deployment, stored, removal.certificate, signal);
  }
}

async function carryOut(
  deployment: Deployment,
  stored: StoredBinding,
  { facts }: ObservedCertificate,
  signal: AbortSignal,
): Promise<void> {
  const { server, thumbprint, onlyThere } = stored.previous;
  const work: Work = {
    server,
    certificate: { kind: "known", thumbprint },
    steps: [{ kind: "removeCertificate", certificate: named(facts), onlyThere }],
    goals: [{ kind: "absent", thumbprint }],
  };
  try {
    const after = await applyRemoval(work, {
      backend: heeding(await deployment.backend(), signal),
      observe: () => untilFired(signal, () => deployment.observe(server, signal)),
      options: { signal },
      sleep: (milliseconds) => deployment.env.sleep(milliseconds, signal),
      say: (fact) => {
        tell(deployment, stored, fact);
      },
    });
    deployment.snapshots.keep(server, after);
  } catch (error) {
    deployment.snapshots.drop(server);
    throw error;
  }
  deployment.say(server, stored.identity, linesOfChange(work));
}

function refused(doing: string, { previous: { server, thumbprint } }: StoredBinding, why: string): Error {
  return new ExchangeBindingError("Refused", `${doing}: certificate ${thumbprint}: ${why} Nothing was changed.`, {
    facts: { server, thumbprint },
  });
}

function tell(deployment: Deployment, stored: StoredBinding, fact: Fact): void {
  deployment.say(stored.previous.server, stored.identity, [lineOf("change", fact)]);
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
  const isUnreadable = last?.unreadable.some((one) => one.thumbprint === thumbprint) === true;
  const isThere = last === undefined || certificate !== undefined || isUnreadable;
  deployment.say(server, stored.identity, linesOfForgetting(thumbprint, held, isThere));
}
