/**
 * Finds or fetches what a Kerberos realm on this machine needs: MIT's KDC with its tools, libfaketime, and a Python
 * with pyspnego and pypsrp. What isn't installed comes from Debian's packages, unpacked in the user's cache directory;
 * being root isn't needed and nothing of the system changes. `node tools/kerberos/ensure.mjs` prints where everything is
 * as JSON on stdout; everything else goes to stderr.
 *
 * Tried on Debian 12 (x64). Elsewhere on Linux the packages have to be installed, and the message says which.
 */

import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { run, runOrThrow } from "../process.cjs";
import { cacheDirectory } from "../pulumi/ensure.mjs";
import { hasApt, unpackPackages } from "./debian.mjs";

const here = import.meta.dirname;
const requirements = path.join(here, "requirements.txt");
const buildRequirements = path.join(here, "build.txt");
const INSTALL_LIMIT_SECONDS = 900;
const PROGRAMS = /** @type {const} */ (["krb5kdc", "kdb5_util", "kadmin.local", "kinit"]);
const WHAT_TO_INSTALL =
  "Install an MIT KDC with its tools (krb5kdc, kdb5_util, kadmin.local, kinit), the headers of MIT Kerberos " +
  "(krb5-config), libfaketime, Python 3.10 or newer with its headers, and gcc. Fedora: krb5-server krb5-workstation " +
  "krb5-devel libfaketime python3-devel gcc. Debian and Ubuntu: gcc and python3; the rest is fetched by itself.";

/**
 * Where everything is.
 *
 * @typedef {object} Kerberos
 * @property {Record<typeof PROGRAMS[number], string>} programs
 * @property {string[]} libraries Directories for LD_LIBRARY_PATH; none where Kerberos is installed.
 * @property {string | null} databaseModules For `db_module_dir`; null where it is installed.
 * @property {string} faketime libfaketime.so.1, for LD_PRELOAD.
 * @property {string} python The Python with pyspnego and pypsrp. It needs the libraries, too.
 */

/** There can be no realm on this machine; the message says why and what to do. */
export class KerberosMissing extends Error {}

/**
 * @param {{ env?: NodeJS.ProcessEnv, log?: (line: string) => void }} [options]
 * @returns {Promise<Kerberos>}
 * @throws {KerberosMissing}
 */
export async function ensureKerberos({ env = process.env, log = logToStderr } = {}) {
  if (process.platform !== "linux")
    throw new KerberosMissing("A Kerberos realm for the tests can be had on Linux only.");
  const python = await inspectPython(env);
  const stamp = createHash("sha256").update(python.version);
  for (const file of [requirements, buildRequirements]) stamp.update(fs.readFileSync(file));
  const cache = cacheDirectory(env);
  const directory = path.join(cache, `kerberos-${stamp.digest("hex").slice(0, 16)}-${process.arch}`);
  const before = whenFinished(directory);
  if (before !== undefined) return before;

  const unlock = await lock(cache, log);
  try {
    // Another process may have made it while we waited.
    const meanwhile = whenFinished(directory);
    if (meanwhile !== undefined) return meanwhile;
    const started = Date.now();
    log(`Getting a Kerberos realm for the tests into ${directory} (once; about a minute) ...`);
    fs.rmSync(directory, { recursive: true, force: true });
    fs.mkdirSync(directory, { recursive: true });
    const made = await make(directory, python, env);
    log(`Kerberos is ready after ${Math.round((Date.now() - started) / 1000)} s.`);
    return made;
  } finally {
    await unlock();
  }
}

/**
 * @param {string} directory
 * @returns {Kerberos | undefined}
 */
function whenFinished(directory) {
  const file = path.join(directory, "finished.json");
  if (!fs.existsSync(file)) return undefined;
  const kerberos = /** @type {Kerberos} */ (JSON.parse(fs.readFileSync(file, "utf8")));
  // Some of it may belong to the system, which can have changed.
  const files = [...Object.values(kerberos.programs), kerberos.faketime, kerberos.python];
  return files.every((each) => fs.existsSync(each)) ? kerberos : undefined;
}

/**
 * @param {string} directory Empty. It doesn't move afterwards: a virtual environment holds its own path.
 * @param {Python} python
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Kerberos>}
 */
async function make(directory, python, env) {
  const installed = python.hasHeaders && python.hasPip ? findInstalled(env) : undefined;
  const tree = path.join(directory, "tree");
  if (installed === undefined) {
    if (!(await hasApt(env))) throw new KerberosMissing(`Kerberos isn't whole on this machine. ${WHAT_TO_INSTALL}`);
    const more = [
      ...(python.hasHeaders ? [] : [`lib${python.name}-dev`]),
      ...(python.hasPip ? [] : ["python3-pip-whl"]),
    ];
    const temporary = path.join(directory, "apt");
    await orMissing("Fetching Debian's packages", () => unpackPackages(temporary, tree, more, env));
    fs.rmSync(temporary, { recursive: true, force: true });
  }
  const found = installed ?? findInTree(tree);
  const base = { ...found, python: path.join(directory, "python", "bin", "python") };
  await orMissing("Making a Python with gssapi and krb5", () => makePython(directory, python, tree, base, env));
  fs.writeFileSync(path.join(directory, "finished.json"), JSON.stringify(base));
  return base;
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Omit<Kerberos, "python"> | undefined}
 */
function findInstalled(env) {
  const directories = [...(env["PATH"] ?? "").split(path.delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  const onPath = (/** @type {string} */ name) => firstThatExists(directories.map((each) => path.join(each, name)));
  const libraries = ["/usr/lib", "/usr/lib64", ...subdirectories("/usr/lib")];
  const faketime = firstThatExists(libraries.map((each) => path.join(each, "faketime", "libfaketime.so.1")));
  if (faketime === undefined || onPath("krb5-config") === undefined) return undefined;
  const programs = programsFrom(onPath);
  return programs && { programs, libraries: [], databaseModules: null, faketime };
}

/**
 * @param {string} tree
 * @returns {Omit<Kerberos, "python">}
 */
function findInTree(tree) {
  const [usr = "", lib = ""] = ["usr/lib", "lib"].map((each) => path.join(tree, each));
  const libraries = [...subdirectories(usr), ...subdirectories(lib)].filter((each) => hasLibraries(each));
  const programs = programsFrom((name) =>
    firstThatExists(["usr/sbin", "usr/bin"].map((each) => path.join(tree, each, name))),
  );
  const faketime = firstThatExists(libraries.map((each) => path.join(each, "faketime", "libfaketime.so.1")));
  const databaseModules = firstThatExists(libraries.map((each) => path.join(each, "krb5", "plugins", "kdb")));
  if (programs === undefined || faketime === undefined || databaseModules === undefined) {
    throw new KerberosMissing(`The packages that apt fetched aren't as expected. ${WHAT_TO_INSTALL}`);
  }
  return { programs, libraries, databaseModules, faketime };
}

/** @param {(name: string) => string | undefined} find */
function programsFrom(find) {
  const [krb5kdc, util, admin, kinit] = PROGRAMS.map(find);
  if (krb5kdc === undefined || util === undefined || admin === undefined || kinit === undefined) return undefined;
  return { krb5kdc, kdb5_util: util, "kadmin.local": admin, kinit };
}

/** @param {readonly string[]} files */
function firstThatExists(files) {
  return files.find((file) => path.isAbsolute(file) && fs.existsSync(file));
}

/** @param {string} directory */
function subdirectories(directory) {
  if (!fs.existsSync(directory)) return [];
  const entries = fs.readdirSync(directory, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => path.join(directory, name));
}

/** @param {string} directory */
function hasLibraries(directory) {
  return fs.readdirSync(directory).some((name) => /\.so\.\d/.test(name));
}

/**
 * @typedef {object} Python
 * @property {string} version
 * @property {string} name `python3.11`.
 * @property {boolean} hasHeaders
 * @property {boolean} hasPip Whether it can put pip into a virtual environment; Debian has that in python3-venv.
 */

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Python>}
 */
async function inspectPython(env) {
  const script = `import json, os, sys, sysconfig
try:
    import ensurepip
    pip = ensurepip.version()
except Exception:
    pip = None
print(json.dumps({
    "version": sys.version,
    "name": "python%d.%d" % sys.version_info[:2],
    "hasHeaders": os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")),
    "hasPip": pip is not None,
}))`;
  const asked = await run("python3", ["-c", script], { env, timeLimitSeconds: 60 }).catch(() => undefined);
  if (asked?.exitCode !== 0) throw new KerberosMissing(`There is no python3 on this machine. ${WHAT_TO_INSTALL}`);
  return JSON.parse(asked.stdout);
}

/**
 * @param {string} directory
 * @param {Python} python
 * @param {string} tree
 * @param {Kerberos} kerberos
 * @param {NodeJS.ProcessEnv} env
 */
async function makePython(directory, python, tree, kerberos, env) {
  const compiler = await run("gcc", ["--version"], { env, timeLimitSeconds: 30 }).catch(() => undefined);
  if (compiler?.exitCode !== 0) throw new KerberosMissing(`There is no gcc on this machine. ${WHAT_TO_INSTALL}`);
  const wheels = path.join(tree, "usr", "share", "python-wheels");
  const wheel = python.hasPip ? undefined : fs.readdirSync(wheels).find((name) => /^pip-.*\.whl$/.test(name));
  const own = {
    ...env,
    // Nobody needs them fast.
    CFLAGS: "-O0 -g0",
    ...(kerberos.libraries.length === 0 ? {} : compilingWith(tree, python, kerberos.libraries, env)),
    ...(wheel === undefined ? {} : { PYTHONPATH: path.join(wheels, wheel) }),
  };
  const options = { env: own, timeLimitSeconds: INSTALL_LIMIT_SECONDS };
  const target = path.join(directory, "python");
  const withoutPip = python.hasPip ? [] : ["--without-pip"];
  await runOrThrow("python3", ["-m", "venv", "--clear", ...withoutPip, target], options);
  const install = ["-m", "pip", "install", "--disable-pip-version-check", "--require-hashes", "--no-build-isolation"];
  for (const file of [buildRequirements, requirements]) {
    await runOrThrow(kerberos.python, [...install, "-r", file], options);
  }
  const check = "import spnego._gss as gss; assert gss.HAS_IOV, gss.GSSAPI_IMP_ERR";
  await runOrThrow(kerberos.python, ["-c", check], options);
}

/**
 * Environment for compiling against an unpacked libkrb5-dev. Its krb5-config would answer with the system's paths.
 *
 * @param {string} tree
 * @param {Python} python
 * @param {readonly string[]} libraries
 * @param {NodeJS.ProcessEnv} env
 */
function compilingWith(tree, python, libraries, env) {
  const include = path.join(tree, "usr", "include");
  const headers = [
    path.join(include, "mit-krb5"),
    include,
    ...(python.hasHeaders ? [] : [path.join(include, python.name)]),
  ];
  const compilerArgs = headers.map((each) => `-isystem ${shellQuoted(each)}`).join(" ");
  const places = libraries.map((each) => `-L${shellQuoted(each)}`).join(" ");
  const rest = `${places} -lkrb5 -lk5crypto -lcom_err`;
  const library = (/** @type {string} */ name) =>
    firstThatExists(libraries.map((each) => path.join(each, name))) ?? name;
  return {
    LD_LIBRARY_PATH: libraries.join(path.delimiter),
    GSSAPI_COMPILER_ARGS: `${compilerArgs} -DHAS_GSSAPI_EXT_H`,
    GSSAPI_LINKER_ARGS: `${rest} -lgssapi_krb5`,
    GSSAPI_MAIN_LIB: library("libgssapi_krb5.so.2"),
    KRB5_COMPILER_ARGS: compilerArgs,
    KRB5_LINKER_ARGS: rest,
    KRB5_MAIN_LIB: library("libkrb5.so.3"),
    // Both ask it about more than these variables answer.
    PATH: `${path.join(tree, "usr", "bin")}${path.delimiter}${env["PATH"] ?? ""}`,
  };
}

/** @param {string} text */
function shellQuoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * One process makes it, the others wait.
 *
 * @param {string} cache
 * @param {(line: string) => void} log
 * @returns {Promise<() => Promise<void>>}
 */
async function lock(cache, log) {
  fs.mkdirSync(cache, { recursive: true });
  const { default: lockfile } = await import("proper-lockfile");
  const options = { lockfilePath: path.join(cache, "kerberos-lock"), stale: 30_000 };
  if (await lockfile.check(cache, options)) log("Another process is getting Kerberos; waiting for it.");
  const retries = { retries: INSTALL_LIMIT_SECONDS, factor: 1, minTimeout: 1000, maxTimeout: 1000 };
  return lockfile.lock(cache, { ...options, retries });
}

/**
 * @param {string} doing
 * @param {() => Promise<void>} action
 */
async function orMissing(doing, action) {
  try {
    await action();
  } catch (error) {
    if (error instanceof KerberosMissing) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new KerberosMissing(`${doing} failed: ${why}\nIt needs the network for the first time. ${WHAT_TO_INSTALL}`);
  }
}

/** @param {string} line */
function logToStderr(line) {
  process.stderr.write(`${line}\n`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) {
  try {
    process.stdout.write(`${JSON.stringify(await ensureKerberos())}\n`);
  } catch (error) {
    if (!(error instanceof KerberosMissing)) throw error;
    logToStderr(error.message);
    process.exitCode = 1;
  }
}
