import type { ApplyEnv } from "./apply";
import type { ConnectorCertificateName } from "./backends/backend";
import { asSentence, messageOf } from "./errors";
import type { ServerFqdn } from "./model";
import type { ObservedServer } from "./plan/observedServer";
import { differencesOf, isFinal, mayStillCome, neverSeen, planRollBack } from "./plan/rollBack";
import type { Difference, RollBackQuestion, RollBackStep } from "./plan/rollBack";

/** How a roll-back ended. */
export interface RolledBack {
  /** The server, read again. */
  readonly server: ObservedServer;
  /** None: it is as before. */
  readonly differences: readonly Difference[];
  /** What calls said that failed, each a sentence. */
  readonly problems: readonly string[];
}

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 10_000;

/**
 * Puts back what a change has done, and reads the server again. A call that fails doesn't stop the others. Throws where
 * the server can't be read at the end.
 */
export async function rollBack(question: RollBackQuestion, env: ApplyEnv): Promise<RolledBack> {
  const steps = planRollBack(question);
  const unseen = neverSeen(question);
  if (steps.length > 0) env.say({ kind: "rollsBack", steps });
  const problems: string[] = [];
  for (const step of steps) {
    try {
      // What couldn't be given back would be left with a certificate that isn't there; a call that failed may have worked.
      const isNeeded = step.kind === "removeImport" && problems.length > 0 && (await isHeld(question, env));
      if (isNeeded) continue;
      await execute(step, question.now.server, env);
    } catch (error) {
      problems.push(asSentence(messageOf(error)));
    }
  }
  let delay = FIRST_DELAY_MS;
  for (let looks = 1; ; looks += 1) {
    const server = await env.observe();
    const seen = differencesOf({ ...question, now: server });
    const differences = [...seen, ...unseen];
    const open = seen.filter((one) => !isFinal(one));
    const mayCome = problems.length === 0 && open.length > 0 && open.every(mayStillCome);
    if (!mayCome && (open.length === 0 || looks > 1)) return { server, differences, problems };
    try {
      await env.sleep(delay);
    } catch {
      return { server, differences, problems };
    }
    delay = Math.min(delay * 2, LONGEST_DELAY_MS);
  }
}

async function isHeld(question: RollBackQuestion, env: ApplyEnv): Promise<boolean> {
  const left = differencesOf({ ...question, now: await env.observe() });
  return left.some((one) => one.kind !== "importStays" && !isFinal(one));
}

/** Every call may be made again: a roll-back that is killed is no worse than the failure before it. */
async function execute(
  step: RollBackStep,
  server: ServerFqdn,
  { backend, options, onConnector }: ApplyEnv,
): Promise<void> {
  switch (step.kind) {
    case "giveBack":
    case "defaultSmtpBack":
      await backend.enableServices(
        server,
        {
          thumbprint: step.to.thumbprint,
          services: [step.kind === "giveBack" ? step.service : "SMTP"],
          replaceDefaultSmtpCertificate: step.kind === "defaultSmtpBack",
          requireSsl: false,
        },
        options,
      );
      return;
    case "nameBack":
      await backend.setCertificateName(server, step.service, step.name, options);
      return;
    case "connectorBack": {
      const { type, connector } = step;
      const name = step.name as ConnectorCertificateName | undefined;
      await onConnector({ type, connector }, () =>
        type === "send"
          ? backend.setSendConnectorCertificate(server, connector, name, options)
          : backend.setReceiveConnectorCertificate(server, connector, name, options),
      );
      return;
    }
    case "removeImport":
      await backend.removeCertificate(server, step.certificate.thumbprint, options);
  }
}
