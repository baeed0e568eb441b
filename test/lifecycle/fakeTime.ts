import type { Timer } from "../../provider/lifecycle/timeLimit";

/** Time that passes when the test says so. */
export class FakeTime {
  #now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly run: () => void }>();

  /** How many timers are set. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Milliseconds since the beginning. */
  readonly now = (): number => this.#now;

  readonly timer: Timer = (milliseconds, run) => {
    const timer = { at: this.#now + milliseconds, run };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  };

  /** Lets time pass; timers run in their order, those too that are set meanwhile. */
  pass(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.run();
    }
    this.#now = end;
  }
}
