import { asSentence, ExchangeBindingError, isBindingError } from "../errors";

/**
 * Runs something with a time limit of our own: the engine has none, its cancel signal never reaches a dynamic
 * provider, and a call that never answers would hang the deployment for ever. The signal fires at the limit, and the
 * promise ends then even when what runs pays no heed to it.
 */
export async function withTimeLimit<T>(
  seconds: number,
  doing: string,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const limit = new ExchangeBindingError(
    "TimedOut",
    `${doing}: no end after ${String(seconds)} seconds. Look whether the server answers, then run again; timeoutSeconds sets the limit.`,
    { facts: { seconds } },
  );
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      controller.abort(limit);
      // What runs gets a moment to say in its own words how far it came.
      setTimeout(reject, 2000, limit).unref();
    }, seconds * 1000);
  });
  try {
    return await Promise.race([run(controller.signal), expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** Of the moment that the limit leaves, what a call gets that heeds its signal. */
const LAST_WORDS_MILLISECONDS = 300;

/**
 * The promise's outcome, or the signal's reason soon after the signal fires: a call that pays no heed to its signal
 * must not keep its caller from saying how far it came. One that does may add to the reason what it was at: that the
 * connection was lost, say, and that nobody knows whether a cmdlet was carried out.
 */
export async function untilFired<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let stop = (): void => undefined;
  const fired = new Promise<never>((_resolve, reject) => {
    stop = () => {
      timer = setTimeout(() => {
        reject(reasonOf(signal));
      }, LAST_WORDS_MILLISECONDS);
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promise, fired]);
  } catch (error) {
    throw signal.aborted ? withLastWords(reasonOf(signal), error) : error;
  } finally {
    clearTimeout(timer);
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

function reasonOf(signal: AbortSignal): Error {
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
