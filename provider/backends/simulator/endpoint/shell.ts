import { setImmediate as nextTurn } from "node:timers/promises";
import type { Secret } from "../../../secret";
import { isRemotingError } from "../../../remoting/errors";
import { parseGuid } from "../../../remoting/psrp/guid";
import type { HostResponse } from "../../../remoting/psrp/hostCall";
import type { ServerPipeline, ServerPipelineEvent } from "../../../remoting/psrp/pipeline";
import type { HostInfo } from "../../../remoting/psrp/poolMessages";
import { ServerRunspacePool } from "../../../remoting/psrp/runspacePool";
import { isFinal } from "../../../remoting/psrp/states";
import { dictionary, version } from "../../../remoting/clixml/types";
import type { ReceivedStream } from "../../../remoting/wsman/requests";
import { SIGNALS } from "../../../remoting/wsman/names";
import type { EndpointBehaviour } from "./behaviour";
import { poolBroken } from "./errorRecords";
import { runPipeline, tellCommands, type PipelineSession } from "./pipelines";
import { WakeUp } from "./wakeUp";
import {
  aborted,
  commandNotFound,
  requestInvalid,
  shellNotFound,
  timedOut,
  tooManyCommands,
  WsmanFaultError,
} from "./wsmanFaults";

/** What a shell shares with the others of its endpoint. */
export interface ShellEnvironment extends Pick<
  PipelineSession,
  "store" | "env" | "makeCertificate" | "server" | "isFull"
> {
  readonly randomBytes: (count: number) => Uint8Array;
  readonly behaviour: () => EndpointBehaviour;
}

/** What a Receive is answered with. */
export interface Received {
  readonly commandId: string | undefined;
  readonly fragments: readonly Uint8Array[];
  readonly commandState: "Done" | "Pending" | undefined;
}

interface Command {
  /** As the client wrote it. */
  readonly id: string;
  readonly pipeline: ServerPipeline;
  readonly stop: AbortController;
  asked: number;
}

/** One shell: a runspace pool with its pipelines. What comes in are decoded requests; out come values or faults. */
export class Shell {
  readonly id: string;
  readonly owner: string;
  /** The value of its cookie, when there is one. */
  readonly cookie: string;
  readonly idleTimeoutSeconds: number;
  /** When the last request was answered, milliseconds since 1970. */
  lastUsed: number;
  /** Requests that are being answered. */
  busy = 0;
  readonly #environment: ShellEnvironment;
  readonly #pool: ServerRunspacePool;
  readonly #commands = new Map<string, Command>();
  readonly #changed = new WakeUp();
  readonly #closed = new AbortController();
  readonly #answers = new Map<bigint, (response: HostResponse) => void>();
  #host: HostInfo | undefined;
  #runspaces = 1;
  #running = 0;

  /** Reads what Create carries and opens the pool. Throws {@link WsmanFaultError}. */
  constructor(
    identity: Pick<Shell, "id" | "owner" | "cookie" | "idleTimeoutSeconds" | "lastUsed">,
    creationXml: Uint8Array,
    environment: ShellEnvironment,
  ) {
    this.id = identity.id;
    this.owner = identity.owner;
    this.cookie = identity.cookie;
    this.idleTimeoutSeconds = identity.idleTimeoutSeconds;
    this.lastUsed = identity.lastUsed;
    this.#environment = environment;
    this.#pool = new ServerRunspacePool({ randomBytes: environment.randomBytes });
    this.#toPool("stdin", creationXml);
    if (this.#pool.state !== "Opened") {
      throw new WsmanFaultError(requestInvalid("creationXml holds no SESSION_CAPABILITY and INIT_RUNSPACEPOOL."));
    }
  }

  /** Starts a command. Its CommandId is the pipeline's identifier. */
  command(commandId: string, fragments: Uint8Array): void {
    const { maxCommandsPerShell } = this.#environment.behaviour();
    if (this.#pool.state !== "Opened") throw new WsmanFaultError(shellNotFound(this.id));
    if (this.#commands.size >= maxCommandsPerShell) throw new WsmanFaultError(tooManyCommands(maxCommandsPerShell));
    if (parseGuid(commandId) === undefined || this.#commands.has(commandId.toUpperCase())) {
      throw new WsmanFaultError(requestInvalid("CommandId isn't a GUID that is new in this shell."));
    }
    const pipeline = this.#pool.createPipeline(commandId);
    const command: Command = { id: commandId, pipeline, stop: new AbortController(), asked: 0 };
    this.#commands.set(commandId.toUpperCase(), command);
    try {
      this.#toPipeline(command, "stdin", fragments);
    } catch (error) {
      this.#commands.delete(commandId.toUpperCase());
      throw error;
    }
  }

  send(streams: readonly ReceivedStream[]): void {
    for (const { name, commandId, bytes } of streams) {
      if (name !== "stdin" && name !== "pr") throw new WsmanFaultError(requestInvalid("There is no such stream."));
      if (commandId === undefined) this.#toPool(name, bytes);
      else this.#toPipeline(this.#require(commandId), name, bytes);
    }
  }

  /**
   * Waits until there is something to say, for as long as the client wants to wait. Nothing is taken out when the
   * signal has fired: nobody would get it.
   */
  async receive(
    commandId: string | undefined,
    limits: { readonly maxBytes: number; readonly timeoutMilliseconds: number },
    signal: AbortSignal,
  ): Promise<Received> {
    const command = commandId === undefined ? undefined : this.#require(commandId);
    signal.throwIfAborted();
    const ready = this.#take(command, limits.maxBytes);
    if (ready !== undefined) return ready;
    const over = new AbortController();
    const stopWaiting = AbortSignal.any([signal, this.#closed.signal, over.signal]);
    const deadline = this.#environment.env
      .pause(limits.timeoutMilliseconds, stopWaiting)
      .then(
        () => true,
        () => false,
      )
      .finally(() => {
        over.abort();
      });
    try {
      for (;;) {
        if (this.#closed.signal.aborted) throw new WsmanFaultError(aborted());
        if (command !== undefined && this.#commands.get(command.id.toUpperCase()) !== command) {
          throw new WsmanFaultError(aborted());
        }
        signal.throwIfAborted();
        const found = this.#take(command, limits.maxBytes);
        if (found !== undefined) return found;
        if (over.signal.aborted) throw new WsmanFaultError(timedOut());
        await this.#changed.wait(stopWaiting);
      }
    } finally {
      over.abort();
      await deadline;
    }
  }

  /** Stops a running command, or forgets it: MS-PSRP 3.1.5.3.9. Any code but the stop closes. */
  signal(commandId: string | undefined, code: string): void {
    const command = this.#require(commandId ?? "");
    if (!isFinal(command.pipeline.state)) command.stop.abort();
    if (code !== SIGNALS.stop) this.#commands.delete(command.id.toUpperCase());
    this.#changed.notify();
  }

  /** Breaks the pool, and with it what runs in it. */
  break(): void {
    if (this.#pool.state !== "Opened") return;
    for (const { stop } of this.#commands.values()) stop.abort();
    this.#commands.clear();
    this.#pool.break(poolBroken());
    this.#changed.notify();
  }

  /** Ends everything. */
  close(): void {
    for (const { stop } of this.#commands.values()) stop.abort();
    this.#commands.clear();
    this.#closed.abort();
  }

  #require(commandId: string): Command {
    const command = this.#commands.get(commandId.toUpperCase());
    if (command === undefined) throw new WsmanFaultError(commandNotFound());
    return command;
  }

  /** Windows puts one fragment into each stream element, and ends a command's last answer with Done. */
  #take(command: Command | undefined, maxBytes: number): Received | undefined {
    const source = command?.pipeline ?? this.#pool;
    const { maxFragmentBytes } = this.#environment.behaviour();
    const fragments: Uint8Array[] = [];
    for (let room = maxBytes; room > 22;) {
      const taken = source.take(Math.min(maxFragmentBytes, room), 1);
      if (taken === undefined) break;
      fragments.push(taken.bytes);
      // Base64, and the element around it.
      room -= taken.bytes.length + 200;
    }
    const isDone = command !== undefined && isFinal(command.pipeline.state) && command.pipeline.isDrained;
    if (fragments.length === 0 && !isDone) return undefined;
    const isAsking = command !== undefined && command.asked > 0;
    const commandState = isDone ? "Done" : isAsking ? "Pending" : undefined;
    return { commandId: command?.id, fragments, commandState };
  }

  #toPool(stream: "stdin" | "pr", bytes: Uint8Array): void {
    for (const event of refusingNonsense(() => this.#pool.receive(stream, bytes))) {
      if (event.kind === "init") {
        this.#host = event.init.host;
        this.#runspaces = event.init.maxRunspaces;
        this.#pool.accept([["PSVersionTable", dictionary([["PSVersion", version("5.1.17763.1")]])]]);
      } else if (event.kind === "hostResponse") this.#answer(event.response);
      else if (event.kind === "ignored") throw new WsmanFaultError(notUnderstood(event.typeNumber));
    }
    this.#changed.notify();
  }

  async #tellCommands({ pipeline }: Command, names: readonly string[]): Promise<void> {
    // The answer to Command goes out first.
    await nextTurn();
    const { store, server } = this.#environment;
    const notify = (): void => {
      this.#changed.notify();
    };
    await tellCommands(pipeline, names, { store, server, notify });
  }

  #toPipeline(command: Command, stream: "stdin" | "pr", bytes: Uint8Array): void {
    for (const event of refusingNonsense(() => command.pipeline.receive(stream, bytes))) {
      if (event.kind === "create") void this.#run(command, event.request);
      else if (event.kind === "commandMetadata") void this.#tellCommands(command, event.names);
      else if (event.kind === "hostResponse") this.#answer(event.response);
      else if (event.kind === "ignored") throw new WsmanFaultError(notUnderstood(event.typeNumber));
    }
  }

  #answer(response: HostResponse): void {
    this.#answers.get(response.callId)?.(response);
    this.#answers.delete(response.callId);
  }

  async #run(command: Command, request: Extract<ServerPipelineEvent, { readonly kind: "create" }>["request"]) {
    const { pipeline, stop } = command;
    // The answer to Command goes out first, so that the client can ask for more in the meantime.
    await nextTurn();
    // A pool runs no more pipelines at a time than it has runspaces.
    while (this.#running >= this.#runspaces && !stop.signal.aborted) await this.#changed.wait(stop.signal);
    this.#running += 1;
    const { behaviour, randomBytes: _, ...shared } = this.#environment;
    const host = request.host.useRunspaceHost ? this.#host : request.host;
    const session: PipelineSession = {
      ...shared,
      behaviour: behaviour(),
      hasHost: host?.isHostNull === false && !host.isHostUINull,
      decrypt: (cipherText: Uint8Array): Secret<string> => this.#pool.decrypt(cipherText),
      notify: () => {
        this.#changed.notify();
      },
      hostAnswer: (callId, signal) => this.#hostAnswer(command, callId, signal),
    };
    try {
      await runPipeline(pipeline, request, session, stop.signal);
    } finally {
      this.#running -= 1;
      this.#changed.notify();
    }
  }

  #hostAnswer(command: Command, callId: bigint, signal: AbortSignal): Promise<HostResponse> {
    command.asked += 1;
    return new Promise<HostResponse>((resolve, reject) => {
      const stopped = (): void => {
        this.#answers.delete(callId);
        reject(new Error("The pipeline was stopped."));
      };
      if (signal.aborted) stopped();
      signal.addEventListener("abort", stopped, { once: true });
      this.#answers.set(callId, (response) => {
        signal.removeEventListener("abort", stopped);
        resolve(response);
      });
    }).finally(() => {
      command.asked -= 1;
    });
  }
}

/** Said, because whoever sent it waits for an answer. */
function notUnderstood(typeNumber: number): ReturnType<typeof requestInvalid> {
  return requestInvalid(`This simulated endpoint doesn't answer messages of the type 0x${typeNumber.toString(16)}.`);
}

/** What the client sent breaks the protocol: told in a fault, without what it was. */
function refusingNonsense<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (isRemotingError(error)) throw new WsmanFaultError(requestInvalid(error.message));
    throw error;
  }
}
