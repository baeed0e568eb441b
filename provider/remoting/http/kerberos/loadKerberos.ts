import type * as GssapiModule from "./gssapi";
import type * as GssapiLibraryModule from "./gssapiLibrary";
import type { KerberosLibrary } from "./kerberosLibrary";
import { kerberosMissing, type NativeEnv } from "./nativeCalls";
import type * as SspiModule from "./sspi";
import type * as SspiLibraryModule from "./sspiLibrary";

export interface KerberosSystem {
  readonly native: NativeEnv;
  readonly now: () => Date;
  /** Of the process, where MIT's library reads its settings, too. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * The library of this system, loaded here and not before: SSPI on Windows, GSSAPI elsewhere. Throws RemotingError
 * `SettingsRefused` where there is none, saying what to do, and on macOS, where nothing is loaded at all.
 */
export function loadKerberos({ native, now, environment }: KerberosSystem): KerberosLibrary {
  if (native.platform === "darwin") {
    throw kerberosMissing(
      "on macOS it isn't there. Run the pipeline on Linux or Windows; for a lab, there is Basic over https.",
    );
  }
  /* eslint-disable @typescript-eslint/no-require-imports -- only what this system has, and only when it is wanted */
  if (native.platform === "win32") {
    const { loadSspi } = require("./sspi") as typeof SspiModule;
    const { sspiLibrary } = require("./sspiLibrary") as typeof SspiLibraryModule;
    return sspiLibrary(loadSspi(native), now);
  }
  const { loadGssapi } = require("./gssapi") as typeof GssapiModule;
  const { gssapiLibrary } = require("./gssapiLibrary") as typeof GssapiLibraryModule;
  return gssapiLibrary(loadGssapi(native), environment);
}
