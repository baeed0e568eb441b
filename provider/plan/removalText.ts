import type { Thumbprint } from "../certificate/thumbprint";
import type { ServerFqdn } from "../model";
import type { RemovalReason } from "./removal";

/** What a reason is told about. */
export interface RemovalText {
  readonly server: ServerFqdn;
  readonly thumbprint: Thumbprint;
}

/** Why a certificate stays, as the rest of a sentence that begins with "it"; without a full stop. */
export function describeRemovalReason(reason: RemovalReason): string {
  switch (reason.kind) {
    case "defaultSmtp":
      return "is the default SMTP certificate, which Exchange doesn't let go";
    case "defaultSmtpUnknown":
      return `may be the default SMTP certificate, which isn't known (${reason.reason})`;
    case "iisSite": {
      const names = reason.sites.map((site) => SITE_NAMES[site] ?? `site ${String(site)}`);
      return `is bound to ${names.join(" and ")} of IIS`;
    }
    case "iisUnknown":
      return `may be bound to a site of IIS, which isn't known (${reason.reason})`;
    case "unifiedMessaging":
      return `holds ${reason.services.join(" and ")}`;
    case "servicesUnknown":
      return `may hold services that aren't known (${reason.reason})`;
    case "onlyHolder":
      return reason.service === "SMTP"
        ? "is the only valid certificate with SMTP"
        : `is the only valid certificate for ${reason.name}, the name of ${reason.service}`;
    case "nameUnknown":
      return `may hold ${reason.service}, whose certificate name isn't known (${reason.reason})`;
    case "receiveConnectors":
      return `is the only valid certificate with SMTP for ${connectorsText("receive", reason.connectors)}, which without it offer${reason.connectors.length === 1 ? "s" : ""} no STARTTLS`;
    case "receiveConnectorsUnknown":
      return `may be needed by receive connectors, which aren't known (${reason.reason})`;
    case "sendConnectors":
      return `has the issuer and subject that ${connectorsText("send", reason.connectors)} name${reason.connectors.length === 1 ? "s" : ""}, so Exchange doesn't let it go`;
    case "reserved":
      return `is ${RESERVED_NAMES[reason.what]}`;
    case "keptUntil":
      return `is kept as a way back until ${reason.until.slice(0, 10)}`;
  }
}

const SITE_NAMES: Readonly<Record<number, string>> = { 1: "the front end", 2: "the back end" };

const RESERVED_NAMES = {
  auth: "an Auth certificate of the organisation",
  federation: "the certificate of the federation trust",
  webManagement: "that of the Web Management service",
} as const;

function connectorsText(kind: "send" | "receive", names: readonly string[]): string {
  const list = names.map((name) => `"${name}"`).join(", ");
  return `${kind} connector${names.length === 1 ? "" : "s"} ${list}`;
}

/** What somebody can do about it, as a sentence; undefined where waiting is all. */
export function removalRemedy(reason: RemovalReason, { server }: RemovalText): string | undefined {
  switch (reason.kind) {
    case "defaultSmtp":
      return "Let another certificate become the default one first: replaceDefaultSmtpCertificate on its binding.";
    case "iisSite":
      return reason.sites.includes(2)
        ? "Bind another certificate to Exchange Back End (port 444) in IIS Manager first."
        : "Give IIS to another certificate first.";
    case "unifiedMessaging":
      return `Give ${reason.services.join(" and ")} to another certificate first.`;
    case "onlyHolder":
      return reason.service === "SMTP"
        ? "Enable SMTP on another certificate first."
        : `Give ${reason.service} another certificate for ${reason.name}, or another name (Set-${reason.service === "IMAP" ? "Imap" : "Pop"}Settings -X509CertificateName).`;
    case "receiveConnectors":
      return "Enable SMTP on another certificate for that name first, or let the connector name another one (Set-ReceiveConnector -TlsCertificateName).";
    case "sendConnectors":
      return reason.connectors
        .map(
          (name) =>
            `Set-SendConnector ${quoted(name)} -TlsCertificateName $null, remove the certificate, then Set-SendConnector ${quoted(name)} -TlsCertificateName ${quoted(reason.certificateName)}.`,
        )
        .join(" ");
    case "reserved":
      return "It belongs to Exchange: leave it.";
    case "defaultSmtpUnknown":
    case "iisUnknown":
    case "servicesUnknown":
    case "nameUnknown":
    case "receiveConnectorsUnknown":
      return `See why ${server} doesn't say it; unknown isn't none.`;
    case "keptUntil":
      return undefined;
  }
}

/** For PowerShell: nothing in it means anything, typographic quotes included, which PowerShell takes for quotes. */
function quoted(text: string): string {
  return `'${text.replace(/['\u2018\u2019\u201a\u201b]/g, "$&$&")}'`;
}
