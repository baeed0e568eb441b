import type { ExchangeVersion } from "../../model";

/**
 * What a parameter takes. `text` a string, `list` strings (one alone will do), `bytes` a Uint8Array, `secret` a
 * Secret. A `switch` is true by being there; `false` is PowerShell's `-Confirm:$false`.
 */
export type ParameterKind = "text" | "list" | "switch" | "boolean" | "number" | "bytes" | "secret";

export interface ParameterDefinition {
  readonly name: string;
  readonly kind: ParameterKind;
  readonly mandatory?: boolean;
  /** Place of the value when it's given without a name, from 0. */
  readonly position?: number;
  /** `$null` means something: it clears. */
  readonly clearable?: boolean;
  /** Taken away in 2022: there on 15.0, and on 15.1 and 15.2 before the cumulative updates 2022 H1. */
  readonly until2022H1?: boolean;
}

export interface CmdletDefinition {
  readonly name: string;
  readonly parameters: readonly ParameterDefinition[];
  /** Which server it runs on: named by -Server, named by -Identity, or none because it's about the organisation. */
  readonly server: "Server" | "Identity" | "none";
  /** The certificate cmdlets ask a service on that server; the others only look into Active Directory. */
  readonly viaRpc: boolean;
  /** Only where there is unified messaging: 15.0 and 15.1. */
  readonly unifiedMessaging?: boolean;
}

const text = (name: string, more: Partial<ParameterDefinition> = {}): ParameterDefinition => ({
  name,
  kind: "text",
  ...more,
});
const flag = (name: string): ParameterDefinition => ({ name, kind: "switch" });

const READING = [text("DomainController"), text("ErrorAction")];
const CHANGING = [flag("Confirm"), flag("WhatIf"), ...READING];
const SERVER = text("Server");
const IDENTITY = text("Identity", { position: 0 });
const MANDATORY_IDENTITY = text("Identity", { position: 0, mandatory: true });
/** A value without a name is the thumbprint, never the identity. */
const THUMBPRINT = text("Thumbprint", { position: 0 });
const CERTIFICATE = [THUMBPRINT, text("Identity"), SERVER];
const TLS_CERTIFICATE_NAME = text("TlsCertificateName", { clearable: true });
const X509_CERTIFICATE_NAME = text("X509CertificateName", { clearable: true });

function cmdlet(
  name: string,
  server: CmdletDefinition["server"],
  parameters: readonly ParameterDefinition[],
  more: Partial<CmdletDefinition> = {},
): CmdletDefinition {
  const common = name.startsWith("Get-") ? READING : CHANGING;
  return { name, server, parameters: [...parameters, ...common], viaRpc: false, ...more };
}

const RPC = { viaRpc: true };
const UM = { unifiedMessaging: true };

/** Every cmdlet that the simulator knows, with the parameters it understands. */
export const CMDLETS: readonly CmdletDefinition[] = [
  cmdlet("Get-ExchangeCertificate", "Server", [...CERTIFICATE, { name: "DomainName", kind: "list" }], RPC),
  cmdlet(
    "Enable-ExchangeCertificate",
    "Server",
    [
      ...CERTIFICATE,
      { name: "Services", kind: "list", mandatory: true },
      flag("Force"),
      flag("DoNotRequireSsl"),
      flag("NetworkServiceAllowed"),
    ],
    RPC,
  ),
  cmdlet(
    "Import-ExchangeCertificate",
    "Server",
    [
      SERVER,
      { name: "FileData", kind: "bytes" },
      text("FileName", { until2022H1: true }),
      { name: "Password", kind: "secret" },
      text("FriendlyName"),
      { name: "PrivateKeyExportable", kind: "boolean" },
    ],
    RPC,
  ),
  cmdlet(
    "New-ExchangeCertificate",
    "Server",
    [
      SERVER,
      { name: "Services", kind: "list" },
      { name: "DomainName", kind: "list" },
      text("SubjectName"),
      { name: "KeySize", kind: "number" },
      text("FriendlyName"),
      { name: "PrivateKeyExportable", kind: "boolean" },
      flag("IncludeServerFQDN"),
      flag("IncludeServerNetBIOSName"),
      flag("Force"),
    ],
    RPC,
  ),
  cmdlet("Remove-ExchangeCertificate", "Server", CERTIFICATE, RPC),

  cmdlet("Get-TransportService", "Identity", [IDENTITY]),
  cmdlet("Get-ExchangeServer", "Identity", [IDENTITY]),
  cmdlet("Get-ImapSettings", "Server", [SERVER]),
  cmdlet("Set-ImapSettings", "Server", [SERVER, X509_CERTIFICATE_NAME]),
  cmdlet("Get-PopSettings", "Server", [SERVER]),
  cmdlet("Set-PopSettings", "Server", [SERVER, X509_CERTIFICATE_NAME]),
  cmdlet("Get-UMService", "Identity", [IDENTITY], UM),
  cmdlet("Set-UMService", "Identity", [MANDATORY_IDENTITY, text("UMStartupMode")], UM),
  cmdlet("Get-UMCallRouterSettings", "Server", [SERVER], UM),
  cmdlet("Set-UMCallRouterSettings", "Server", [SERVER, text("UMStartupMode")], UM),

  cmdlet("Get-ReceiveConnector", "Server", [IDENTITY, SERVER]),
  cmdlet("Set-ReceiveConnector", "none", [MANDATORY_IDENTITY, TLS_CERTIFICATE_NAME]),
  cmdlet("Get-SendConnector", "none", [IDENTITY]),
  cmdlet("Set-SendConnector", "none", [MANDATORY_IDENTITY, TLS_CERTIFICATE_NAME]),
  cmdlet("Get-AuthConfig", "none", []),
  cmdlet("Get-FederationTrust", "none", [IDENTITY]),
  cmdlet("Get-EdgeSubscription", "none", [IDENTITY]),
];

/** The definition of that name, whatever its case. */
export function findCmdlet(name: string): CmdletDefinition | undefined {
  return CMDLETS.find((one) => one.name.toLowerCase() === name.trim().toLowerCase());
}

/** Whether the version has the parameter. */
export function hasParameter(parameter: ParameterDefinition, version: ExchangeVersion): boolean {
  return parameter.until2022H1 !== true || isBefore2022H1(version);
}

/** CU23 of 2016 (15.1.2507) and CU12 of 2019 (15.2.1118) are the cumulative updates of 2022 H1. 2013 got none. */
function isBefore2022H1({ minor, build }: ExchangeVersion): boolean {
  if (minor === 0) return true;
  return minor === 1 ? build < 2507 : build < 1118;
}
