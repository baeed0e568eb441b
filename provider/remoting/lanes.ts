import { RemotingError } from "./errors";

/**
 * A few things of a kind, made when they are needed and lent to one borrower at a time. Who comes when all are out
 * waits, first come first served.
 */
export class Lanes<T> {
  readonly #max: number;
  readonly #make: () => T;
  readonly #made: T[] = [];
  readonly #free: T[] = [];
  readonly #waiting: ((lane: T) => void)[] = [];

  constructor(max: number, make: () => T) {
    this.#max = Math.max(1, max);
    this.#make = make;
  }

  get made(): readonly T[] {
    return this.#made;
  }

  /** Whether somebody waits. */
  get isWanted(): boolean {
    return this.#waiting.length > 0;
  }

  /** Throws RemotingError `Aborted` when the signal fires first. */
  async acquire(signal: AbortSignal): Promise<T> {
    if (signal.aborted) throw notWaitedFor(signal);
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#made.length < this.#max) {
      const lane = this.#make();
      this.#made.push(lane);
      return lane;
    }
    return new Promise<T>((resolve, reject) => {
      const stop = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(got), 1);
        reject(notWaitedFor(signal));
      };
      const got = (lane: T): void => {
        signal.removeEventListener("abort", stop);
        resolve(lane);
      };
      signal.addEventListener("abort", stop, { once: true });
      this.#waiting.push(got);
    });
  }

  release(lane: T): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(lane);
    else next(lane);
  }

  async use<R>(signal: AbortSignal, work: (lane: T) => Promise<R>): Promise<R> {
    const lane = await this.acquire(signal);
    try {
      return await work(lane);
    } finally {
      this.release(lane);
    }
  }
}

function notWaitedFor(signal: AbortSignal): RemotingError {
  return new RemotingError("Aborted", "The call was given up while it waited for its turn.", {
    cause: signal.reason,
    facts: { fate: "notDone" },
  });
}
