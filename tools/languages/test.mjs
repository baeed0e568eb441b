/**
 * `npm run test:languages`: the plugin as it is installed, from its tarball on a home that has nothing, under programs in
 * YAML and in TypeScript. The host of YAML is built once from the module that Pulumi publishes (checked against
 * yaml-host/go.sum), the SDK for Node is made each time; both need Go. Where there is none, this says so and is content;
 * with `--required` that is a failure. `--outputFile=<file>` gets the counts, in Jest's form. Tried on Linux.
 *
 * Python needs a host at the CLI's own tag, which no registry serves.
 */

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { packPlugins } from "../native/pack.mjs";
import { goBuild, requiredVersion } from "../go.mjs";
import { run } from "../process.cjs";
import { cacheDirectory, ensurePulumi } from "../pulumi/ensure.mjs";
import { log, main, root } from "../setup.mjs";
import { NODE_FILES, playNode } from "./node.mjs";
import { openStage } from "./stage.mjs";
import { importYaml, playYaml, yamlProgram } from "./yaml.mjs";

const YAML_MODULE = "github.com/pulumi/pulumi-yaml";
const YAML_HOST = "pulumi-language-yaml";
const BUILD_LIMIT_SECONDS = 1800;
const OUTPUT_FILE = "--outputFile=";

/** @returns {Promise<string>} Its directory. */
async function ensureYamlHost() {
  const module = path.join(import.meta.dirname, "yaml-host");
  const version = requiredVersion(module, YAML_MODULE);
  const directory = path.join(cacheDirectory(process.env), `${YAML_HOST}-v${version}`);
  const host = path.join(directory, YAML_HOST);
  if (!fs.existsSync(host)) {
    log("Building the host of YAML (once; a minute beside the CLI's build, some minutes otherwise) ...");
    await goBuild({
      module,
      source: `${YAML_MODULE}/cmd/${YAML_HOST}`,
      output: `${host}.new`,
      ldflags: "-s -w",
      env: process.env,
      timeLimitSeconds: BUILD_LIMIT_SECONDS,
    });
    fs.renameSync(`${host}.new`, host);
  }
  return directory;
}

/** @returns {Promise<string | undefined>} Why there is none that could be used. */
async function whyNoGo() {
  try {
    const { exitCode, combined } = await run("go", ["version"], { cwd: os.tmpdir() });
    return exitCode === 0 ? undefined : `"go version" failed: ${combined.trim()}`;
  } catch {
    return "go isn't installed";
  }
}

/** @type {readonly [name: string, files: Record<string, string>, acts: ((stage: import("./stage.mjs").Stage) => Promise<void>)[]][]} */
const PLAYS = [
  [
    "a program in YAML, and what pulumi import prints for one",
    { "Pulumi.yaml": yamlProgram() },
    [playYaml, importYaml],
  ],
  ["a program in TypeScript, with the SDK made from the schema", NODE_FILES, [playNode]],
];

/** @returns {Promise<{ readonly passed: number, readonly failed: number }>} */
async function play() {
  const work = fs.mkdtempSync(path.join(os.tmpdir(), "exchange-languages-"));
  let [passed, failed] = [0, 0];
  try {
    const system = `${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
    const { version } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));
    const [cli, yamlHost] = [await ensurePulumi(), await ensureYamlHost()];
    const [tarball = ""] = await packPlugins({ targets: [system], directory: work });
    for (const [name, files, acts] of PLAYS) {
      const stage = await openStage({ cli, yamlHost, tarball, version }, files);
      try {
        for (const act of acts) await act(stage);
        passed += 1;
        log(`ok     ${name}`);
      } catch (error) {
        failed += 1;
        log(`FAILED ${name}\n${error instanceof Error ? error.message : String(error)}`);
      } finally {
        await stage.dispose();
      }
    }
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
  return { passed, failed };
}

await main(async () => {
  const args = process.argv.slice(2);
  const isRequired = args.includes("--required");
  const reason = await whyNoGo();
  if (reason !== undefined) {
    log(`The plugin under programs in other languages ${isRequired ? "fails" : "isn't tried"}: ${reason}.`);
    process.exitCode = isRequired ? 1 : 0;
    return;
  }
  const { passed, failed } = await play();
  const wanted = args.find((one) => one.startsWith(OUTPUT_FILE))?.slice(OUTPUT_FILE.length);
  const report = { numPassedTests: passed, numFailedTests: failed, numRuntimeErrorTestSuites: 0, numPendingTests: 0 };
  if (wanted !== undefined) fs.writeFileSync(wanted, JSON.stringify(report));
  process.stdout.write(`${String(passed)} passed, ${String(failed)} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
});
