import type { ApplyEnv } from "../applyRun";
import { messageOf } from "../errors";
import type { DesiredBinding } from "../plan/desired";
import type { ObservedServer } from "../plan/observedServer";
import type { Deployment } from "./deployment";

/**
 * After a change of a server: sets the send connectors of other bindings of this run that have waited for it, so that
 * nothing is left to the next run. It fails nobody: what can't be set is said, and is the next run's. Returns whether
 * one was set.
 */
export async function setWaitingConnectors(
  deployment: Deployment,
  { connectors }: DesiredBinding,
  changed: ObservedServer,
  env: ApplyEnv,
): Promise<boolean> {
  let isSet = false;
  for (const { connector, facts } of deployment.sources.waitingFor(changed, connectors.send)) {
    const set = async (): Promise<void> => {
      const server = await env.observe();
      const decision = await env.decideNaming(server, connector, facts);
      if (decision.kind !== "complete") return;
      await env.backend.setSendConnectorCertificate(server.server, connector, decision.name, env.options);
      isSet = true;
      const certificate = { kind: "known", thumbprint: facts.thumbprint } as const;
      const { previous } = decision;
      env.say({ kind: "setsConnector", type: "send", connector, certificate, previous, waits: false });
    };
    try {
      await env.onConnector({ type: "send", connector }, set);
    } catch (error) {
      env.say({ kind: "connectorNotSet", connector, message: messageOf(error) });
    }
  }
  return isSet;
}
