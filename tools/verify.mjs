/**
 * `npm run verify`: everything that has to hold before a release, each check on its own, so that one that fails hides
 * no other. The last line is `N passed, N failed`: every test counts as one, and so does every other check. The exit
 * code is 0 when nothing failed and 1 otherwise.
 */

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { endProcess, npmCommand, run } from "./process.cjs";
import { ensureNodeModules, root } from "./setup.mjs";

/** Scripts of package.json that check something. Most tests come before them, because they say most. */
const SCRIPTS = ["typecheck", "lint", "format:check", "check:exports", "check:types", "check:unused", "check:docs"];
/** For what hangs. The tests have a limit of their own, each (jest.config.cjs). */
const LIMIT_SECONDS = 5400;

const OUT_OF_TIME = `ended after ${LIMIT_SECONDS} s`;

const { values } = parseArgs({
  options: {
    windows: { type: "boolean", default: false },
    languages: { type: "boolean", default: false },
    "stories-within": { type: "string" },
  },
});

/** @typedef {{ name: string, passed: number, failed: number, seconds: number, note?: string }} Outcome */

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();

/**
 * @param {string} script
 * @param {readonly string[]} [args]
 */
async function runScript(script, args = []) {
  process.stdout.write(`\n== npm run ${script} ==\n`);
  const npm = npmCommand(["run", "--silent", script, ...(args.length === 0 ? [] : ["--", ...args])]);
  return run(npm.file, npm.args, {
    cwd: root,
    shell: npm.shell,
    env: process.env,
    timeLimitSeconds: LIMIT_SECONDS,
    running,
    onOutput: (text) => process.stdout.write(text),
  });
}

/**
 * @param {string} script
 * @returns {Promise<Outcome>}
 */
async function check(script) {
  const { exitCode, seconds, timedOut } = await runScript(script);
  const good = exitCode === 0;
  const outcome = { name: script, passed: good ? 1 : 0, failed: good ? 0 : 1, seconds };
  return timedOut ? { ...outcome, note: OUT_OF_TIME } : outcome;
}

/**
 * @param {"test" | "test:stories"} name
 * @param {string} folder Where tests in the real engine are: one of them has to pass.
 * @returns {Promise<Outcome>}
 */
async function tests(name, folder) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "exchange-verify-"));
  try {
    const report = path.join(directory, "jest.json");
    const { exitCode, seconds, timedOut } = await runScript(name, ["--ci", "--json", `--outputFile=${report}`]);
    const counted = countTests(report, exitCode);
    const whole = engineRan(report, folder) ? counted : withoutEngine(counted);
    return { name, seconds, ...whole, ...(timedOut ? { note: OUT_OF_TIME } : {}) };
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Tests that need what not every machine has: Wine, Go. With their flag (`--windows`, `--languages`) they have to run;
 * without it a machine that doesn't have it is let off.
 *
 * @param {"windows" | "languages"} what
 * @returns {Promise<Outcome>}
 */
async function testsWherePossible(what) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "exchange-verify-"));
  const name = `test:${what}`;
  try {
    const report = path.join(directory, "jest.json");
    const required = values[what] ? ["--required"] : [];
    const { exitCode, seconds, timedOut } = await runScript(name, ["--ci", `--outputFile=${report}`, ...required]);
    if (exitCode === 0 && !fs.existsSync(report)) return { name, passed: 0, failed: 0, seconds, note: "not run" };
    return { name, seconds, ...countTests(report, exitCode), ...(timedOut ? { note: OUT_OF_TIME } : {}) };
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * @param {string} file
 * @returns {any} Undefined when Jest was ended while it wrote.
 */
function reportIn(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * @param {string} file What Jest wrote.
 * @param {number | null} exitCode
 * @returns {{ passed: number, failed: number, note?: string }}
 */
function countTests(file, exitCode) {
  if (!fs.existsSync(file)) return { passed: 0, failed: 1, note: "the tests did not run" };
  const report = reportIn(file);
  if (report === undefined) return { passed: 0, failed: 1, note: "what Jest wrote is cut off" };
  const passed = report.numPassedTests;
  // A file that could not be loaded has no tests to count, but it has failed.
  const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
  if (exitCode !== 0 && failed === 0) return { passed, failed: 1, note: "Jest failed, though no test did" };
  return report.numPendingTests > 0
    ? { passed, failed, note: `${report.numPendingTests} skipped` }
    : { passed, failed };
}

/**
 * @param {string} file What Jest wrote.
 * @param {string} folder
 */
function engineRan(file, folder) {
  const part = `${path.sep}${folder}${path.sep}`;
  return (
    reportIn(file)?.testResults.some(
      (/** @type {{ name: string, assertionResults: { status: string }[] }} */ { name, assertionResults }) =>
        name.includes(part) && assertionResults.some(({ status }) => status === "passed"),
    ) === true
  );
}

/** @param {{ passed: number, failed: number, note?: string }} counted */
function withoutEngine({ passed, failed, note }) {
  return { passed, failed: failed + 1, note: note ?? "no test in the real engine has passed" };
}

/**
 * The longest and the last. `--stories-within=<minutes>`: where the rest has taken longer they aren't begun, and that is
 * said: whoever is ended in the middle of them has no result at all.
 *
 * @returns {Promise<Outcome>}
 */
async function stories() {
  const name = "test:stories";
  const { "stories-within": minutes } = values;
  if (minutes !== undefined && process.uptime() > Number(minutes) * 60) {
    return { name, passed: 0, failed: 0, seconds: 0, note: `not begun, because ${minutes} minutes were over` };
  }
  return tests(name, "stories");
}

/**
 * A check that can't even be started has failed; the others are run all the same.
 *
 * @param {string} name
 * @param {() => Promise<Outcome>} body
 * @returns {Promise<Outcome>}
 */
async function outcomeOf(name, body) {
  try {
    return await body();
  } catch (error) {
    const note = error instanceof Error ? error.message : String(error);
    return { name, passed: 0, failed: 1, seconds: 0, note };
  }
}

/** @type {Outcome[]} */
const outcomes = [];
let said = false;

/** @param {string} [interrupted] Why not everything was checked. */
function conclude(interrupted) {
  if (said) return;
  said = true;
  if (interrupted !== undefined) outcomes.push({ name: "verify", passed: 0, failed: 1, seconds: 0, note: interrupted });
  const lines = outcomes.map(({ name, passed, failed, seconds, note }) => {
    const verdict = failed === 0 ? "ok    " : "FAILED";
    const counts = name.startsWith("test") ? ` ${passed} passed, ${failed} failed` : "";
    return `${verdict} ${name} (${Math.round(seconds)} s)${counts}${note === undefined ? "" : `; ${note}`}`;
  });
  const sum = (/** @type {"passed" | "failed"} */ key) => outcomes.reduce((total, outcome) => total + outcome[key], 0);
  process.exitCode = sum("failed") === 0 ? 0 : 1;
  // Synchronous, because an interrupted process doesn't wait for what it has yet to write.
  fs.writeSync(1, `\n${[...lines, `${sum("passed")} passed, ${sum("failed")} failed`].join("\n")}\n`);
}

// Whoever ends us gets the count of what has been checked until then, and it is a failure.
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.once(signal, () => {
    void Promise.all([...running].map(endProcess)).finally(() => {
      conclude(`ended by ${signal}`);
      process.exit();
    });
  });
}

const prepared = await outcomeOf("setup", async () => {
  await ensureNodeModules();
  return { name: "setup", passed: 0, failed: 0, seconds: 0 };
});
if (prepared.failed > 0) outcomes.push(prepared);
else {
  outcomes.push(await outcomeOf("test", () => tests("test", "engine")));
  for (const what of /** @type {const} */ (["windows", "languages"]))
    outcomes.push(await outcomeOf(`test:${what}`, () => testsWherePossible(what)));
  for (const script of SCRIPTS) outcomes.push(await outcomeOf(script, () => check(script)));
  outcomes.push(await outcomeOf("test:stories", stories));
}
conclude();
