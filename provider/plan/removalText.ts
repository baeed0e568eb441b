import { type ServerFqdn, SERVICES } from "../model";
import { joined, sentence } from "../sentence";
import type { Sentence } from "../sentence";
import { describeNoGap } from "./connectorGapText";
import { commandOf, quoted, tlsCertificateNameExpression } from "./powershell";
import type { NamedCertificate } from "./planTypes";
import type { RemovalReason } from "./removal";
import { listOfFew, named, short } from "./words";
import { RESERVED_NAMES } from "./reservedText";

/** Why a certificate stays, as the rest of a sentence that begins with "it"; without a full stop. */
export function describeRemovalReason(reason: RemovalReason): Sentence {
  switch (reason.kind) {
    case "defaultSmtp":
      return sentence`is the default SMTP certificate, which Exchange doesn't let go`;
    case "defaultSmtpUnknown":
      return sentence`may be the default SMTP certificate, which isn't known (${reason.reason})`;
    case "iisSite": {
      const names = reason.sites.map((site) => SITE_NAMES[site] ?? sentence`site ${String(site)}`);
      return sentence`is bound to ${names.join(" and ")} of IIS`;
    }
    case "iisUnknown":
      return sentence`may be bound to a site of IIS, which isn't known (${reason.reason})`;
    case "unifiedMessaging":
      return sentence`holds ${reason.services.join(" and ")}`;
    case "servicesUnknown":
      return sentence`may hold services that aren't known (${reason.reason})`;
    case "onlyHolder":
      return describeOnlyHolder(reason);
    case "nameUnknown":
      return sentence`may hold ${reason.service}, whose certificate name isn't known (${reason.reason})`;
    case "receiveConnectors":
      return sentence`is the only certificate known to be valid with SMTP for ${connectorsText("receive", reason.connectors)}, which without it offer${reason.connectors.length === 1 ? "s" : ""} no STARTTLS`;
    case "receiveConnectorsUnknown":
      return sentence`may be needed by receive connectors, which aren't known (${reason.reason})`;
    case "sendConnectors":
      return sentence`has the issuer and subject that ${connectorsText("send", reason.connectors)} name${reason.connectors.length === 1 ? "s" : ""}, so Exchange doesn't let it go${reason.moves === true ? sentence` until ${reason.connectors.length === 1 ? "that names" : "these name"} the new one` : ""}${reason.noGap === undefined ? "" : sentence`; ${describeNoGap(reason.noGap)}`}`;
    case "reserved":
      return sentence`is ${RESERVED_NAMES[reason.what]}`;
    case "reservedUnknown":
      return sentence`may be ${RESERVED_NAMES[reason.what]}, which isn't known (${reason.reason})`;
    case "unreadable":
      return sentence`can't be read, so what needs it isn't known`;
    case "declarationsUnknown":
      return sentence`may be declared by another provider of this run, which isn't known (${reason.reason})`;
    case "onlyThere":
      return sentence`was on the server before, so its key may be nowhere else`;
    case "keptUntil":
      return reason.last === undefined
        ? sentence`is kept as a way back until ${reason.until.slice(0, 10)}`
        : sentence`is kept as a way back, the first until ${reason.until.slice(0, 10)} and the last until ${reason.last.slice(0, 10)}`;
  }
}

function describeOnlyHolder(reason: RemovalReason & { readonly kind: "onlyHolder" }): Sentence {
  const { doubtful } = reason;
  const what =
    reason.service === "SMTP" ? sentence`with SMTP` : sentence`for ${reason.name}, the name of ${reason.service}`;
  if (doubtful.length === 0) return sentence`is the only valid certificate ${what}`;
  const they = sentence`${listOfFew(doubtful.map(short))} ${doubtful.length === 1 ? "is" : "are"}`;
  return sentence`is the only certificate ${what} that is known to be valid (whether ${they} too couldn't be read)`;
}

const SITE_NAMES: Readonly<Record<number, string>> = { 1: "the front end", 2: "the back end" };

function connectorsText(kind: "send" | "receive", names: readonly string[]): string {
  const few = listOfFew(names.map((name) => sentence`"${name}"`));
  return sentence`${kind} connector${names.length === 1 ? "" : "s"} ${few}`;
}

/** What somebody can do about it, as a sentence; undefined where waiting is all. `isOnly`: nothing else is in the way. */
function removalRemedy(reason: RemovalReason, server: ServerFqdn, isOnly: boolean): Sentence | undefined {
  switch (reason.kind) {
    case "defaultSmtp":
      return sentence`Let another certificate become the default one first: replaceDefaultSmtpCertificate on its binding.`;
    case "iisSite":
      return reason.sites.includes(2)
        ? sentence`Bind another certificate to Exchange Back End (port 444) in IIS Manager first.`
        : sentence`Give IIS to another certificate first.`;
    case "unifiedMessaging":
      return sentence`Give ${reason.services.join(" and ")} to another certificate first.`;
    case "onlyHolder":
      return reason.service === "SMTP"
        ? sentence`Enable SMTP on another certificate first.`
        : sentence`Give ${reason.service} another certificate for ${reason.name}, or another name (Set-${SERVICES[reason.service].settings} -X509CertificateName).`;
    case "receiveConnectors":
      return sentence`Enable SMTP on another certificate for that name first, or let the connector name another one (Set-ReceiveConnector -TlsCertificateName).`;
    case "sendConnectors":
      if (reason.moves === true) return undefined;
      // A command that Exchange refuses for another reason would leave a moment without the name for nothing.
      return (isOnly ? connectorCommands(reason, server) : undefined) ?? describeConnectorWay(reason, isOnly);
    case "reserved":
      return sentence`It belongs to Exchange: leave it.`;
    case "defaultSmtpUnknown":
    case "iisUnknown":
    case "servicesUnknown":
    case "nameUnknown":
    case "receiveConnectorsUnknown":
    case "reservedUnknown":
      return sentence`See why ${server} doesn't say it; unknown isn't none.`;
    case "unreadable":
      return sentence`Look at it on ${server}, and remove it there.`;
    case "declarationsUnknown":
      return sentence`Mend that and run again.`;
    case "onlyThere":
    case "keptUntil":
      return undefined;
  }
}

type SendConnectors = RemovalReason & { readonly kind: "sendConnectors" };

/** Nobody pastes more than that in one go. */
const LONGEST_COMMANDS = 3000;
const MOST_REMOVED = 3;

/** All names cleared, each certificate removed, all names set again; undefined where that is too much for a line. */
function connectorCommands(
  { connectors, issuer, subject, thumbprints }: SendConnectors,
  server: ServerFqdn,
): Sentence | undefined {
  const [thumbprint = ""] = thumbprints;
  const { before, expression } = tlsCertificateNameExpression(server, { thumbprint, issuer, subject });
  const names = connectors.flatMap((name) => quoted(name) ?? []);
  if (names.length < connectors.length || thumbprints.length > MOST_REMOVED) return undefined;
  const set = (value: string): readonly Sentence[] =>
    names.map((name) => commandOf`Set-SendConnector ${name} -TlsCertificateName ${value}`);
  const remove = thumbprints.map((one) => commandOf`Remove-ExchangeCertificate -Server ${server} -Thumbprint ${one}`);
  const commands = commandOf`${before}${joined([...set("$null"), ...remove, ...set(expression)], "; ")}`;
  return commands.length > LONGEST_COMMANDS ? undefined : commands;
}

/** The same in words. */
function describeConnectorWay({ connectors, thumbprints }: SendConnectors, isOnly: boolean): Sentence {
  const [name, certificate] = [connectors.length, thumbprints.length].map((count) => count === 1);
  const lead = isOnly ? sentence`Clear` : sentence`When nothing else needs ${certificate ? "it" : "them"}, clear`;
  return sentence`${lead} the ${name ? "name on that connector" : "names on these connectors"} (Set-SendConnector -TlsCertificateName $null), remove the ${certificate ? "certificate" : "certificates"} (Remove-ExchangeCertificate), and set the ${name ? "name" : "names"} again.`;
}

/** Told wherever a certificate is removed that nobody could bring again. */
export const NO_WAY_BACK = sentence`. Its key is nowhere else that we know: this can't be undone`;

/** Why replaced certificates stay, and what somebody can do; without a full stop. `count`: how many they are. */
export function describeKeeping(reasons: readonly RemovalReason[], server: ServerFqdn, count: number): Sentence {
  const who = count === 1 ? "it" : "each";
  const why = joined(
    reasons.map((one) => sentence`${who} ${describeRemovalReason(one)}`),
    "; ",
  );
  const remedies = joined(remediesOf(reasons, server), " ");
  return remedies === "" ? why : joined([why, remedies.replace(/\.$/, "") as Sentence], ". ");
}

/** The rest of a sentence about a certificate that can't be removed, with every reason and the ways out. */
export function describeRefusedRemoval(
  reasons: readonly RemovalReason[],
  server: ServerFqdn,
  certificate?: NamedCertificate,
): Sentence {
  const who = certificate === undefined ? "it" : named(certificate);
  const why = joined(
    reasons.map((one) => sentence`it ${describeRemovalReason(one)}`),
    "; ",
  );
  const out = sentence`Or leave it there: set onDelete: "retain"${certificate === undefined ? ", run pulumi up, then delete" : ""}.`;
  const remedies = joined([...remediesOf(reasons, server), out], " ");
  return joined([sentence`${who} can't be removed: ${why}`, remedies], ". ");
}

function remediesOf(reasons: readonly RemovalReason[], server: ServerFqdn): readonly Sentence[] {
  const all = reasons.flatMap((one) => removalRemedy(one, server, reasons.length === 1) ?? []);
  return [...new Set(all)];
}
