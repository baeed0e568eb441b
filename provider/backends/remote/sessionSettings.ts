import { readAuthorities } from "../../certificate/readAuthorities";
import { readSourceFile } from "../../certificate/sourceFile";
import { messageOf } from "../../errors";
import { configurationInvalid } from "../../setting";
import type { Authentication } from "../../remoting/http/authentication";
import { nativeEnv } from "../../remoting/http/kerberos/nativeCalls";
import type { TlsOptions } from "../../remoting/http/tls";
import { sessionEnv, type SessionOptions } from "../../remoting/session";
import type { Trace } from "../../remoting/trace";
import { authenticationOf } from "./authentication";
import type { RemoteSettings } from "./settings";

const RESOURCE_URI = "http://schemas.microsoft.com/powershell/Microsoft.Exchange";

/** Settings with the files read that they name: all that a session needs. */
export interface SessionSettings {
  /** PEM of the CAs to trust; `undefined`: those that Node trusts by itself. */
  readonly ca: string | undefined;
  readonly tls: TlsOptions;
  readonly authentication: Authentication;
  readonly optionsFor: (url: URL, trace?: Trace) => SessionOptions;
}

/** Throws `ConfigurationInvalid`. No server is asked. */
export async function readSessionSettings(
  settings: RemoteSettings,
  say: (line: string) => void,
): Promise<SessionSettings> {
  const authentication = authenticationOf(settings, {
    native: nativeEnv,
    now: sessionEnv.now,
    environment: process.env,
    say,
  });
  const ca = settings.caFile === undefined ? undefined : await readCa(settings.caFile);
  const tls = {
    ca,
    serverName: settings.tlsServerName,
    dangerouslySkipVerification: settings.dangerouslySkipTlsVerification,
  };
  return {
    ca,
    tls,
    authentication,
    optionsFor: (url, trace) => ({
      url,
      resourceUri: RESOURCE_URI,
      authentication,
      ...(url.protocol === "https:" ? { tls } : {}),
      maxConnections: settings.maxConnectionsPerServer,
      operationTimeoutSeconds: settings.operationTimeoutSeconds,
      trace,
    }),
  };
}

async function readCa(path: string): Promise<string> {
  let file: Uint8Array;
  try {
    file = await readSourceFile(path);
  } catch (cause) {
    throw configurationInvalid(`exchange:caFile (${path}) can't be read: ${messageOf(cause)}.`, cause);
  }
  // Node overlooks what it can't read, and would then trust nobody, without saying why.
  const found = await readAuthorities(file);
  if ("problem" in found) throw configurationInvalid(`exchange:caFile (${path}) isn't a certificate: ${found.problem}`);
  return found.pem;
}
