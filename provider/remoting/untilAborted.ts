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
