import { type NameService, type ServerFqdn, SERVICES } from "../../model";
import type { Command } from "../../remoting/psrp/pipelineMessages";
import type { ConnectorCertificateName, EnableRequest, ImportRequest } from "../backend";

/*
 * The cmdlets and parameters that are sent, all of them. -Server always names the server: without it a cmdlet would run
 * on whichever one the session landed.
 */

export function getCertificates(server: ServerFqdn): Command {
  return { name: "Get-ExchangeCertificate", parameters: { Server: server } };
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

/** All servers of the organisation: whether there is one of a certain name shows by it in any language. */
export const GET_SERVERS: Command = { name: "Get-ExchangeServer", parameters: {} };

export function getTransportService(server: ServerFqdn): Command {
  return { name: "Get-TransportService", parameters: { Identity: server } };
}

/** Bytes, never a file name; the password as a secure string. */
export function importCertificate(server: ServerFqdn, request: ImportRequest): Command {
  return {
    name: "Import-ExchangeCertificate",
    parameters: {
      Server: server,
      FileData: request.pfx.reveal(),
      Password: request.password,
      PrivateKeyExportable: request.privateKeyExportable,
      ...(request.friendlyName === undefined ? {} : { FriendlyName: request.friendlyName }),
    },
  };
}

/** Without -Force, which would answer Yes to replacing the default SMTP certificate. */
export function enableCertificate(server: ServerFqdn, request: EnableRequest): Command {
  return {
    name: "Enable-ExchangeCertificate",
    parameters: {
      Server: server,
      Thumbprint: request.thumbprint,
      Services: request.services,
      ...(request.requireSsl ? {} : { DoNotRequireSsl: true }),
    },
  };
}

export function getProtocolSettings(server: ServerFqdn, service: NameService): Command {
  return { name: `Get-${SERVICES[service].settings}`, parameters: { Server: server } };
}

export function setCertificateName(server: ServerFqdn, service: NameService, name: string | undefined): Command {
  return {
    name: `Set-${SERVICES[service].settings}`,
    parameters: { Server: server, X509CertificateName: name ?? null },
  };
}

/** All send connectors: they belong to the organisation. */
export const GET_SEND_CONNECTORS: Command = { name: "Get-SendConnector", parameters: {} };

export function getReceiveConnectors(server: ServerFqdn): Command {
  return { name: "Get-ReceiveConnector", parameters: { Server: server } };
}

/** `identity`: a send connector's name, or a receive connector's `SERVER\Name`. */
export function setConnectorCertificate(
  kind: "send" | "receive",
  identity: string,
  name: ConnectorCertificateName | undefined,
): Command {
  return {
    name: kind === "send" ? "Set-SendConnector" : "Set-ReceiveConnector",
    parameters: { Identity: identity, TlsCertificateName: name ?? null },
  };
}

export function removeCertificate(server: ServerFqdn, thumbprint: string): Command {
  return { name: "Remove-ExchangeCertificate", parameters: { Server: server, Thumbprint: thumbprint, Confirm: false } };
}
