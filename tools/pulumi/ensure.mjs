/**
 * Finds a Pulumi CLI or makes one. `node tools/pulumi/ensure.mjs` prints the directory that holds it as the last line
 * on stdout; everything else goes to stderr.
 *
 * A Node program with dynamic resources needs three files side by side: `pulumi`, `pulumi-language-nodejs` and
 * `pulumi-resource-pulumi-nodejs`. In this order they come from PATH, from the cache of an earlier run, from Pulumi's
 * own installer, or from the Go modules that Pulumi publishes (checked against the go.sum files beside this script).
 *
 * Tried on Linux. What differs on Windows and macOS is written from the documentation and says so.
 */

import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { goBuild, goEnvironment, requiredVersion } from "../go.mjs";
import { run, runOrThrow } from "../process.cjs";

const here = import.meta.dirname;
const require = createRequire(import.meta.url);

/** Older engines ignore the inputs that `read` returns, so drift would not show as it should. */
export const OLDEST_USABLE_VERSION = "3.216.0";
/** Reaching the installer must not hold up a machine without network. */
const REACHABILITY_LIMIT_MILLISECONDS = 4000;
const INSTALL_LIMIT_SECONDS = 300;
const BUILD_LIMIT_SECONDS = 1800;
/** Where the cache is, instead of the user's cache directory. */
const CACHE_VARIABLE = "PULUMI_EXCHANGE_CERTIFICATES_CACHE";

const windows = process.platform === "win32";
const executable = (/** @type {string} */ name) => (windows ? `${name}.exe` : name);
const CLI = executable("pulumi");
const LANGUAGE_HOST = executable("pulumi-language-nodejs");
// A script, not a program; Windows has a version of its own.
const DYNAMIC_PROVIDER = windows ? "pulumi-resource-pulumi-nodejs.cmd" : "pulumi-resource-pulumi-nodejs";
const ALL_FILES = [CLI, LANGUAGE_HOST, DYNAMIC_PROVIDER];

/** @typedef {(line: string) => void} Log */

/** A way that does not lead to a CLI here, with the reason. Anything else that is thrown is a mistake of ours. */
class NoWay extends Error {}

/**
 * The directory with a working Pulumi CLI.
 *
 * @param {{ log?: Log, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<string>}
 * @throws When there is no way to one; the message says what was tried and why each failed.
 */
export async function ensurePulumi({ log = logToStderr, env = process.env } = {}) {
  // In one place: the requirement in cli/go.mod.
  const version = requiredVersion(path.join(here, "cli"), "github.com/pulumi/pulumi/pkg/v3");
  const cache = path.join(cacheDirectory(env), `pulumi-${version}-${process.platform}-${process.arch}`);
  /** @type {[name: string, attempt: () => Promise<string>][]} */
  const beforeMaking = [
    ["PATH", () => findOnPath(env, log)],
    [`the cache (${cache})`, () => findInCache(cache)],
  ];
  /** @type {[name: string, attempt: () => Promise<string>][]} */
  const making = [
    ["Pulumi's installer (get.pulumi.com)", () => install(version, cache, log)],
    ["a build from Go modules", () => build(version, cache, env, log)],
  ];
  /** @type {string[]} */
  const reasons = [];
  const found = await firstThatWorks(beforeMaking, reasons);
  if (found !== undefined) return found;
  const unlock = await lock(path.dirname(cache), log);
  try {
    // Another process may have made it while we waited.
    const made = await firstThatWorks([["the cache", () => findInCache(cache)]], []);
    if (made !== undefined) return made;
    const result = await firstThatWorks(making, reasons);
    if (result !== undefined) return result;
  } finally {
    await unlock();
  }
  throw new Error(
    [
      "There is no Pulumi CLI here and none could be made. Tried:",
      ...reasons.map((reason) => `  - ${reason}`),
      "Install Pulumi (https://www.pulumi.com/docs/install/) or Go, or connect to the network, and try again.",
      "The tests that need no CLI run with: npm test -- --selectProjects unit process",
    ].join("\n"),
  );
}

/**
 * @param {[name: string, attempt: () => Promise<string>][]} attempts
 * @param {string[]} reasons Gets a line for each that fails.
 * @returns {Promise<string | undefined>}
 */
async function firstThatWorks(attempts, reasons) {
  for (const [name, attempt] of attempts) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof NoWay)) throw error;
      reasons.push(`${name}: ${error.message}`);
    }
  }
  return undefined;
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {string}
 */
export function cacheDirectory(env) {
  const own = env[CACHE_VARIABLE];
  if (own !== undefined && own !== "") return path.resolve(own);
  const name = "pulumi-exchange-certificates";
  const home = os.homedir();
  if (windows) return path.join(env["LOCALAPPDATA"] ?? path.join(home, "AppData", "Local"), name, "Cache");
  if (process.platform === "darwin") return path.join(home, "Library", "Caches", name);
  // The specification of XDG_CACHE_HOME asks to ignore relative paths.
  const xdg = env["XDG_CACHE_HOME"];
  return path.join(xdg !== undefined && path.isAbsolute(xdg) ? xdg : path.join(home, ".cache"), name);
}

/**
 * What `pulumi version` says, without the leading "v". Running it is the proof that the file works on this machine.
 *
 * @param {string} directory
 * @returns {Promise<string>}
 */
async function versionIn(directory) {
  const file = path.join(directory, CLI);
  const env = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
  const result = await run(file, ["version"], { env, timeLimitSeconds: 60 }).catch((/** @type {unknown} */ error) => {
    throw new NoWay(`${file} can't be run: ${messageOf(error)}`);
  });
  const version = /^v?(\d+\.\d+\.\d+\S*)$/m.exec(result.stdout.trim())?.[1];
  if (result.exitCode !== 0 || version === undefined) {
    throw new NoWay(`"${file} version" answered: ${result.combined.trim().slice(0, 300) || "nothing"}`);
  }
  return version;
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {Log} log
 * @returns {Promise<string>}
 */
async function findOnPath(env, log) {
  // Windows spells it "Path".
  const value = Object.entries(env).find(([name]) => name.toUpperCase() === "PATH")?.[1] ?? "";
  // npm puts node_modules/.bin in front; a script there isn't the CLI.
  const directories = value
    .split(path.delimiter)
    .filter((each) => path.isAbsolute(each) && !each.includes("node_modules"));
  const has = (/** @type {string} */ directory, /** @type {string} */ file) =>
    fs.existsSync(path.join(directory, file));
  const directory = directories.find((each) => has(each, CLI));
  if (directory === undefined) throw new NoWay("no pulumi there");
  const version = await versionIn(directory);
  if (isOlder(version, OLDEST_USABLE_VERSION)) {
    throw new NoWay(`${directory} has Pulumi ${version}; ${OLDEST_USABLE_VERSION} or newer is needed`);
  }
  // A package manager may have put a link on PATH and kept the companions beside the real file.
  const beside = path.dirname(fs.realpathSync(path.join(directory, CLI)));
  const whole = [directory, beside].find((each) => ALL_FILES.every((file) => has(each, file)));
  if (whole === undefined) {
    throw new NoWay(`${directory} has pulumi, but not ${LANGUAGE_HOST} and ${DYNAMIC_PROVIDER} beside it`);
  }
  log(`Using Pulumi ${version} from ${whole}.`);
  return whole;
}

/**
 * @param {string} version
 * @param {string} floor
 */
function isOlder(version, floor) {
  const [left, right] = [version, floor].map((each) => each.split(/[.+-]/, 3).map(Number));
  for (const index of [0, 1, 2]) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/**
 * @param {string} cache
 * @returns {Promise<string>}
 */
async function findInCache(cache) {
  // The directory comes into being by a rename, so it is whole or not there.
  if (!fs.existsSync(cache)) throw new NoWay("nothing there yet");
  await versionIn(cache);
  return cache;
}

/**
 * One process makes the CLI, the others wait for it.
 *
 * @param {string} directory
 * @param {Log} log
 * @returns {Promise<() => Promise<void>>}
 */
async function lock(directory, log) {
  fs.mkdirSync(directory, { recursive: true });
  const lockfile = await import("proper-lockfile").catch(() => {
    throw new Error('The dependencies of this repository are missing. Run "npm ci" first.');
  });
  const options = { lockfilePath: path.join(directory, "lock"), stale: 30_000 };
  if (await lockfile.default.check(directory, options)) log("Another process is getting a Pulumi CLI; waiting for it.");
  const release = await lockfile.default.lock(directory, {
    ...options,
    retries: { retries: BUILD_LIMIT_SECONDS, factor: 1, minTimeout: 1000, maxTimeout: 1000 },
  });
  for (const leftover of fs.readdirSync(directory).filter((name) => name.startsWith("making-"))) {
    fs.rmSync(path.join(directory, leftover), { recursive: true, force: true });
  }
  return release;
}

/**
 * Runs Pulumi's own install script into the cache, through the helper of the Automation API that knows it for every
 * platform. (Not tried: the machines this was written on could not reach the address.)
 *
 * @param {string} version
 * @param {string} cache
 * @param {Log} log
 * @returns {Promise<string>}
 */
async function install(version, cache, log) {
  try {
    await fetch("https://get.pulumi.com/", {
      method: "HEAD",
      redirect: "manual",
      signal: AbortSignal.timeout(REACHABILITY_LIMIT_MILLISECONDS),
    });
  } catch (error) {
    throw new NoWay(`not reachable from here (${messageOf(error)})`);
  }
  return make(cache, log, `Installing Pulumi ${version} from get.pulumi.com`, async (directory) => {
    const root = path.join(directory, "download");
    const script = `require(process.argv[1]).PulumiCommand.install({ version: process.argv[2], root: process.argv[3] })
      .catch((error) => { console.error(error.message); process.exitCode = 1; })`;
    const automation = require.resolve("@pulumi/pulumi/automation");
    await runOrThrow(process.execPath, ["-e", script, automation, version, root], {
      timeLimitSeconds: INSTALL_LIMIT_SECONDS,
    });
    for (const file of ALL_FILES) fs.renameSync(path.join(root, "bin", file), path.join(directory, file));
    fs.rmSync(root, { recursive: true, force: true });
  });
}

/**
 * Builds the CLI and the Node language host.
 *
 * @param {string} version
 * @param {string} cache
 * @param {NodeJS.ProcessEnv} env
 * @param {Log} log
 * @returns {Promise<string>}
 */
async function build(version, cache, env, log) {
  const go = await run("go", ["version"], { env: goEnvironment(env), timeLimitSeconds: 60 }).catch(() => {
    throw new NoWay("go isn't installed");
  });
  if (go.exitCode !== 0) throw new NoWay(`"go version" failed: ${go.combined.trim()}`);
  const what = `Building Pulumi ${version} with ${go.stdout.trim()} (once; 3 to 5 minutes on two cores)`;
  return make(cache, log, what, async (directory) => {
    const stamp = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${version}`;
    /** @type {[module: string, source: string, file: string][]} */
    const programs = [
      ["cli", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", CLI],
      ["language-nodejs", "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs", LANGUAGE_HOST],
    ];
    for (const [module, source, file] of programs) {
      await goBuild({
        module: path.join(here, module),
        source,
        output: path.join(directory, file),
        ldflags: `-s -w ${stamp}`,
        env,
        timeLimitSeconds: BUILD_LIMIT_SECONDS,
      });
    }
    const script = path.join(path.dirname(require.resolve("@pulumi/pulumi/package.json")), DYNAMIC_PROVIDER);
    fs.copyFileSync(script, path.join(directory, DYNAMIC_PROVIDER));
    fs.chmodSync(path.join(directory, DYNAMIC_PROVIDER), 0o755);
  });
}

/**
 * Makes the CLI in a directory of its own, tries it, and moves it to its place in one step.
 *
 * @param {string} cache
 * @param {Log} log
 * @param {string} what
 * @param {(directory: string) => Promise<void>} fill
 * @returns {Promise<string>}
 */
async function make(cache, log, what, fill) {
  log(`${what} ...`);
  const started = Date.now();
  const elapsed = () => `${String(Math.round((Date.now() - started) / 1000))} s`;
  const progress = setInterval(() => log(`  still at it after ${elapsed()}`), 20_000);
  const directory = fs.mkdtempSync(path.join(path.dirname(cache), "making-"));
  try {
    await fill(directory);
    const version = await versionIn(directory);
    // mkdtemp makes a private directory; a cache may be shared.
    fs.chmodSync(directory, 0o755);
    fs.rmSync(cache, { recursive: true, force: true });
    fs.renameSync(directory, cache);
    log(`Pulumi ${version} is ready in ${cache} after ${elapsed()}.`);
    return cache;
  } catch (error) {
    fs.rmSync(directory, { recursive: true, force: true });
    throw new NoWay(`failed after ${elapsed()}: ${messageOf(error)}`);
  } finally {
    clearInterval(progress);
  }
}

/** @param {unknown} error */
function messageOf(error) {
  if (!(error instanceof Error)) return String(error);
  // fetch says "fetch failed" and keeps the reason in its cause.
  return error.cause instanceof Error && error.message === "fetch failed" ? error.cause.message : error.message;
}

/** @type {Log} */
function logToStderr(line) {
  process.stderr.write(`${line}\n`);
}

if (process.argv[1] !== undefined && pathToFileURL(fs.realpathSync(process.argv[1])).href === import.meta.url) {
  try {
    process.stdout.write(`${await ensurePulumi()}\n`);
  } catch (error) {
    logToStderr(messageOf(error));
    process.exitCode = 1;
  }
}
