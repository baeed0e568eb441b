/**
 * `npm run fuzz`: gives a million damaged and made-up inputs to everything that reads what others send. Each must be read
 * or refused, within a second and with a small heap. Anything else is a finding: the input is saved, and it ends with 1.
 *
 *   npm run fuzz -- --count 1000000 --seed 1 --target clixml --save .cache/fuzz
 *
 * The same seed gives the same inputs. EXCHANGE_CAPTURES and EXCHANGE_PSRP_RECORDINGS add what real servers sent to what
 * inputs are made from.
 */

import { fork } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { ensureNodeModules, log, main, root } from "./setup.mjs";

const TARGETS = [
  "clixml",
  "clientPool",
  "clientPipeline",
  "serverPool",
  "serverPipeline",
  "fragments",
  "soapResponse",
  "soapRequest",
  "serializationData",
  "certificateObjects",
  "errorsAndHostCalls",
  "multipart",
  "cookies",
  "pfx",
  "pem",
  "recogniser",
];

/** Reading one input in a process; beyond it the process is taken to hang. */
const HANG_MILLISECONDS = 20_000;
/** Until a process has loaded everything and begins. */
const START_MILLISECONDS = 120_000;
const LOOK_MILLISECONDS = 500;
const PROGRESS_MILLISECONDS = 15_000;
const HEAP_MEGABYTES = 256;
const HIGHEST_GROWTH_MEGABYTES = 16;
/** A target that is this bad isn't tried any further. */
const MAX_FINDINGS = 20;

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    target: { type: "string", multiple: true, default: TARGETS },
    save: { type: "string", default: path.join(root, ".cache", "fuzz") },
  },
});
const seed = wholeNumber("seed", values.seed);
const perTarget = Math.ceil(wholeNumber("count", values.count) / values.target.length);

/**
 * @typedef {{ target: string, inputs: number, accepted: number, refused: Record<string, number>,
 *   slowestMilliseconds: number, peakHeap: number, heapGrowth: number }} Statistics
 * @typedef {{ finding?: { index: number, what: string }, progress?: number, done?: Statistics }} Message
 * @typedef {{ target: string, seed: number, from: number, until: number, indexFile: string, saveTo?: string }} Task
 */

await main(async () => {
  await ensureNodeModules();
  const unknown = values.target.find((target) => !TARGETS.includes(target));
  if (unknown !== undefined) throw new Error(`There is no target ${unknown}; there are: ${TARGETS.join(", ")}.`);
  const started = Date.now();
  const work = fs.mkdtempSync(path.join(os.tmpdir(), "exchange-fuzz-"));
  /** @type {Map<string, number>} */
  const read = new Map();
  /** @type {Statistics[]} */
  const results = [];
  let findings = 0;
  const timer = setInterval(() => {
    const total = [...read.values()].reduce((left, one) => left + one, 0);
    log(
      `${total.toLocaleString("en")} inputs in ${String(Math.round((Date.now() - started) / 1000))} s, findings: ${String(findings)}`,
    );
  }, PROGRESS_MILLISECONDS);
  try {
    const waiting = [...values.target];
    const lanes = Array.from({ length: Math.min(os.availableParallelism(), waiting.length) }, async () => {
      for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
        const name = target;
        const result = await fuzzTarget(name, work, {
          onProgress: (inputs) => read.set(name, inputs),
          onFinding: () => (findings += 1),
        });
        read.set(name, result.inputs);
        results.push(result);
      }
    });
    await Promise.all(lanes);
  } finally {
    clearInterval(timer);
    fs.rmSync(work, { recursive: true, force: true });
  }
  printTable(results);
  const total = results.reduce((left, { inputs }) => left + inputs, 0);
  const seconds = Math.round((Date.now() - started) / 1000);
  process.stdout.write(
    `${total.toLocaleString("en")} inputs, seed ${String(seed)}, ${String(seconds)} s; findings: ${String(findings)}\n`,
  );
  process.exitCode = findings === 0 ? 0 : 1;
});

/**
 * All inputs of one target. A process that hangs or dies is followed by another that goes on behind that input.
 *
 * @param {string} target
 * @param {string} work
 * @param {{ onProgress: (inputs: number) => void, onFinding: () => void }} events
 * @returns {Promise<Statistics>}
 */
async function fuzzTarget(target, work, { onProgress, onFinding }) {
  const indexFile = path.join(work, `${target}.index`);
  /** @type {Statistics} */
  let all = { target, inputs: 0, accepted: 0, refused: {}, slowestMilliseconds: 0, peakHeap: 0, heapGrowth: 0 };
  let found = 0;
  const tell = async (/** @type {number} */ index, /** @type {string} */ what) => {
    found += 1;
    onFinding();
    const saveTo = path.join(values.save, `${target}-${String(seed)}-${String(index)}.bin`);
    fs.mkdirSync(values.save, { recursive: true });
    fs.rmSync(saveTo, { force: true });
    await runWorker({ target, seed, from: index, until: index + 1, indexFile, saveTo }, { onMessage: () => undefined });
    // A process that dies of making an input again has something against the generator, not the reader.
    const saved = fs.existsSync(saveTo) ? `saved as ${saveTo}` : "which couldn't be made again";
    log(`FINDING ${target}, seed ${String(seed)}, input ${String(index)}, ${saved}: ${what}`);
  };
  for (let from = 0; from < perTarget && found < MAX_FINDINGS;) {
    fs.rmSync(indexFile, { force: true });
    /** @type {{ index: number, what: string }[]} */
    const reported = [];
    /** @type {Statistics | undefined} */
    let done;
    const end = await runWorker(
      { target, seed, from, until: perTarget, indexFile },
      {
        onMessage: (message) => {
          if (message.finding !== undefined) reported.push(message.finding);
          if (message.progress !== undefined) onProgress(all.inputs + message.progress);
          if (message.done !== undefined) done = message.done;
        },
      },
    );
    for (const { index, what } of reported) if (found < MAX_FINDINGS) await tell(index, what);
    if (done !== undefined) {
      if (done.heapGrowth > HIGHEST_GROWTH_MEGABYTES * 2 ** 20) {
        await tell(perTarget - 1, `the heap grew by ${megabytes(done.heapGrowth)} MB while the inputs were read`);
      }
      all = added(all, done);
      break;
    }
    if (!fs.existsSync(indexFile)) throw new Error(`The process for ${target} didn't begin: ${end}.`);
    const index = Number(fs.readFileSync(indexFile, "utf8"));
    await tell(index, end);
    all.inputs += index + 1 - from;
    from = index + 1;
  }
  return all;
}

/**
 * @param {Statistics} left
 * @param {Statistics} right
 * @returns {Statistics}
 */
function added(left, right) {
  return {
    ...right,
    inputs: left.inputs + right.inputs,
    slowestMilliseconds: Math.max(left.slowestMilliseconds, right.slowestMilliseconds),
  };
}

/**
 * @param {Task} task
 * @param {{ onMessage: (message: Message) => void }} events
 * @returns {Promise<string>} How it ended.
 */
function runWorker(task, { onMessage }) {
  const hook = path.join(root, "test", "runTypescript.cjs");
  const child = fork(path.join(root, "test", "fuzz", "fuzzWorker.ts"), [JSON.stringify(task)], {
    execArgv: ["--require", hook, `--max-old-space-size=${String(HEAP_MEGABYTES)}`, "--expose-gc"],
    stdio: ["ignore", "inherit", "ignore", "ipc"],
  });
  return new Promise((resolve, reject) => {
    let last = "";
    let since = Date.now();
    let isHung = false;
    const watchdog = setInterval(() => {
      const current = fs.existsSync(task.indexFile) ? fs.readFileSync(task.indexFile, "utf8") : "";
      if (current !== last) [last, since] = [current, Date.now()];
      else if (Date.now() - since > (current === "" ? START_MILLISECONDS : HANG_MILLISECONDS)) {
        isHung = true;
        child.kill("SIGKILL");
      }
    }, LOOK_MILLISECONDS);
    child.on("message", (message) => {
      onMessage(/** @type {Message} */ (message));
    });
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      clearInterval(watchdog);
      const how = signal === null ? `exit code ${String(code)}` : `signal ${signal}`;
      resolve(
        isHung ? "the process hung" : `the process ended with ${how}: out of memory (${String(HEAP_MEGABYTES)} MB)?`,
      );
    });
  });
}

/** @param {readonly Statistics[]} results */
function printTable(results) {
  const rows = [["target", "inputs", "accepted", "refused", "slowest ms", "peak heap MB"]];
  for (const target of TARGETS) {
    const one = results.find((result) => result.target === target);
    if (one === undefined) continue;
    const refused = Object.entries(one.refused).map(([code, count]) => `${code} ${String(count)}`);
    rows.push([
      target,
      String(one.inputs),
      String(one.accepted),
      refused.join(", "),
      one.slowestMilliseconds.toFixed(1),
      megabytes(one.peakHeap),
    ]);
  }
  for (const row of rows) process.stdout.write(`| ${row.join(" | ")} |\n`);
}

/**
 * @param {number} bytes
 * @returns {string}
 */
function megabytes(bytes) {
  return (bytes / 2 ** 20).toFixed(0);
}

/**
 * @param {string} name
 * @param {string} text
 * @returns {number}
 */
function wholeNumber(name, text) {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} is a whole number, not "${text}".`);
  return Number(text);
}
