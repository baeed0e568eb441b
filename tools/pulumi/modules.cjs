"use strict";

/**
 * A `node_modules` as a user has it: the packed package, its dependencies and the Pulumi SDK, and nothing else of this
 * repository. Made without network.
 */

const fs = require("node:fs");
const path = require("node:path");
const { runOrThrow, npmCommand } = require("../process.cjs");

/** Dependencies of a package by name, as its package.json says. */
const dependenciesOf = (/** @type {string} */ directory) =>
  Object.keys(JSON.parse(fs.readFileSync(path.join(directory, "package.json"), "utf8")).dependencies ?? {});

/**
 * Packs a package as `npm publish` would. `lib/` has to be built.
 *
 * @param {string} packageRoot
 * @param {string} into An existing directory.
 * @returns {Promise<string>} The tarball.
 */
async function pack(packageRoot, into) {
  const npm = npmCommand(["pack", "--ignore-scripts", "--json", "--pack-destination", into]);
  const { stdout } = await runOrThrow(npm.file, npm.args, { cwd: packageRoot, shell: npm.shell });
  /** @type {unknown} */
  const report = JSON.parse(stdout.slice(stdout.search(/^[[{]/m)));
  // An array with one entry; newer npm versions answer with an object by package name.
  const [entry] = /** @type {{ filename: string }[]} */ (
    Array.isArray(report) ? report : Object.values(Object(report))
  );
  if (entry === undefined) throw new Error(`npm pack answered without a file name: ${stdout}`);
  return path.join(into, path.basename(entry.filename));
}

/**
 * Makes `<into>/node_modules` from a tarball and from what is installed in the repository. The package and the SDK are
 * copied, so that `require` inside them looks here first; everything else is linked.
 *
 * @param {object} options
 * @param {string} options.into
 * @param {string} options.packageRoot Its node_modules has the dependencies.
 * @param {string} options.tarball
 * @param {readonly string[]} [options.also] More packages of the repository to link, such as "typescript".
 * @returns {Promise<string>} The node_modules directory.
 */
async function installFromTarball({ into, packageRoot, tarball, also = [] }) {
  const installed = path.join(packageRoot, "node_modules");
  const modules = path.join(into, "node_modules");
  const { name } = JSON.parse(fs.readFileSync(path.join(packageRoot, "package.json"), "utf8"));
  const own = path.join(modules, name);
  const sdk = path.join(modules, "@pulumi", "pulumi");
  fs.mkdirSync(own, { recursive: true });
  // tar is part of Linux, macOS and Windows (since 10).
  await runOrThrow("tar", ["-xzf", tarball, "--strip-components=1", "-C", own]);
  fs.cpSync(path.join(installed, "@pulumi", "pulumi"), sdk, {
    recursive: true,
    filter: (source) => !source.endsWith(".map"),
  });
  for (const dependency of new Set([...dependenciesOf(own), ...dependenciesOf(sdk), ...also])) {
    const link = path.join(modules, dependency);
    if (fs.existsSync(link)) continue;
    fs.mkdirSync(path.dirname(link), { recursive: true });
    // A junction, so that Windows asks for no privilege; elsewhere the word has no meaning.
    fs.symlinkSync(fs.realpathSync(path.join(installed, dependency)), link, "junction");
  }
  return modules;
}

module.exports = { pack, installFromTarball };
