/**
 * `npm run kill-points`: in every scenario of test/lifecycle/killScenarios.ts kills the dynamic resource's own process
 * before and after every call that changes a server, and in the real CLI either front end's after a call of each kind,
 * and lets the next run go on. Prints how many kills there were; ends with 1 when one didn't converge. Takes half an hour.
 */

import { spawn } from "node:child_process";
import path from "node:path";
import { ensureNodeModules, main, root } from "./setup.mjs";

await main(async () => {
  await ensureNodeModules();
  const jest = path.join(root, "node_modules", "jest", "bin", "jest.js");
  const child = spawn(
    process.execPath,
    [jest, "--runInBand", "--testTimeout", "7200000", "test/(process|stories)/killPoints.test.ts"],
    {
      cwd: root,
      stdio: "inherit",
      env: { ...process.env, KILL_POINTS: "all" },
    },
  );
  child.on("exit", (code) => {
    process.exitCode = code ?? 1;
  });
});
