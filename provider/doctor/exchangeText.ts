import type { ErrorCode } from "../errors";
import { type ExchangeVersion, formatVersion } from "../model";
import type { Finding, Lack, Part } from "./finding";
import { shortened, type Texts, told } from "./texts";

type Kinds = Extract<Finding, { readonly step: "cmdlets" | "reading" | "services" }>["kind"];

export const EXCHANGE_TEXTS: Texts<Kinds> = {
  cmdletsNotListed: ({ why }) =>
    told(`this endpoint doesn't list its cmdlets (${why}); what is missing shows in what follows`),
  cmdletsAllSeen: ({ count, areParametersTold }) =>
    told(`all ${count} that are used can be seen${parametersNote(areParametersTold)}`),
  cmdletsSeen: ({ seen, count, areParametersTold }) =>
    told(`${seen} of ${count} that are used can be seen${parametersNote(areParametersTold)}`),
  roleLacking: ({ role, lacks }) => told(lacks.map(describeLack).join(" "), giveRole(role, lacks[0])),
  vitalLacking: ({ role, lack }) => told(describeLack(lack), giveRole(role, lack)),

  read: ({ server, certificates, version }) =>
    told(
      `${certificates} ${certificates === 1 ? "certificate" : "certificates"} on ${server}` +
        (version === undefined ? "" : `, Exchange ${formatVersion(version)}`),
    ),
  otherAnswered: ({ server, asked }) => told(`${server} answered instead of ${asked}.`, BY_ITS_FQDN),
  partsUnknown: ({ parts, reason, endpointFor }) =>
    told(
      `Unknown: ${parts.map((part) => PART_NAMES[part]).join(", ")}, because: ${shortened(reason)}`,
      "What is unknown is never taken for none: what depends on it is refused, or not told.",
      ...(endpointFor === undefined ? [] : [otherEndpoint(endpointFor)]),
    ),

  noCertificate: () => told("there is no certificate to tell them by"),
  servicesUntold: ({ unknown, certificates, reason }) =>
    told(
      `What ${unknown} of ${certificates} certificates serve isn't told (${shortened(reason)}).`,
      "Changed bindings are refused on this server, unchanged ones stay as they are. Ask with serializationLevel=Full: " +
        "leave the query out of exchange:endpoint, or write it there.",
    ),
  servicesTold: ({ by }) =>
    told(
      by === "projection"
        ? "told by a projection at the server (Select-Object)"
        : "told by whole objects (SerializationData)",
    ),

  askingTimedOut: ({ seconds }) =>
    told(
      `No answer within ${seconds} seconds.`,
      "The server may be overloaded, or may wait for another one that is down: run it again, or allow more (--timeout).",
    ),
  askingBroke: ({ says }) => told(says, "Run it again; EXCHANGE_TRACE=1 shows the conversation."),
  serverNameless: ({ cmdlet }) =>
    told(
      "The server doesn't say its fully qualified name.",
      `Look at what ${cmdlet} shows there; without a name nobody knows which server answered.`,
    ),
  noSuchServer: ({ server, known }) =>
    told(
      `There is no server ${server} in this organisation; it has ${shortened(known.join(", "))}.`,
      "Name one of them, as Get-ExchangeServer | Format-List Fqdn shows it.",
    ),
  cmdletFailed: ({ cmdlet, says, state, code }) =>
    told(
      `${cmdlet}: ${shortened(says ?? `it ended as ${state} without saying why`)}`,
      CMDLET_REMEDIES[code] ??
        "Run the same cmdlet in an Exchange Management Shell as this account; if it fails there too, it isn't the way we go.",
    ),
};

function parametersNote(areParametersTold: boolean): string {
  return areParametersTold ? "" : "; their parameters aren't told";
}

function describeLack({ cmdlet, parameters, without }: Lack): string {
  const lack =
    parameters === undefined
      ? `${cmdlet} can't be seen`
      : `${cmdlet} can be seen, but not its ${parameters.map((one) => `-${one}`).join(", ")}`;
  return `${lack}: ${without}.`;
}

function giveRole(role: string, { cmdlet }: Lack): string {
  return (
    `Give the account the role "${role}" (Get-ManagementRole -Cmdlet ${cmdlet} lists all that hold this one); it counts ` +
    "in a new session."
  );
}

const PART_NAMES: Readonly<Record<Part, string>> = {
  version: "Exchange's version",
  defaultSmtpThumbprint: "the default SMTP certificate",
  imapCertificateName: "the certificate name of IMAP",
  popCertificateName: "the certificate name of POP",
  umStartupMode: "the startup mode of unified messaging",
  umCallRouterStartupMode: "the startup mode of the UM call router",
  sendConnectors: "the send connectors",
  receiveConnectors: "the receive connectors",
  authCertificates: "the Auth certificate",
  federationThumbprints: "the federation trust's certificates",
  edgeSubscriptions: "the Edge subscriptions",
};

const BY_ITS_FQDN = "Name the server by its own FQDN, as Get-ExchangeServer | Format-List Fqdn shows it.";

function otherEndpoint({ major, minor }: ExchangeVersion): string {
  return (
    "The server that exchange:endpoint leads to may be of a version without these cmdlets, as Exchange 2019 is: name a " +
    `server of this version (${major}.${minor}) as exchange:endpoint (--endpoint), or {server} in it.`
  );
}

const CMDLET_REMEDIES: Readonly<Partial<Record<ErrorCode, string>>> = {
  ServerUnreachable:
    "The session's server can't reach that one by RPC: check that it is up, that MSExchangeServiceHost runs there, and the " +
    "firewalls between them. Or ask it directly: {server} in exchange:endpoint.",
  ServerUnknown: BY_ITS_FQDN,
  CmdletNotAvailable: 'Give the account the role "Exchange Server Certificates", then open a new session.',
  AccessDenied: "Give the account the role, with a scope that holds this server (Get-ManagementRoleAssignment).",
  Throttled: "Close other sessions of this account, or run it again later.",
};
