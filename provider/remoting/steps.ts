/**
 * Work that is done in steps, so that whatever else wants to run gets its turn in between. Who has nothing else to do
 * does them {@link atOnce}; `turns.ts` does them beside the event loop.
 */
export type Steps<T> = Generator<undefined, T, undefined>;

/** How much is read in a step: bytes or characters. Parsed as XML, that many take some milliseconds. */
export const STEP_BYTES = 16 * 1024;

export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
