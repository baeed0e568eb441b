import { isRemotingError } from "../../provider/remoting/errors";
import { mutateBytes, mutateXml } from "./mutate";
import { Random } from "./random";
import type { Target } from "./targets";

/** Something that mustn't happen. */
export interface Finding {
  readonly target: string;
  readonly index: number;
  readonly what: string;
}

/** How a range of inputs was taken. */
export interface Statistics {
  readonly target: string;
  inputs: number;
  accepted: number;
  /** By code. */
  readonly refused: Record<string, number>;
  slowestMilliseconds: number;
}

/** Longest that reading one input may take. Taken twice, so that a busy machine isn't blamed on the reader. */
const MAX_MILLISECONDS = 1000;

/** Makes the inputs of a target. The same seed and index give the same input, whatever came before. */
export class Inputs {
  readonly #target: Target;
  readonly #seed: number;
  readonly #corpus: readonly Uint8Array[];

  constructor(target: Target, seed: number) {
    this.#target = target;
    this.#seed = seed;
    this.#corpus = target.corpus();
  }

  /** The first inputs are the corpus itself; after that two in five are built anew where the target can, and most changed. */
  at(index: number): Uint8Array {
    const seed = this.#corpus[index];
    if (seed !== undefined) return seed;
    const { name, build, xmlFrom } = this.#target;
    const random = new Random(this.#seed, name, index);
    const isBuilt = build !== undefined && random.below(5) < 2;
    const input = isBuilt ? build(random) : random.pick(this.#corpus);
    if (isBuilt && random.chance(4)) return input;
    if (xmlFrom !== undefined && random.below(5) < 3) {
      const xml = mutateXml(input.subarray(xmlFrom), random);
      if (xml !== undefined) return Buffer.concat([input.subarray(0, xmlFrom), xml]);
    }
    return mutateBytes(input, this.#corpus, random);
  }
}

/** Reads one input. Returns what was found wrong. */
export function readOne(target: Target, index: number, input: Uint8Array, statistics: Statistics): Finding | undefined {
  const finding = (what: string): Finding => ({ target: target.name, index, what });
  statistics.inputs += 1;
  try {
    const first = timed(target, input);
    if (first.accepted) statistics.accepted += 1;
    else statistics.refused[first.outcome] = (statistics.refused[first.outcome] ?? 0) + 1;
    let { milliseconds } = first;
    if (milliseconds > MAX_MILLISECONDS) milliseconds = Math.min(milliseconds, timed(target, input).milliseconds);
    statistics.slowestMilliseconds = Math.max(statistics.slowestMilliseconds, milliseconds);
    return milliseconds > MAX_MILLISECONDS ? finding(`took ${milliseconds.toFixed(0)} ms`) : undefined;
  } catch (error) {
    return finding(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}

function timed(
  target: Target,
  input: Uint8Array,
): { readonly outcome: string; readonly accepted: boolean; readonly milliseconds: number } {
  const start = performance.now();
  try {
    const outcome = target.read(input);
    const accepted = !/^(?:unreadable|CertificateUnreadable|nothing kept)/.test(outcome);
    return { outcome: outcome.split(":", 1)[0] ?? "", accepted, milliseconds: performance.now() - start };
  } catch (error) {
    if (!isRemotingError(error)) throw error;
    return { outcome: error.code, accepted: false, milliseconds: performance.now() - start };
  }
}

export function newStatistics(target: Target): Statistics {
  return { target: target.name, inputs: 0, accepted: 0, refused: {}, slowestMilliseconds: 0 };
}
