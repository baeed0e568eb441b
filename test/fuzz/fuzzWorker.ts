import { openSync, writeFileSync, writeSync } from "node:fs";
import { getHeapStatistics } from "node:v8";
import { Inputs, newStatistics, readOne } from "./run";
import { TARGETS } from "./targets";

/*
 * A process of `npm run fuzz`, started by tools/fuzz.mjs, which sees when it hangs or dies: the index of the input that is
 * being read stands in a file. Arguments: what to do as JSON. What it finds goes to the parent as messages.
 */

interface Task {
  readonly target: string;
  readonly seed: number;
  readonly from: number;
  readonly until: number;
  /** Gets the index of the current input, 16 digits. */
  readonly indexFile: string;
  /** Only writes the input `from` to this file. */
  readonly saveTo?: string;
}

const HEAP_EVERY = 64;
const COLLECT_EVERY = 5000;

const task = JSON.parse(process.argv[2] ?? "{}") as Task;
const target = TARGETS.find(({ name }) => name === task.target);
if (target === undefined) throw new Error(`There is no target ${task.target}.`);
const inputs = new Inputs(target, task.seed);

if (task.saveTo === undefined) read(target);
else writeFileSync(task.saveTo, inputs.at(task.from));

function read(from: NonNullable<typeof target>): void {
  const statistics = newStatistics(from);
  const indexFile = openSync(task.indexFile, "w");
  const collect = (globalThis as { gc?: () => void }).gc;
  let peakHeap = 0;
  const heaps: number[] = [];
  for (let index = task.from; index < task.until; index++) {
    writeSync(indexFile, String(index).padStart(16, "0"), 0);
    const finding = readOne(from, index, inputs.at(index), statistics);
    if (finding !== undefined) process.send?.({ finding });
    if (index % HEAP_EVERY === 0) peakHeap = Math.max(peakHeap, getHeapStatistics().used_heap_size);
    if ((index - task.from) % COLLECT_EVERY === COLLECT_EVERY - 1) {
      collect?.();
      heaps.push(getHeapStatistics().used_heap_size);
      process.send?.({ progress: statistics.inputs });
    }
  }
  // The first collections are left out: until then everything is being loaded and compiled.
  const settled = heaps.slice(2);
  const heapGrowth = settled.length < 2 ? 0 : (settled.at(-1) ?? 0) - Math.min(...settled);
  process.send?.({ done: { ...statistics, peakHeap, heapGrowth } });
  process.disconnect();
}
