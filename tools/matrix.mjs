/**
 * `npm run matrix`: the tests in the real engine once more, with the versions that users may have: Node, the Pulumi
 * SDK, and the package manager that installed the packed package. Needs a network; isn't part of `npm test`.
 *
 *   npm run matrix                                       all cells, all tests of test/engine
 *   npm run matrix -- --only "Node 22"                   the cells whose name contains the text
 *   npm run matrix -- test/engine/programs.test.ts       other arguments go to Jest
 */

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { npmCommand, run, runOrThrow } from "./process.cjs";
import { ensurePulumi } from "./pulumi/ensure.mjs";
import { pack } from "./pulumi/modules.cjs";
import { ensureBuilt, ensureNodeModules, log, main, root } from "./setup.mjs";

/** 3.216.0 is the oldest SDK that is promised to work, 3.248.0 the newest for Node 20. */
const RUNTIMES = [
  { node: "20", sdk: "3.216.0" },
  { node: "20", sdk: "3.248.0" },
  { node: "22", sdk: "latest" },
  { node: "24", sdk: "latest" },
];
const PACKAGE_MANAGERS = /** @type {const} */ (["npm", "pnpm"]);
/** The newest that the newest SDK's peer range and `pulumi new` agree on. */
const TYPESCRIPT = "^5.9.0";
const INSTALL_LIMIT_SECONDS = 900;
const TEST_LIMIT_SECONDS = 7200;

/** @typedef {{ name: string, node: string, sdk: string, manager: "npm" | "pnpm" }} Cell */
/** @typedef {{ cell: Cell, sdk: string, passed: number, failures: string[], seconds: number }} Outcome */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: "string", default: "" } },
});
const cells = RUNTIMES.flatMap(({ node, sdk }) =>
  PACKAGE_MANAGERS.map((manager) => ({ name: `Node ${node}, SDK ${sdk}, ${manager}`, node, sdk, manager })),
).filter(({ name }) => name.includes(values.only));

// Outside of the repository, so that nothing is found in its node_modules by accident.
const work = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "exchange-matrix-")));

await main(async () => {
  try {
    await ensureNodeModules();
    await ensureBuilt();
    const pulumi = await ensurePulumi();
    const tarball = await pack(root, work);
    /** @type {Outcome[]} */
    const outcomes = [];
    for (const cell of cells) {
      log(`\n== ${cell.name} ==`);
      outcomes.push(await runCell(cell, pulumi, tarball).catch((error) => failedBefore(cell, error)));
    }
    printTable(outcomes);
    process.exitCode = outcomes.length > 0 && outcomes.every(isGood) ? 0 : 1;
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
});

/**
 * @param {Cell} cell
 * @param {string} pulumi The directory of the CLI.
 * @param {string} tarball
 * @returns {Promise<Outcome>}
 */
async function runCell(cell, pulumi, tarball) {
  const started = Date.now();
  const nodeDirectory = await nodeBinary(cell.node);
  const directory = fs.mkdtempSync(path.join(work, "cell-"));
  const dependencies = { "@pulumi/pulumi": cell.sdk, "pulumi-exchange-certificates": `file:${tarball}` };
  const modules = await install(cell, path.join(directory, "javascript"), dependencies);
  const typescriptModules = await install(cell, path.join(directory, "typescript"), {
    ...dependencies,
    typescript: TYPESCRIPT,
    "@types/node": `^${cell.node}.0.0`,
  });
  const sdkPackage = path.join(modules, "@pulumi", "pulumi", "package.json");
  const report = path.join(directory, "jest.json");
  const jest = path.join(root, "node_modules", "jest", "bin", "jest.js");
  const args = ["--selectProjects", "engine", "--ci", "--json", `--outputFile=${report}`, ...positionals];
  await run(process.execPath, [jest, ...args], {
    cwd: root,
    timeLimitSeconds: TEST_LIMIT_SECONDS,
    env: {
      ...process.env,
      HARNESS_PULUMI: pulumi,
      HARNESS_NODE: nodeDirectory,
      HARNESS_MODULES: modules,
      HARNESS_TYPESCRIPT_MODULES: typescriptModules,
    },
    onOutput: (text) => process.stderr.write(text),
  });
  return {
    cell,
    sdk: JSON.parse(fs.readFileSync(sdkPackage, "utf8")).version,
    ...readReport(report),
    seconds: (Date.now() - started) / 1000,
  };
}

/**
 * @param {string} file What Jest wrote.
 * @returns {Pick<Outcome, "passed" | "failures">}
 */
function readReport(file) {
  if (!fs.existsSync(file)) return { passed: 0, failures: ["the tests did not run"] };
  /** @type {{ numPassedTests: number, testResults: { name: string, message: string, assertionResults: { status: string, fullName: string }[] }[] }} */
  const { numPassedTests, testResults } = JSON.parse(fs.readFileSync(file, "utf8"));
  const failures = testResults.flatMap(({ name, message, assertionResults }) =>
    assertionResults.length === 0
      ? [`${path.basename(name)}: ${message}`]
      : assertionResults.filter(({ status }) => status === "failed").map(({ fullName }) => fullName),
  );
  return { passed: numPassedTests, failures };
}

/**
 * The directory of a Node binary of that major version: the running one, or the one that a package brings.
 *
 * @param {string} major
 * @returns {Promise<string>}
 */
async function nodeBinary(major) {
  if (process.versions.node.split(".")[0] === major) return path.dirname(process.execPath);
  const platform = process.platform === "win32" ? "win" : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const directory = path.join(work, `node-${major}`);
  if (!fs.existsSync(directory)) await npmInstall(directory, { [name]: `^${major}.0.0` });
  return path.join(directory, "node_modules", name, "bin");
}

/**
 * A real installation as a user's project has it.
 *
 * @param {Cell} cell
 * @param {string} directory
 * @param {Record<string, string>} dependencies
 * @returns {Promise<string>} Its node_modules.
 */
async function install(cell, directory, dependencies) {
  if (cell.manager === "npm") await npmInstall(directory, dependencies);
  else {
    const tool = path.join(work, "pnpm");
    if (!fs.existsSync(tool)) await npmInstall(tool, { pnpm: "latest" });
    writePackageFile(directory, dependencies);
    const windows = process.platform === "win32";
    const pnpm = path.join(tool, "node_modules", ".bin", windows ? "pnpm.cmd" : "pnpm");
    // pnpm stops at install scripts that nobody has approved; the one of the SDK's protobufjs only prints a warning.
    await runOrThrow(pnpm, ["install", "--no-frozen-lockfile", "--ignore-scripts"], {
      cwd: directory,
      shell: windows,
      timeLimitSeconds: INSTALL_LIMIT_SECONDS,
    });
  }
  return path.join(directory, "node_modules");
}

/**
 * @param {string} directory
 * @param {Record<string, string>} dependencies
 */
async function npmInstall(directory, dependencies) {
  writePackageFile(directory, dependencies);
  const { file, args, shell } = npmCommand(["install", "--no-audit", "--no-fund"]);
  await runOrThrow(file, args, { cwd: directory, shell, timeLimitSeconds: INSTALL_LIMIT_SECONDS });
}

/**
 * @param {string} directory
 * @param {Record<string, string>} dependencies
 */
function writePackageFile(directory, dependencies) {
  fs.mkdirSync(directory, { recursive: true });
  const content = { name: "project", private: true, dependencies };
  fs.writeFileSync(path.join(directory, "package.json"), JSON.stringify(content, undefined, 2));
}

/**
 * @param {Cell} cell
 * @param {unknown} error
 * @returns {Outcome}
 */
function failedBefore(cell, error) {
  const message = error instanceof Error ? error.message : String(error);
  return { cell, sdk: cell.sdk, passed: 0, failures: [message], seconds: 0 };
}

/** @param {Outcome} outcome */
function isGood({ passed, failures }) {
  return failures.length === 0 && passed > 0;
}

/** @param {Outcome[]} outcomes */
function printTable(outcomes) {
  const header = ["Node", "@pulumi/pulumi", "installed by", "passed", "failed", "seconds", ""];
  const rows = outcomes.map((outcome) => [
    outcome.cell.node,
    outcome.sdk,
    outcome.cell.manager,
    String(outcome.passed),
    String(outcome.failures.length),
    String(Math.round(outcome.seconds)),
    isGood(outcome) ? "ok" : "FAILED",
  ]);
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  process.stdout.write("\n");
  for (const row of [header, ...rows]) {
    process.stdout.write(`${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join("  ")}\n`);
  }
  for (const { cell, failures } of outcomes) {
    for (const failure of failures) process.stdout.write(`\n${cell.name}: ${failure}\n`);
  }
}
