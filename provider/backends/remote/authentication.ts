import { configurationInvalid } from "../../setting";
import { isRemotingError } from "../../remoting/errors";
import { type Authentication, basicAuthentication, bodyMemory } from "../../remoting/http/authentication";
import { kerberosAuthentication, kerberosIdentity } from "../../remoting/http/kerberos/kerberosAuthentication";
import { loadKerberos } from "../../remoting/http/kerberos/loadKerberos";
import type { NativeEnv } from "../../remoting/http/kerberos/nativeCalls";
import type { RemoteSettings } from "./settings";

export interface AuthenticationEnv {
  readonly native: NativeEnv;
  readonly now: () => Date;
  /** Of the process, where MIT's library reads it too. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Shows a line to whoever runs Pulumi. */
  readonly say: (line: string) => void;
}

type Identity = Pick<RemoteSettings, "authentication" | "username" | "password">;

/**
 * How connections say who we are. What Kerberos needs is loaded here, and only when it is chosen. Throws
 * `ConfigurationInvalid`.
 */
export function authenticationOf(settings: Identity, env: AuthenticationEnv): Authentication {
  const { authentication, username, password } = settings;
  try {
    if (authentication === "kerberos") {
      const { native, now, environment, say } = env;
      const identity = kerberosIdentity(native.platform, username, password);
      return kerberosAuthentication(identity, {
        library: loadKerberos({ native, now, environment }),
        now,
        bodies: bodyMemory(say),
      });
    }
    if (username === undefined || password === undefined) {
      throw configurationInvalid("Basic authentication needs exchange:username and exchange:password.");
    }
    return basicAuthentication(username, password);
  } catch (error) {
    if (!isRemotingError(error)) throw error;
    const remedy =
      'exchange:authentication may be "kerberos" (the default) or, for a lab, "basic"; exchange:username says who.';
    throw configurationInvalid(`${error.message} ${remedy}`, error);
  }
}
