import { isRemotingError, type RemotingError } from "../../remoting/errors";
import type { Command } from "../../remoting/psrp/pipelineMessages";
import type { HostRule, PipelineResult, Session } from "../../remoting/session";
import type { Trace } from "../../remoting/trace";
import { untilAborted } from "../../remoting/untilAborted";

/** What one endpoint has taught us. */
export interface EndpointMemory {
  /** How it tells what certificates serve: by a projection, or by whole objects. Undefined: not yet tried. */
  certificates?: "projected" | "whole";
}

export interface SessionsEnv {
  /** Opens a session to that URL. */
  readonly open: (url: URL, signal: AbortSignal) => Promise<Session>;
  /** Rejects as soon as the signal fires. */
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** What to wait before each new attempt, one after the other. */
  readonly retryDelaysMilliseconds: readonly number[];
  readonly trace?: Trace | undefined;
}

/** Refused, cut off, throttled, restarting: may be over in a moment. */
function isPassing(error: RemotingError): boolean {
  switch (error.code) {
    case "ConnectionRefused":
    case "ConnectionLost":
    case "Throttled":
      return true;
    case "HttpUnexpected":
      return [502, 503, 504].includes(error.facts.httpStatus ?? 0);
    default:
      return false;
  }
}

/** The shell is away; a new one may be had at once. */
function isSessionOver(error: RemotingError): boolean {
  return error.code === "ShellGone" || error.code === "SessionClosed" || error.code === "PoolBroken";
}

interface Kept {
  readonly memory: EndpointMemory;
  session: Promise<Session> | undefined;
}

const OPENING_MILLISECONDS = 120_000;
/** How many sessions in a row may turn out to be gone before that is an error. */
const MAX_REOPENED = 2;
/** For closing all of them, those too that are only being opened. */
const CLOSING_MILLISECONDS = 1500;

/**
 * The sessions of one backend: one for each endpoint, opened when it is needed and again when it is gone. Throws
 * RemotingErrors.
 */
export class EndpointSessions {
  readonly #env: SessionsEnv;
  readonly #kept = new Map<string, Kept>();
  #closed = new AbortController();

  constructor(env: SessionsEnv) {
    this.#env = env;
  }

  get trace(): Trace | undefined {
    return this.#env.trace;
  }

  memoryOf(url: URL): EndpointMemory {
    return this.#of(url).memory;
  }

  /** Runs what only reads: again, as often as need be, whatever became of the attempt before. */
  read(url: URL, commands: readonly Command[], signal: AbortSignal): Promise<PipelineResult> {
    return this.#attempt(url, commands, { signal }, () => true);
  }

  /** Runs what changes something: again only when the attempt before certainly did nothing. */
  change(url: URL, command: Command, signal: AbortSignal, answer?: HostRule): Promise<PipelineResult> {
    return this.#attempt(url, [command], answer === undefined ? { signal } : { signal, answer }, (error) => {
      return error.facts.fate === "notDone";
    });
  }

  /** What is said there next goes over new connections. */
  async renewConnections(url: URL): Promise<void> {
    const session = await this.#of(url).session?.catch(() => undefined);
    session?.renewConnections();
  }

  /** Waits as before a further attempt. Returns false when there have been enough. */
  async pauseBefore(attempt: number, signal: AbortSignal): Promise<boolean> {
    const delay = this.#env.retryDelaysMilliseconds[attempt];
    if (delay === undefined) return false;
    await this.#env.pause(delay, signal);
    return true;
  }

  /**
   * Ends what runs and closes all sessions, within a second and a half: what can't be closed by then is left to the
   * server's idle time-out. Never throws. Whoever asks for something afterwards gets new sessions.
   */
  async close(): Promise<void> {
    this.#closed.abort();
    this.#closed = new AbortController();
    const sessions = [...this.#kept.values()].map(({ session }) => session);
    for (const kept of this.#kept.values()) kept.session = undefined;
    const closed = Promise.allSettled(sessions.map(async (session) => (await session)?.close()));
    await untilAborted(closed, AbortSignal.timeout(CLOSING_MILLISECONDS)).catch(() => undefined);
  }

  async #attempt(
    url: URL,
    commands: readonly Command[],
    options: { readonly signal: AbortSignal; readonly answer?: HostRule },
    mayRepeat: (error: RemotingError) => boolean,
  ): Promise<PipelineResult> {
    const signal = AbortSignal.any([options.signal, this.#closed.signal]);
    let reopened = 0;
    let attempt = 0;
    for (;;) {
      try {
        const session = await this.#session(url, signal);
        return await session.run(commands, { ...options, signal });
      } catch (error) {
        if (!isRemotingError(error) || signal.aborted || !mayRepeat(error)) throw error;
        const retry = (how: "anew" | "inANewSession"): void => {
          const cmdlet = commands[0]?.name ?? "";
          this.trace?.({ kind: "retry", cmdlet, code: error.code, message: error.message, how });
        };
        if (isSessionOver(error) && reopened < MAX_REOPENED) {
          reopened++;
          retry("inANewSession");
        } else if (!isPassing(error) || !(await this.#hasWaited(attempt++, signal))) throw error;
        else retry("anew");
      }
    }
  }

  /** The time being up while we wait doesn't hide why we waited. */
  async #hasWaited(attempt: number, signal: AbortSignal): Promise<boolean> {
    try {
      return await this.pauseBefore(attempt, signal);
    } catch {
      return false;
    }
  }

  async #session(url: URL, signal: AbortSignal): Promise<Session> {
    const kept = this.#of(url);
    const current = await this.#sessionOf(kept, signal);
    if (current?.isUsable === true) return current;
    // Another caller may have begun to open one in the meantime.
    if (kept.session !== undefined && (await this.#sessionOf(kept, signal)) !== current) {
      return this.#session(url, signal);
    }
    // Others will wait for it too, so it doesn't end with the one who was first.
    const limit = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(OPENING_MILLISECONDS)]);
    const opening = this.#openAfter(current, url, limit);
    kept.session = opening;
    opening.catch(() => {
      if (kept.session === opening) kept.session = undefined;
    });
    return untilAborted(opening, signal);
  }

  /** The old one goes first: an account may have a few shells at a time. */
  async #openAfter(old: Session | undefined, url: URL, limit: AbortSignal): Promise<Session> {
    await old?.close();
    return this.#env.open(url, limit);
  }

  /** Who waits for an opening shares its failure: a wrong password said once for each question would lock the account. */
  #sessionOf(kept: Kept, signal: AbortSignal): Promise<Session | undefined> {
    return untilAborted<Session | undefined>(kept.session ?? Promise.resolve(undefined), signal);
  }

  #of(url: URL): Kept {
    const kept = this.#kept.get(url.href) ?? { memory: {}, session: undefined };
    this.#kept.set(url.href, kept);
    return kept;
  }
}
