/** Lets any number of waiters know that something has changed. */
export class WakeUp {
  readonly #waiting = new Set<() => void>();

  /** Resolves at the next {@link WakeUp.notify}, or when the signal fires. */
  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const done = (): void => {
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener("abort", done);
    });
  }

  notify(): void {
    for (const done of [...this.#waiting]) done();
  }
}
