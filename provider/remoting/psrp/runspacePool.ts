import type { KeyObject } from "node:crypto";
import { Secret } from "../../secret";
import { type ClixmlValue, propertyBag } from "../clixml/types";
import { RemotingError } from "../errors";
import type { ErrorRecord } from "./errorRecord";
import { Defragmenter, FragmentWriter, ObjectIds, type Outgoing } from "./fragment";
import { NIL_GUID, parseGuid } from "./guid";
import {
  decodeHostCall,
  decodeHostResponse,
  encodeHostResponse,
  type HostCall,
  hostCallRefused,
  type HostResponse,
} from "./hostCall";
import {
  decodePublicKey,
  encodePublicKey,
  type RandomBytes,
  SessionKey,
  unwrapSessionKey,
  wrapSessionKey,
} from "./keyExchange";
import { bodyOf, decodeMessage, encodeMessage, type Message, type MessageType } from "./message";
import { ClientPipeline, type PoolContext, type PoolLimits, ServerPipeline } from "./pipeline";
import type { Command } from "./pipelineMessages";
import {
  decodeApplicationPrivateData,
  decodeInitRunspacePool,
  decodeKeyMessage,
  decodeRunspacePoolState,
  decodeSessionCapability,
  encodeApplicationPrivateData,
  encodeInitRunspacePool,
  encodeKeyMessage,
  encodeRunspacePoolState,
  encodeSessionCapability,
  type HostKind,
  type InitRunspacePool,
  OUR_CAPABILITY,
  type SessionCapability,
} from "./poolMessages";
import type { RunspacePoolState } from "./states";

export type ClientPoolEvent =
  | { readonly kind: "capability"; readonly capability: SessionCapability }
  | { readonly kind: "applicationPrivateData"; readonly data: ReadonlyMap<string, ClixmlValue> }
  /** `error` says why when the pool broke. */
  | { readonly kind: "state"; readonly state: RunspacePoolState; readonly error: ErrorRecord | undefined }
  /** Answer with {@link ClientRunspacePool.exchangeKeys}. */
  | { readonly kind: "publicKeyRequested" }
  /** Secure strings can be sent from now on. */
  | { readonly kind: "sessionKeyReady" }
  /** Answer with {@link ClientRunspacePool.respond} or {@link ClientRunspacePool.refuse} unless it is void. */
  | { readonly kind: "hostCall"; readonly call: HostCall }
  /** A message that this client has no use for. */
  | { readonly kind: "ignored"; readonly typeNumber: number };

export interface ClientPoolOptions {
  /** The pool's GUID, made by the caller. */
  readonly id: string;
  readonly host: HostKind;
  /** Most pipelines at a time. Default 1. */
  readonly maxRunspaces?: number;
  readonly limits?: PoolLimits;
}

export interface RsaKeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/**
 * Client half of a runspace pool: MS-PSRP 3.1. It neither sends nor waits: bytes that came in go to `receive`, bytes to
 * send come out of `take`, and what it all means are events. The first `take` after `open` belongs into WS-Man's Create
 * (creationXml), every later one into a Send without a CommandId. Closing is WS-Man's Delete; tell it by `closed`.
 */
export class ClientRunspacePool {
  readonly id: string;
  readonly #ids = new ObjectIds();
  readonly #outgoing = new FragmentWriter(this.#ids);
  readonly #incoming: Defragmenter;
  readonly #limits: PoolLimits;
  readonly #options: ClientPoolOptions;
  readonly #unanswered = new Set<HostCall>();
  #state: RunspacePoolState = "BeforeOpen";
  #capability: SessionCapability | undefined;
  #privateKey: KeyObject | undefined;
  #sessionKey: SessionKey | undefined;

  constructor(options: ClientPoolOptions) {
    const id = parseGuid(options.id);
    if (id === undefined || id === NIL_GUID) throw new RemotingError("StateInvalid", "A runspace pool needs a GUID.");
    this.id = id;
    this.#options = options;
    this.#limits = options.limits ?? {};
    this.#incoming = new Defragmenter(this.#limits);
  }

  get state(): RunspacePoolState {
    return this.#state;
  }

  /** What the server said of itself; `undefined` before it did. */
  get serverCapability(): SessionCapability | undefined {
    return this.#capability;
  }

  get hasSessionKey(): boolean {
    return this.#sessionKey !== undefined;
  }

  /** Queues SESSION_CAPABILITY and INIT_RUNSPACEPOOL: MS-PSRP 3.1.4.1. */
  open(): void {
    this.#require("BeforeOpen", "open");
    this.#send("SESSION_CAPABILITY", encodeSessionCapability(OUR_CAPABILITY));
    this.#send("INIT_RUNSPACEPOOL", encodeInitRunspacePool(this.#options.host, this.#options.maxRunspaces ?? 1));
    this.#state = "Opening";
  }

  /** Fragments for the next request of the shell; see {@link FragmentWriter.take}. */
  take(maxBytes: number, maxFragments?: number): Outgoing | undefined {
    return this.#outgoing.take(maxBytes, maxFragments);
  }

  /**
   * Bytes of the shell's own stdout stream (no CommandId), cut anywhere. Throws a RemotingError for what breaks the
   * protocol; the pool is broken then.
   */
  receive(bytes: Uint8Array): ClientPoolEvent[] {
    try {
      return this.#incoming.push(bytes).map((message) => this.#handle(decodeMessage(message)));
    } catch (error) {
      this.#state = "Broken";
      throw error;
    }
  }

  #handle(message: Message): ClientPoolEvent {
    const body = (): ClixmlValue => bodyOf(message, this.#limits);
    switch (message.type) {
      case "SESSION_CAPABILITY":
        this.#capability = decodeSessionCapability(body());
        return { kind: "capability", capability: this.#capability };
      case "APPLICATION_PRIVATE_DATA":
        return { kind: "applicationPrivateData", data: decodeApplicationPrivateData(body()) };
      case "RUNSPACEPOOL_STATE": {
        const { state, error } = decodeRunspacePoolState(body());
        if (state === "Opened" && this.#capability === undefined) {
          throw new RemotingError(
            "MessageInvalid",
            "The other side opened a runspace pool without saying what it can.",
          );
        }
        this.#state = state;
        return { kind: "state", state, error };
      }
      case "PUBLIC_KEY_REQUEST":
        return { kind: "publicKeyRequested" };
      case "ENCRYPTED_SESSION_KEY": {
        if (this.#privateKey === undefined) {
          throw new RemotingError("KeyExchangeFailed", "The other side sent a session key that nobody asked for.");
        }
        this.#sessionKey = unwrapSessionKey(decodeKeyMessage(body(), "EncryptedSessionKey"), this.#privateKey);
        this.#privateKey = undefined;
        return { kind: "sessionKeyReady" };
      }
      case "RUNSPACEPOOL_HOST_CALL": {
        const call = decodeHostCall(body());
        if (!call.isVoid) this.#unanswered.add(call);
        return { kind: "hostCall", call };
      }
      default:
        return { kind: "ignored", typeNumber: message.typeNumber };
    }
  }

  /** Queues PUBLIC_KEY (RSA, 2048 bits), once per session or when the server asks: MS-PSRP 3.1.5.4.3. */
  exchangeKeys(keyPair: RsaKeyPair): void {
    this.#require("Opened", "exchange keys");
    const value = encodeKeyMessage("PublicKey", encodePublicKey(keyPair.publicKey));
    this.#privateKey = keyPair.privateKey;
    this.#send("PUBLIC_KEY", value);
  }

  /** The clear text of a secure string that the server sent. */
  decrypt(cipherText: Uint8Array): Secret<string> {
    if (this.#sessionKey === undefined) {
      throw new RemotingError("StateInvalid", "A secure string can't be read before the session key is there.");
    }
    return this.#sessionKey.decrypt(cipherText);
  }

  /**
   * A pipeline of cmdlets, its CREATE_PIPELINE queued: MS-PSRP 3.1.4.3. `id` is a GUID made by the caller. Secrets among
   * the arguments need the session key first.
   */
  createPipeline(id: string, commands: readonly Command[]): ClientPipeline {
    this.#require("Opened", "run a pipeline");
    return new ClientPipeline(requireGuid(id), commands, this.#context());
  }

  /** Answers a host call of the pool. */
  respond(call: HostCall, result: ClixmlValue): void {
    this.#answer(call, { result });
  }

  /** Answers a host call of the pool with an error. */
  refuse(call: HostCall, reason: string): void {
    this.#answer(call, { error: hostCallRefused(call, reason) });
  }

  #answer(call: HostCall, answer: Parameters<typeof encodeHostResponse>[1]): void {
    if (!this.#unanswered.delete(call)) {
      throw new RemotingError("StateInvalid", "A host call can be answered once, and only when it wants an answer.");
    }
    this.#send("RUNSPACEPOOL_HOST_RESPONSE", encodeHostResponse(call, answer), "pr");
  }

  /** The shell is gone: deleted by us, or lost. */
  closed(): void {
    if (this.#state !== "Broken") this.#state = "Closed";
  }

  #context(): PoolContext {
    return {
      runspacePoolId: this.id,
      ids: this.#ids,
      limits: this.#limits,
      encoding: () => this.#encoding(),
    };
  }

  #encoding(): { readonly protect?: (clear: Secret<string>) => Uint8Array } {
    const key = this.#sessionKey;
    return key === undefined ? {} : { protect: (clear) => key.encrypt(clear) };
  }

  #send(type: MessageType, value: ClixmlValue, stream: "stdin" | "pr" = "stdin"): void {
    const message = { destination: "server", type, runspacePoolId: this.id, value, ...this.#encoding() } as const;
    this.#outgoing.add(encodeMessage(message), stream);
  }

  #require(state: RunspacePoolState, action: string): void {
    if (this.#state === state) return;
    throw new RemotingError(
      "StateInvalid",
      `A runspace pool must be in the state ${state} to ${action}; it is in the state ${this.#state}.`,
    );
  }
}

export type ServerPoolEvent =
  /** The client wants the pool; {@link ServerRunspacePool.accept} opens it. */
  | { readonly kind: "init"; readonly init: InitRunspacePool; readonly capability: SessionCapability }
  | { readonly kind: "keysExchanged" }
  /** Some clients send the answers to a pipeline's host calls on the shell's own stream: call identifiers tell whose. */
  | { readonly kind: "hostResponse"; readonly response: HostResponse }
  | { readonly kind: "ignored"; readonly typeNumber: number };

export interface ServerPoolOptions {
  readonly randomBytes: RandomBytes;
  readonly limits?: PoolLimits;
}

/**
 * Server half of a runspace pool: MS-PSRP 3.2. What Create carries (creationXml) and what Send carries without a
 * CommandId go to `receive`; what `take` gives belongs into the answers to Receive without a CommandId.
 */
export class ServerRunspacePool {
  readonly #ids = new ObjectIds();
  readonly #outgoing = new FragmentWriter<"stdout">(this.#ids);
  readonly #incoming: Readonly<Record<"stdin" | "pr", Defragmenter>>;
  readonly #options: ServerPoolOptions;
  #id = NIL_GUID;
  #state: RunspacePoolState = "BeforeOpen";
  #capability: SessionCapability | undefined;
  #sessionKey: SessionKey | undefined;
  #lastCallId = 0n;

  constructor(options: ServerPoolOptions) {
    this.#options = options;
    this.#incoming = { stdin: new Defragmenter(options.limits), pr: new Defragmenter(options.limits) };
  }

  /** The client's GUID of the pool; zero before its first message. */
  get id(): string {
    return this.#id;
  }

  get state(): RunspacePoolState {
    return this.#state;
  }

  /** Bytes of one of the shell's streams, cut anywhere. Throws a RemotingError for what breaks the protocol. */
  receive(stream: "stdin" | "pr", bytes: Uint8Array): ServerPoolEvent[] {
    const events: ServerPoolEvent[] = [];
    for (const message of this.#incoming[stream].push(bytes)) {
      const event = this.#handle(decodeMessage(message));
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  #handle(message: Message): ServerPoolEvent | undefined {
    const body = (): ClixmlValue => bodyOf(message, this.#options.limits);
    switch (message.type) {
      case "SESSION_CAPABILITY":
        this.#id = message.runspacePoolId;
        this.#capability = decodeSessionCapability(body());
        this.#state = "NegotiationSucceeded";
        return undefined;
      case "INIT_RUNSPACEPOOL": {
        if (this.#capability === undefined || this.#state !== "NegotiationSucceeded") {
          throw new RemotingError("StateInvalid", "A client wanted a runspace pool without saying what it can.");
        }
        return { kind: "init", init: decodeInitRunspacePool(body()), capability: this.#capability };
      }
      case "PUBLIC_KEY": {
        const clientKey = decodePublicKey(decodeKeyMessage(body(), "PublicKey"));
        const sessionKey = new Secret(new Uint8Array(this.#options.randomBytes(32)));
        const wrapped = wrapSessionKey(sessionKey, clientKey, this.#options.randomBytes);
        this.#sessionKey = new SessionKey(sessionKey);
        this.#send("ENCRYPTED_SESSION_KEY", encodeKeyMessage("EncryptedSessionKey", wrapped), NIL_GUID);
        return { kind: "keysExchanged" };
      }
      case "RUNSPACEPOOL_HOST_RESPONSE":
      case "PIPELINE_HOST_RESPONSE":
        return { kind: "hostResponse", response: decodeHostResponse(body()) };
      default:
        return { kind: "ignored", typeNumber: message.typeNumber };
    }
  }

  /**
   * Opens the pool: SESSION_CAPABILITY (whose RPID Windows leaves empty), APPLICATION_PRIVATE_DATA, RUNSPACEPOOL_STATE
   * Opened: MS-PSRP 3.2.5.4.2.
   */
  accept(applicationPrivateData: Iterable<readonly [string, ClixmlValue]> = []): void {
    this.#send("SESSION_CAPABILITY", encodeSessionCapability(OUR_CAPABILITY), NIL_GUID);
    this.#send("APPLICATION_PRIVATE_DATA", encodeApplicationPrivateData(applicationPrivateData));
    this.#send("RUNSPACEPOOL_STATE", encodeRunspacePoolState("Opened"));
    this.#state = "Opened";
  }

  /** Breaks the pool and says why. */
  break(error: ErrorRecord): void {
    this.#send("RUNSPACEPOOL_STATE", encodeRunspacePoolState("Broken", error));
    this.#state = "Broken";
  }

  /** Asks for the client's public key: MS-PSRP 2.2.2.5. Windows does so only in PowerShell 2. */
  requestPublicKey(): void {
    this.#send("PUBLIC_KEY_REQUEST", propertyBag({}));
  }

  /** Fragments for the next answer; `maxFragments` 1 puts one into each stream element, as Windows does. */
  take(maxBytes: number, maxFragments?: number): Outgoing<"stdout"> | undefined {
    return this.#outgoing.take(maxBytes, maxFragments);
  }

  /** The clear text of a secure string that the client sent. */
  decrypt(cipherText: Uint8Array): Secret<string> {
    if (this.#sessionKey === undefined) {
      throw new RemotingError("KeyExchangeFailed", "A secure string came before the keys were exchanged.");
    }
    return this.#sessionKey.decrypt(cipherText);
  }

  /** The pipeline that a WS-Man Command opens; `id` is the CommandId. */
  createPipeline(id: string): ServerPipeline {
    if (this.#state !== "Opened") throw new RemotingError("StateInvalid", "A pipeline needs an open runspace pool.");
    return new ServerPipeline(requireGuid(id), {
      runspacePoolId: this.#id,
      ids: this.#ids,
      limits: this.#options.limits ?? {},
      encoding: () => this.#encoding(),
      nextCallId: () => (this.#lastCallId += 1n),
    });
  }

  #encoding(): { readonly protect?: (clear: Secret<string>) => Uint8Array } {
    const key = this.#sessionKey;
    return key === undefined ? {} : { protect: (clear) => key.encrypt(clear) };
  }

  #send(type: MessageType, value: ClixmlValue, runspacePoolId = this.#id): void {
    this.#outgoing.add(encodeMessage({ destination: "client", type, runspacePoolId, value }), "stdout");
  }
}

function requireGuid(id: string): string {
  const guid = parseGuid(id);
  if (guid === undefined || guid === NIL_GUID) throw new RemotingError("StateInvalid", "A pipeline needs a GUID.");
  return guid;
}
