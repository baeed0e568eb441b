import { type NameService, type ServerFqdn, SERVICES } from "../model";
import type { Command } from "../remoting/psrp/pipelineMessages";
import type { Secret } from "../secret";
import type { ConnectorCertificateName, EnableRequest, ImportRequest } from "./backend";
import { type SentParameter, USED_CMDLETS, type UsedCmdletName } from "./usedCmdlets";

/*
 * The cmdlets and parameters that are sent, all of them. -Server always names the server: without it a cmdlet would run
 * on whichever one the session landed.
 */

/** What is sent to a server, real or simulated. */
export interface Sent {
  readonly name: UsedCmdletName;
  readonly parameters: Readonly<Record<string, SentValue>>;
}

type SentValue = string | boolean | null | Uint8Array | Secret<string> | readonly string[];

/** A parameter that isn't in the cmdlet's record doesn't compile; `undefined` is left out. */
function sent<Name extends UsedCmdletName>(
  name: Name,
  parameters: Readonly<Partial<Record<SentParameter<Name>, SentValue | undefined>>>,
): Sent {
  const given = Object.entries<SentValue | undefined>(parameters).flatMap(([parameter, value]) =>
    value === undefined ? [] : [[parameter, value] as const],
  );
  return { name, parameters: Object.fromEntries(given) };
}

/**
 * Behind Get-ExchangeCertificate: makes plain properties of what would otherwise stay behind at the server. RawData is
 * among them, so that one pipeline says everything.
 */
export const CERTIFICATE_PROJECTION: Command = {
  name: "Select-Object",
  parameters: {
    Property: [
      "Thumbprint",
      "Services",
      "IISServices",
      "Status",
      "FriendlyName",
      "HasPrivateKey",
      "PrivateKeyExportable",
      "IsSelfSigned",
      "RootCAType",
      "Identity",
      "RawData",
    ],
  },
};

/** The cmdlets that read what concerns one server, or the organisation. */
export type ReadingCmdlet = Extract<UsedCmdletName, `Get-${string}`>;

/** A question about a server: each parameter that such a cmdlet gets names it; without any it is about the organisation. */
export function question(cmdlet: ReadingCmdlet, server: ServerFqdn): Sent {
  const parameters: readonly string[] = USED_CMDLETS[cmdlet].parameters;
  return { name: cmdlet, parameters: Object.fromEntries(parameters.map((parameter) => [parameter, server])) };
}

/** All servers of the organisation: whether there is one of a certain name shows by it in any language. */
export const GET_SERVERS = sent("Get-ExchangeServer", {});

/** Bytes, never a file name; the password as a secure string. */
export function importCertificate(server: ServerFqdn, request: ImportRequest): Sent {
  return sent("Import-ExchangeCertificate", {
    Server: server,
    FileData: request.pfx.reveal(),
    Password: request.password,
    PrivateKeyExportable: request.privateKeyExportable,
    FriendlyName: request.friendlyName,
  });
}

/** Without -Force, which would answer Yes to replacing the default SMTP certificate. */
export function enableCertificate(server: ServerFqdn, request: EnableRequest): Sent {
  return sent("Enable-ExchangeCertificate", {
    Server: server,
    Thumbprint: request.thumbprint,
    Services: request.services,
    DoNotRequireSsl: request.requireSsl ? undefined : true,
  });
}

export function setCertificateName(server: ServerFqdn, service: NameService, name: string | undefined): Sent {
  return sent(`Set-${SERVICES[service].settings}`, { Server: server, X509CertificateName: name ?? null });
}

/** `identity`: a send connector's name, or a receive connector's `SERVER\Name`. */
export function setConnectorCertificate(
  kind: "send" | "receive",
  identity: string,
  name: ConnectorCertificateName | undefined,
): Sent {
  return sent(kind === "send" ? "Set-SendConnector" : "Set-ReceiveConnector", {
    Identity: identity,
    TlsCertificateName: name ?? null,
  });
}

export function removeCertificate(server: ServerFqdn, thumbprint: string): Sent {
  return sent("Remove-ExchangeCertificate", { Server: server, Thumbprint: thumbprint, Confirm: false });
}
