/**
 * What has to be there before anything of this repository runs: the dependencies and `lib/`. Each step does nothing
 * when there is nothing to do, and says what it does when there is.
 */

import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { runOrThrow, npmCommand } from "./process.cjs";

/** The root of the repository. */
export const root = path.dirname(import.meta.dirname);
const OLDEST_NODE = 20;

/**
 * Runs `npm ci` when node_modules isn't what package-lock.json says.
 *
 * @returns {Promise<void>}
 */
export async function ensureNodeModules() {
  if (Number(process.versions.node.split(".")[0]) < OLDEST_NODE) {
    throw new Error(`Node ${String(OLDEST_NODE)} or newer is needed; this is ${process.version}.`);
  }
  const reason = whyNotInstalled();
  if (reason === undefined) return;
  log(`Installing dependencies (npm ci), because ${reason} ...`);
  const { file, args, shell } = npmCommand(["ci"]);
  await runOrThrow(file, args, {
    cwd: root,
    shell,
    timeLimitSeconds: 900,
    onOutput: (text) => process.stderr.write(text),
  });
}

/**
 * Compares what is installed with what is locked by content: times of files say nothing after a checkout.
 *
 * @returns {string | undefined} Why an installation is needed.
 */
function whyNotInstalled() {
  const installedFile = path.join(root, "node_modules", ".package-lock.json");
  if (!fs.existsSync(installedFile)) return "there is no node_modules";
  const installed = packagesOf(installedFile);
  const locked = packagesOf(path.join(root, "package-lock.json"));
  // Packages for other platforms are locked and not installed.
  const differing = Object.entries(locked).find(
    ([name, entry]) =>
      name.startsWith("node_modules/") && entry.optional !== true && entry.version !== installed[name]?.version,
  );
  return differing === undefined ? undefined : `${differing[0]} isn't the version that package-lock.json asks for`;
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, optional?: boolean }>}
 */
function packagesOf(file) {
  return JSON.parse(fs.readFileSync(file, "utf8")).packages;
}

/**
 * Builds `lib/` when it isn't what the sources say.
 *
 * @param {{ force?: boolean }} [options]
 * @returns {Promise<void>}
 */
export async function ensureBuilt({ force = false } = {}) {
  const { default: lockfile } = await import("proper-lockfile");
  const work = path.join(root, ".cache");
  fs.mkdirSync(work, { recursive: true });
  const release = await lockfile.lock(work, {
    lockfilePath: path.join(work, "build.lock"),
    stale: 30_000,
    retries: { retries: 300, factor: 1, minTimeout: 1000, maxTimeout: 1000 },
  });
  try {
    const stampFile = path.join(work, "build.stamp");
    const stamp = hashOfSources();
    const lib = path.join(root, "lib");
    if (!force && fs.existsSync(lib) && fs.existsSync(stampFile) && fs.readFileSync(stampFile, "utf8") === stamp)
      return;
    log("Building lib/ ...");
    // Built aside and swapped in, so that a process that is reading lib/ sees the old or the new one, and so that
    // nothing of a deleted source stays.
    const fresh = path.join(work, "lib");
    fs.rmSync(fresh, { recursive: true, force: true });
    const tsc = path.join(root, "node_modules", "typescript", "bin", "tsc");
    // Seconds, and minutes on a machine that has much else to do.
    const limits = { cwd: root, timeLimitSeconds: 900 };
    await runOrThrow(process.execPath, [tsc, "-p", "tsconfig.build.json", "--outDir", fresh], limits);
    const { bundleZod } = await import("./zod.mjs");
    await bundleZod(root, fresh);
    const { schemaFromBuild } = await import("./native/fromBuild.cjs");
    fs.writeFileSync(path.join(fresh, "frontends", "native", "schema.json"), schemaFromBuild(fresh));
    fs.rmSync(lib, { recursive: true, force: true });
    fs.renameSync(fresh, lib);
    fs.writeFileSync(stampFile, stamp);
  } finally {
    await release();
  }
}

/** A hash over everything that `lib/` depends on. */
function hashOfSources() {
  const hash = createHash("sha256");
  const sources = fs
    .readdirSync(path.join(root, "provider"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => path.join("provider", file));
  const settings = [
    "package.json",
    "tsconfig.json",
    "tsconfig.build.json",
    "tools/native/schema.cjs",
    "tools/native/fromBuild.cjs",
    "tools/zod.mjs",
    "node_modules/esbuild/package.json",
    "node_modules/typescript/package.json",
    "node_modules/zod/package.json",
  ];
  for (const file of [...settings, ...sources.sort()]) {
    hash
      .update(`${file}\0`)
      .update(fs.readFileSync(path.join(root, file)))
      .update("\0");
  }
  return hash.digest("hex");
}

/** @param {string} line */
export function log(line) {
  process.stderr.write(`${line}\n`);
}

/**
 * Runs the body of a tool. An error is told as a sentence, without the place in our code where it was thrown.
 *
 * @param {() => Promise<void>} body
 * @returns {Promise<void>}
 */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    log(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
