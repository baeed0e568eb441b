/** How long the provider's code takes to load in a provider process that has nothing else to do. */

import path from "node:path";
import process from "node:process";
import { runOrThrow } from "../process.cjs";
import { median } from "./numbers.mjs";

// In the process of the SDK, so that what both need is loaded already, as in a real deployment.
const SCRIPT = `
  require("@pulumi/pulumi/cmd/dynamic-provider");
  const started = process.hrtime.bigint();
  require("pulumi-exchange-certificates/provider");
  process.stdout.write("took " + String(Number(process.hrtime.bigint() - started) / 1e6) + "\\n", () => process.exit(0));
`;

/**
 * @param {string} nodeModules
 * @param {number} rounds
 * @returns {Promise<number>} Milliseconds, median.
 */
export async function measureStartup(nodeModules, rounds) {
  const times = [];
  for (let round = 0; round < rounds; round += 1) {
    const cwd = path.dirname(nodeModules);
    const { stdout } = await runOrThrow(process.execPath, ["-e", SCRIPT, "unused", "127.0.0.1:1"], { cwd });
    const took = /took ([\d.]+)/.exec(stdout)?.[1];
    if (took === undefined) throw new Error(`The provider process answered: ${stdout}`);
    times.push(Number(took));
  }
  return median(times);
}
