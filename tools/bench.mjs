/**
 * `npm run bench`: what the bindings cost on top of what the engine costs anyway. Ends with 1 when it is too much:
 *
 * - A preview of 1,000 bindings on 100 simulated servers, of either front end, takes at most 1.25 times as long as one
 *   of 1,000 resources that do nothing; also when every call of a server takes 200 ms and `exchange:servers` names the servers.
 * - The provider's code adds at most 100 ms to the start of the provider process.
 *
 * The programs run in turn, so that a busy machine is unkind to both; medians are compared.
 *
 * With `--up` the bindings are made too, once, by either front end, and so are the resources that do nothing. There is
 * no limit for that: most of it is the simulator, which writes its file after each call.
 *
 *   npm run bench -- --rounds 3 --servers 100 --bindings-per-server 10 --up
 */

import { randomBytes } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { manyCertificates, manyServers } from "./bench/organisation.cjs";
import { median } from "./bench/numbers.mjs";
import { bindings, native, nothing, PASSWORD_VARIABLE } from "./bench/programs.cjs";
import { measureStartup } from "./bench/startup.mjs";
import { ensurePulumi } from "./pulumi/ensure.mjs";
import { installFromTarball, pack } from "./pulumi/modules.cjs";
import { createWorkspace } from "./pulumi/workspace.cjs";
import { ensureBuilt, ensureNodeModules, log, main, root } from "./setup.mjs";

const HIGHEST_RATIO = 1.25;
const LATENCY_MILLISECONDS = 200;
const HIGHEST_STARTUP_MILLISECONDS = 100;
const LIMIT_SECONDS = 1800;
const PLUGIN_DIRECTORY = "node_modules/pulumi-exchange-certificates/bin";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    servers: { type: "string", default: "100" },
    "bindings-per-server": { type: "string", default: "10" },
    up: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);

await main(async () => {
  await ensureNodeModules();
  await ensureBuilt();
  const pulumiDirectory = await ensurePulumi();
  const work = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "exchange-bench-")));
  try {
    const tarball = await pack(root, work);
    const nodeModules = await installFromTarball({ into: work, packageRoot: root, tarball });
    const verdicts = [
      await benchStartup(nodeModules),
      await benchPreview({ nodeModules, pulumiDirectory }, "preview", { isMade: values.up }),
      await benchPreview({ nodeModules, pulumiDirectory }, `preview, ${String(LATENCY_MILLISECONDS)} ms per call`, {
        slowMilliseconds: LATENCY_MILLISECONDS,
      }),
    ];
    process.exitCode = verdicts.every(Boolean) ? 0 : 1;
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
});

/**
 * @param {string} nodeModules
 * @returns {Promise<boolean>}
 */
async function benchStartup(nodeModules) {
  const took = await measureStartup(nodeModules, Math.max(rounds, 5));
  return verdict("start-up", took <= HIGHEST_STARTUP_MILLISECONDS, [
    `the provider's code adds ${took.toFixed(0)} ms (at most ${String(HIGHEST_STARTUP_MILLISECONDS)})`,
  ]);
}

/**
 * @param {{ nodeModules: string, pulumiDirectory: string }} places
 * @param {string} name
 * @param {{ slowMilliseconds?: number, isMade?: boolean }} how
 * @returns {Promise<boolean>}
 */
async function benchPreview(places, name, { isMade = false, ...faults }) {
  const password = randomBytes(12).toString("hex");
  const organisation = await manyServers(Number(values.servers), faults);
  const certificates = await manyCertificates(Number(values["bindings-per-server"]), password);
  const size = { servers: organisation.names, pfxFiles: Object.keys(certificates) };
  const count = size.servers.length * size.pfxFiles.length;
  const config = { "exchange:backend": "simulator", "exchange:servers": organisation.names.join(",") };
  const make = (/** @type {string} */ program) =>
    createWorkspace({
      ...places,
      timeLimitSeconds: LIMIT_SECONDS,
      env: { [PASSWORD_VARIABLE]: password },
      files: {
        "Pulumi.yaml": JSON.stringify({
          name: "bench",
          runtime: { name: "nodejs", options: { typescript: false } },
          plugins: { providers: [{ name: "exchange", path: PLUGIN_DIRECTORY }] },
        }),
        "Pulumi.bench.yaml": JSON.stringify({ config }),
        "package.json": JSON.stringify({ name: "bench", main: "index.js" }),
        "index.js": program,
        ".exchange-simulator.json": organisation.text,
        ...certificates,
      },
    });
  /** @type {{ label: string, workspace: import("./pulumi/workspace.cjs").Workspace, seconds: number[] }[]} */
  const contenders = [
    { label: "bindings", workspace: make(bindings(size)), seconds: [] },
    { label: "plugin", workspace: make(native(size)), seconds: [] },
    { label: "nothing", workspace: make(nothing(size)), seconds: [] },
  ];
  try {
    for (const { workspace } of contenders) mustSucceed(await workspace.pulumi(["stack", "init", "bench"]));
    for (let round = 1; round <= rounds; round += 1) {
      for (const { label, workspace, seconds } of contenders) {
        const result = mustSucceed(await workspace.pulumi(["preview"]));
        if (!result.stdout.includes(` ${String(count + 1)} to create`)) {
          throw new Error(`The preview did not plan ${String(count)} resources:\n${result.combined.slice(-2000)}`);
        }
        seconds.push(result.seconds);
        log(`${name}, round ${String(round)}: ${label} ${result.seconds.toFixed(1)} s`);
      }
    }
    for (const { label, workspace } of isMade ? contenders : []) {
      const { seconds } = mustSucceed(await workspace.pulumi(["up", "--yes", "--skip-preview"]));
      process.stdout.write(`       up of ${String(count)}: ${label} ${seconds.toFixed(1)} s\n`);
    }
  } finally {
    for (const { workspace } of contenders) await workspace.dispose();
  }
  const [ours = NaN, plugin = NaN, floor = NaN] = contenders.map(({ seconds }) => median(seconds));
  const ratios = [ours / floor, plugin / floor];
  return verdict(name, Math.max(...ratios) <= HIGHEST_RATIO, [
    `${String(count)} bindings on ${String(size.servers.length)} servers: ${ours.toFixed(1)} s`,
    `through the plugin: ${plugin.toFixed(1)} s`,
    `resources that do nothing: ${floor.toFixed(1)} s`,
    `ratios ${ratios.map((ratio) => ratio.toFixed(2)).join(" and ")} (at most ${String(HIGHEST_RATIO)})`,
  ]);
}

/**
 * @param {import("./process.cjs").RunResult} result
 * @returns {import("./process.cjs").RunResult}
 */
function mustSucceed(result) {
  if (result.exitCode === 0) return result;
  throw new Error(
    `"${result.command}" ended with exit code ${String(result.exitCode)}:\n${result.combined.slice(-4000)}`,
  );
}

/**
 * @param {string} name
 * @param {boolean} good
 * @param {readonly string[]} facts
 * @returns {boolean}
 */
function verdict(name, good, facts) {
  process.stdout.write(`${good ? "ok    " : "FAILED"} ${name}: ${facts.join("; ")}\n`);
  return good;
}
