/** A Windows of our own for as long as it is needed: a prefix of Wine's in a temporary directory, and its Node. */

import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { runOrThrow } from "../process.cjs";

const LIMIT_SECONDS = 300;
const POLL_MILLISECONDS = 200;

/** @typedef {{ exitCode: number | null, stdout: string, stderr: string, timedOut: boolean, seconds: number }} Ended */

/**
 * @typedef {object} Wine
 * @property {(args: readonly string[], options: NodeOptions) => Promise<Ended>} node Runs Windows' Node.
 * @property {() => Promise<void>} close Ends all that still runs in it, and removes it.
 */

/**
 * @typedef {object} NodeOptions
 * @property {string} cwd
 * @property {Readonly<Record<string, string>>} [env] Added to the environment.
 * @property {number} timeLimitSeconds
 * @property {(text: string) => void} [onOutput] Both streams, as they arrive.
 */

/** A path of Linux as Windows sees it. */
export const onWindows = (/** @type {string} */ file) => `Z:${file.replaceAll("/", "\\")}`;

/**
 * @param {import("./ensure.mjs").Windows} windows
 * @returns {Promise<Wine>}
 */
export async function startWine({ node, libraries, system }) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "exchange-wine-"));
  /** @type {NodeJS.ProcessEnv} */
  const env = {
    ...process.env,
    WINEPREFIX: path.join(directory, "prefix"),
    WINEDEBUG: "-all",
    // What would be offered for download, with a window.
    WINEDLLOVERRIDES: "mscoree,mshtml=",
    // Names of files, whatever the locale around us is.
    LC_ALL: "C.UTF-8",
    LD_LIBRARY_PATH: [libraries, process.env["LD_LIBRARY_PATH"]].filter((one) => one !== undefined).join(":"),
  };
  // Paths of Linux, and options that Windows' Node may not have.
  for (const name of ["NODE_EXTRA_CA_CERTS", "NODE_OPTIONS", "DISPLAY", "WAYLAND_DISPLAY"]) delete env[name];
  const options = { env, timeLimitSeconds: LIMIT_SECONDS };
  const close = async () => {
    await runOrThrow("wineserver", ["-k", "-w"], options).catch(() => undefined);
    fs.rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 });
  };
  try {
    await runOrThrow("wine", ["wineboot", "-i"], options);
    // Node doesn't start on what it takes for an older Windows.
    await runOrThrow("wine", ["winecfg", "-v", "win10"], options);
    const system32 = path.join(directory, "prefix", "drive_c", "windows", "system32");
    for (const file of fs.readdirSync(system)) fs.copyFileSync(path.join(system, file), path.join(system32, file));
  } catch (error) {
    await close();
    throw error;
  }
  let runs = 0;
  return {
    close,
    node: (args, { cwd, env: more = {}, timeLimitSeconds, onOutput }) => {
      runs += 1;
      const file = (/** @type {string} */ name) => path.join(directory, `${runs}.${name}`);
      return runToFiles([node, ...args], {
        files: [file("out"), file("err")],
        cwd,
        env: { ...env, ...more },
        timeLimitSeconds,
        onOutput,
      });
    },
  };
}

/**
 * Windows' Node can't write to pipes that Linux made: it writes to files, which are read meanwhile.
 *
 * @param {readonly string[]} args
 * @param {{ files: readonly [string, string], cwd: string, env: NodeJS.ProcessEnv, timeLimitSeconds: number, onOutput: ((text: string) => void) | undefined }} options
 * @returns {Promise<Ended>}
 */
async function runToFiles(args, { files, cwd, env, timeLimitSeconds, onOutput }) {
  const started = process.hrtime.bigint();
  const [out, err] = files.map((file) => fs.openSync(file, "w"));
  if (out === undefined || err === undefined) throw new Error("no files to write to");
  const child = spawn("wine", [...args], { cwd, env, stdio: ["ignore", out, err] });
  fs.closeSync(out);
  fs.closeSync(err);
  const readers = files.map((file) => fs.openSync(file, "r"));
  const texts = ["", ""];
  const pass = () => {
    for (const [index, reader] of readers.entries()) {
      const chunk = Buffer.alloc(65_536);
      for (let length = 1; length > 0;) {
        length = fs.readSync(reader, chunk, 0, chunk.length, null);
        const text = chunk.toString("utf8", 0, length);
        texts[index] += text;
        if (length > 0) onOutput?.(text);
      }
    }
  };
  const poll = setInterval(pass, POLL_MILLISECONDS);
  let timedOut = false;
  const limit = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, timeLimitSeconds * 1000);
  try {
    const exitCode = await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", resolve);
    });
    pass();
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    const [stdout = "", stderr = ""] = texts;
    return { exitCode, stdout, stderr, timedOut, seconds };
  } finally {
    clearInterval(poll);
    clearTimeout(limit);
    for (const reader of readers) fs.closeSync(reader);
  }
}
