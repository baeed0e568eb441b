/** The entry of the thread that thread.ts starts: takes jobs, gives answers, one after the other. */
import { parentPort } from "node:worker_threads";

import type { Job } from "./jobs";
import { answerOf } from "./jobs";

parentPort?.on("message", (job: Job) => {
  parentPort?.postMessage(answerOf(job));
});
