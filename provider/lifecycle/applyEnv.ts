import type { ApplyEnv, WithinLimit } from "../applyRun";
import { packPfx } from "../certificate/packPfx";
import type { ServerFqdn } from "../model";
import type { BindingIdentity } from "../plan/desired";
import { lineOf } from "../plan/line";
import type { Deployment } from "./deployment";
import { heeding } from "./heeding";
import type { Limits } from "./requests";
import { untilFired } from "./timeLimit";
import type { Anew } from "./timeLimit";

/** Whose operation it is. */
export interface Operation {
  readonly server: ServerFqdn;
  readonly identity: BindingIdentity;
  readonly limits: Limits;
}

/** What applying needs, of one operation of a deployment. */
export async function applyEnvOf(
  deployment: Deployment,
  { server: name, identity, limits }: Operation,
  { signal, anew }: { readonly signal: AbortSignal; readonly anew: Anew },
): Promise<ApplyEnv> {
  const backend = await deployment.backend();
  const { env, declarations } = deployment;
  const until = (end: AbortSignal): WithinLimit => ({
    backend: heeding(backend, end),
    observe: () => untilFired(end, () => deployment.observe(name, end)),
    options: { signal: end },
    sleep: (milliseconds) => env.sleep(milliseconds, end),
    sourcesOf: (server, connectors) => deployment.sources.read(server, connectors, { ...limits, signal: end }, true),
    decideNaming: (server, connector, facts) =>
      deployment.sources.decide(server, connector, facts, { ...limits, signal: end }),
  });
  return {
    ...until(signal),
    anew: (doing, how) => until(anew(doing, how)),
    now: env.now,
    randomBytes: env.randomBytes,
    makeCertificate: env.makeCertificate,
    packPfx,
    onConnector: ({ type, connector }, job) =>
      type === "send" ? untilFired(signal, () => deployment.onConnector(connector, job)) : job(),
    inGap: async (connectors, job) => {
      let begin = (): void => undefined;
      const turn = new Promise<void>((resolve) => (begin = resolve));
      const whole = deployment.inGap(connectors, () => {
        // Whoever waited for this until the end begins nothing any more.
        signal.throwIfAborted();
        begin();
        return job();
      });
      await untilFired(signal, () => Promise.race([turn, whole]));
      // A job that has begun is never left: the names that it clears it sets again.
      return whole;
    },
    whileCleared: (job) => deployment.whileCleared(job),
    say: (fact) => {
      deployment.say(name, identity, [lineOf("change", fact)]);
    },
    declaredBy: (thumbprint) => declarations.declaredBy(name, thumbprint),
    removing: (thumbprint) => {
      declarations.callsRemoval(name, thumbprint, identity);
    },
    staying: (thumbprint) => {
      declarations.withdrawsRemoval(name, thumbprint, identity);
    },
  };
}
