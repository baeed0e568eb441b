import fc from "fast-check";

import { randomProgram, type Command } from "./commands";
import { BrokenLaw, tell, type Counts } from "./tell";

export interface Soak {
  /** Undefined where every law held: otherwise seed, law, and the smallest program that was found. */
  readonly finding: string | undefined;
  readonly programs: number;
  readonly counts: Counts;
}

/** Tells so many random programs. The same seed gives the same ones. */
export async function soak(
  programs: number,
  seed: number,
  progress: (told: number, counts: Counts) => void = () => undefined,
): Promise<Soak> {
  const counts: Counts = new Map();
  let told = 0;
  const property = fc.asyncProperty(randomProgram, async (program) => {
    await tell(program, counts);
    progress((told += 1), counts);
    // Nothing in a program waits for anything real: here a signal is heard.
    await new Promise((resolve) => setImmediate(resolve));
  });
  const { failed, counterexample, numRuns } = await fc.check(property, { numRuns: programs, seed, endOnFailure: true });
  if (!failed) return { finding: undefined, programs: numRuns, counts };
  const [program] = counterexample ?? [[]];
  const smallest = await madeSmaller(program);
  const commands = smallest.map((one) => JSON.stringify(one)).join("\n");
  return {
    finding: `seed ${String(seed)}\n${(await brokenBy(smallest)) ?? ""}\n${commands}`,
    programs: numRuns,
    counts,
  };
}

/** Without all commands that aren't needed to break the same law. */
async function madeSmaller(program: readonly Command[]): Promise<readonly Command[]> {
  const law = lawIn(await brokenBy(program));
  for (let index = program.length - 1; index >= 0; index -= 1) {
    const fewer = program.toSpliced(index, 1);
    if (lawIn(await brokenBy(fewer)) === law) return madeSmaller(fewer);
  }
  return program;
}

async function brokenBy(program: readonly Command[]): Promise<string | undefined> {
  try {
    await tell(program, new Map());
    return undefined;
  } catch (error) {
    return error instanceof BrokenLaw ? error.message : `an error that is none of ours: ${String(error)}`;
  }
}

const lawIn = (text: string | undefined): string | undefined => text?.split(":", 1)[0];

/** What came up, sorted, a line each. */
export function summaryOf(counts: Counts): string {
  return [...counts]
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([what, count]) => `${String(count).padStart(8)}  ${what}`)
    .join("\n");
}
