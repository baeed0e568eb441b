import { setTimeout as wait } from "node:timers/promises";
import type { Secret } from "../../../secret";
import { isRemotingError, RemotingError } from "../../errors";
import type { BodyMemory, BodySealing, ConnectionAuthentication, Peer, SecurityContext } from "../authentication";
import {
  type KerberosAttempt,
  kerberosFailure,
  kerberosIncomplete,
  kerberosRefusal,
  kerberosTimeout,
} from "./kerberosErrors";
import { KerberosCallError, type KerberosConversation, type KerberosLibrary, type WhoWeAre } from "./kerberosLibrary";
import { principalOf, servicePrincipalOf, windowsAccountOf } from "./kerberosPrincipal";

/** Who we are; see {@link kerberosIdentity}. */
export interface KerberosIdentity {
  /** As the library takes it. Default: whoever the default ticket cache or the client keytab says, or has logged on. */
  readonly account: string | undefined;
  /** Default: what the system has of that account. */
  readonly password: Secret<string> | undefined;
}

export interface KerberosEnv {
  readonly library: KerberosLibrary;
  readonly now: () => Date;
  /** What has been learnt about the bodies that endpoints take. */
  readonly bodies: BodyMemory;
  /** Default 15. */
  readonly limitSeconds?: number;
}

/** A KDC that never answers is asked for about half a minute by the library itself. */
const LIMIT_SECONDS = 15;
/** How long before its end a ticket isn't used any more. */
const MARGIN_SECONDS = 60;

/**
 * Who we are, from a user name and a password, on a platform of Node's. Nothing is loaded for it.
 *
 * @throws RemotingError `SettingsRefused` for a user name that isn't one there; for a password without one; and on
 * Windows, which has no tickets but those of the account that is logged on, for a user name without a password.
 */
export function kerberosIdentity(
  platform: string,
  username: string | undefined,
  password: Secret<string> | undefined,
): KerberosIdentity {
  if (username === undefined && password !== undefined) {
    throw new RemotingError("SettingsRefused", "A password was given for Kerberos, but no user name.");
  }
  if (username === undefined) return { account: undefined, password };
  if (platform !== "win32") return { account: principalOf(username), password };
  if (password === undefined) {
    throw new RemotingError(
      "SettingsRefused",
      `The user name "${username}" was given for Kerberos, but no password: Windows then has nothing but the account ` +
        "that is logged on. Give its password, too, or leave the user name out.",
    );
  }
  return { account: windowsAccountOf(username), password };
}

/**
 * Kerberos in HTTP, with encrypted bodies: MS-WSMV 2.2.9.1, RFC 4121. Each TCP connection gets credentials and a
 * context of its own, so that a renewed ticket is used as soon as it is there.
 */
export function kerberosAuthentication(identity: KerberosIdentity, env: KerberosEnv): ConnectionAuthentication {
  return {
    kind: "connection",
    scheme: "Kerberos",
    bodies: env.bodies,
    begin: (peer) => new KerberosContext(peer, identity, env),
  };
}

class KerberosContext implements SecurityContext {
  readonly sealing: BodySealing;
  readonly #service: string;
  readonly #account: string | undefined;
  readonly #env: KerberosEnv;
  readonly #conversation: KerberosConversation;
  /** Until a native call is back, nothing it uses may be released. */
  #running: Promise<unknown> = Promise.resolve();
  #isDisposed = false;
  #usableUntil: number | undefined;
  /** Who the server knows us as. */
  #established: WhoWeAre | undefined;

  constructor({ host }: Peer, { account, password }: KerberosIdentity, env: KerberosEnv) {
    this.#service = servicePrincipalOf(host);
    this.#account = account;
    this.#env = env;
    const conversation = env.library.converse({ service: this.#service, account, password });
    this.#conversation = conversation;
    this.sealing = {
      protocol: "application/HTTP-Kerberos-session-encrypted",
      seal: (clear) => this.#now("wrap", () => conversation.seal(clear)),
      open: (sealed) => this.#now("unwrap", () => conversation.open(sealed)),
    };
  }

  async step(token: Uint8Array | undefined, signal: AbortSignal): Promise<Uint8Array | undefined> {
    if (signal.aborted) throw this.#givenUp(signal);
    const stepping = this.#step(token);
    this.#running = stepping.catch(() => undefined);
    return this.#within(stepping, signal);
  }

  isEstablished(): boolean {
    return this.#usableUntil !== undefined && this.#env.now().getTime() < this.#usableUntil;
  }

  describe(): { readonly service: string; readonly principal?: string; readonly isPrincipalAgreed?: boolean } {
    const service = this.#service;
    if (this.#established !== undefined) {
      return { service, principal: this.#established.name, isPrincipalAgreed: this.#established.isAgreed };
    }
    return this.#account === undefined ? { service } : { service, principal: this.#account };
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#usableUntil = undefined;
    void this.#running.then(() => {
      this.#conversation.release();
    });
  }

  async #step(token: Uint8Array | undefined): Promise<Uint8Array | undefined> {
    const { now } = this.#env;
    try {
      const step = await this.#conversation.step(token, () => {
        // Nobody waits for it any more.
        if (this.#isDisposed) throw new RemotingError("SessionClosed", "The connection was closed.");
      });
      if (step.isComplete) {
        if (!step.isAsWanted) throw kerberosIncomplete(this.#attempt());
        this.#established = this.#conversation.whoWeAre();
        this.#usableUntil = now().getTime() + Math.max(step.seconds - MARGIN_SECONDS, 1) * 1000;
      }
      return step.token;
    } catch (error) {
      throw error instanceof KerberosCallError ? kerberosFailure(error, this.#attempt()) : error;
    }
  }

  /** Waits no longer than the limit; the native call goes on by itself, and `dispose` waits for it. */
  async #within<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
    const seconds = this.#env.limitSeconds ?? LIMIT_SECONDS;
    const over = new AbortController();
    const ended = AbortSignal.any([over.signal, signal]);
    const limit = wait(seconds * 1000, undefined, { signal: ended }).then(
      () => {
        throw kerberosTimeout(this.#attempt(), seconds);
      },
      () => {
        throw this.#givenUp(signal);
      },
    );
    try {
      return await Promise.race([work, limit]);
    } finally {
      limit.catch(() => undefined);
      over.abort();
    }
  }

  #givenUp(signal: AbortSignal): RemotingError {
    return new RemotingError("Aborted", `Getting a Kerberos ticket for ${this.#service} was given up.`, {
      cause: signal.reason,
      facts: { fate: "notDone" },
    });
  }

  #now<T>(operation: "wrap" | "unwrap", call: () => T): T {
    if (this.#isDisposed) throw new RemotingError("SessionClosed", "The connection was closed.");
    try {
      return call();
    } catch (error) {
      if (error instanceof KerberosCallError) throw kerberosFailure(error, this.#attempt());
      if (isRemotingError(error)) throw kerberosRefusal(error, operation, this.#attempt());
      throw error;
    }
  }

  #attempt(): KerberosAttempt {
    const conversation = this.#conversation;
    return {
      service: this.#service,
      principal: this.#account,
      origin: conversation.origin(),
      facts: conversation.facts(),
    };
  }
}
