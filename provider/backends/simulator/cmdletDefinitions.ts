import type { CmdletDefinition } from "./cmdletDefinition";
import type { ParameterDefinition } from "./parameterDefinition";
import type { CmdletBody } from "./cmdletRun";
import { getReceiveConnector, getSendConnector, setReceiveConnector, setSendConnector } from "./cmdlets/connectors";
import { enableExchangeCertificate } from "./cmdlets/enableExchangeCertificate";
import { getExchangeCertificate } from "./cmdlets/getExchangeCertificate";
import { importExchangeCertificate } from "./cmdlets/importExchangeCertificate";
import { newExchangeCertificate } from "./cmdlets/newExchangeCertificate";
import { getAuthConfig, getEdgeSubscription, getFederationTrust } from "./cmdlets/organisationConfig";
import { getImapSettings, getPopSettings, setImapSettings, setPopSettings } from "./cmdlets/protocolSettings";
import { removeExchangeCertificate } from "./cmdlets/removeExchangeCertificate";
import { getExchangeServer, getTransportService } from "./cmdlets/servers";
import {
  getUmCallRouterSettings,
  getUmService,
  setUmCallRouterSettings,
  setUmService,
} from "./cmdlets/unifiedMessaging";

type More = Omit<Partial<ParameterDefinition>, "name" | "kind" | "help">;

const text = (name: string, help: string, more: More = {}): ParameterDefinition => ({
  name,
  kind: "text",
  help,
  ...more,
});
const list = (name: string, help: string, more: More = {}): ParameterDefinition => ({
  name,
  kind: "list",
  help,
  ...more,
});
const flag = (name: string, help: string): ParameterDefinition => ({ name, kind: "switch", help });

const WITHOUT_EFFECT = "read, without effect here";
const READING = [text("DomainController", WITHOUT_EFFECT), text("ErrorAction", WITHOUT_EFFECT)];
const CHANGING = [flag("Confirm", WITHOUT_EFFECT), flag("WhatIf", "change nothing"), ...READING];

const SERVER = text("Server", "name or FQDN; left out: the server that the session is on");
const FIRST = { position: 0 };
const REQUIRED_FIRST = { position: 0, mandatory: true };
const IDENTITY = text("Identity", "name or FQDN", FIRST);
const SEND_CONNECTOR = "name of the connector";
const RECEIVE_CONNECTOR = "SERVER\\Name of the connector";
/** A value without a name is the thumbprint, never the identity. */
const THUMBPRINT = text("Thumbprint", "40 hexadecimal digits", FIRST);
const CERTIFICATE = [THUMBPRINT, text("Identity", "Server\\Thumbprint, in place of the two"), SERVER];
const FRIENDLY_NAME = text("FriendlyName", "a name for people, at most 63 characters");
const EXPORTABLE: ParameterDefinition = { name: "PrivateKeyExportable", kind: "boolean", help: "$true or $false" };
const SERVICES = "IIS, SMTP, IMAP, POP, UM, UMCallRouter, with commas";
const FORCE = flag("Force", "no question: the default SMTP certificate is replaced when SMTP is among the services");
const TLS_CERTIFICATE_NAME = text("TlsCertificateName", "<I>issuer<S>subject; $null clears", { clearable: true });
const X509_CERTIFICATE_NAME = text("X509CertificateName", "the name that clients connect to; $null clears", {
  clearable: true,
});
const UM_STARTUP_MODE = text("UMStartupMode", "TCP, TLS or Dual");

interface CmdletParts {
  readonly synopsis: string;
  readonly body: CmdletBody;
  readonly server: CmdletDefinition["server"];
  /** Of its own; those that all have come after them, unless one of these has the same name. */
  readonly parameters: readonly ParameterDefinition[];
  readonly viaRpc?: boolean;
  readonly unifiedMessaging?: boolean;
}

function cmdlet(name: string, { parameters, ...parts }: CmdletParts): CmdletDefinition {
  const common = (name.startsWith("Get-") ? READING : CHANGING).map(
    (one) => parameters.find((own) => own.name === one.name) ?? one,
  );
  const own = parameters.filter((one) => !common.includes(one));
  return { name, viaRpc: false, unifiedMessaging: false, ...parts, parameters: [...own, ...common] };
}

/** Every cmdlet that the simulator knows, with the parameters it understands. */
export const CMDLETS: readonly CmdletDefinition[] = [
  cmdlet("Get-ExchangeCertificate", {
    synopsis: "the certificates of a server and the services they show",
    body: getExchangeCertificate,
    server: "Server",
    parameters: [
      THUMBPRINT,
      text("Identity", "Server\\Thumbprint; one that doesn't exist returns all, as in Exchange"),
      SERVER,
      list("DomainName", "only certificates for one of these names"),
    ],
    viaRpc: true,
  }),
  cmdlet("Enable-ExchangeCertificate", {
    synopsis: "give a certificate services; none can be taken away from it",
    body: enableExchangeCertificate,
    server: "Server",
    parameters: [
      ...CERTIFICATE,
      list("Services", SERVICES, { mandatory: true }),
      FORCE,
      flag("DoNotRequireSsl", "with IIS: leave the site's Require SSL as it is"),
      flag("NetworkServiceAllowed", "let Network Service read the key without enabling SMTP"),
    ],
    viaRpc: true,
  }),
  cmdlet("Import-ExchangeCertificate", {
    synopsis: "put a certificate with its key into a server's store",
    body: importExchangeCertificate,
    server: "Server",
    parameters: [
      SERVER,
      { name: "FileData", kind: "bytes", help: "the bytes of the PFX: given with --pfx <path>" },
      text("FileName", "path of the PFX as the server sees it; only before the cumulative updates of 2022 H1", {
        namesFile: true,
      }),
      {
        name: "Password",
        kind: "secret",
        help: "of the PFX: asked for, or --password-env NAME, or --password-stdin",
      },
      FRIENDLY_NAME,
      EXPORTABLE,
    ],
    viaRpc: true,
  }),
  cmdlet("New-ExchangeCertificate", {
    synopsis: "make a self-signed certificate on a server",
    body: newExchangeCertificate,
    server: "Server",
    parameters: [
      SERVER,
      list("Services", SERVICES),
      list("DomainName", "the names that the certificate is for"),
      text("SubjectName", "the certificate's subject, such as CN=mail.contoso.com"),
      { name: "KeySize", kind: "number", help: "bits of the RSA key: 1024, 2048 or 4096" },
      FRIENDLY_NAME,
      EXPORTABLE,
      flag("IncludeServerFQDN", "also for the server's FQDN"),
      flag("IncludeServerNetBIOSName", "also for the server's short name"),
      FORCE,
    ],
    viaRpc: true,
  }),
  cmdlet("Remove-ExchangeCertificate", {
    synopsis: "take a certificate out of a server's store",
    body: removeExchangeCertificate,
    server: "Server",
    parameters: [...CERTIFICATE, flag("Confirm", "-Confirm:$false leaves out the question (quote it in a Unix shell)")],
    viaRpc: true,
  }),

  cmdlet("Get-TransportService", {
    synopsis: "which certificate is the default SMTP certificate",
    body: getTransportService,
    server: "Identity",
    parameters: [IDENTITY],
  }),
  cmdlet("Get-ExchangeServer", {
    synopsis: "the servers, with version, roles and site",
    body: getExchangeServer,
    server: "Identity",
    parameters: [IDENTITY],
  }),
  cmdlet("Get-ImapSettings", {
    synopsis: "the certificate name of IMAP",
    body: getImapSettings,
    server: "Server",
    parameters: [SERVER],
  }),
  cmdlet("Set-ImapSettings", {
    synopsis: "set the certificate name of IMAP",
    body: setImapSettings,
    server: "Server",
    parameters: [SERVER, X509_CERTIFICATE_NAME],
  }),
  cmdlet("Get-PopSettings", {
    synopsis: "the certificate name of POP",
    body: getPopSettings,
    server: "Server",
    parameters: [SERVER],
  }),
  cmdlet("Set-PopSettings", {
    synopsis: "set the certificate name of POP",
    body: setPopSettings,
    server: "Server",
    parameters: [SERVER, X509_CERTIFICATE_NAME],
  }),
  cmdlet("Get-UMService", {
    synopsis: "the start-up mode of unified messaging",
    body: getUmService,
    server: "Identity",
    parameters: [IDENTITY],
    unifiedMessaging: true,
  }),
  cmdlet("Set-UMService", {
    synopsis: "set the start-up mode of unified messaging",
    body: setUmService,
    server: "Identity",
    parameters: [text("Identity", "name or FQDN", REQUIRED_FIRST), UM_STARTUP_MODE],
    unifiedMessaging: true,
  }),
  cmdlet("Get-UMCallRouterSettings", {
    synopsis: "the start-up mode of the UM call router",
    body: getUmCallRouterSettings,
    server: "Server",
    parameters: [SERVER],
    unifiedMessaging: true,
  }),
  cmdlet("Set-UMCallRouterSettings", {
    synopsis: "set the start-up mode of the UM call router",
    body: setUmCallRouterSettings,
    server: "Server",
    parameters: [SERVER, UM_STARTUP_MODE],
    unifiedMessaging: true,
  }),

  cmdlet("Get-ReceiveConnector", {
    synopsis: "the receive connectors and the certificate names they use",
    body: getReceiveConnector,
    server: "Server",
    parameters: [text("Identity", RECEIVE_CONNECTOR, FIRST), SERVER],
  }),
  cmdlet("Set-ReceiveConnector", {
    synopsis: "set the certificate name of a receive connector",
    body: setReceiveConnector,
    server: "none",
    parameters: [text("Identity", RECEIVE_CONNECTOR, REQUIRED_FIRST), TLS_CERTIFICATE_NAME],
  }),
  cmdlet("Get-SendConnector", {
    synopsis: "the send connectors and the certificate names they use",
    body: getSendConnector,
    server: "none",
    parameters: [text("Identity", SEND_CONNECTOR, FIRST)],
  }),
  cmdlet("Set-SendConnector", {
    synopsis: "set the certificate name of a send connector",
    body: setSendConnector,
    server: "none",
    parameters: [text("Identity", SEND_CONNECTOR, REQUIRED_FIRST), TLS_CERTIFICATE_NAME],
  }),
  cmdlet("Get-AuthConfig", {
    synopsis: "the certificates of the organisation's OAuth",
    body: getAuthConfig,
    server: "none",
    parameters: [],
  }),
  cmdlet("Get-FederationTrust", {
    synopsis: "the certificates of the federation trust",
    body: getFederationTrust,
    server: "none",
    parameters: [IDENTITY],
  }),
  cmdlet("Get-EdgeSubscription", {
    synopsis: "the subscribed Edge servers",
    body: getEdgeSubscription,
    server: "none",
    parameters: [IDENTITY],
  }),
];

/** The definition of that name, whatever its case. */
export function findCmdlet(name: string): CmdletDefinition | undefined {
  return CMDLETS.find((one) => one.name.toLowerCase() === name.trim().toLowerCase());
}
