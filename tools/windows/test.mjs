/**
 * `npm run test:windows`: tests on Windows' Node, under Wine, with a Kerberos realm on this side. Arguments go to Jest.
 * Where there can be no Wine, it says so and is content; with `--required` that is a failure.
 */

import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { ensureKerberos, KerberosMissing } from "../kerberos/ensure.mjs";
import { prepareWindowsModules, removeModules } from "../jest/prepare.mjs";
import { ensureNodeModules, log, main, root } from "../setup.mjs";
import { ensureWindows, WindowsMissing } from "./ensure.mjs";
import { onWindows, startWine } from "./wine.mjs";

const LIMIT_SECONDS = 1800;
const OUTPUT_FILE = "--outputFile=";
const SIGNALS = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);

/** @typedef {{ port: number, password: string, env: Record<string, string> }} LinuxSide */

/**
 * Starts the process that has the realm.
 *
 * @param {Record<string, string>} env
 */
async function startLinuxSide(env) {
  const hook = path.join(root, "test", "runTypescript.cjs");
  const worker = path.join(root, "test", "windows", "linuxSideWorker.ts");
  const child = spawn(process.execPath, ["--require", hook, worker], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const lines = readline.createInterface({ input: child.stdout });
  const first = await Promise.race([new Promise((resolve) => lines.once("line", resolve)), ended]);
  if (typeof first !== "string") throw new Error("The Linux side of the tests ended before it had begun.");
  const side = /** @type {LinuxSide} */ (JSON.parse(first));
  return {
    ...side,
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

/** @typedef {{ status: string, fullName: string }} Assertion */

/** What isn't for Windows, by name: tests of modes, signals and links. */
function listSkipped(/** @type {string} */ report) {
  if (!fs.existsSync(report)) return;
  /** @type {{ testResults: { assertionResults: Assertion[] }[] }} */
  const { testResults } = JSON.parse(fs.readFileSync(report, "utf8"));
  const skipped = testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === "pending").map(({ fullName }) => fullName),
  );
  if (skipped.length > 0) log(`Not on Windows:\n${skipped.map((one) => `  ${one}`).join("\n")}`);
}

/** @param {readonly string[]} given For Jest. */
async function test(given) {
  const [windows, kerberos] = [await ensureWindows({ log }), await ensureKerberos({ log })];
  /** @type {(() => Promise<void> | void)[]} */
  const closing = [];
  /** @type {Promise<void> | undefined} */
  let closed;
  const close = () =>
    (closed ??= (async () => {
      for (const one of closing.splice(0).reverse()) await one();
    })());
  for (const signal of SIGNALS) {
    process.once(signal, () => {
      void close().then(() => process.exit(1));
    });
  }
  try {
    closing.push(removeModules);
    const modules = await prepareWindowsModules(windows.modules);
    const side = await startLinuxSide({ HARNESS_KERBEROS: JSON.stringify(kerberos) });
    closing.push(side.close);
    const wine = await startWine(windows);
    closing.push(wine.close);
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), "exchange-windows-"));
    closing.push(() => {
      fs.rmSync(directory, { recursive: true, force: true });
    });
    const report = path.join(directory, "jest.json");
    const wanted = given.find((one) => one.startsWith(OUTPUT_FILE))?.slice(OUTPUT_FILE.length);
    const args = [
      ...given.filter((one) => !one.startsWith(OUTPUT_FILE) && one !== "--json"),
      "--json",
      `${OUTPUT_FILE}${onWindows(report)}`,
    ];
    // Below the packages, so that programs in it find them.
    const temporary = path.join(path.dirname(modules), "temporary");
    fs.mkdirSync(temporary);
    const preload = path.join(import.meta.dirname, "preload.cjs");
    const jest = path.join(root, "node_modules", "jest", "bin", "jest.js");
    const { exitCode, timedOut } = await wine.node(
      // In one process: it has the tickets. --forceExit: some handles of Wine's are never given back.
      [
        "--require",
        onWindows(preload),
        onWindows(jest),
        "--selectProjects",
        "windows",
        "--runInBand",
        "--forceExit",
        ...args,
      ],
      {
        cwd: root,
        timeLimitSeconds: LIMIT_SECONDS,
        onOutput: (text) => process.stdout.write(text),
        env: {
          ...side.env,
          HARNESS_WINDOWS: JSON.stringify({ port: side.port, password: side.password }),
          HARNESS_WINDOWS_KOFFI: onWindows(path.join(windows.modules, "koffi")),
          HARNESS_MODULES: onWindows(modules),
          HARNESS_WINDOWS_TEMP: onWindows(temporary),
          NAPI_RS_NATIVE_LIBRARY_PATH: onWindows(windows.resolver),
        },
      },
    );
    if (wanted !== undefined && fs.existsSync(report)) fs.copyFileSync(report, wanted);
    // A list of names narrows the run down; then all others would stand here.
    if (given.every((one) => one.startsWith("--"))) listSkipped(report);
    if (timedOut) log(`The tests on Windows' Node took more than ${LIMIT_SECONDS} seconds.`);
    process.exitCode = exitCode ?? 1;
  } finally {
    await close();
  }
}

await main(async () => {
  const isRequired = process.argv.includes("--required");
  await ensureNodeModules();
  try {
    await test(process.argv.slice(2).filter((one) => one !== "--required"));
  } catch (error) {
    if (!(error instanceof WindowsMissing || error instanceof KerberosMissing)) throw error;
    log(`The tests on Windows' Node ${isRequired ? "fail" : "aren't run"}: ${error.message}`);
    process.exitCode = isRequired ? 1 : 0;
  }
});
