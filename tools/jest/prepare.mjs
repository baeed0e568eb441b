/**
 * Before the first test of the projects "process" and "engine": `lib/` is built, packed and unpacked as a user's
 * node_modules, and for "engine" there is a Pulumi CLI. What was made is handed to the tests in environment variables.
 * A variable that is set already is used as it is: that is how `npm run matrix` runs the same tests with other
 * versions.
 *
 * HARNESS_MODULES             a node_modules with the package and the SDK, for JavaScript programs
 * HARNESS_TYPESCRIPT_MODULES  the same with TypeScript
 * HARNESS_PULUMI              the directory of the CLI
 * HARNESS_NODE                the directory of the `node` that the CLI and the provider use; optional
 * HARNESS_TIMES               a file that gets a line for each command: seconds and command; optional
 */

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { installFromTarball, pack } from "../pulumi/modules.cjs";
import { ensurePulumi } from "../pulumi/ensure.mjs";
import { ensureBuilt, root } from "../setup.mjs";

/** Set by us, so removed by us. */
const DIRECTORY = "HARNESS_DIRECTORY";

/** @returns {Promise<void>} */
export async function prepareModules() {
  if (process.env["HARNESS_MODULES"] !== undefined) return;
  await ensureBuilt();
  const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "exchange-packed-")));
  process.env[DIRECTORY] = directory;
  const tarball = await pack(root, directory);
  const install = (/** @type {string} */ name, /** @type {string[]} */ also) =>
    installFromTarball({ into: path.join(directory, name), packageRoot: root, tarball, also });
  process.env["HARNESS_MODULES"] = await install("javascript", []);
  process.env["HARNESS_TYPESCRIPT_MODULES"] = await install("typescript", ["typescript", "@types/node"]);
}

/**
 * The same for Windows' Node, to which a link is no link: what it leads to looks for its own dependencies above, where
 * all of this repository's are. With koffi for Windows.
 *
 * @param {string} windowsModules The node_modules that has it.
 * @returns {Promise<string>} The node_modules directory.
 */
export async function prepareWindowsModules(windowsModules) {
  await ensureBuilt();
  const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "exchange-packed-")));
  process.env[DIRECTORY] = directory;
  fs.symlinkSync(path.join(root, "node_modules"), path.join(directory, "node_modules"));
  const into = path.join(directory, "packed");
  const modules = await installFromTarball({ into, packageRoot: root, tarball: await pack(root, directory) });
  for (const name of ["koffi", "@koromix"]) {
    const target = path.join(modules, name);
    fs.rmSync(target, { recursive: true, force: true });
    fs.cpSync(path.join(windowsModules, name), target, { recursive: true });
  }
  return modules;
}

/** @returns {Promise<void>} */
export async function prepareCli() {
  process.env["HARNESS_PULUMI"] ??= await ensurePulumi();
}

export function removeModules() {
  const directory = process.env[DIRECTORY];
  if (directory === undefined) return;
  for (const name of [DIRECTORY, "HARNESS_MODULES", "HARNESS_TYPESCRIPT_MODULES"]) delete process.env[name];
  fs.rmSync(directory, { recursive: true, force: true });
}
