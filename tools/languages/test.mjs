/**
 * `npm run test:languages`: the plugin as it is installed, from its tarball on a home that has nothing, under a program
 * in YAML. The host of YAML is built once from the module that Pulumi publishes; it needs Go. Tried on Linux.
 *
 * Generated SDKs and Python need hosts at the CLI's own tag, which no registry serves.
 */

import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { packPlugins } from "../native/pack.mjs";
import { runOrThrow } from "../process.cjs";
import { cacheDirectory, ensurePulumi } from "../pulumi/ensure.mjs";
import { main, root } from "../setup.mjs";

const YAML_HOST = "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml";
const YAML_VERSION = "v1.25.0";
const BUILD_LIMIT_SECONDS = 1800;
const LIMIT_SECONDS = 300;

const PROGRAM = `
name: shop
runtime: yaml
config:
  exchange:backend: { value: simulator }
variables:
  seen:
    fn::invoke:
      function: exchange:getServer
      arguments: { server: ex01.contoso.com }
resources:
  mail:
    type: exchange:ExchangeCertificateBinding
    properties:
      server: ex01.contoso.com
      certificate: { selfSigned: { dnsNames: [mail.contoso.com] } }
      services: [IIS, SMTP]
outputs:
  thumbprint: \${mail.thumbprint}
  version: \${seen.version}
`;

/** @returns {Promise<string>} Its directory. */
async function ensureYamlHost() {
  const directory = path.join(cacheDirectory(process.env), `pulumi-language-yaml-${YAML_VERSION}`);
  if (!fs.existsSync(path.join(directory, "pulumi-language-yaml"))) {
    process.stderr.write("Building the host of YAML (once; some minutes) ...\n");
    await runOrThrow("go", ["install", `${YAML_HOST}@${YAML_VERSION}`], {
      cwd: os.tmpdir(),
      env: { ...process.env, GOBIN: directory },
      timeLimitSeconds: BUILD_LIMIT_SECONDS,
    });
  }
  return directory;
}

await main(async () => {
  const cli = await ensurePulumi();
  const host = await ensureYamlHost();
  const work = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "exchange-languages-")));
  try {
    const system = `${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
    const [tarball = ""] = await packPlugins({ targets: [system], directory: work });
    for (const name of ["home", "state", "program"]) fs.mkdirSync(path.join(work, name));
    const cwd = path.join(work, "program");
    const env = {
      ...process.env,
      PATH: [host, cli, process.env["PATH"]].join(path.delimiter),
      PULUMI_HOME: path.join(work, "home"),
      PULUMI_BACKEND_URL: `file://${path.join(work, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    };
    const call = (/** @type {string} */ file, /** @type {string[]} */ ...args) =>
      runOrThrow(file, args, { cwd, env, timeLimitSeconds: LIMIT_SECONDS });
    const simulator = (/** @type {string[]} */ ...args) =>
      call(process.execPath, path.join(root, "bin", "exchange-simulator.js"), ...args);
    const pulumi = (/** @type {string[]} */ ...args) => call("pulumi", ...args);

    fs.writeFileSync(path.join(cwd, "Pulumi.yaml"), PROGRAM);
    const { version } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));
    await pulumi("plugin", "install", "resource", "exchange", `v${version}`, "--file", tarball);
    await simulator("init");
    await pulumi("stack", "init", "dev");
    const up = await pulumi("up", "--yes");
    assert.match(up.stdout, /made a new self-signed certificate for mail\.contoso\.com/);
    assert.match(up.stdout, /version *: "15\.2\./);
    const former = /-Thumbprint ([0-9A-F]{40})/.exec(up.stdout)?.[1] ?? "";
    await simulator(
      "Enable-ExchangeCertificate",
      "-Server",
      "ex01.contoso.com",
      "-Thumbprint",
      former,
      "-Services",
      "IIS",
    );
    const drift = await pulumi("preview", "--diff");
    assert.match(drift.stdout, /services: \[\s+\+ \[\d\]: "IIS"|\+ \[0\]: "IIS"/);
    await pulumi("up", "--yes");
    await pulumi("refresh", "--yes", "--expect-no-changes");
    await pulumi("destroy", "--yes");
    process.stdout.write("YAML: installed from the tarball; up, a function, drift, repair, refresh, destroy.\n");
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
});
