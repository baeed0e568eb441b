/** Programs from Go modules that their authors publish, checked against the go.sum beside each go.mod. */

import fs from "node:fs";
import path from "node:path";
import { runOrThrow } from "./process.cjs";

/**
 * The user's GOPROXY, GOFLAGS, GOSUMDB and caches as they are. A go.work in a directory above would replace our module.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
export function goEnvironment(env) {
  return { ...env, GOWORK: "off" };
}

/**
 * The version that the go.mod of one of our modules requires of another, without the leading "v".
 *
 * @param {string} module Its directory.
 * @param {string} required
 * @returns {string}
 */
export function requiredVersion(module, required) {
  const file = path.join(module, "go.mod");
  const line = fs
    .readFileSync(file, "utf8")
    .split("\n")
    .map((one) =>
      one
        .trim()
        .replace(/^require /, "")
        .split(" "),
    )
    .find(([name]) => name === required);
  if (line?.[1] === undefined) throw new Error(`No version of ${required} found in ${file}.`);
  return line[1].slice(1);
}

/**
 * Builds one program. `-mod=readonly` makes Go accept nothing that the go.sum of the module doesn't list.
 *
 * @param {{ module: string, source: string, output: string, ldflags?: string, env: NodeJS.ProcessEnv, timeLimitSeconds: number }} what
 *   `module`: our module's directory; `source`: the package of the program.
 * @returns {Promise<void>}
 */
export async function goBuild({ module, source, output, ldflags, env, timeLimitSeconds }) {
  const flags = ldflags === undefined ? [] : ["-ldflags", ldflags];
  await runOrThrow("go", ["build", "-mod=readonly", ...flags, "-o", output, source], {
    cwd: module,
    env: goEnvironment(env),
    timeLimitSeconds,
  });
}
