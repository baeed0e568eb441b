import { ExchangeBindingError } from "../errors";

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

/** Waits; ends early, with the signal's reason, when the signal fires. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const reason = (): Error =>
      signal.reason instanceof Error
        ? signal.reason
        : new ExchangeBindingError("TimedOut", "The time limit was reached.");
    if (signal.aborted) {
      reject(reason());
      return;
    }
    const stop = (): void => {
      clearTimeout(timer);
      reject(reason());
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal.addEventListener("abort", stop, { once: true });
  });
}
