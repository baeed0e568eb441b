import { RemotingError } from "./errors";

/** The promise's outcome, or RemotingError `Aborted` as soon as the signal fires; what runs is left to itself then. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      reject(
        new RemotingError("Aborted", "The call was given up.", {
          cause: signal.reason,
          facts: { fate: "notDone" },
        }),
      );
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** A signal that fires a while after another one. */
export function soonAfter(
  signal: AbortSignal,
  milliseconds: number,
): { readonly signal: AbortSignal; readonly forget: () => void } {
  const later = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const fired = (): void => {
    timer = setTimeout(() => {
      later.abort(signal.reason);
    }, milliseconds);
  };
  if (signal.aborted) later.abort(signal.reason);
  else signal.addEventListener("abort", fired, { once: true });
  const forget = (): void => {
    clearTimeout(timer);
    signal.removeEventListener("abort", fired);
  };
  return { signal: later.signal, forget };
}
