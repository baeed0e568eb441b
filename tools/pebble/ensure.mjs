/**
 * Finds Pebble, the test server for ACME, or builds it from the Go modules that its authors publish (checked against the
 * go.sum beside this script): `pebble` and `pebble-challtestsrv`, side by side. `node tools/pebble/ensure.mjs` prints
 * their directory as the last line on stdout; everything else goes to stderr. Without Go there is none: exit code 2.
 */

import fs from "node:fs";
import path from "node:path";
import { goBuild, goEnvironment, requiredVersion } from "../go.mjs";
import { run } from "../process.cjs";
import { cacheDirectory } from "../pulumi/ensure.mjs";

const here = import.meta.dirname;
const BUILD_LIMIT_SECONDS = 600;
const PROGRAMS = ["pebble", "pebble-challtestsrv"];

const MODULE = "github.com/letsencrypt/pebble/v2";
const version = requiredVersion(here, MODULE);
const cache = path.join(cacheDirectory(process.env), `pebble-${version}-${process.platform}-${process.arch}`);

if (!fs.existsSync(cache)) {
  const go = await run("go", ["version"], { env: goEnvironment(process.env), timeLimitSeconds: 60 }).catch(
    () => undefined,
  );
  if (go?.exitCode !== 0) {
    process.stderr.write("There is no Pebble here, and no Go to build it with.\n");
    process.exit(2);
  }
  process.stderr.write(`Building Pebble ${version} (once; half a minute) ...\n`);
  fs.mkdirSync(path.dirname(cache), { recursive: true });
  const making = fs.mkdtempSync(`${cache}-`);
  try {
    for (const program of PROGRAMS) {
      await goBuild({
        module: here,
        source: `${MODULE}/cmd/${program}`,
        output: path.join(making, program),
        env: process.env,
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
