import { setImmediate as nextTurn } from "node:timers/promises";
import type { Steps } from "./steps";

/** Does work in steps, and lets whatever else wants to run go first after each: a server's answer may be a large one. */
export async function inTurns<T>(steps: Steps<T>): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await nextTurn();
  }
}
