/**
 * Finds Pebble, the test server for ACME, or builds it from the Go modules that its authors publish (checked against the
 * go.sum beside this script): `pebble` and `pebble-challtestsrv`, side by side. `node tools/pebble/ensure.mjs` prints
 * their directory as the last line on stdout; everything else goes to stderr. Without Go there is none: exit code 2.
 */

import fs from "node:fs";
import path from "node:path";
import { run, runOrThrow } from "../process.cjs";
import { cacheDirectory } from "../pulumi/ensure.mjs";

const here = import.meta.dirname;
const BUILD_LIMIT_SECONDS = 600;
const PROGRAMS = ["pebble", "pebble-challtestsrv"];

const version = /pebble\/v2 v(\S+)/.exec(fs.readFileSync(path.join(here, "go.mod"), "utf8"))?.[1] ?? "";
const cache = path.join(cacheDirectory(process.env), `pebble-${version}-${process.platform}-${process.arch}`);

if (!fs.existsSync(cache)) {
  // A go.work in a directory above would replace our module.
  const env = { ...process.env, GOWORK: "off" };
  const go = await run("go", ["version"], { env, timeLimitSeconds: 60 }).catch(() => undefined);
  if (go?.exitCode !== 0) {
    process.stderr.write("There is no Pebble here, and no Go to build it with.\n");
    process.exit(2);
  }
  process.stderr.write(`Building Pebble ${version} (once; half a minute) ...\n`);
  fs.mkdirSync(path.dirname(cache), { recursive: true });
  const making = fs.mkdtempSync(`${cache}-`);
  try {
    for (const program of PROGRAMS) {
      const args = ["build", "-mod=readonly", "-o", path.join(making, program)];
      await runOrThrow("go", [...args, `github.com/letsencrypt/pebble/v2/cmd/${program}`], {
        cwd: here,
        env,
        timeLimitSeconds: BUILD_LIMIT_SECONDS,
      });
    }
    try {
      fs.renameSync(making, cache);
    } catch (error) {
      // Whoever was quicker has made the same.
      if (!fs.existsSync(cache)) throw error;
    }
  } finally {
    fs.rmSync(making, { recursive: true, force: true });
  }
}
process.stdout.write(`${cache}\n`);
