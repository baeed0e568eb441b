/**
 * `npm run verify`: everything that has to hold before a release, each check on its own, so that one that fails hides
 * no other. The last line is `N passed, N failed`: every test counts as one, and so does every other check. The exit
 * code is 0 when nothing failed and 1 otherwise.
 */

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { run, npmCommand } from "./process.cjs";
import { ensureNodeModules, root } from "./setup.mjs";

/** Scripts of package.json that check something. The tests come first, because they say most. */
const SCRIPTS = ["typecheck", "lint", "format:check", "check:exports", "check:types", "check:unused", "check:docs"];
const LIMIT_SECONDS = 3600;

/** @typedef {{ name: string, passed: number, failed: number, seconds: number, note?: string }} Outcome */

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
    onOutput: (text) => process.stdout.write(text),
  });
}

/**
 * @param {string} script
 * @returns {Promise<Outcome>}
 */
async function check(script) {
  const { exitCode, seconds } = await runScript(script);
  return { name: script, passed: exitCode === 0 ? 1 : 0, failed: exitCode === 0 ? 0 : 1, seconds };
}

/** @returns {Promise<Outcome>} */
async function tests() {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "exchange-verify-"));
  try {
    const report = path.join(directory, "jest.json");
    const { exitCode, seconds } = await runScript("test", ["--ci", "--json", `--outputFile=${report}`]);
    return { name: "test", seconds, ...countTests(report, exitCode) };
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * @param {string} file What Jest wrote.
 * @param {number | null} exitCode
 * @returns {{ passed: number, failed: number, note?: string }}
 */
function countTests(file, exitCode) {
  if (!fs.existsSync(file)) return { passed: 0, failed: 1, note: "the tests did not run" };
  const report = JSON.parse(fs.readFileSync(file, "utf8"));
  const passed = report.numPassedTests;
  // A file that could not be loaded has no tests to count, but it has failed.
  const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
  const engineFolder = `${path.sep}engine${path.sep}`;
  const engineRan = report.testResults.some(
    (/** @type {{ name: string, assertionResults: { status: string }[] }} */ { name, assertionResults }) =>
      name.includes(engineFolder) && assertionResults.some(({ status }) => status === "passed"),
  );
  if (!engineRan) return { passed, failed: failed + 1, note: "no test in the real engine has passed" };
  if (exitCode !== 0 && failed === 0) return { passed, failed: 1, note: "Jest failed, though no test did" };
  return report.numPendingTests > 0
    ? { passed, failed, note: `${report.numPendingTests} skipped` }
    : { passed, failed };
}

/** @type {Outcome[]} */
const outcomes = [];
try {
  await ensureNodeModules();
  outcomes.push(await tests());
  for (const script of SCRIPTS) outcomes.push(await check(script));
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
  outcomes.push({ name: "setup", passed: 0, failed: 1, seconds: 0 });
}
process.stdout.write("\n");
for (const { name, passed, failed, seconds, note } of outcomes) {
  const verdict = failed === 0 ? "ok    " : "FAILED";
  const counts = name === "test" ? ` ${passed} passed, ${failed} failed` : "";
  process.stdout.write(
    `${verdict} ${name} (${Math.round(seconds)} s)${counts}${note === undefined ? "" : `; ${note}`}\n`,
  );
}
const sum = (/** @type {"passed" | "failed"} */ key) => outcomes.reduce((total, outcome) => total + outcome[key], 0);
process.exitCode = sum("failed") === 0 ? 0 : 1;
process.stdout.write(`${sum("passed")} passed, ${sum("failed")} failed\n`);
