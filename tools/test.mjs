/**
 * `npm test`: everything, from a fresh clone. Arguments go to Jest: `npm test -- --selectProjects unit`,
 * `npm test -- test/plan`. The projects "process" and "engine" build `lib/`, pack it and get a Pulumi CLI by
 * themselves before their first test (tools/jest).
 */

import { spawn } from "node:child_process";
import path from "node:path";
import { ensureNodeModules, main, root } from "./setup.mjs";

await main(async () => {
  await ensureNodeModules();
  const jest = path.join(root, "node_modules", "jest", "bin", "jest.js");
  const child = spawn(process.execPath, [jest, ...process.argv.slice(2)], { cwd: root, stdio: "inherit" });
  child.on("exit", (code) => {
    process.exitCode = code ?? 1;
  });
});
