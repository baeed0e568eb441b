import { spawn, type ChildProcess } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { memoryState } from "../../provider/backends/simulator/stateFile";
import { endProcess, run } from "../../tools/process.cjs";
import { defaultOrganisation, EX01, EX02, withFaults } from "../backends/simulatedServer";
import { connectTo, methodsOf, TYPE, urnOf } from "../frontends/native/nativePlugin";
import { endpointIdentity, PASSWORD, SERVER_NAME, startTestEndpoint, USER } from "../remoting/endpoint";
import { neutralEnvironment } from "./dynamicProvider";
import { makeMailBinding } from "./mailBinding";

/* The plugin as it is installed: the packed package, its bin file, a process of its own. */

const modules = process.env["HARNESS_MODULES"];
if (modules === undefined) throw new Error('HARNESS_MODULES isn\'t set: run these tests as the project "process"');
const installed = path.join(modules, "pulumi-exchange-certificates");

const started: ChildProcess[] = [];
let directory: string;
beforeAll(() => {
  directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "exchange-plugin-")));
  fs.writeFileSync(path.join(directory, "ca.pem"), endpointIdentity().ca);
});
afterAll(async () => {
  await Promise.all(started.map(endProcess));
  fs.rmSync(directory, { recursive: true, force: true });
});

/** Starts it as the engine does, which listens nowhere here. */
async function start(file = path.join(installed, "bin", "pulumi-resource-exchange"), args: readonly string[] = []) {
  const child = spawn(file, [...args, "127.0.0.1:1"], {
    cwd: directory,
    env: { ...neutralEnvironment(), EXCHANGE_PASSWORD: PASSWORD },
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.push(child);
  const closed = new Promise<void>((resolve) =>
    child.once("close", () => {
      resolve();
    }),
  );
  let output = "";
  const port = await new Promise<number>((resolve, reject) => {
    child.stderr.on("data", (text: Buffer) => (output += text.toString()));
    child.stdout.on("data", (text: Buffer) => {
      output += text.toString();
      const line = /^(\d+)\n/.exec(output)?.[1];
      if (line !== undefined) resolve(Number(line));
    });
    child.once("error", reject);
    void closed.then(() => {
      reject(new Error(`It ended before it was ready:\n${output}`));
    });
  });
  return { child, closed, plugin: methodsOf(connectTo(port)), outputText: () => output };
}

/** A plugin that has read EX01 through a session. EX02 never answers. */
async function startWithSession() {
  const organisation = withFaults(await defaultOrganisation(), EX02, { slowMilliseconds: 3_600_000 });
  const endpoint = await startTestEndpoint({ store: memoryState(organisation) });
  const started = await start();
  const { plugin, outputText } = started;
  await plugin.configure({
    backend: "remote",
    endpoint: endpoint.url,
    authentication: "basic",
    username: USER,
    tlsServerName: SERVER_NAME,
    caFile: "ca.pem",
  });
  const { inputs, failures } = await plugin.check(urnOf("mail"), {}, makeMailBinding(EX01).inputs());
  expect({ failures, output: outputText() }).toMatchObject({ failures: [] });
  expect(inputs).toHaveProperty("thumbprint");
  expect(endpoint.shellCount()).toBeGreaterThan(0);
  return { ...started, endpoint };
}

describe("the process of the native plugin", () => {
  it("says its port first, and tells its schema", async () => {
    const { plugin } = await start();
    const schema = JSON.parse(await plugin.schema()) as { version: string; resources: object };
    const { version } = JSON.parse(fs.readFileSync(path.join(installed, "package.json"), "utf8")) as {
      version: string;
    };
    expect(schema.version).toBe(version);
    expect(Object.keys(schema.resources)).toEqual([TYPE]);
  });

  it("is started from a checkout by what the host of Node runs for its PulumiPlugin.yaml", async () => {
    const host = require.resolve("@pulumi/pulumi/cmd/run-plugin");
    const { child, closed, plugin } = await start(process.execPath, [
      host,
      path.join(__dirname, "../../tools/native/source"),
    ]);
    expect(JSON.parse(await plugin.schema())).toMatchObject({ name: "exchange" });
    child.kill("SIGINT");
    await closed;
  });

  it("leaves no session behind when it is told to stop, and ends when the engine says so", async () => {
    const { endpoint, child, closed, plugin } = await startWithSession();
    // Ctrl-C in a terminal, while something runs: it waits for what the engine says.
    const hanging = plugin.check(urnOf("hanging"), {}, makeMailBinding(EX02).inputs()).catch((error: unknown) => error);
    await plugin.schema();
    child.kill("SIGINT");
    await plugin.schema();
    await plugin.cancel();
    await hanging;
    expect(endpoint.shellCount()).toBe(0);
    child.kill("SIGINT");
    await closed;
    await endpoint.close();
  });

  it("ends, and leaves no session behind, when the engine closes it without a word", async () => {
    const { endpoint, child, closed } = await startWithSession();
    child.kill("SIGINT");
    await closed;
    expect(child.signalCode).toBeNull();
    expect(endpoint.shellCount()).toBe(0);
    await endpoint.close();
  });

  it("is nothing that a dynamic provider's process would load", async () => {
    const list = `require(${JSON.stringify(path.join(installed, "lib", "provider.js"))});
      console.log(JSON.stringify(Object.keys(require.cache)));`;
    const { stdout } = await run(process.execPath, ["-e", list], { cwd: directory, timeLimitSeconds: 120 });
    const loaded = JSON.parse(stdout) as readonly string[];
    expect(loaded.some((file) => file.includes("frontends"))).toBe(true);
    expect(loaded.filter((file) => /frontends.native|@grpc|google-protobuf/.test(file))).toEqual([]);
  });
});
