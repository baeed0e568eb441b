import { doneOf } from "../apply";
import type { ApplyFailure } from "../apply";
import type { ApplyEnv } from "../applyRun";
import { messageOf } from "../errors";
import type { DesiredBinding } from "../plan/desired";
import type { ObservedServer } from "../plan/observedServer";
import { describeDifferences, describePutBack } from "../plan/rollBackText";
import { rollBack } from "../rollingBack";
import { sentence } from "../sentence";
import type { Sentence } from "../sentence";
import { applyEnvOf } from "./applyEnv";
import type { Deployment } from "./deployment";
import { limitsOf } from "./requests";
import type { Limits } from "./requests";
import { withTimeLimit } from "./timeLimit";

/** What a roll-back has come to. */
export interface PutBack {
  /** Nothing of the change is left. */
  readonly isComplete: boolean;
  /** The server, read again; undefined where it couldn't be. */
  readonly server: ObservedServer | undefined;
  /** How it ended, for the error. */
  readonly told: Sentence;
}

/** Rolls a failed change back, with a time limit of its own. Never throws: why the change failed is what matters. */
export async function putBack(
  deployment: Deployment,
  { desired, limits }: { readonly desired: DesiredBinding; readonly limits: Limits },
  before: ObservedServer,
  failure: ApplyFailure,
): Promise<PutBack> {
  const { server, identity, timeoutSeconds } = desired;
  const { thumbprint, server: now } = failure;
  if (thumbprint === undefined || now === undefined) {
    return {
      isComplete: false,
      server: now,
      told: sentence`It isn't rolled back, because ${server} couldn't be read after the failure.`,
    };
  }
  if (limits.signal?.aborted === true) {
    return { isComplete: false, server: now, told: sentence`It isn't rolled back, because Pulumi was told to stop.` };
  }
  const begun = doneOf(failure);
  const { declarations } = deployment;
  try {
    const back = await withTimeLimit(
      timeoutSeconds,
      `Rolling back binding "${identity.label}" on ${server}`,
      async (signal, anew) => {
        const operation = { server, identity, limits: limitsOf(desired, limits) };
        const env = await applyEnvOf(deployment, operation, { signal, anew });
        // The binding itself declares it as well.
        const declaredBy: ApplyEnv["declaredBy"] = (one) => declarations.declaredBy(server, one, identity);
        return rollBack({ begun, before, now, thumbprint }, { ...env, declaredBy });
      },
      { signal: limits.signal, override: limits.limit, timer: deployment.env.limitTimer },
    );
    deployment.snapshots.keep(server, back.server);
    const { differences, problems } = back;
    return differences.length === 0
      ? {
          isComplete: true,
          server: back.server,
          told: sentence`It was rolled back: ${server}, read again, is as it was before${describePutBack(begun)}, and so is the state.`,
        }
      : {
          isComplete: false,
          server: back.server,
          told: sentence`It was rolled back, but ${server} isn't as it was before: ${describeDifferences(differences)}.${problems.length === 0 ? "" : sentence` ${problems.join(" ")}`}`,
        };
  } catch (error) {
    deployment.snapshots.drop(server);
    return {
      isComplete: false,
      server: undefined,
      told: sentence`Rolling it back has failed as well, and how far it came isn't known: ${messageOf(error)}`,
    };
  }
}
