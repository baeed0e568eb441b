import { setMaxListeners } from "node:events";

import { asSentence, ExchangeBindingError, isBindingError } from "../errors";

/** Runs something once, that many milliseconds from now. What it returns takes that back. */
export type Timer = (milliseconds: number, run: () => void) => () => void;

/** What a timer of Node's takes at most; a longer one would run at once. */
const LONGEST_TIMER_MILLISECONDS = 2 ** 31 - 1;

/** The machine's own. */
export const machineTimer: Timer = (milliseconds, run) => {
  const timer = setTimeout(run, Math.min(milliseconds, LONGEST_TIMER_MILLISECONDS));
  return () => {
    clearTimeout(timer);
  };
};

/** How long something may take, and where users set that. */
export interface TimeLimit {
  readonly seconds: number;
  /** Named in the sentence that tells of the end. Default: `timeoutSeconds`; null for a limit that nobody can set. */
  readonly setBy?: string | null | undefined;
}

export interface TimeLimitOptions {
  /** Ends it earlier, with its own reason. */
  readonly signal?: AbortSignal | undefined;
  /** Takes the place of the limit, when somebody nearer set one: the engine for one resource, say. */
  readonly override?: TimeLimit | undefined;
  readonly timer?: Timer | undefined;
}

/** What runs gets that moment after its signal to say in its own words how far it came. */
const LAST_MOMENT_MILLISECONDS = 2000;

/**
 * Begins the limit anew, as long again, for what has to be done although something failed: its signal. What was begun
 * under the first signal is to be left by then. `inAnyCase`: also when the outer signal has fired or fires meanwhile.
 */
export type Anew = (doing: string, how?: { readonly inAnyCase?: boolean }) => AbortSignal;

/** What runs under a time limit. */
export type Limited<T> = (signal: AbortSignal, anew: Anew) => Promise<T>;

/**
 * Runs something with a time limit of our own: the engine has none, its cancel signal never reaches a dynamic
 * provider, and a call that never answers would hang the deployment for ever. The signal fires at the limit, or when
 * the outer signal does, and the promise ends then even when what runs pays no heed to it. It isn't begun at all when
 * the outer signal has fired.
 */
export async function withTimeLimit<T>(
  ownLimit: number | TimeLimit,
  doing: string,
  run: Limited<T>,
  { signal: outer, override, timer = machineTimer }: TimeLimitOptions = {},
): Promise<T> {
  if (outer?.aborted === true) throw reasonOf(outer);
  const limit = override ?? (typeof ownLimit === "number" ? { seconds: ownLimit } : ownLimit);
  let cancel = (): void => undefined;
  let end = (_reason: Error): void => undefined;
  let fail = (_reason: Error): void => undefined;
  let hasEnded = false;
  const expired = new Promise<never>((_resolve, reject) => (fail = reject));
  const begin: Anew = (what, { inAnyCase = false } = {}) => {
    cancel();
    const controller = controllerForMany();
    const abort = (reason: Error): void => {
      if (controller.signal.aborted) return;
      cancel();
      controller.abort(reason);
      cancel = timer(LAST_MOMENT_MILLISECONDS, () => {
        hasEnded = true;
        fail(reason);
      });
    };
    end = inAnyCase ? () => undefined : abort;
    // Nothing new after the end was told.
    if (hasEnded && !inAnyCase) controller.abort(limitReached(limit, doing));
    else if (outer?.aborted === true && !inAnyCase) end(reasonOf(outer));
    else {
      cancel = timer(limit.seconds * 1000, () => {
        abort(limitReached(limit, what));
      });
    }
    return controller.signal;
  };
  const onOuter = (): void => {
    if (outer !== undefined) end(reasonOf(outer));
  };
  outer?.addEventListener("abort", onOuter, { once: true });
  try {
    return await Promise.race([run(begin(doing), begin), expired]);
  } finally {
    hasEnded = true;
    cancel();
    outer?.removeEventListener("abort", onOuter);
  }
}

/** One for whose signal any number may wait at once: Node takes more than ten for a leak, and says so on the console. */
export function controllerForMany(): AbortController {
  const controller = new AbortController();
  setMaxListeners(Infinity, controller.signal);
  return controller;
}

function limitReached({ seconds, setBy = "timeoutSeconds" }: TimeLimit, doing: string): ExchangeBindingError {
  const whose = setBy === null ? "this limit is fixed" : `${setBy} sets the limit`;
  return new ExchangeBindingError(
    "TimedOut",
    `${doing}: no end after ${String(seconds)} seconds. Look whether the server answers, then run again; ${whose}.`,
    { facts: { seconds, doing } },
  );
}

/** Of the moment that the limit leaves, what a call gets that heeds its signal. */
const LAST_WORDS_MILLISECONDS = 300;

/**
 * Begins a call and gives its outcome, or the signal's reason soon after the signal fires: a call that pays no heed to
 * its signal must not keep its caller from saying how far it came. One that does may add to the reason what it was at:
 * that the connection was lost, say, and that nobody knows whether a cmdlet was carried out. Where the signal has fired
 * already, the call isn't begun: nothing new happens on a server after the failure was told.
 */
export async function untilFired<T>(
  signal: AbortSignal,
  begin: () => Promise<T>,
  timer: Timer = machineTimer,
): Promise<T> {
  const hasFired = (): boolean => signal.aborted;
  if (hasFired()) throw reasonOf(signal);
  let cancel = (): void => undefined;
  let stop = (): void => undefined;
  const fired = new Promise<never>((_resolve, reject) => {
    stop = () => {
      cancel = timer(LAST_WORDS_MILLISECONDS, () => {
        reject(reasonOf(signal));
      });
    };
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([begin(), fired]);
  } catch (error) {
    throw hasFired() ? withLastWords(reasonOf(signal), error) : error;
  } finally {
    cancel();
    signal.removeEventListener("abort", stop);
  }
}

/** The reason, followed by what was going on then; errors that aren't ours say nothing that a user could use. */
function withLastWords(reason: Error, last: unknown): Error {
  if (!isBindingError(reason) || !isBindingError(last) || last === reason) return reason;
  return new ExchangeBindingError(reason.code, `${reason.message} At that moment: ${asSentence(last.message)}`, {
    facts: { ...last.facts, ...reason.facts },
    cause: last,
  });
}

/** Why a signal fired, as an error. */
export function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error
    ? signal.reason
    : new ExchangeBindingError("TimedOut", "The time limit was reached.");
}

/** Waits; ends early, with the signal's reason, when the signal fires. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(reasonOf(signal));
      return;
    }
    const stop = (): void => {
      clearTimeout(timer);
      reject(reasonOf(signal));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal.addEventListener("abort", stop, { once: true });
  });
}
