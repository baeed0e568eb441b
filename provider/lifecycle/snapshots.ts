import { isBindingError } from "../errors";
import type { ServerFqdn } from "../model";
import type { ObservedServer } from "../plan/observedServer";
import {
  controllerForMany,
  machineTimer,
  reasonOf,
  type TimeLimit,
  type Timer,
  untilFired,
  withTimeLimit,
} from "./timeLimit";

/** Who waits for a reading: how long, and what ends the waiting earlier. */
export interface Waiter extends TimeLimit {
  readonly signal?: AbortSignal | undefined;
}

/** One reading of a server, for all who wait for it. */
interface Reading {
  readonly outcome: Promise<ObservedServer>;
  readonly waiters: Set<AbortSignal>;
  /** The longest time limit that has ended a waiting for it. */
  waitedSeconds: number;
  readonly abort: (reason: Error) => void;
}

/**
 * The servers of one deployment, each read once for all its bindings. A change of a server puts what was read after it
 * in the place of what was read before.
 *
 * A reading belongs to nobody's time limit: it goes on as long as anybody waits for it, each with a limit of his own,
 * and is told to end when the last one has left.
 */
export class Snapshots {
  readonly #read: (server: ServerFqdn, signal: AbortSignal) => Promise<ObservedServer>;
  readonly #timer: Timer;
  readonly #readings = new Map<ServerFqdn, Reading>();
  readonly #last = new Map<ServerFqdn, ObservedServer>();
  readonly #failed = new Set<ServerFqdn>();
  /** Readings that were given up: after how long, and what is said of it. */
  readonly #givenUp = new Map<ServerFqdn, { readonly seconds: number; readonly error: Error }>();

  constructor(read: (server: ServerFqdn, signal: AbortSignal) => Promise<ObservedServer>, timer: Timer = machineTimer) {
    this.#read = read;
    this.#timer = timer;
  }

  /** Begins to read these servers side by side; those that are read already, or being read, are left alone. */
  prefetch(servers: readonly ServerFqdn[], waiter: Waiter): void {
    for (const server of servers) {
      if (this.#readings.has(server)) continue;
      // Whoever asks for the server gets the failure; here nobody waits for it.
      this.get(server, waiter).catch(() => undefined);
    }
  }

  /**
   * The server as this deployment knows it; read when it wasn't yet. A failure is remembered like an answer; that
   * nothing came within a time limit is remembered for those who wouldn't have waited longer.
   */
  async get(server: ServerFqdn, waiter: Waiter): Promise<ObservedServer> {
    const givenUp = this.#givenUp.get(server);
    if (givenUp !== undefined && givenUp.seconds >= waiter.seconds) throw givenUp.error;
    const wait = (signal: AbortSignal): Promise<ObservedServer> => {
      const reading = this.#readings.get(server) ?? this.#begin(server);
      return this.#wait(server, reading, { seconds: waiter.seconds, signal });
    };
    return withTimeLimit(waiter, `Reading ${server}`, wait, { signal: waiter.signal, timer: this.#timer });
  }

  #begin(server: ServerFqdn): Reading {
    const controller = controllerForMany();
    const reading: Reading = {
      outcome: this.#read(server, controller.signal).then((observed) => {
        // A change may have put a newer reading in place, or dropped this one, while it was under way.
        if (this.#readings.get(server) === reading) this.#last.set(server, observed);
        return observed;
      }),
      waiters: new Set(),
      waitedSeconds: 0,
      abort: (reason) => {
        controller.abort(reason);
      },
    };
    this.#readings.set(server, reading);
    this.#givenUp.delete(server);
    this.#failed.delete(server);
    reading.outcome.catch(() => {
      if (this.#readings.get(server) === reading) this.#failed.add(server);
    });
    return reading;
  }

  async #wait(
    server: ServerFqdn,
    reading: Reading,
    waiter: { readonly seconds: number; readonly signal: AbortSignal },
  ): Promise<ObservedServer> {
    const { signal } = waiter;
    const leave = (): void => {
      reading.waiters.delete(signal);
      const reason = reasonOf(signal);
      const isTimedOut = isBindingError(reason) && reason.code === "TimedOut";
      if (isTimedOut) reading.waitedSeconds = Math.max(reading.waitedSeconds, waiter.seconds);
      if (reading.waiters.size > 0) return;
      if (this.#readings.get(server) === reading) {
        this.#readings.delete(server);
        if (isTimedOut) this.#givenUp.set(server, { seconds: reading.waitedSeconds, error: reason });
      }
      reading.abort(reason);
    };
    reading.waiters.add(signal);
    signal.addEventListener("abort", leave, { once: true });
    try {
      return await untilFired(signal, () => reading.outcome, this.#timer);
    } finally {
      signal.removeEventListener("abort", leave);
      reading.waiters.delete(signal);
    }
  }

  /** Servers that couldn't be read, and haven't been since. */
  unread(): readonly ServerFqdn[] {
    return [...new Set([...this.#failed, ...this.#givenUp.keys()])];
  }

  /** What was last read, without asking anybody. */
  last(server: ServerFqdn): ObservedServer | undefined {
    return this.#last.get(server);
  }

  /** Puts a newer reading in place. */
  keep(server: ServerFqdn, observed: ObservedServer): void {
    this.#last.set(server, observed);
    this.#givenUp.delete(server);
    this.#failed.delete(server);
    this.#readings.set(server, {
      outcome: Promise.resolve(observed),
      waiters: new Set(),
      waitedSeconds: 0,
      abort: () => undefined,
    });
  }

  /** Forgets the server: something may have changed that nobody has read since. */
  drop(server: ServerFqdn): void {
    this.#last.delete(server);
    this.#givenUp.delete(server);
    this.#failed.delete(server);
    this.#readings.delete(server);
  }
}
