import { parseThumbprint } from "../certificate/thumbprint";
import type { Thumbprint } from "../certificate/thumbprint";
import type { ReadInputs } from "../inputs";
import type { DesiredBinding, OnServerWish, PreviousBinding } from "../plan/desired";
import { lineOf } from "../plan/line";
import type { Line } from "../plan/line";
import type { ObservedServer } from "../plan/observedServer";
import { blockerOf, noticesOf } from "../plan/onServerNotices";
import { boundBy, chooseOnServer } from "../plan/onServer";
import { plan } from "../plan/plan";
import type { Blocker } from "../plan/planTypes";
import type { Deployment } from "./deployment";
import type { Bag } from "./requests";

/** What `{ onServer }` comes to. */
export interface Chosen {
  /** With the certificate that was chosen; as it was for any other source, and where nothing was chosen. */
  readonly desired: DesiredBinding;
  readonly blocker: Blocker | undefined;
  readonly lines: readonly Line[];
}

/** Refusals that are about the certificate itself: another one may not have them. */
const OF_CERTIFICATE: ReadonlySet<Blocker["kind"]> = new Set([
  "outOfDates",
  "statusNotValid",
  "noPrivateKey",
  "eccNotSupported",
  "keyAlgorithmNotSupported",
  "unusable",
  "breaksOwnChannel",
  "nameNeeded",
  "nameNotCovered",
  "reservedCertificate",
]);

/**
 * Chooses, once per deployment and binding: what the preview says is what is bound, and a certificate that comes
 * meanwhile waits for the next run. `server` undefined: it isn't asked, and what was bound on it so far stays.
 */
export function choose(
  deployment: Deployment,
  { desired, onServer: wish }: { readonly desired: DesiredBinding } & Pick<ReadInputs, "onServer">,
  server: ObservedServer | undefined,
  previous: PreviousBinding | undefined,
): Chosen {
  if (wish === undefined) return { desired, blocker: undefined, lines: [] };
  const last = previous?.server === desired.server ? previous.thumbprint : undefined;
  if (server === undefined) {
    return { desired: last === undefined ? desired : withCertificate(desired, last), blocker: undefined, lines: [] };
  }
  const context = deployment.planContext(desired.server, desired.identity);
  const choice = deployment.chooseOnce(keyOf(desired, wish), () =>
    chooseOnServer(wish, server, {
      now: context.now,
      bound: last,
      refusedFor: ({ thumbprint }) => {
        const decision = plan(withCertificate(desired, thumbprint), previous, server, context);
        return decision.kind === "blocked" ? decision.blockers.filter(({ kind }) => OF_CERTIFICATE.has(kind)) : [];
      },
    }),
  );
  const bound = boundBy(choice);
  return {
    desired: bound === undefined ? desired : withCertificate(desired, bound.thumbprint),
    blocker: bound === undefined ? blockerOf(choice, wish) : undefined,
    lines: noticesOf(choice, wish).map((notice) => lineOf("plan", notice)),
  };
}

/** What this deployment chose, for whoever carries it out; what check wrote into the inputs where it couldn't ask. */
export function chosenBefore(
  deployment: Deployment,
  desired: DesiredBinding,
  wish: OnServerWish,
  inputs: Bag,
): DesiredBinding {
  const choice = deployment.choiceOf(keyOf(desired, wish));
  const written = inputs["thumbprint"];
  const thumbprint =
    (choice && boundBy(choice)?.thumbprint) ?? (typeof written === "string" ? parseThumbprint(written) : undefined);
  return thumbprint === undefined ? desired : withCertificate(desired, thumbprint);
}

/** The binding with a certificate that is on its server. */
function withCertificate(desired: DesiredBinding, thumbprint: Thumbprint): DesiredBinding {
  return { ...desired, certificate: { kind: "thumbprint", thumbprint, isChosen: true } };
}

function keyOf({ server, identity }: DesiredBinding, wish: OnServerWish): string {
  return JSON.stringify([server, identity.urn, wish]);
}
