/**
 * Makes a Python virtual environment with the independent clients of requirements.txt, once per version of that file,
 * in the user's cache directory. `node tools/peers/ensure.mjs` prints the path of its Python as the last line on
 * stdout; everything else goes to stderr.
 */

import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { run } from "../process.cjs";
import { cacheDirectory } from "../pulumi/ensure.mjs";

const requirements = path.join(import.meta.dirname, "requirements.txt");
const windows = process.platform === "win32";
const INSTALL_LIMIT_SECONDS = 600;

/** There is no way to the peers on this machine; the message says why and what to do. */
export class PeersMissing extends Error {}

/**
 * @param {{ env?: NodeJS.ProcessEnv, log?: (line: string) => void }} [options]
 * @returns {Promise<string>} The Python that has them.
 * @throws {PeersMissing}
 */
export async function ensurePeers({ env = process.env, log = logToStderr } = {}) {
  const base = await findPython();
  const stamp = createHash("sha256").update(fs.readFileSync(requirements)).update(base.version).digest("hex");
  const directory = path.join(
    cacheDirectory(env),
    `psrp-peers-${stamp.slice(0, 16)}-${process.platform}-${process.arch}`,
  );
  const python = path.join(directory, windows ? path.join("Scripts", "python.exe") : path.join("bin", "python"));
  const finished = path.join(directory, "finished");
  if (fs.existsSync(finished)) return python;

  log(`Installing pypsrp and psrpcore into ${directory} ...`);
  // A virtual environment holds its own path, so it can't be made elsewhere and moved: hence the mark at the end.
  fs.mkdirSync(path.dirname(directory), { recursive: true });
  await step("making a virtual environment", base.file, [...base.args, "-m", "venv", "--clear", directory]);
  const install = ["-m", "pip", "install", "--disable-pip-version-check", "--require-hashes", "-r", requirements];
  await step("installing the packages of tools/peers/requirements.txt", python, install);
  fs.writeFileSync(finished, "");
  return python;
}

/** @returns {Promise<{ file: string, args: string[], version: string }>} */
async function findPython() {
  const candidates = windows ? [["py", "-3"], ["python"]] : [["python3"]];
  for (const [file = "", ...args] of candidates) {
    try {
      const { exitCode, stdout, stderr } = await run(file, [...args, "--version"], { timeLimitSeconds: 30 });
      if (exitCode === 0) return { file, args, version: (stdout + stderr).trim() };
    } catch {
      // Not there; the next one may be.
    }
  }
  throw new PeersMissing("There is no python3 on this machine. Install Python 3.10 or newer.");
}

/**
 * @param {string} doing
 * @param {string} file
 * @param {string[]} args
 */
async function step(doing, file, args) {
  const { exitCode, stdout, stderr } = await run(file, args, { timeLimitSeconds: INSTALL_LIMIT_SECONDS });
  if (exitCode === 0) return;
  const last = (stderr.trim() || stdout.trim()).split("\n").slice(-5).join("\n");
  throw new PeersMissing(
    `${doing[0]?.toUpperCase() ?? ""}${doing.slice(1)} failed:\n${last}\n` +
      "Python needs its modules venv and pip, and the network for the first time.",
  );
}

/** @param {string} line */
function logToStderr(line) {
  process.stderr.write(`${line}\n`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.stdout.write(`${await ensurePeers()}\n`);
}
