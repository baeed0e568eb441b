import { once } from "node:events";
import { extname, join } from "node:path";
import { Worker } from "node:worker_threads";

import type { Answer, Job } from "./jobs";

/** As this file is: compiled, or from the sources where tests run. */
const ENTRY = join(__dirname, `readingThread${extname(__filename)}`);
/** A thread that had nothing to do for so long ends. The next job starts another one. */
const IDLE_MS = 5000;
/** A file of the allowed size needs a small part of it; a made-up one can't take more. */
const MAX_HEAP_MB = 256;

let thread: Worker | undefined;
let idle: NodeJS.Timeout | undefined;
let lastTurn: Promise<unknown> = Promise.resolve();

/** How many threads this process has started. For tests. */
export let threadsStarted = 0;

/**
 * Does a job in a thread of its own, one after the other: deriving keys from a password takes seconds where a file asks
 * for it, and nothing else would happen meanwhile. The thread is started by the first job and doesn't keep the process
 * alive.
 *
 * @throws the reason of the signal, as soon as it fires; the job is ended where it stands
 */
export function runInThread(job: Job, signal: AbortSignal | undefined): Promise<Answer> {
  const turn = lastTurn.then(() => {
    signal?.throwIfAborted();
    return runNow(job, signal);
  });
  lastTurn = turn.catch(() => undefined);
  return untilAborted(turn, signal);
}

/** The promise, or the signal's reason when that fires first. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whoever aborts says why
      reject(signal.reason);
    };
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", onAbort);
    });
  });
}

async function runNow(job: Job, signal: AbortSignal | undefined): Promise<Answer> {
  const worker = thread ?? start();
  clearTimeout(idle);
  worker.ref();
  const over = new AbortController();
  try {
    const answered = once(worker, "message", { signal: over.signal }) as Promise<[Answer]>;
    const ended = once(worker, "exit", { signal: over.signal }).then(([code]) => {
      throw new Error(`the thread that reads files ended with ${String(code)}`);
    });
    ended.catch(() => undefined);
    worker.postMessage(job);
    const [answer] = await untilAborted(Promise.race([answered, ended]), signal);
    return answer;
  } catch (error) {
    end(worker);
    throw error;
  } finally {
    over.abort();
    if (thread === worker) rest(worker);
  }
}

function rest(worker: Worker): void {
  worker.unref();
  idle = setTimeout(() => {
    end(worker);
  }, IDLE_MS);
  idle.unref();
}

function start(): Worker {
  const worker = new Worker(ENTRY, { resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } });
  // An error without a listener would end the process, also one that comes when nobody waits any more.
  worker.on("error", () => undefined);
  threadsStarted += 1;
  thread = worker;
  return worker;
}

function end(worker: Worker): void {
  if (thread === worker) thread = undefined;
  void worker.terminate();
}
