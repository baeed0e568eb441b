import type { Run } from "./applyRun";
import { tlsCertificateNameOf } from "./backends/connectorName";
import type { Thumbprint } from "./certificate/thumbprint";
import { ExchangeBindingError } from "./errors";
import { valueOr } from "./model";
import { findCertificate, holds } from "./plan/holdings";
import type { ConnectorStep } from "./plan/planTypes";

/* The effects on connectors of a change: what they name. */

/**
 * Lets a connector name the certificate, which the server has to show with SMTP by then: a receive connector that names
 * what transport can't use offers none.
 */
export async function nameCertificate(step: ConnectorStep, thumbprint: Thumbprint, run: Run): Promise<void> {
  const { server: name, progress, env } = run;
  await env.onConnector(step, async () => {
    const server = await env.observe();
    const shown = findCertificate(server, thumbprint);
    // A send connector waits for whichever source server has no SMTP with it, this one too.
    const mayBeNamed = shown !== undefined && (step.type === "send" || valueOr(holds(server, shown, "SMTP"), true));
    if (!mayBeNamed) {
      const what = shown === undefined ? "the certificate" : "SMTP with the certificate";
      throw new ExchangeBindingError(
        "ChangeDidNotComeAbout",
        `${name} doesn't show ${what} that connector "${step.connector}" is to name.`,
        { facts: { server: name, connector: step.connector } },
      );
    }
    const { facts } = shown;
    const value = tlsCertificateNameOf(facts);
    if (step.type === "receive") {
      progress.touched = true;
      await env.backend.setReceiveConnectorCertificate(name, step.connector, value, env.options);
      return;
    }
    // Others may have come further meanwhile, or less far than the plan took for granted.
    const { connector } = step;
    const decision = await env.decideNaming(server, connector, facts);
    if (decision.kind === "waiting") {
      progress.leftOut.push(step);
      env.say({ kind: "connectorWaits", connector, for: decision.for });
    } else if (decision.kind === "unknown" || decision.kind === "missing") {
      throw new ExchangeBindingError(
        "ServerChanged",
        `Send connector "${connector}" couldn't be read again right before it was to name the certificate. It is left as it is; run again.`,
        { facts: { server: name, connector } },
      );
    } else if (decision.kind !== "set") {
      progress.touched = true;
      await env.backend.setSendConnectorCertificate(name, connector, value, env.options);
      const { certificate, type } = step;
      const { previous } = decision;
      if (step.waits === true) env.say({ kind: "setsConnector", type, connector, certificate, previous, waits: false });
    }
  });
}
