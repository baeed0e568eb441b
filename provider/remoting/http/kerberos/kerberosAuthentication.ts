import { setTimeout as wait } from "node:timers/promises";
import type { Secret } from "../../../secret";
import { isRemotingError, RemotingError } from "../../errors";
import type { BodyMemory, BodySealing, ConnectionAuthentication, Peer, SecurityContext } from "../authentication";
import { FLAGS, GssError, type Gssapi, type Handle, type InitResult } from "./gssapi";
import {
  type KerberosAttempt,
  kerberosFailure,
  kerberosIncomplete,
  kerberosRefusal,
  kerberosTimeout,
} from "./kerberosErrors";
import { principalOf, servicePrincipalOf } from "./kerberosPrincipal";
import { joinToken, splitToken } from "./kerberosToken";

/** Who we are; see {@link kerberosIdentity}. */
export interface KerberosIdentity {
  /** Default: whoever the default ticket cache or the client keytab says. */
  readonly principal: string | undefined;
  /** Default: a ticket from the ticket cache, or a key from the client keytab. */
  readonly password: Secret<string> | undefined;
}

export interface KerberosEnv {
  readonly gssapi: Gssapi;
  readonly now: () => Date;
  /** Of the process: MIT's library reads its settings there. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What has been learnt about the bodies that endpoints take. */
  readonly bodies: BodyMemory;
  /** Default 15. */
  readonly limitSeconds?: number;
}

/** A KDC that never answers is asked for about half a minute by the library itself. */
const LIMIT_SECONDS = 15;
/** How long before its end a ticket isn't used any more. */
const MARGIN_SECONDS = 60;
const WANTED = FLAGS.mutual | FLAGS.confidential | FLAGS.integrity;

/**
 * Who we are, from a user name (`anna@CONTOSO.COM`, in small letters, or without a realm) and a password.
 *
 * @throws RemotingError `SettingsRefused` for a user name that isn't a principal, and for a password without one.
 */
export function kerberosIdentity(username?: string, password?: Secret<string>): KerberosIdentity {
  if (username === undefined && password !== undefined) {
    throw new RemotingError("SettingsRefused", "A password was given for Kerberos, but no user name.");
  }
  return { principal: username === undefined ? undefined : principalOf(username), password };
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
  readonly #target: string;
  readonly #principal: string | undefined;
  readonly #password: Secret<string> | undefined;
  readonly #env: KerberosEnv;
  readonly #context: Handle;
  /** What is to be released, the last one first. */
  readonly #held: (() => void)[] = [];
  #name: Handle | undefined;
  #credential: Handle | undefined;
  /** Until a native call is back, nothing it uses may be released. */
  #running: Promise<unknown> = Promise.resolve();
  #isDisposed = false;
  #usableUntil: number | undefined;
  /** Who the server knows us as. */
  #established: string | undefined;

  constructor({ host }: Peer, { principal, password }: KerberosIdentity, env: KerberosEnv) {
    this.#target = servicePrincipalOf(host);
    this.#principal = principal;
    this.#password = password;
    this.#env = env;
    const { gssapi } = env;
    const context = gssapi.newContext();
    this.#context = context;
    this.#held.push(() => {
      gssapi.deleteContext(context);
    });
    this.sealing = {
      protocol: "application/HTTP-Kerberos-session-encrypted",
      seal: (clear) => this.#now("wrap", () => splitToken(gssapi.wrap(context, clear), clear.length)),
      open: (sealed) => this.#now("unwrap", () => gssapi.unwrap(context, joinToken(sealed))),
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

  describe(): { readonly service: string; readonly principal?: string } {
    const service = this.#service;
    const principal = this.#established ?? this.#principal;
    return principal === undefined ? { service } : { service, principal };
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#usableUntil = undefined;
    void this.#running.then(() => {
      for (const release of this.#held.splice(0).reverse()) release();
    });
  }

  async #step(token: Uint8Array | undefined): Promise<Uint8Array | undefined> {
    const { gssapi } = this.#env;
    let result: InitResult;
    try {
      if (this.#name === undefined) this.#name = await this.#import(this.#target);
      if (this.#credential === undefined && this.#principal !== undefined) {
        this.#credential = await this.#acquire(this.#principal);
      }
      this.#stopIfDisposed();
      result = await gssapi.init({
        context: this.#context,
        credential: this.#credential,
        target: this.#name,
        token,
      });
    } catch (error) {
      throw this.#failure(error, token !== undefined);
    }
    if (result.isComplete) {
      if ((result.flags & WANTED) !== WANTED) throw kerberosIncomplete(this.#attempt());
      this.#established = gssapi.whoWeAre(this.#context);
      this.#usableUntil = this.#env.now().getTime() + Math.max(result.seconds - MARGIN_SECONDS, 1) * 1000;
    }
    return result.token;
  }

  async #import(text: string): Promise<Handle> {
    const { gssapi } = this.#env;
    this.#stopIfDisposed();
    const name = await gssapi.importPrincipal(text);
    this.#held.push(() => {
      gssapi.releaseName(name);
    });
    return name;
  }

  async #acquire(principal: string): Promise<Handle> {
    const { gssapi } = this.#env;
    const name = await this.#import(principal);
    this.#stopIfDisposed();
    const password = this.#password === undefined ? undefined : Buffer.from(this.#password.reveal(), "utf8");
    const credential = await gssapi.acquire(name, password);
    this.#held.push(() => {
      gssapi.releaseCredential(credential);
    });
    return credential;
  }

  /** Nobody waits for it any more, so nothing further is begun. */
  #stopIfDisposed(): void {
    if (this.#isDisposed) throw new RemotingError("SessionClosed", "The connection was closed.");
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
      if (error instanceof GssError) throw kerberosFailure({ ...statusOf(error), operation }, this.#attempt(), error);
      if (isRemotingError(error)) throw kerberosRefusal(error, operation, this.#attempt());
      throw error;
    }
  }

  #failure(error: unknown, isProof: boolean): unknown {
    if (!(error instanceof GssError) || isRemotingError(error)) return error;
    const status = statusOf(error);
    return kerberosFailure(isProof ? { ...status, operation: "prove" } : status, this.#attempt(), error);
  }

  get #service(): string {
    return this.#target.replace(/@$/, "");
  }

  #attempt(): KerberosAttempt {
    const { gssapi, environment } = this.#env;
    const hasPassword = this.#password !== undefined;
    return {
      service: this.#service,
      principal: this.#principal,
      hasPassword,
      cache: hasPassword ? undefined : (environment["KRB5CCNAME"] ?? gssapi.cacheName()),
      keytab: hasPassword ? undefined : environment["KRB5_CLIENT_KTNAME"],
      configuration: environment["KRB5_CONFIG"] ?? "/etc/krb5.conf",
    };
  }
}

function statusOf({ operation, major, minor, message }: GssError): {
  readonly operation: GssError["operation"];
  readonly major: number;
  readonly minor: number;
  readonly text: string;
} {
  return { operation, major, minor, text: message };
}
