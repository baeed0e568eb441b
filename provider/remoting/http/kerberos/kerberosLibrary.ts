import type { Secret } from "../../../secret";
import type { KerberosFacts, RemotingErrorCode } from "../../errors";
import type { SealedBody } from "../authentication";

/*
 * What the system does of Kerberos, and how it is asked. There are two that do it: GSSAPI of MIT on Linux
 * (gssapiLibrary.ts) and SSPI on Windows (sspiLibrary.ts).
 */

export interface KerberosLibrary {
  /** One side of one conversation. Nobody is asked yet. */
  readonly converse: (wish: ConversationWish) => KerberosConversation;
}

export interface ConversationWish {
  /** `HTTP/host` */
  readonly service: string;
  /** As `accountOf` (kerberosPrincipal.ts) gave it. Default: whom the system says we are. */
  readonly account: string | undefined;
  readonly password: Secret<string> | undefined;
}

/** Throws KerberosCallErrors, and RemotingErrors for messages whose form is refused. */
export interface KerberosConversation {
  /** What credentials are used, as a part of a sentence: "ticket cache FILE:/tmp/krb5cc_0". */
  readonly origin: () => readonly string[];
  /** The same as facts. */
  readonly facts: () => Pick<KerberosFacts, "cache" | "keytab">;
  /**
   * The next token. What may ask a KDC, a name server or a disk runs on another thread; it can't be cancelled, and ends
   * by itself, which may take half a minute. `isWanted` is asked in between: nothing further is begun when it throws.
   */
  readonly step: (token: Uint8Array | undefined, isWanted: () => void) => Promise<Step>;
  /** Encrypts a message, in the order in which they are sent. */
  readonly seal: (clear: Uint8Array) => SealedBody;
  /** Refuses what wasn't encrypted, came before, or came out of order. */
  readonly open: (sealed: SealedBody) => Uint8Array;
  /** Who we are in an established conversation. */
  readonly whoWeAre: () => WhoWeAre | undefined;
  /** Gives back all that is held. Not while a step is running. */
  readonly release: () => void;
}

export interface Step {
  readonly token: Buffer | undefined;
  readonly isComplete: boolean;
  /** Whether the server has proven itself, and messages are encrypted and protected against changes. */
  readonly isAsWanted: boolean;
  /** How long what was agreed on may be used; at the end. */
  readonly seconds: number;
}

export interface WhoWeAre {
  /** Such as `anna@CONTOSO.COM`. */
  readonly name: string;
  /** Whether the two sides agreed on it, or it is only what the system says about the credentials that were used. */
  readonly isAgreed: boolean;
}

export type Operation = "name" | "acquire" | "init" | "prove" | "wrap" | "unwrap";

/** What a failure means, and what to do about it: sentences without a full stop at the end of `what`. */
export type Meaning = readonly [code: RemotingErrorCode, what: string, remedy: string];

/** A call of the library that failed. */
export class KerberosCallError extends Error {
  readonly operation: Operation;
  readonly meaning: Meaning;
  /** The numbers that it failed with, for whoever looks them up: "status d0000/-1765328243". */
  readonly numbers: string;
  readonly facts: Pick<KerberosFacts, "major" | "minor" | "status">;

  /** `text`: the library's own words, in whatever language it speaks; empty where it has none. */
  constructor(text: string, call: Pick<KerberosCallError, "operation" | "meaning" | "numbers" | "facts" | "cause">) {
    super(text, { cause: call.cause });
    this.name = "KerberosCallError";
    this.operation = call.operation;
    this.meaning = call.meaning;
    this.numbers = call.numbers;
    this.facts = call.facts;
  }
}
