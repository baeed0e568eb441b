import type { ServerFqdn } from "../model";
import type { ObservedServer } from "../plan/observedServer";

/**
 * The servers of one deployment, each read once for all its bindings. A change of a server puts what was read after it
 * in the place of what was read before.
 */
export class Snapshots {
  readonly #read: (server: ServerFqdn) => Promise<ObservedServer>;
  readonly #underway = new Map<ServerFqdn, Promise<ObservedServer>>();
  readonly #last = new Map<ServerFqdn, ObservedServer>();

  constructor(read: (server: ServerFqdn) => Promise<ObservedServer>) {
    this.#read = read;
  }

  /** Begins to read these servers side by side; those that are read already, or being read, are left alone. */
  prefetch(servers: readonly ServerFqdn[]): void {
    // Whoever asks for the server gets the failure; here nobody waits for it.
    for (const server of servers) this.get(server).catch(() => undefined);
  }

  /** The server as this deployment knows it; read when it wasn't yet. A failure is remembered like an answer. */
  get(server: ServerFqdn): Promise<ObservedServer> {
    const underway = this.#underway.get(server);
    if (underway !== undefined) return underway;
    const reading = this.#read(server).then((observed) => {
      // A change may have put a newer reading in place, or dropped this one, while it was under way.
      if (this.#underway.get(server) === reading) this.#last.set(server, observed);
      return observed;
    });
    this.#underway.set(server, reading);
    return reading;
  }

  /** What was last read, without asking anybody. */
  last(server: ServerFqdn): ObservedServer | undefined {
    return this.#last.get(server);
  }

  /** Puts a newer reading in place. */
  keep(server: ServerFqdn, observed: ObservedServer): void {
    this.#last.set(server, observed);
    this.#underway.set(server, Promise.resolve(observed));
  }

  /** Forgets the server: something may have changed that nobody has read since. */
  drop(server: ServerFqdn): void {
    this.#last.delete(server);
    this.#underway.delete(server);
  }
}
