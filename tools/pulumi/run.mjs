/**
 * `npm run pulumi -- <arguments>`: the Pulumi CLI of this repository, with its companions first on PATH, in the
 * directory where npm was called.
 */

import { spawn } from "node:child_process";
import path from "node:path";
import process from "node:process";
import { ensureNodeModules, main } from "../setup.mjs";
import { ensurePulumi } from "./ensure.mjs";

await main(async () => {
  await ensureNodeModules();
  const directory = await ensurePulumi();
  const pathName = Object.keys(process.env).find((name) => name.toUpperCase() === "PATH") ?? "PATH";
  const child = spawn(path.join(directory, "pulumi"), process.argv.slice(2), {
    cwd: process.env["INIT_CWD"] ?? process.cwd(),
    env: { ...process.env, [pathName]: `${directory}${path.delimiter}${process.env[pathName] ?? ""}` },
    stdio: "inherit",
  });
  // Ctrl-C reaches the CLI by itself; it tidies up and ends, and then so do we.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("error", (error) => {
    process.stderr.write(`The Pulumi CLI could not be started: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on("exit", (code) => {
    process.exitCode = code ?? 1;
  });
});
