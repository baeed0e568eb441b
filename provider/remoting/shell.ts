import { isRemotingError, RemotingError, type RemotingErrorCode } from "./errors";
import type { HttpConnection } from "./http/connection";
import { type HttpExchange, traceFault } from "./trace";
import { inTurns } from "./turns";
import { type FaultName, isFault } from "./wsman/fault";
import type { WsmanFault } from "./wsman/wsmanFault";
import type { Operation } from "./wsman/names";
import {
  encodeCommand,
  encodeCreate,
  encodeDelete,
  encodeReceive,
  encodeSend,
  encodeSignal,
  fragmentRoom,
  type RequestHeader,
  type ShellRequestHeader,
} from "./wsman/requests";
import { decodeResponse, type WsmanResponse } from "./wsman/responses";

/** Before the server has said that it speaks protocol 2.2 or later, and afterwards: what Windows' own client does. */
const FIRST_ENVELOPE_BYTES = 153_600;
const LATER_ENVELOPE_BYTES = 512_000;
/** Exchange's web server takes requests of up to 512,000 bytes; encryption and headers need some room. */
const LARGEST_REQUEST_BYTES = 500_000;
/** Of the server's idle time-out: 45 seconds of a minute. */
const STALE_PART = 0.75;
/** How much longer than OperationTimeout an answer may take to arrive. */
const MARGIN_SECONDS = 10;

export interface ShellOptions {
  /** As the requests name it (`a:To`): the connection URL. */
  readonly to: string;
  readonly resourceUri: string;
  readonly operationTimeoutSeconds: number;
  /** After so long without a request the server is to delete the shell by itself. */
  readonly idleTimeoutSeconds: number;
  readonly newGuid: () => string;
  readonly now: () => Date;
}

/** A piece of a pipeline's or the pool's messages. */
export interface Piece {
  readonly stream: "stdin" | "pr";
  readonly bytes: Uint8Array;
}

/** A request as it is posted. */
interface ShellRequest {
  readonly operation: Operation;
  readonly messageId: string;
  readonly envelope: string;
  readonly pipelineId?: string | undefined;
}

type Received = Extract<WsmanResponse, { readonly kind: "received" }>;

/**
 * The requests of one WS-Management shell, each over a connection that the caller has for itself at that moment. Every
 * fault but the one that says "nothing yet" becomes a RemotingError.
 */
export class Shell {
  readonly #options: ShellOptions;
  readonly #sessionId: string;
  #shellId: string | undefined;
  #envelopeBytes = FIRST_ENVELOPE_BYTES;
  #idleTimeoutSeconds: number;
  /** Requests that wait for their answers. */
  #underway = 0;
  /** When the server is to have answered all of them at the latest; milliseconds since 1970. */
  #latest = 0;
  /** When it had answered the last one at the latest. */
  #lastUsed = 0;

  constructor(options: ShellOptions) {
    this.#options = options;
    this.#sessionId = options.newGuid();
    this.#idleTimeoutSeconds = options.idleTimeoutSeconds;
  }

  /** Whether there is something to delete. */
  get isCreated(): boolean {
    return this.#shellId !== undefined;
  }

  /**
   * Whether the server may soon take the shell away, or has done so: unused for three quarters of the time that it
   * gives. Measured by the clock and not by a timer, which doesn't run while the process is held up. A clock that was
   * put back tells nothing, and counts as too long.
   */
  get isStale(): boolean {
    if (this.#shellId === undefined) return false;
    const now = this.#options.now().getTime();
    const limit = this.#idleTimeoutSeconds * 1000 * STALE_PART;
    if (this.#underway > 0) return now - this.#latest >= limit;
    const unused = now - this.#lastUsed;
    return unused < 0 || unused >= limit;
  }

  useLargerEnvelopes(): void {
    this.#envelopeBytes = LATER_ENVELOPE_BYTES;
  }

  async create(
    connection: HttpConnection,
    runspacePoolId: string,
    takeFirst: (maxBytes: number) => Uint8Array,
    signal: AbortSignal,
  ): Promise<void> {
    const header = this.#header();
    const { idleTimeoutSeconds } = this.#options;
    const build = (creationXml: Uint8Array): string =>
      encodeCreate(header, { runspacePoolId, creationXml, idleTimeoutSeconds });
    const creationXml = takeFirst(this.#room(build));
    try {
      const response = await this.#post(
        connection,
        { operation: "Create", messageId: header.messageId, envelope: build(creationXml) },
        signal,
      );
      if (response.kind !== "created") return;
      this.#shellId = response.shell.shellId;
      this.#idleTimeoutSeconds = Math.min(idleTimeoutSeconds, response.shell.idleTimeoutSeconds ?? idleTimeoutSeconds);
    } catch (error) {
      // The answer was lost, the shell perhaps not: servers take the name that we proposed, so it can be deleted.
      const { fate, fault } = error instanceof RemotingError ? error.facts : {};
      if (fate !== "notDone" && fault === undefined) this.#shellId = runspacePoolId.toUpperCase();
      throw error;
    }
  }

  /** Room for fragments in a Command, and in each Send after it. */
  commandRoom(pipelineId: string): { readonly first: number; readonly later: number } {
    const header = this.#shellHeader();
    return {
      first: this.#room((firstFragments) => encodeCommand(header, { pipelineId, firstFragments })),
      later: this.sendRoom(pipelineId),
    };
  }

  sendRoom(pipelineId?: string): number {
    const header = this.#shellHeader();
    return this.#room((fragments) => encodeSend(header, { pipelineId, stream: "stdin", fragments }));
  }

  /** Returns the command's name, which the server may have chosen itself. */
  async command(
    connection: HttpConnection,
    pipelineId: string,
    firstFragments: Uint8Array,
    signal: AbortSignal,
  ): Promise<string> {
    const header = this.#shellHeader();
    const envelope = encodeCommand(header, { pipelineId, firstFragments });
    const response = await this.#post(
      connection,
      { operation: "Command", messageId: header.messageId, envelope, pipelineId },
      signal,
    );
    return response.kind === "commandStarted" ? response.commandId : pipelineId;
  }

  async send(
    connection: HttpConnection,
    pipelineId: string | undefined,
    piece: Piece,
    signal: AbortSignal,
  ): Promise<void> {
    const header = this.#shellHeader();
    const envelope = encodeSend(header, { pipelineId, stream: piece.stream, fragments: piece.bytes });
    await this.#post(connection, { operation: "Send", messageId: header.messageId, envelope, pipelineId }, signal);
  }

  /** What the server has to say; `undefined` when there was nothing within OperationTimeout. */
  async receive(
    connection: HttpConnection,
    pipelineId: string | undefined,
    signal: AbortSignal,
  ): Promise<Received | undefined> {
    const header = this.#shellHeader();
    try {
      const envelope = encodeReceive(header, { pipelineId });
      const response = await this.#post(
        connection,
        { operation: "Receive", messageId: header.messageId, envelope, pipelineId },
        signal,
      );
      return response.kind === "received" ? response : undefined;
    } catch (error) {
      const fault = error instanceof RemotingError ? error.facts.fault : undefined;
      if (fault !== undefined && isFault(fault, "TimedOut")) return undefined;
      throw error;
    }
  }

  /** Ends a command, whether it runs or has ended. */
  async terminate(connection: HttpConnection, pipelineId: string, signal: AbortSignal): Promise<void> {
    const header = this.#shellHeader();
    const envelope = encodeSignal(header, { pipelineId, signal: "terminate" });
    await this.#post(connection, { operation: "Signal", messageId: header.messageId, envelope, pipelineId }, signal);
  }

  async delete(connection: HttpConnection, signal: AbortSignal): Promise<void> {
    const header = this.#shellHeader();
    await this.#post(
      connection,
      { operation: "Delete", messageId: header.messageId, envelope: encodeDelete(header) },
      signal,
    );
  }

  #header(): RequestHeader {
    const { to, resourceUri, operationTimeoutSeconds, newGuid } = this.#options;
    return {
      to,
      resourceUri,
      sessionId: this.#sessionId,
      messageId: newGuid(),
      operationTimeoutSeconds,
      maxEnvelopeBytes: this.#envelopeBytes,
    };
  }

  #shellHeader(): ShellRequestHeader {
    if (this.#shellId === undefined) throw new RemotingError("StateInvalid", "There is no shell yet.");
    return { ...this.#header(), shellId: this.#shellId };
  }

  #room(build: (fragments: Uint8Array) => string): number {
    return fragmentRoom(Math.min(this.#envelopeBytes, LARGEST_REQUEST_BYTES), build);
  }

  /**
   * A server answers within OperationTimeout. Its time without a request began no later, even when a process that was
   * held up reads the answer much later.
   */
  async #post(connection: HttpConnection, request: ShellRequest, signal: AbortSignal): Promise<WsmanResponse> {
    const { now, operationTimeoutSeconds } = this.#options;
    const latest = now().getTime() + operationTimeoutSeconds * 1000;
    this.#underway += 1;
    this.#latest = latest;
    try {
      return await this.#exchange(connection, request, signal);
    } finally {
      this.#underway -= 1;
      this.#lastUsed = Math.min(now().getTime(), latest);
    }
  }

  async #exchange(connection: HttpConnection, request: ShellRequest, signal: AbortSignal): Promise<WsmanResponse> {
    const { operation, messageId, envelope, pipelineId } = request;
    const timeoutSeconds = this.#options.operationTimeoutSeconds + MARGIN_SECONDS;
    if (connection.trace === undefined) {
      const answer = await connection.post(envelope, { signal, timeoutSeconds });
      return await answerTo(operation, messageId, answer);
    }
    const exchanges: HttpExchange[] = [];
    const started = this.#options.now().getTime();
    let failure: RemotingError | undefined;
    try {
      const onExchange = (one: HttpExchange): unknown => exchanges.push(one);
      const answer = await connection.post(envelope, { signal, timeoutSeconds, onExchange });
      return await answerTo(operation, messageId, answer);
    } catch (error) {
      if (isRemotingError(error)) failure = error;
      throw error;
    } finally {
      const sum = (of: (one: HttpExchange) => number): number => exchanges.reduce((all, one) => all + of(one), 0);
      connection.trace(
        {
          kind: "request",
          operation,
          status: exchanges.at(-1)?.status,
          sent: sum((one) => one.sent),
          received: sum((one) => one.received),
          milliseconds: this.#options.now().getTime() - started,
          frontEnd: exchanges.at(-1)?.frontEnd,
          fault: traceFault(failure?.facts.fault),
          failure: failure?.code,
        },
        { pipeline: pipelineId },
      );
    }
  }
}

/** A fault is an error. */
async function answerTo(operation: Operation, messageId: string, answer: string): Promise<WsmanResponse> {
  const response = await inTurns(decodeResponse(answer, { operation, messageId }));
  if (response.kind === "fault") throw faultError(operation, response.fault);
  return response;
}

const FAULTS: readonly (readonly [FaultName, RemotingErrorCode])[] = [
  ["AccessDenied", "AccessDenied"],
  ["AccessDeniedByPlugin", "AccessDenied"],
  ["InvalidSelectors", "ShellGone"],
  ["OperationAborted", "ShellGone"],
  ["OperationCancelled", "ShellGone"],
  ["ShellClosed", "ShellGone"],
  ["OperationEnded", "ShellGone"],
  ["QuotaLimit", "Throttled"],
  ["TooManyShells", "Throttled"],
  ["TooManyOperations", "Throttled"],
  ["TooManyCommandsInShell", "Throttled"],
  ["TimedOut", "TimedOut"],
  ["InvalidResourceUri", "EndpointNotFound"],
];

/** A fault as an error: its kind by the code, its words from the server. */
function faultError(operation: Operation, fault: WsmanFault): RemotingError {
  const code = FAULTS.find(([name]) => isFault(fault, name))?.[1] ?? "FaultReceived";
  const number = fault.code === undefined ? "" : ` (${fault.code})`;
  return new RemotingError(code, `The server refused ${operation}${number}: ${fault.message}`, { facts: { fault } });
}
