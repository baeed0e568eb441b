/** Runs jobs with the same key one after the other, and jobs with different keys side by side. */
export class KeyedQueue {
  readonly #tails = new Map<string, Promise<unknown>>();

  run<T>(key: string, job: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    // The job before may have failed; that is its caller's business.
    const mine = before.then(job, job);
    this.#tails.set(
      key,
      mine.catch(() => undefined),
    );
    return mine;
  }
}
