/**
 * `npm run pack:plugins`: a tarball of the plugin for each system, as `pulumi plugin install` and releases take it, in
 * dist/plugins/. `-- linux-amd64` makes that one alone. Tried on Linux, for its tar.
 *
 * Inside are plain modules: the build, and of each package that it needs what runs. Node itself isn't there.
 */

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { ensureBuilt, main, root } from "../setup.mjs";
import { npmCommand, run, runOrThrow } from "../process.cjs";
import { closureOf, isNeeded, licences, platformPackage, TARGETS } from "./contents.mjs";

const LIMIT_SECONDS = 600;
const LARGEST_TAR_BYTES = 200 * 1024 * 1024;

/**
 * @param {{ targets?: readonly string[], directory?: string, log?: (line: string) => void }} [options]
 * @returns {Promise<readonly string[]>} The tarballs.
 */
export async function packPlugins({
  targets = Object.keys(TARGETS),
  directory = path.join(root, "dist", "plugins"),
  log = () => undefined,
} = {}) {
  await ensureBuilt();
  const strange = targets.find((target) => TARGETS[target] === undefined);
  if (strange !== undefined) throw new Error(`There is no ${strange}. There are ${Object.keys(TARGETS).join(", ")}.`);
  const { version } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));
  fs.mkdirSync(directory, { recursive: true });
  const work = fs.mkdtempSync(path.join(os.tmpdir(), "exchange-plugin-"));
  try {
    const common = path.join(work, "common");
    copyCommon(common);
    const made = [];
    for (const target of targets) {
      const staged = path.join(work, target);
      fs.cpSync(common, staged, { recursive: true });
      await addPlatform(staged, target, work);
      const file = path.join(directory, `pulumi-resource-exchange-v${version}-${target}.tar.gz`);
      await archive(staged, file);
      log(`${path.relative(root, file)}: ${(fs.statSync(file).size / 1e6).toFixed(2)} MB`);
      made.push(file);
    }
    return made;
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

/** @param {string} to */
function copyCommon(to) {
  const start = path.join(root, "tools", "native", "start");
  fs.cpSync(start, to, { recursive: true });
  fs.chmodSync(path.join(to, "pulumi-resource-exchange"), 0o755);
  for (const file of ["package.json", "LICENSE"]) fs.copyFileSync(path.join(root, file), path.join(to, file));
  const copy = (/** @type {string} */ from) => {
    const source = path.join(root, from);
    fs.cpSync(source, path.join(to, from), {
      recursive: true,
      filter: (file) => isNeeded(from, path.relative(source, file), fs.statSync(file).isDirectory()),
    });
  };
  copy("lib");
  for (const from of closureOf()) copy(from);
}

/**
 * The part of koffi that belongs to the system, as the registry has it, and the licences of all that is inside.
 *
 * @param {string} to
 * @param {string} target
 * @param {string} work
 */
async function addPlatform(to, target, work) {
  const { name, version, integrity } = platformPackage(target);
  const npm = npmCommand(["pack", `${name}@${version}`, "--json", "--pack-destination", work]);
  const packed = await runOrThrow(npm.file, npm.args, { cwd: work, shell: npm.shell, timeLimitSeconds: LIMIT_SECONDS });
  const [{ filename, integrity: got }] = JSON.parse(packed.stdout);
  if (got !== integrity) throw new Error(`${name}@${version} isn't what package-lock.json says.`);
  const place = path.join(to, "node_modules", name);
  fs.mkdirSync(place, { recursive: true });
  await runOrThrow("tar", ["-xzf", path.join(work, filename), "-C", place, "--strip-components=1"], {
    cwd: work,
    timeLimitSeconds: LIMIT_SECONDS,
  });
  fs.writeFileSync(path.join(to, "THIRD-PARTY-LICENSES.txt"), licences(to));
}

/**
 * The same bytes for the same content.
 *
 * @param {string} from
 * @param {string} file
 */
async function archive(from, file) {
  const tar = `${file}.tar`;
  const same = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "--mode=u+rw,go+r,go-w"];
  const made = await run("tar", [...same, "-cf", tar, ...fs.readdirSync(from).sort()], {
    cwd: from,
    timeLimitSeconds: LIMIT_SECONDS,
  });
  if (made.exitCode !== 0) throw new Error(`tar failed: ${made.stderr}`);
  const bytes = fs.readFileSync(tar);
  fs.rmSync(tar);
  if (bytes.length > LARGEST_TAR_BYTES) throw new Error(`${file} would be ${String(bytes.length)} bytes unpacked.`);
  fs.writeFileSync(file, gzipSync(bytes, { level: 9 }));
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) {
  const targets = process.argv.slice(2);
  await main(async () => {
    await packPlugins({
      ...(targets.length > 0 ? { targets } : {}),
      log: (line) => process.stdout.write(`${line}\n`),
    });
  });
}
