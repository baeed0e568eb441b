import type { Secret } from "../../secret";

/** What `exchange:backend = remote` needs. Defaults are filled in by whoever reads the configuration. */
export interface RemoteSettings {
  /** URL with `{server}` in the place of the server's name, or a fixed one that is the entry for all servers. */
  readonly endpoint: string;
  readonly authentication: "kerberos" | "basic";
  readonly username: string | undefined;
  readonly password: Secret<string> | undefined;
  /** The name that the server's certificate is checked against. Default: the URL's host. */
  readonly tlsServerName: string | undefined;
  /** Path of a PEM file with the CAs to trust instead of the usual ones. */
  readonly caFile: string | undefined;
  readonly maxConnectionsPerServer: number;
  readonly operationTimeoutSeconds: number;
  /** @deprecated Whoever is in between can read and change everything, passwords included. For a lab only. */
  readonly dangerouslySkipTlsVerification: boolean;
}

export const DEFAULT_ENDPOINTS = {
  kerberos: "http://{server}/PowerShell/",
  basic: "https://{server}/PowerShell/",
} as const;
export const DEFAULT_MAX_CONNECTIONS = 2;
export const DEFAULT_OPERATION_TIMEOUT_SECONDS = 20;
