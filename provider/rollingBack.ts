import type { ApplyEnv } from "./applyRun";
import type { ConnectorCertificateName } from "./backends/backend";
import type { Thumbprint } from "./certificate/thumbprint";
import { ExchangeBindingError, asSentence, messageOf } from "./errors";
import { growingDelays } from "./growingDelays";
import { valueOr } from "./model";
import type { ServerFqdn } from "./model";
import { notReady, sameConnector } from "./plan/connectors";
import type { ObservedServer } from "./plan/observedServer";
import { differencesOf, isFinal, mayStillCome, neverSeen, planRollBack } from "./plan/rollBack";
import type { Difference, RollBackQuestion, RollBackStep } from "./plan/rollBack";
import { judgeRemoval } from "./plan/removal";
import { describeRemovalReason } from "./plan/removalText";
import { listOfFew } from "./plan/words";
import { joined, sentence } from "./sentence";

/** How a roll-back ended. */
export interface RolledBack {
  /** The server, read again. */
  readonly server: ObservedServer;
  /** None: it is as before. */
  readonly differences: readonly Difference[];
  /** What calls said that failed, each a sentence. */
  readonly problems: readonly string[];
}

/**
 * Puts back what a change has done, and reads the server again. A call that fails doesn't stop the others. Throws where
 * the server can't be read at the end.
 */
export async function rollBack(asked: Omit<RollBackQuestion, "declaredBy">, env: ApplyEnv): Promise<RolledBack> {
  const declaredBy = (): readonly string[] => valueOr(env.declaredBy(asked.thumbprint), []);
  const question = { ...asked, declaredBy: declaredBy() };
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
  const nextDelay = growingDelays();
  let last: RolledBack | undefined;
  for (let looks = 1; ; looks += 1) {
    let server: ObservedServer;
    try {
      server = await env.observe();
    } catch (error) {
      // The time is over while the directory is waited for: what was seen last is what is known.
      if (last === undefined) throw error;
      return last;
    }
    const seen = differencesOf({ ...question, now: server, declaredBy: declaredBy() });
    last = { server, differences: [...seen, ...unseen], problems };
    const open = seen.filter((one) => !isFinal(one));
    const mayCome = problems.length === 0 && open.length > 0 && open.every(mayStillCome);
    if (!mayCome && (open.length === 0 || looks > 1)) return last;
    try {
      await env.sleep(nextDelay());
    } catch {
      return last;
    }
  }
}

async function isHeld(question: RollBackQuestion, env: ApplyEnv): Promise<boolean> {
  const left = differencesOf({ ...question, now: await env.observe() });
  return left.some((one) => one.kind !== "importStays" && !isFinal(one));
}

/** Every call may be made again: a roll-back that is killed is no worse than the failure before it. */
async function execute(step: RollBackStep, server: ServerFqdn, env: ApplyEnv): Promise<void> {
  const { backend, options } = env;
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
      await env.onConnector({ type, connector }, async () => {
        if (type === "receive") {
          await backend.setReceiveConnectorCertificate(server, connector, name, options);
          return;
        }
        if (name !== undefined) await refuseUnheld(name, connector, env);
        await backend.setSendConnectorCertificate(server, connector, name, options);
      });
      return;
    }
    case "removeImport":
      await removeImport(step.certificate.thumbprint, server, env);
  }
}

/** Its source servers may have lost meanwhile what it named before. */
async function refuseUnheld(name: ConnectorCertificateName, connector: string, env: ApplyEnv): Promise<void> {
  const server = await env.observe();
  const sourceOf = await env.sourcesOf(server, [connector]);
  const shown = valueOr(server.sendConnectors, []).find((one) => sameConnector(one.name, connector));
  const waitsFor = notReady(name, (shown?.sourceServers ?? []).map(sourceOf), env.now());
  if (waitsFor.length === 0) return;
  const names = listOfFew(waitsFor.map((one) => sentence`${one.name}`));
  throw new ExchangeBindingError(
    "Refused",
    sentence`Not every source server of send connector "${connector}" is known to hold ${name}, which it named before: ${names}.`,
  );
}

/** As every removal: others may declare or use it by now. Who declares it is told with the differences. */
async function removeImport(thumbprint: Thumbprint, name: ServerFqdn, env: ApplyEnv): Promise<void> {
  env.removing(thumbprint);
  const server = await env.observe();
  const declaredBy = env.declaredBy(thumbprint);
  const removal = judgeRemoval({ server, thumbprint, declaredBy, notBefore: undefined, now: env.now() });
  if (removal.kind === "due") {
    await env.backend.removeCertificate(name, thumbprint, env.options);
    return;
  }
  env.staying(thumbprint);
  if (removal.kind === "kept") {
    const reasons = joined(removal.reasons.map(describeRemovalReason), "; it ");
    throw new ExchangeBindingError("Refused", sentence`It can't be removed, because it ${reasons}.`);
  }
}
