import { generateKeyPair, randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { Secret } from "../secret";
import { displayOf, entryOf } from "./clixml/reading";
import { isRemotingError, RemotingError } from "./errors";
import type { Authentication } from "./http/authentication";
import { HttpConnection } from "./http/connection";
import { CookieJar } from "./http/cookies";
import type { TlsOptions } from "./http/tls";
import { Lanes } from "./lanes";
import type { Command } from "./psrp/pipelineMessages";
import { type ClientPoolEvent, ClientRunspacePool, type RsaKeyPair } from "./psrp/runspacePool";
import { collect, type HostRule, NOBODY_THERE, piecesOf, type PipelineResult, wasRefused } from "./pipelineRun";
import { Shell } from "./shell";
import { type Trace, traceCommand, traceError, within } from "./trace";
import { soonAfter, untilAborted } from "./untilAborted";

export type { HostRule, PipelineResult } from "./pipelineRun";

export interface SessionOptions {
  /** Connection URL. A query string goes along with every request. */
  readonly url: URL;
  /** Session configuration: `http://schemas.microsoft.com/powershell/` and its name. */
  readonly resourceUri: string;
  readonly authentication: Authentication;
  readonly tls?: TlsOptions;
  /** How many pipelines run side by side, each over a connection of its own. Default 2. */
  readonly maxConnections?: number;
  /** WS-Management's OperationTimeout: how long the server keeps a request open that it has no answer to. Default 20. */
  readonly operationTimeoutSeconds?: number;
  /** Until a connection has to be there. Default 15. */
  readonly connectTimeoutSeconds?: number;
  /** A session that nobody has used for so long closes itself. Default 10. */
  readonly idleSeconds?: number;
  /**
   * After so long without a request the server deletes the shell by itself, as when this process was killed. The
   * default is the least that Windows grants: 60.
   */
  readonly shellIdleSeconds?: number;
  /** Told of everything that happens, without secrets. */
  readonly trace?: Trace | undefined;
}

/** Everything impure, passed in. */
export interface SessionEnv {
  readonly now: () => Date;
  readonly newGuid: () => string;
  /** RSA, 2048 bits. */
  readonly makeKeyPair: () => Promise<RsaKeyPair>;
}

/** The real clock and randomness. */
export const sessionEnv: SessionEnv = {
  now: () => new Date(),
  newGuid: randomUUID,
  makeKeyPair: () => promisify(generateKeyPair)("rsa", { modulusLength: 2048 }),
};

export interface RunOptions {
  /** Ends the pipeline, here and at the server. */
  readonly signal: AbortSignal;
  /** Default: every question is refused. */
  readonly answer?: HostRule;
}

const DEFAULT_CONNECTIONS = 2;
const DEFAULT_OPERATION_SECONDS = 20;
const DEFAULT_IDLE_SECONDS = 10;
const DEFAULT_SHELL_IDLE_SECONDS = 60;
/** Commands that the server has to keep while others wait for their turn; it takes a thousand. */
const MAX_ENDED_COMMANDS = 50;
/** For putting away what nobody waits for any more. */
const CLEANUP_SECONDS = 5;
/** For the end of a session: a process that is told to end has a second or two. */
const CLOSE_MILLISECONDS = 1200;
/** For the answer to Create, whose cookie a shell can't be deleted without, when the opening is given up meanwhile. */
const CREATE_GRACE_MILLISECONDS = 400;

/**
 * Opens a remote PowerShell session: one shell with one runspace pool. Throws RemotingErrors; nothing is left behind at
 * the server then.
 */
export async function openSession(options: SessionOptions, env: SessionEnv, signal: AbortSignal): Promise<Session> {
  const session = new Session(options, env);
  try {
    await session.open(signal);
    return session;
  } catch (error) {
    await session.close();
    throw withFate(error, "notDone");
  }
}

/** An open session. Its idle connections and its timer don't keep the process alive; closing it is good manners all the same. */
export class Session {
  readonly #env: SessionEnv;
  readonly #idleSeconds: number;
  readonly #shell: Shell;
  readonly #pool: ClientRunspacePool;
  readonly #lanes: Lanes<HttpConnection>;
  readonly #trace: Trace | undefined;
  readonly #closing = new AbortController();
  readonly #unfinished = new Set<Promise<unknown>>();
  /** Commands that have ended and are yet to be terminated. */
  readonly #ended: string[] = [];
  #keys: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  #idle: NodeJS.Timeout | undefined;
  #powerShell: string | undefined;
  #running = 0;
  #isLost = false;
  /** Why the server takes nothing more from us, or we from it. */
  #refusal: RemotingError | undefined;

  /** Use {@link openSession}. */
  constructor(options: SessionOptions, env: SessionEnv) {
    const { url, authentication, tls, connectTimeoutSeconds, maxConnections = DEFAULT_CONNECTIONS } = options;
    const { trace } = options;
    this.#env = env;
    this.#trace = trace;
    this.#idleSeconds = options.idleSeconds ?? DEFAULT_IDLE_SECONDS;
    this.#shell = new Shell({
      to: url.href,
      resourceUri: options.resourceUri,
      operationTimeoutSeconds: options.operationTimeoutSeconds ?? DEFAULT_OPERATION_SECONDS,
      idleTimeoutSeconds: options.shellIdleSeconds ?? DEFAULT_SHELL_IDLE_SECONDS,
      newGuid: env.newGuid,
      now: env.now,
    });
    this.#pool = new ClientRunspacePool({ id: env.newGuid(), host: "prompts", maxRunspaces: maxConnections });
    const cookies = new CookieJar();
    const connection = {
      url,
      authentication,
      cookies,
      now: env.now,
      ...(tls === undefined ? {} : { tls }),
      ...(connectTimeoutSeconds === undefined ? {} : { connectTimeoutSeconds }),
    };
    let made = 0;
    this.#lanes = new Lanes(
      maxConnections,
      () => new HttpConnection({ ...connection, trace: within(trace, { connection: ++made }) }),
    );
  }

  /** Whether pipelines can be run: not closed, and the shell neither known to be gone nor unused for so long that it may be. */
  get isUsable(): boolean {
    return this.#closed === undefined && !this.#isLost && this.#refusal === undefined && !this.#shell.isStale;
  }

  /** Called once, by {@link openSession}. */
  async open(signal: AbortSignal): Promise<void> {
    const ended = AbortSignal.any([signal, this.#closing.signal]);
    await this.#lanes.use(ended, async (connection) => {
      this.#pool.open();
      const first = (room: number): Uint8Array => this.#pool.take(room)?.bytes ?? new Uint8Array();
      const creating = soonAfter(ended, CREATE_GRACE_MILLISECONDS);
      try {
        await this.#shell.create(connection, this.#pool.id, first, creating.signal);
      } finally {
        creating.forget();
      }
      // What found no room in Create, which a server takes as more of the same.
      await this.#sendPool(connection, ended);
      await this.#receivePool(connection, ended, () => this.#pool.state === "Opened");
    });
    const version = this.#pool.serverCapability?.protocolVersion ?? "2.0";
    this.#trace?.({ kind: "opened", protocolVersion: version, powerShell: this.#powerShell });
    if (Number(version.split(".")[1]) >= 2) this.#shell.useLargerEnvelopes();
    this.#rest();
  }

  /**
   * Runs cmdlets, the output of each being the input of the next. The result says what the server said, errors
   * included; a RemotingError means that the server's answer isn't known, and its `fate` whether the pipeline can have
   * run. Nothing is ever sent twice.
   */
  async run(commands: readonly Command[], { signal, answer }: RunOptions): Promise<PipelineResult> {
    if (!this.isUsable) {
      throw new RemotingError("SessionClosed", CLOSED, { facts: { fate: "notDone" } });
    }
    const progress = { mayHaveRun: false };
    this.#running++;
    clearTimeout(this.#idle);
    try {
      const ended = AbortSignal.any([signal, this.#closing.signal]);
      if (commands.some(holdsSecret)) await this.#ensureKeys(ended);
      const lane = await this.#lanes.acquire(ended);
      if (this.#refusal !== undefined) {
        this.#lanes.release(lane);
        throw this.#refusal;
      }
      if (this.#shell.isStale) {
        // The process was held up just now.
        this.#isLost = true;
        this.#lanes.release(lane);
        throw new RemotingError("SessionClosed", CLOSED, { facts: { fate: "notDone" } });
      }
      return await this.#runOn(lane, commands, { signal: ended, answer: answer ?? (() => undefined), progress });
    } catch (error) {
      if (isRemotingError(error, "ShellGone") || isRemotingError(error, "PoolBroken")) this.#isLost = true;
      const fate = progress.mayHaveRun ? undefined : "notDone";
      if (isRemotingError(error, "Aborted") && !signal.aborted) {
        throw new RemotingError("SessionClosed", CLOSED, { cause: error, facts: { fate } });
      }
      throw withFate(error, fate);
    } finally {
      this.#running--;
      this.#rest();
    }
  }

  /** The shell stays, but what comes next is said over new connections, which a new TLS handshake begins. */
  renewConnections(): void {
    for (const connection of this.#lanes.made) connection.renew();
  }

  /**
   * Ends what runs, deletes the shell, which ends its pipelines at the server too, and closes the connections: within
   * 1.2 seconds, also when the server is slow. Never throws; may be called as often as one likes.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close("asked");
    return this.#closed;
  }

  async #close(why: "asked" | "idle"): Promise<void> {
    clearTimeout(this.#idle);
    if (this.#shell.isCreated) this.#trace?.({ kind: "closing", why });
    this.#closing.abort(new RemotingError("SessionClosed", CLOSED));
    const limit = AbortSignal.timeout(CLOSE_MILLISECONDS);
    await untilAborted(Promise.allSettled(this.#unfinished), limit).catch(() => undefined);
    if (this.#shell.isCreated) {
      // Also when it seems lost: what the server didn't know may have been the command alone.
      const gone = this.#lanes.use(limit, (connection) => this.#shell.delete(connection, limit));
      await untilAborted(gone, limit).catch(() => undefined);
    }
    this.#pool.closed();
    for (const connection of this.#lanes.made) connection.close();
  }

  /** Nothing runs: closes the session after a while. */
  #rest(): void {
    if (this.#running > 0 || this.#closed !== undefined) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => void (this.#closed ??= this.#close("idle")), this.#idleSeconds * 1000);
    this.#idle.unref();
  }

  async #runOn(
    connection: HttpConnection,
    commands: readonly Command[],
    how: Required<RunOptions> & { readonly progress: { mayHaveRun: boolean } },
  ): Promise<PipelineResult> {
    const { signal, answer, progress } = how;
    let commandId: string | undefined;
    let hasEnded = false;
    let trace: Trace | undefined;
    try {
      const pipeline = this.#pool.createPipeline(this.#env.newGuid(), commands);
      commandId = pipeline.id;
      trace = within(connection.trace, { pipeline: pipeline.id });
      trace?.({ kind: "pipelineBegun", commands: commands.map(traceCommand) });
      const { first, later } = this.#shell.commandRoom(pipeline.id);
      const pieces = [pipeline.take(first), ...piecesOf(pipeline, later)].filter((piece) => piece !== undefined);
      for (const [index, piece] of pieces.entries()) {
        // Until its last piece has arrived, nothing can run. A fault says that it was refused.
        progress.mayHaveRun = index === pieces.length - 1;
        try {
          if (index === 0) {
            commandId = await this.#shell.command(connection, pipeline.id, piece.bytes, signal);
          } else await this.#shell.send(connection, commandId, piece, signal);
        } catch (error) {
          if (wasRefused(error)) progress.mayHaveRun = false;
          // There is no command then that could be terminated.
          if (index === 0 && wasRefused(error)) commandId = undefined;
          throw error;
        }
      }
      const result = await collect({ shell: this.#shell, connection, pipeline, commandId, signal, answer, trace });
      hasEnded = true;
      trace?.({
        kind: "pipelineEnded",
        state: result.state,
        objects: result.output.length,
        errors: result.errors.map(traceError),
        warnings: result.warnings,
      });
      return result;
    } catch (error) {
      // Before the connection goes to the next that waits, who needn't be refused too: an account is locked after a few
      // wrong passwords.
      if (isRemotingError(error, "AuthenticationRefused") || isRemotingError(error, "TlsRefused")) {
        this.#refusal ??= error;
      }
      const code = isRemotingError(error) ? error.code : "Internal";
      trace?.({ kind: "pipelineFailed", code, mayHaveRun: progress.mayHaveRun });
      throw error;
    } finally {
      this.#keepTrackOf(this.#finish(connection, commandId, hasEnded));
    }
  }

  /**
   * Without a Terminate for each, the server keeps commands until it has too many of them. What still runs is ended at
   * once; for what has ended, whoever waits for the connection goes first.
   */
  async #finish(connection: HttpConnection, commandId: string | undefined, hasEnded: boolean): Promise<void> {
    if (commandId !== undefined && hasEnded) this.#ended.push(commandId);
    else if (commandId !== undefined) await this.#terminate(connection, commandId);
    while (!this.#lanes.isWanted || this.#ended.length > MAX_ENDED_COMMANDS) {
      const ended = this.#ended.shift();
      if (ended === undefined) break;
      // Who can't be reached, or takes nothing more from us, isn't asked as often as there are commands.
      if (!(await this.#terminate(connection, ended))) this.#ended.length = 0;
    }
    this.#lanes.release(connection);
  }

  /** Returns whether the server answered. Never throws. */
  async #terminate(connection: HttpConnection, commandId: string): Promise<boolean> {
    // The shell is deleted in a moment, and everything in it.
    if (this.#closing.signal.aborted) return false;
    const limit = AbortSignal.any([AbortSignal.timeout(CLEANUP_SECONDS * 1000), this.#closing.signal]);
    try {
      await this.#shell.terminate(connection, commandId, limit);
      return true;
    } catch (error) {
      // The command may be over by itself, and if the shell is gone the next one will say so.
      return isRemotingError(error) && error.facts.fault !== undefined;
    }
  }

  #keepTrackOf(work: Promise<void>): void {
    const tracked = work.finally(() => {
      this.#unfinished.delete(tracked);
    });
    this.#unfinished.add(tracked);
  }

  /** The key for secure strings, agreed on once per session: MS-PSRP 3.1.5.4.3. */
  async #ensureKeys(signal: AbortSignal): Promise<void> {
    if (this.#pool.hasSessionKey) return;
    this.#keys ??= this.#exchangeKeys().finally(() => (this.#keys = undefined));
    await untilAborted(this.#keys, signal);
  }

  /** Not ended by the one who needed the key first: others may wait for it too. */
  async #exchangeKeys(): Promise<void> {
    const { signal } = this.#closing;
    this.#trace?.({ kind: "keyExchange", outcome: "begun" });
    const keyPair = await this.#env.makeKeyPair();
    await this.#lanes.use(signal, async (connection) => {
      this.#pool.exchangeKeys(keyPair);
      await this.#sendPool(connection, signal);
      await this.#receivePool(connection, signal, () => this.#pool.hasSessionKey, KEY_EXCHANGE_ROUNDS);
    });
    this.#trace?.({ kind: "keyExchange", outcome: "done" });
  }

  async #sendPool(connection: HttpConnection, signal: AbortSignal): Promise<void> {
    for (const piece of piecesOf(this.#pool, this.#shell.sendRoom())) {
      await this.#shell.send(connection, undefined, piece, signal);
    }
  }

  /** Reads the pool's own messages until what was waited for has come. */
  async #receivePool(
    connection: HttpConnection,
    signal: AbortSignal,
    isThere: () => boolean,
    rounds = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const received = await this.#shell.receive(connection, undefined, signal);
      for (const stream of received?.streams ?? []) {
        if (stream.commandId !== undefined) continue;
        for (const event of this.#pool.receive(stream.bytes)) this.#handle(event);
      }
      // First: a question of the pool that came along with what was waited for must not stay without its answer.
      await this.#sendPool(connection, signal);
      if (isThere()) return;
    }
    throw new RemotingError("KeyExchangeFailed", "The server sent no key for secure strings.");
  }

  #handle(event: ClientPoolEvent): void {
    if (event.kind === "applicationPrivateData") {
      this.#powerShell = displayOf(entryOf(event.data.get("PSVersionTable"), "PSVersion"));
    }
    if (event.kind === "hostCall" && !event.call.isVoid) this.#pool.refuse(event.call, NOBODY_THERE);
    if (event.kind !== "state" || (event.state !== "Broken" && event.state !== "Closed")) return;
    const why = event.error === undefined ? "it didn't say why" : event.error.message;
    throw new RemotingError("PoolBroken", `The server ended the remote session: ${why}`, {
      facts: { record: event.error },
    });
  }
}

const CLOSED = "The remote session was closed.";
/** Answers without the key before we stop waiting for it; each takes up to OperationTimeout. */
const KEY_EXCHANGE_ROUNDS = 6;

function holdsSecret({ parameters }: Command): boolean {
  return Object.values(parameters).some(
    (value) =>
      value instanceof Secret ||
      (typeof value === "object" && value !== null && "kind" in value && value.kind === "SS"),
  );
}

/** The same error with what is known here about what became of the pipeline. */
function withFate(error: unknown, fate: "notDone" | undefined): unknown {
  if (!isRemotingError(error) || error.facts.fate === fate) return error;
  const { code, message, cause, facts } = error;
  return new RemotingError(code, message, { cause, facts: { ...facts, fate } });
}
