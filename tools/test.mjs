/**
 * `npm test`: everything from a fresh clone, but the long stories in the real CLI (`npm run test:stories`). Arguments
 * go to Jest: `npm test -- --selectProjects unit`, `npm test -- test/plan`. "process", "engine" and "stories" build `lib/`, pack it and get a Pulumi CLI by
 * themselves before their first test (tools/jest).
 */

import { spawn } from "node:child_process";
import path from "node:path";
import { ensureNodeModules, main, root } from "./setup.mjs";

await main(async () => {
  await ensureNodeModules();
  const jest = path.join(root, "node_modules", "jest", "bin", "jest.js");
  const args = process.argv.slice(2);
  // Whoever names projects or files gets these.
  const isChosen = args.includes("--selectProjects") || args.some((arg) => !arg.startsWith("-"));
  const child = spawn(process.execPath, [jest, ...args, ...(isChosen ? [] : ["--ignoreProjects", "stories"])], {
    cwd: root,
    stdio: "inherit",
  });
  child.on("exit", (code) => {
    process.exitCode = code ?? 1;
  });
});
