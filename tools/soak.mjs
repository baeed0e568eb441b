/**
 * `npm run soak`: random programs over several servers, with drift, faults, kills and a clock that moves on, against the
 * laws of the planner (test/lifecycle/soak). Prints how often everything came up. Ends with 1 when a law is broken, and
 * prints the seed and the smallest program that breaks it.
 *
 *   npm run soak -- --programs 10000 --seed 1
 */

import { spawn } from "node:child_process";
import path from "node:path";
import { parseArgs } from "node:util";
import { ensureNodeModules, main, root } from "./setup.mjs";

const { values } = parseArgs({
  options: {
    programs: { type: "string", default: "10000" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
  },
});

await main(async () => {
  await ensureNodeModules();
  const hook = path.join(root, "test", "runTypescript.cjs");
  const worker = path.join(root, "test", "lifecycle", "soak", "soakWorker.ts");
  const child = spawn(process.execPath, ["--require", hook, worker, values.programs, values.seed], {
    cwd: root,
    stdio: "inherit",
  });
  process.exitCode = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      resolve(code ?? 1);
    });
  });
});
