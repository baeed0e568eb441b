import { resolve } from "node:path";
import { Secret } from "../../secret";
import {
  readFlag,
  readingAll,
  readPath,
  readWholeNumber,
  type Setting,
  settingRefused,
  shownSetting,
} from "../../setting";

/** What `exchange:backend = remote` needs. */
export interface RemoteSettings {
  /** URL with `{server}` in the place of the server's name, or a fixed one that is the entry for all servers. */
  readonly endpoint: string;
  readonly authentication: "kerberos" | "basic";
  readonly username: string | undefined;
  readonly password: Secret<string> | undefined;
  /** The name that the server's certificate is checked against. Default: the URL's host. */
  readonly tlsServerName: string | undefined;
  /** Absolute path of a PEM file with the CAs to trust instead of the usual ones. */
  readonly caFile: string | undefined;
  readonly maxConnectionsPerServer: number;
  readonly operationTimeoutSeconds: number;
  /** Discouraged for good: whoever is in between can read and change everything, passwords included. For a lab only. */
  readonly dangerouslySkipTlsVerification: boolean;
}

/** Names of the settings below `exchange:`, with their environment variables. */
export const REMOTE_KEYS = {
  endpoint: { config: "exchange:endpoint", environment: "EXCHANGE_ENDPOINT" },
  authentication: { config: "exchange:authentication", environment: "EXCHANGE_AUTHENTICATION" },
  username: { config: "exchange:username", environment: "EXCHANGE_USERNAME" },
  password: { config: "exchange:password", environment: "EXCHANGE_PASSWORD" },
  tlsServerName: { config: "exchange:tlsServerName", environment: "EXCHANGE_TLS_SERVER_NAME" },
  caFile: { config: "exchange:caFile", environment: "EXCHANGE_CA_FILE" },
  maxConnectionsPerServer: {
    config: "exchange:maxConnectionsPerServer",
    environment: "EXCHANGE_MAX_CONNECTIONS_PER_SERVER",
  },
  operationTimeoutSeconds: {
    config: "exchange:operationTimeoutSeconds",
    environment: "EXCHANGE_OPERATION_TIMEOUT_SECONDS",
  },
  dangerouslySkipTlsVerification: {
    config: "exchange:dangerouslySkipTlsVerification",
    environment: "EXCHANGE_DANGEROUSLY_SKIP_TLS_VERIFICATION",
  },
} as const;

/** Other ways to prove who one is. */
const NEARLY_AUTHENTICATION =
  /^(?:ntlm|negotiate\w{0,24}|spnego|digest|certificate|credssp|default|none|anonymous|oauth2?|modern|windows|integrated|krb5|kerb|tls|ssl)$/;

/** A value as it was written, and the key or variable that it stands in; `undefined` when it is missing or blank. */
export type ReadRemoteSetting = (name: keyof typeof REMOTE_KEYS) => Setting | undefined;

/**
 * Exchange's documented endpoint for Kerberos is plain http: Kerberos encrypts the bodies. Basic has nothing but TLS.
 */
const DEFAULT_ENDPOINTS = { kerberos: "http://{server}/PowerShell/", basic: "https://{server}/PowerShell/" } as const;
/** Exchange's default throttling allows 18 shells per user; two connections are one shell. */
const DEFAULT_MAX_CONNECTIONS = 2;
const DEFAULT_OPERATION_TIMEOUT_SECONDS = 20;

/**
 * Reads the settings; a relative path counts from `directory`. Throws `ConfigurationInvalid`, naming the key, what it
 * held (no secrets) and what it may hold.
 */
export function parseRemoteSettings(read: ReadRemoteSetting, directory: string): RemoteSettings {
  const text = (name: keyof typeof REMOTE_KEYS): string | undefined => read(name)?.value.trim();
  return readingAll((attempt) => {
    const authentication = attempt(() => readAuthentication(read), undefined);
    const endpoint = text("endpoint") ?? DEFAULT_ENDPOINTS[authentication ?? "kerberos"];
    if (authentication !== undefined) {
      attempt(() => {
        checkEndpoint(read, endpoint, authentication);
      }, undefined);
    }
    const caFile = attempt(() => {
      const file = read("caFile");
      return file === undefined ? undefined : resolve(directory, readPath(file));
    }, undefined);
    const number = (
      name: "maxConnectionsPerServer" | "operationTimeoutSeconds",
      fallback: number,
      most: number,
    ): number => attempt(() => readWholeNumber(read(name), fallback, most), fallback);
    return {
      endpoint,
      authentication: authentication ?? "kerberos",
      username: text("username"),
      password: attempt(() => readPassword(read), undefined),
      tlsServerName: text("tlsServerName"),
      caFile,
      maxConnectionsPerServer: number("maxConnectionsPerServer", DEFAULT_MAX_CONNECTIONS, 10),
      operationTimeoutSeconds: number("operationTimeoutSeconds", DEFAULT_OPERATION_TIMEOUT_SECONDS, 600),
      dangerouslySkipTlsVerification: attempt(() => readFlag(read("dangerouslySkipTlsVerification")), false),
    };
  });
}

function readAuthentication(read: ReadRemoteSetting): RemoteSettings["authentication"] {
  const value = read("authentication")?.value.trim().toLowerCase() ?? "kerberos";
  if (value === "kerberos" || value === "basic") return value;
  throw settingRefused(
    `${from(read, "authentication")} is ${shownSetting(value, NEARLY_AUTHENTICATION)}; it may be "kerberos" (the default) or "basic".`,
  );
}

function readPassword(read: ReadRemoteSetting): Secret<string> | undefined {
  // As it is: blanks may be part of it.
  const password = read("password")?.value;
  if (password === undefined) return undefined;
  if (read("username") !== undefined) return new Secret(password);
  throw settingRefused(
    `${from(read, "password")} is set, but exchange:username isn't. A password without a name proves nothing; Kerberos ` +
      "without both uses the ticket cache or a keytab.",
  );
}

function checkEndpoint(read: ReadRemoteSetting, endpoint: string, authentication: "kerberos" | "basic"): void {
  const key = from(read, "endpoint");
  const example = "Write it like https://{server}/PowerShell/ or https://mail.contoso.com/PowerShell/.";
  const concrete = endpoint.replaceAll("{server}", "ex01.contoso.com");
  // The URL itself isn't repeated: someone may have written a password into it.
  if (!URL.canParse(concrete) || /[{}]/.test(concrete)) throw settingRefused(`${key} isn't a URL. ${example}`);
  const url = new URL(concrete);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw settingRefused(`${key} begins with neither https:// nor http://. ${example}`);
  if (url.username !== "" || url.password !== "") {
    throw settingRefused(
      `${key} holds a user name or a password. They belong into exchange:username and exchange:password.`,
    );
  }
  if (url.protocol === "https:") return;
  if (authentication === "basic") {
    throw settingRefused(
      `${key} begins with http://, and exchange:authentication is "basic": the password would go over the wire in clear text. Use https://.`,
    );
  }
  for (const name of ["tlsServerName", "caFile", "dangerouslySkipTlsVerification"] as const) {
    const set = read(name);
    if (set !== undefined)
      throw settingRefused(`${set.from} is set, but the endpoint begins with http://, where there is no TLS.`);
  }
}

function from(read: ReadRemoteSetting, name: keyof typeof REMOTE_KEYS): string {
  return read(name)?.from ?? REMOTE_KEYS[name].config;
}
