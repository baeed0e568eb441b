/** What is inside a plugin's tarball. */

import fs from "node:fs";
import path from "node:path";
import { root } from "../setup.mjs";

/**
 * Systems as Pulumi names them, and as koffi does.
 *
 * @type {Readonly<Record<string, string>>}
 */
export const TARGETS = {
  "linux-amd64": "linux-x64",
  "linux-arm64": "linux-arm64",
  "darwin-amd64": "darwin-x64",
  "darwin-arm64": "darwin-arm64",
  "windows-amd64": "win32-x64",
  "windows-arm64": "win32-arm64",
};

/** Of the SDK the messages alone are used, which need these two. */
const SDK = "node_modules/@pulumi/pulumi";
const SDK_NEEDS = ["@grpc/grpc-js", "google-protobuf"];

/** @typedef {{ version: string, integrity?: string, dependencies?: Record<string, string> }} Locked */

/** @returns {Record<string, Locked>} */
function lockedPackages() {
  return JSON.parse(fs.readFileSync(path.join(root, "package-lock.json"), "utf8")).packages;
}

/**
 * Folders of the packages that the plugin needs, whatever the system: `node_modules/zod`.
 *
 * @returns {readonly string[]}
 */
export function closureOf() {
  const locked = lockedPackages();
  const { dependencies } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));
  const found = new Set([SDK]);
  const add = (/** @type {string} */ name, /** @type {string} */ from) => {
    const place = placeOf(name, from, locked);
    if (found.has(place)) return;
    found.add(place);
    for (const needed of Object.keys(locked[place]?.dependencies ?? {})) add(needed, place);
  };
  for (const name of [...Object.keys(dependencies), "koffi"]) add(name, "");
  for (const name of SDK_NEEDS) add(name, SDK);
  return [...found].sort();
}

/**
 * As Node looks for a package: in the folder of who needs it, then in those above.
 *
 * @param {string} name
 * @param {string} from
 * @param {Record<string, Locked>} locked
 */
function placeOf(name, from, locked) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("node_modules/") - 1))) {
    const place = folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (locked[place] !== undefined) return place;
    if (folder === "") throw new Error(`package-lock.json has no ${name} for ${from}`);
  }
}

const CODE = /\.(?:c?js|json|node)$/;
const LICENCE = /^(?:licen[cs]e|notice|copying)/i;
/** Folders without anything that runs: sources of native code, other forms of the same, documents. */
const NEEDLESS = /^(?:vendor|docs?|lib\/native|tests?|benchmark)(?:\/|$)/;

/**
 * @param {string} from A package's folder, or `lib`.
 * @param {string} file Relative to it.
 * @param {boolean} isFolder
 */
export function isNeeded(from, file, isFolder) {
  const name = file.replaceAll("\\", "/");
  if (name === "") return true;
  if (from === SDK) return name === "proto" || /^(?:package\.json|LICENSE|proto\/.*\.js)$/.test(name);
  if (from === "lib") return isFolder || CODE.test(name);
  // What is used of it is in lib/zod.js.
  if (from === "node_modules/zod") return name === "package.json" || name === "LICENSE";
  if (name === "node_modules") return false;
  if (NEEDLESS.test(name)) return false;
  if (isFolder) return true;
  // Two forms of one module: ours is the one for require.
  const twin = path.join(root, from, name.replace(/\.js$/, ".cjs"));
  if (name.endsWith(".js") && fs.existsSync(twin)) return false;
  return CODE.test(name) || LICENCE.test(path.basename(name));
}

/**
 * @param {string} target
 * @returns {{ name: string, version: string, integrity: string }}
 */
export function platformPackage(target) {
  const name = `@koromix/koffi-${TARGETS[target] ?? ""}`;
  const { version, integrity = "" } = lockedPackages()[`node_modules/${name}`] ?? {};
  if (version === undefined) throw new Error(`package-lock.json has no ${name}`);
  return { name, version, integrity };
}

/**
 * The licence of each package below a folder, with its text where the package brings one.
 *
 * @param {string} directory
 */
export function licences(directory) {
  const modules = path.join(directory, "node_modules");
  const files = fs.readdirSync(modules, { recursive: true }).map(String);
  const texts = files
    .filter((file) => path.basename(file) === "package.json")
    .flatMap((file) => {
      const { name, version, license } = JSON.parse(fs.readFileSync(path.join(modules, file), "utf8"));
      // Some only say of which kind the modules beside them are.
      if (name === undefined || version === undefined) return [];
      if (typeof license !== "string") throw new Error(`${name} says nothing of its licence`);
      const folder = path.dirname(path.join(modules, file));
      const own = fs.readdirSync(folder).filter((one) => LICENCE.test(one));
      const text = own.map((one) => fs.readFileSync(path.join(folder, one), "utf8").trim());
      return [[`${name} ${version}: ${license}`, ...text].join("\n\n")];
    });
  return `${["What is inside this plugin beside itself.", ...[...new Set(texts)].sort()].join(`\n\n${"-".repeat(80)}\n\n`)}\n`;
}
