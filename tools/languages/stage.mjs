/** Where a program in one of Pulumi's languages plays: a home that has nothing but the plugin, from its tarball. */

import assert from "node:assert/strict";
import path from "node:path";
import workspaces from "../pulumi/workspace.cjs";
import { root } from "../setup.mjs";

/**
 * @typedef {object} Parts
 * @property {string} cli The directory of the CLI.
 * @property {string} yamlHost The directory of the host of YAML.
 * @property {string} tarball
 * @property {string} version
 */

/** @typedef {Awaited<ReturnType<typeof openStage>>} Stage */

/**
 * @param {Parts} parts
 * @param {Readonly<Record<string, string>>} files
 */
export async function openStage({ cli, yamlHost, tarball, version }, files) {
  // npm puts the checkout's commands in front, and the engine would take the plugin that is among them.
  const others = (process.env["PATH"] ?? "").split(path.delimiter).filter((one) => !one.includes("node_modules"));
  const workspace = workspaces.createWorkspace({
    pulumiDirectory: cli,
    files,
    env: { PATH: [cli, yamlHost, path.dirname(process.execPath), ...others].join(path.delimiter) },
  });
  /** @param {import("../process.cjs").RunResult} result */
  const succeeded = (result) => {
    if (result.exitCode !== 0) throw new Error(`"${result.command}" failed:\n${result.combined}`);
    assert(
      !result.combined.includes("pulumi-resource-exchange from $PATH"),
      "It isn't the installed plugin that runs.",
    );
    return result.combined;
  };
  const own = async (/** @type {string} */ command, /** @type {readonly string[]} */ args) =>
    succeeded(await workspace.execute(process.execPath, [path.join(root, "bin", `${command}.js`), ...args]));
  const stage = {
    directory: workspace.projectDirectory,
    writeFile: workspace.writeFile,
    readFile: workspace.readFile,
    dispose: workspace.dispose,
    execute: async (/** @type {string} */ file, /** @type {readonly string[]} */ args) =>
      succeeded(await workspace.execute(file, args)),
    /** A command that has to succeed. */
    pulumi: async (/** @type {string[]} */ ...args) => succeeded(await workspace.pulumi(args)),
    /** One that has to fail. */
    refused: async (/** @type {string[]} */ ...args) => {
      const { command, exitCode, combined } = await workspace.pulumi(args);
      assert(exitCode !== 0, `"${command}" hasn't failed:\n${combined}`);
      return combined;
    },
    simulator: (/** @type {string[]} */ ...args) => own("exchange-simulator", args),
    certificates: (/** @type {string[]} */ ...args) => own("exchange-certificates", args),
    /**
     * The certificate that setup has made.
     *
     * @param {string} server
     */
    async ownCertificateOf(server) {
      const text = await own("exchange-simulator", ["Get-ExchangeCertificate", "-Server", server, "--json"]);
      const common = `CN=${(server.split(".")[0] ?? "").toUpperCase()}`;
      /** @type {{ Subject: string, Thumbprint: string }[]} */
      const certificates = JSON.parse(text);
      return certificates.find(({ Subject }) => Subject === common)?.Thumbprint ?? "";
    },
    /** Gives IIS of ex01 back by hand: drift. */
    async drift() {
      const server = "ex01.contoso.com";
      const former = await stage.ownCertificateOf(server);
      await stage.simulator(
        ...["Enable-ExchangeCertificate", "-Server", server, "-Thumbprint", former, "-Services", "IIS"],
      );
    },
  };
  await stage.simulator("init");
  await stage.pulumi("plugin", "install", "resource", "exchange", `v${version}`, "--file", tarball);
  await stage.pulumi("stack", "init", "dev");
  return stage;
}

/**
 * @param {string} text
 * @param {RegExp} pattern
 */
export function says(text, pattern) {
  assert.match(text, pattern);
}
