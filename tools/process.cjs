"use strict";

/**
 * Running other programs: with a time limit, with all of their output, and without leaving anything behind.
 * CommonJS, because Jest loads the tests' helpers that way and the tools that are ES modules can use it too.
 */

const { spawn, spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

/**
 * How a program ended.
 *
 * @typedef {object} RunResult
 * @property {string} command What was run, for people to read.
 * @property {number | null} exitCode Null when a signal ended it.
 * @property {string} stdout
 * @property {string} stderr
 * @property {string} combined Both streams as they arrived.
 * @property {boolean} timedOut Whether the time limit ended it.
 * @property {number} seconds How long it ran.
 */

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env] The whole environment; the own one by default.
 * @property {number} [timeLimitSeconds] 120 by default.
 * @property {string} [input] Written to its stdin; nothing by default.
 * @property {boolean} [shell] Needed for `.cmd` files on Windows.
 * @property {(text: string) => void} [onOutput] Both streams, as they arrive.
 * @property {Set<import("node:child_process").ChildProcess>} [running] Holds the process while it runs.
 */

/** How long a program that was interrupted may tidy up before it is killed. */
const GRACE_MILLISECONDS = 10_000;

/**
 * Runs a program to its end. A program that fails is a result, not an error; one that can't be started is an error.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<RunResult>}
 */
function run(file, args, options = {}) {
  const { cwd, env, timeLimitSeconds = 120, input, shell = false, onOutput, running } = options;
  const command = [path.basename(file), ...args].join(" ");
  return new Promise((resolve, reject) => {
    const started = process.hrtime.bigint();
    const child = spawn(file, args, {
      cwd,
      env,
      shell,
      windowsHide: true,
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    running?.add(child);
    /** @type {{ stdout: string, stderr: string }} */
    const streams = { stdout: "", stderr: "" };
    let combined = "";
    let timedOut = false;
    for (const name of /** @type {const} */ (["stdout", "stderr"])) {
      const stream = child[name];
      if (stream === null) continue;
      stream.setEncoding("utf8");
      stream.on("data", (/** @type {string} */ text) => {
        streams[name] += text;
        combined += text;
        onOutput?.(text);
      });
    }
    if (input !== undefined) child.stdin?.end(input);
    const limit = setTimeout(() => {
      timedOut = true;
      void endProcess(child);
    }, timeLimitSeconds * 1000);
    child.once("error", (error) => {
      clearTimeout(limit);
      running?.delete(child);
      reject(new Error(`Running "${command}" failed: ${error.message}`, { cause: error }));
    });
    // "close" waits for the streams, too: a grandchild that keeps them open must not hold us for ever, so a program
    // that has ended gets a little time for the rest of its output and no more.
    let settled = false;
    const settle = (/** @type {number | null} */ exitCode) => {
      if (settled) return;
      settled = true;
      clearTimeout(limit);
      running?.delete(child);
      child.stdout?.destroy();
      child.stderr?.destroy();
      const seconds = Number(process.hrtime.bigint() - started) / 1e9;
      resolve({ command, exitCode, ...streams, combined, timedOut, seconds });
    };
    child.once("close", settle);
    child.once("exit", (exitCode) => setTimeout(() => settle(exitCode), 2000).unref());
  });
}

/**
 * As {@link run}, but a failure is an error that carries the end of the output.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<RunResult>}
 */
async function runOrThrow(file, args, options) {
  const result = await run(file, args, options);
  if (result.exitCode !== 0) {
    const how = result.timedOut ? "reached its time limit" : `ended with exit code ${String(result.exitCode)}`;
    throw new Error(`"${result.command}" ${how}:\n${result.combined.trimEnd().split("\n").slice(-30).join("\n")}`);
  }
  return result;
}

/**
 * Ends a process and everything it started. It is asked first: the Pulumi CLI stops its plugins and gives back its
 * lock when it is interrupted.
 *
 * @param {import("node:child_process").ChildProcess} child
 * @returns {Promise<void>}
 */
async function endProcess(child) {
  const { pid } = child;
  if (pid === undefined || hasEnded(child)) return;
  if (process.platform === "win32") {
    // There is no interrupt to send on Windows; taskkill ends the whole tree. (Not tried on Windows.)
    spawnSync("taskkill", ["/pid", String(pid), "/T", "/F"], { windowsHide: true });
    // Wine's taskkill knows no trees.
    if (!hasEnded(child)) child.kill("SIGKILL");
    return;
  }
  const descendants = descendantsOf(pid);
  child.kill("SIGINT");
  const deadline = Date.now() + GRACE_MILLISECONDS;
  while (!hasEnded(child) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100));
  for (const each of new Set([...descendants, ...(hasEnded(child) ? [] : [...descendantsOf(pid), pid])])) {
    try {
      process.kill(each, "SIGKILL");
    } catch {
      // Gone already.
    }
  }
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @returns {boolean}
 */
function hasEnded(child) {
  return child.exitCode !== null || child.signalCode !== null;
}

/**
 * Children, their children and so on. Needed because plugins run in process groups of their own.
 *
 * @param {number} root
 * @returns {number[]}
 */
function descendantsOf(root) {
  /** @type {Map<number, number[]>} */
  const children = new Map();
  for (const [pid, parent] of process.platform === "linux" ? processesOfProc() : processesOfPs()) {
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found = [];
  const open = [root];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    const own = children.get(pid) ?? [];
    found.push(...own);
    open.push(...own);
  }
  return found;
}

/** @returns {[pid: number, parent: number][]} */
function processesOfProc() {
  return fs
    .readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // "pid (command) state parent ...": the command may contain blanks and parentheses.
        const stat = fs.readFileSync(`/proc/${name}/stat`, "utf8");
        const parent = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
        return /** @type {[number, number][]} */ ([[Number(name), Number(parent)]]);
      } catch {
        return [];
      }
    });
}

/** @returns {[pid: number, parent: number][]} */
function processesOfPs() {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  return stdout
    .trim()
    .split("\n")
    .map((line) => {
      const [pid, parent] = line.trim().split(/\s+/).map(Number);
      return [pid ?? 0, parent ?? 0];
    });
}

/**
 * How to start npm without a shell where that is possible: through the npm that runs us, else the one on PATH.
 *
 * @param {readonly string[]} args
 * @returns {{ file: string, args: string[], shell: boolean }}
 */
function npmCommand(args) {
  const cli = process.env["npm_execpath"];
  if (cli !== undefined && path.basename(cli) === "npm-cli.js") {
    return { file: process.execPath, args: [cli, ...args], shell: false };
  }
  const windows = process.platform === "win32";
  return { file: windows ? "npm.cmd" : "npm", args: [...args], shell: windows };
}

module.exports = { run, runOrThrow, endProcess, npmCommand };
