import { sentence } from "../sentence";
import type { Sentence } from "../sentence";
import type { FollowUp, FollowUpTask } from "./followUps";
import { day, list, named } from "./words";
import { commandOf, quoted, tlsCertificateNameExpression } from "./powershell";
import type { WayBack } from "./wayBack";
import type { TextContext } from "./words";
import { SERVICES } from "../model";

/** What is to be done, as a sentence; a command in it is exact and can be pasted. */
export function describeTask(task: FollowUpTask, context: TextContext): Sentence {
  const { server } = context;
  switch (task.kind) {
    case "restartIis":
      return sentence`IIS: where a layer-4 load balancer is in front, restart IIS (iisreset) in a quiet hour, so that sign-in cookies use the new certificate.`;
    case "restartServices":
      return sentence`${task.service}: restart the service${task.windowsServices.length === 1 ? "" : "s"} ${list(task.windowsServices)}.`;
    case "hybrid":
      return sentence`SMTP: where hybrid mail flow names a certificate, run the Hybrid Configuration Wizard again or set TlsCertificateName of its connectors.`;
    case "hybridWizard":
      return sentence`connectors: a later run of the Hybrid Configuration Wizard sets its own connectors again; choose this certificate in it, and run pulumi up after it.`;
    case "edgeSubscription":
      return sentence`EdgeSync: the default SMTP certificate has changed; create the Edge subscription of ${list(task.edgeServers)} anew.`;
    case "connector": {
      const { connector, value } = task;
      const cmdlet = connector.type === "send" ? "Set-SendConnector" : "Set-ReceiveConnector";
      const { before, expression } = tlsCertificateNameExpression(server, value);
      const told = sentence`${connector.type} connector ${connector.identity} still names the old certificate, which works until ${day(task.until, context.now)}`;
      const identity = quoted(connector.identity);
      if (identity === undefined) return told;
      return sentence`${told}: ${commandOf`${before}${cmdlet} ${identity} -TlsCertificateName ${expression}`}`;
    }
  }
}

/** The call that gives a service back to the certificate that had it. */
export function describeWayBack({ service, to, how }: WayBack, { server }: TextContext): Sentence {
  const lead = sentence`to give ${service} back to ${named(to)}`;
  if (how.kind === "setName") {
    const name = quoted(how.name);
    return name === undefined
      ? sentence`${lead}: set its former certificate name again`
      : sentence`${lead}: ${commandOf`Set-${SERVICES[how.service].settings} -Server ${server} -X509CertificateName ${name}`}`;
  }
  const ssl = service === "IIS" && !how.requireSsl ? " -DoNotRequireSsl" : "";
  const force = how.replacesDefaultSmtp ? " -Force" : "";
  const what = how.replacesDefaultSmtp ? sentence`to make ${named(to)} the default SMTP certificate again` : lead;
  return sentence`${what}: ${commandOf`Enable-ExchangeCertificate -Server ${server} -Thumbprint ${to.thumbprint} -Services ${service}${ssl}${force}`}`;
}

/** A task that was left. Nobody can see whether it was done, so an older one says since when it stands there. */
export function describeFollowUp(followUp: FollowUp, isNew: boolean, context: TextContext): Sentence {
  const task = describeTask(followUp, context);
  return isNew ? task : sentence`since ${day(followUp.since)}, if not done yet: ${task}`;
}
