import type { ClixmlLimits } from "../clixml/decode";
import type { EncodeOptions } from "../clixml/encode";
import type { ClixmlValue } from "../clixml/types";
import { RemotingError } from "../errors";
import { atOnce, STEP_BYTES, type Steps } from "../steps";
import type { ElementBudget } from "../xml";
import { decodeErrorRecord, encodeErrorRecord, type ErrorRecord } from "./errorRecord";
import { Defragmenter, type DefragmenterLimits, FragmentWriter, type ObjectIds, type Outgoing } from "./fragment";
import {
  decodeHostCall,
  decodeHostResponse,
  encodeHostCall,
  encodeHostResponse,
  type HostCall,
  hostCallRefused,
  type HostMethod,
  type HostResponse,
} from "./hostCall";
import { bodyInSteps, bodyOf, decodeMessage, encodeMessage, type Message, type MessageType } from "./message";
import {
  type Command,
  type CreatePipeline,
  decodeCreatePipeline,
  decodeGetCommandMetadata,
  decodeInformationalRecord,
  decodeInformationRecord,
  decodePipelineState,
  decodeProgress,
  encodeCreatePipeline,
  encodeInformationalRecord,
  encodePipelineState,
  encodeProgress,
  type InformationalKind,
  type Progress,
} from "./pipelineMessages";
import { isFinal, type PipelineState } from "./states";

/** Limits on what the other side may send; see the defaults there. */
export interface PoolLimits extends ClixmlLimits, DefragmenterLimits {
  /**
   * Most elements and attributes in all that one pipeline puts out, errors and warnings included, and messages, which
   * count as one each. Default 200,000: a thousand connectors, or a hundred megabytes.
   */
  readonly maxPipelineElements?: number;
}

const MAX_PIPELINE_ELEMENTS = 200_000;

/** What a pipeline shares with its pool. */
export interface PoolContext {
  readonly runspacePoolId: string;
  readonly ids: ObjectIds;
  readonly limits: PoolLimits;
  /** Asked at each message, because the session key may come later. */
  readonly encoding: () => EncodeOptions;
}

/** What a message costs beside its bytes, in bytes, and what a piece does that completes none. */
const MESSAGE_COST = 1000;
const PIECE_COST = 50;

export type PipelineEvent =
  | { readonly kind: "output"; readonly value: ClixmlValue }
  /** A non-terminating error: the pipeline goes on, and may even "complete". */
  | { readonly kind: "error"; readonly record: ErrorRecord }
  | { readonly kind: "warning" | "verbose" | "debug" | "information"; readonly message: string }
  | { readonly kind: "progress"; readonly progress: Progress }
  /** Answer with {@link ClientPipeline.respond} or {@link ClientPipeline.refuse} unless it is void. */
  | { readonly kind: "hostCall"; readonly call: HostCall }
  /** `error` is the terminating error of a failed pipeline. */
  | { readonly kind: "state"; readonly state: PipelineState; readonly error: ErrorRecord | undefined }
  | { readonly kind: "ignored"; readonly typeNumber: number };

/**
 * Client half of a pipeline: MS-PSRP 3.1.4.3 and 3.1.5.4. The first `take` belongs into WS-Man's Command (Arguments),
 * every later one into a Send with the CommandId, which is the pipeline's id. Stopping is WS-Man's Signal.
 */
export class ClientPipeline {
  readonly id: string;
  readonly #pool: PoolContext;
  readonly #outgoing: FragmentWriter;
  readonly #incoming: Defragmenter;
  readonly #unanswered = new Set<HostCall>();
  /** For what is kept until the pipeline has ended. */
  readonly #kept: ElementBudget;
  /** Since the last step ended. */
  #read = 0;
  #state: PipelineState = "Running";

  /** Made by {@link ClientRunspacePool.createPipeline}. */
  constructor(id: string, commands: readonly Command[], pool: PoolContext) {
    this.id = id;
    this.#pool = pool;
    this.#outgoing = new FragmentWriter(pool.ids);
    this.#incoming = new Defragmenter(pool.limits);
    this.#kept = { left: pool.limits.maxPipelineElements ?? MAX_PIPELINE_ELEMENTS };
    this.#send("CREATE_PIPELINE", encodeCreatePipeline(commands), "stdin");
  }

  get state(): PipelineState {
    return this.#state;
  }

  /** Host calls that wait for an answer. */
  get unanswered(): readonly HostCall[] {
    return [...this.#unanswered];
  }

  /** Fragments for the next request of the command; see {@link FragmentWriter.take}. */
  take(maxBytes: number, maxFragments?: number): Outgoing | undefined {
    return this.#outgoing.take(maxBytes, maxFragments);
  }

  /** Bytes of the command's stdout stream, cut anywhere. Throws a RemotingError for what breaks the protocol. */
  receive(bytes: Uint8Array): PipelineEvent[] {
    const events: PipelineEvent[] = [];
    atOnce(this.receiveInSteps(bytes, (event) => events.push(event)));
    return events;
  }

  /** {@link receive} in steps; each event is told as soon as it is there, and kept by nobody else. */
  *receiveInSteps(bytes: Uint8Array, tell: (event: PipelineEvent) => void): Steps<void> {
    // Counted over all calls: a server may send its bytes one by one.
    this.#read += PIECE_COST;
    for (const message of this.#incoming.push(bytes)) {
      tell(yield* this.#handle(decodeMessage(message)));
      this.#read += message.length + MESSAGE_COST;
      if (this.#read > STEP_BYTES) {
        this.#read = 0;
        yield;
      }
    }
    if (this.#read > STEP_BYTES) {
      this.#read = 0;
      yield;
    }
  }

  *#handle(message: Message): Steps<PipelineEvent> {
    if (message.pipelineId !== undefined && message.pipelineId !== this.id) {
      throw new RemotingError(
        "MessageInvalid",
        "The other side sent a message of another pipeline on this one's stream.",
      );
    }
    const { limits } = this.#pool;
    const body = (): Steps<ClixmlValue> => bodyInSteps(message, limits);
    switch (message.type) {
      case "PIPELINE_OUTPUT":
        return { kind: "output", value: yield* this.#keptBody(message) };
      case "ERROR_RECORD":
        return { kind: "error", record: decodeErrorRecord(yield* this.#keptBody(message)) };
      case "WARNING_RECORD":
        return { kind: "warning", message: decodeInformationalRecord(yield* this.#keptBody(message)) };
      case "VERBOSE_RECORD":
        return { kind: "verbose", message: decodeInformationalRecord(yield* body()) };
      case "DEBUG_RECORD":
        return { kind: "debug", message: decodeInformationalRecord(yield* body()) };
      case "INFORMATION_RECORD":
        return { kind: "information", message: decodeInformationRecord(yield* body()) };
      case "PROGRESS_RECORD":
        return { kind: "progress", progress: decodeProgress(yield* body()) };
      case "PIPELINE_HOST_CALL":
      case "RUNSPACEPOOL_HOST_CALL": {
        const call = decodeHostCall(yield* this.#keptBody(message));
        if (!call.isVoid) this.#unanswered.add(call);
        return { kind: "hostCall", call };
      }
      case "PIPELINE_STATE": {
        const { state, error } = decodePipelineState(yield* body());
        this.#state = state;
        if (isFinal(state)) this.#unanswered.clear();
        return { kind: "state", state, error };
      }
      default:
        return { kind: "ignored", typeNumber: message.typeNumber };
    }
  }

  *#keptBody(message: Message): Steps<ClixmlValue> {
    const budget = this.#kept;
    budget.left -= 1;
    return yield* bodyInSteps(message, { ...this.#pool.limits, budget });
  }

  /** Answers a host call: MS-PSRP 2.2.2.28. The answer goes out on the stream `pr`. */
  respond(call: HostCall, result: ClixmlValue): void {
    this.#answer(call, { result });
  }

  /** Answers a host call with an error, so that the pipeline doesn't wait for ever. */
  refuse(call: HostCall, reason: string): void {
    this.#answer(call, { error: hostCallRefused(call, reason) });
  }

  #answer(call: HostCall, answer: Parameters<typeof encodeHostResponse>[1]): void {
    if (!this.#unanswered.delete(call)) {
      throw new RemotingError("StateInvalid", "A host call can be answered once, and only when it wants an answer.");
    }
    this.#send("PIPELINE_HOST_RESPONSE", encodeHostResponse(call, answer), "pr");
  }

  #send(type: MessageType, value: ClixmlValue, stream: "stdin" | "pr"): void {
    const { runspacePoolId, encoding } = this.#pool;
    const parts = { destination: "server", type, runspacePoolId, pipelineId: this.id, value, ...encoding() } as const;
    this.#outgoing.add(encodeMessage(parts), stream);
  }
}

export type ServerPipelineEvent =
  | { readonly kind: "create"; readonly request: CreatePipeline }
  /** The client wants to know the commands of these names, as Import-PSSession does. */
  | { readonly kind: "commandMetadata"; readonly names: readonly string[] }
  | { readonly kind: "input"; readonly value: ClixmlValue }
  | { readonly kind: "endOfInput" }
  | { readonly kind: "hostResponse"; readonly response: HostResponse }
  | { readonly kind: "ignored"; readonly typeNumber: number };

/** Server half of a pipeline: MS-PSRP 3.2.5.4. */
export class ServerPipeline {
  readonly id: string;
  readonly #pool: PoolContext & { readonly nextCallId: () => bigint };
  readonly #outgoing: FragmentWriter<"stdout">;
  readonly #incoming: Readonly<Record<"stdin" | "pr", Defragmenter>>;
  #state: PipelineState = "NotStarted";
  /** PID as the client wrote it: not all clients write GUIDs as .NET does, and each wants back its own bytes. */
  #clientId: string;

  /** Made by {@link ServerRunspacePool.createPipeline}. */
  constructor(id: string, pool: PoolContext & { readonly nextCallId: () => bigint }) {
    this.id = id;
    this.#pool = pool;
    this.#clientId = id;
    this.#outgoing = new FragmentWriter(pool.ids);
    this.#incoming = { stdin: new Defragmenter(pool.limits), pr: new Defragmenter(pool.limits) };
  }

  get state(): PipelineState {
    return this.#state;
  }

  /** Whether everything written so far has been taken. */
  get isDrained(): boolean {
    return this.#outgoing.isEmpty;
  }

  /** Arguments of Command, and what Send carries with this CommandId. */
  receive(stream: "stdin" | "pr", bytes: Uint8Array): ServerPipelineEvent[] {
    return this.#incoming[stream].push(bytes).map((message) => this.#handle(decodeMessage(message)));
  }

  #handle(message: Message): ServerPipelineEvent {
    const body = (): ClixmlValue => bodyOf(message, this.#pool.limits);
    switch (message.type) {
      case "CREATE_PIPELINE":
        if (this.#state !== "NotStarted") throw new RemotingError("StateInvalid", "A pipeline was created twice.");
        this.#state = "Running";
        this.#clientId = message.pipelineId ?? this.id;
        return { kind: "create", request: decodeCreatePipeline(body()) };
      case "GET_COMMAND_METADATA":
        if (this.#state !== "NotStarted") throw new RemotingError("StateInvalid", "A pipeline was created twice.");
        this.#state = "Running";
        this.#clientId = message.pipelineId ?? this.id;
        return { kind: "commandMetadata", names: decodeGetCommandMetadata(body()) };
      case "PIPELINE_INPUT":
        return { kind: "input", value: body() };
      case "END_OF_PIPELINE_INPUT":
        return { kind: "endOfInput" };
      case "PIPELINE_HOST_RESPONSE":
        return { kind: "hostResponse", response: decodeHostResponse(body()) };
      default:
        return { kind: "ignored", typeNumber: message.typeNumber };
    }
  }

  writeOutput(value: ClixmlValue): void {
    this.#send("PIPELINE_OUTPUT", value);
  }

  writeError(record: ErrorRecord): void {
    this.#send("ERROR_RECORD", encodeErrorRecord(record));
  }

  writeInformational(kind: InformationalKind, message: string): void {
    const types = { Debug: "DEBUG_RECORD", Verbose: "VERBOSE_RECORD", Warning: "WARNING_RECORD" } as const;
    this.#send(types[kind], encodeInformationalRecord(kind, message));
  }

  writeProgress(progress: Progress): void {
    this.#send("PROGRESS_RECORD", encodeProgress(progress));
  }

  /**
   * Asks the client's host. The answer arrives as a `hostResponse` with this call identifier, which no other call of
   * the pool has, here or at the pool.
   */
  callHost(method: HostMethod, parameters: readonly ClixmlValue[]): bigint {
    const callId = this.#pool.nextCallId();
    this.#send("PIPELINE_HOST_CALL", encodeHostCall(method, parameters, callId));
    return callId;
  }

  /** Tells the client's host something; no answer comes. */
  tellHost(method: HostMethod, parameters: readonly ClixmlValue[]): void {
    this.#send("PIPELINE_HOST_CALL", encodeHostCall(method, parameters));
  }

  /** Ends the pipeline: Completed, Stopped, or Failed with the terminating error. */
  finish(state: "Completed" | "Stopped" | "Failed", error?: ErrorRecord): void {
    this.#send("PIPELINE_STATE", encodePipelineState(state, error));
    this.#state = state;
  }

  take(maxBytes: number, maxFragments?: number): Outgoing<"stdout"> | undefined {
    return this.#outgoing.take(maxBytes, maxFragments);
  }

  #send(type: MessageType, value: ClixmlValue): void {
    if (this.#state !== "Running") {
      throw new RemotingError("StateInvalid", `A pipeline in the state ${this.#state} can't send anything.`);
    }
    const { runspacePoolId, encoding } = this.#pool;
    const parts = {
      destination: "client",
      type,
      runspacePoolId,
      pipelineId: this.#clientId,
      value,
      ...encoding(),
    } as const;
    this.#outgoing.add(encodeMessage(parts), "stdout");
  }
}
