import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Endpoint } from "../../provider/backends/simulator/endpoint/endpoint";
import { memoryState } from "../../provider/backends/simulator/stateFile";
import { defaultOrganisation, EX01 } from "../backends/simulatedServer";
import { endpointIdentity, PASSWORD, SERVER_NAME, startTestEndpoint, USER } from "../remoting/endpoint";

/* The command as it is installed: the packed package, its bin file, a process of its own. */

const modules = process.env["HARNESS_MODULES"];
if (modules === undefined) throw new Error('HARNESS_MODULES isn\'t set: run these tests as the project "process"');
const installed = path.join(modules, "pulumi-exchange-certificates");
const { bin } = JSON.parse(fs.readFileSync(path.join(installed, "package.json"), "utf8")) as {
  readonly bin: Readonly<Record<string, string>>;
};

let directory: string;
let endpoint: Endpoint;
beforeAll(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "exchange-certificates-"));
  fs.writeFileSync(path.join(directory, "ca.pem"), endpointIdentity().ca);
  endpoint = await startTestEndpoint({ store: memoryState(await defaultOrganisation()) });
});
afterAll(async () => {
  await endpoint.close();
  fs.rmSync(directory, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly errors: string;
}

/** `until`: the process gets Ctrl-C, once, when its output holds that. */
async function doctor(args: readonly string[], until?: string): Promise<Ended> {
  const command = path.join(installed, bin["exchange-certificates"] ?? "");
  const child = spawn(process.execPath, [command, "doctor", ...args], {
    cwd: directory,
    env: {
      PATH: process.env["PATH"],
      EXCHANGE_ENDPOINT: endpoint.url,
      EXCHANGE_AUTHENTICATION: "basic",
      EXCHANGE_USERNAME: USER,
      EXCHANGE_PASSWORD: PASSWORD,
      EXCHANGE_TLS_SERVER_NAME: SERVER_NAME,
      EXCHANGE_CA_FILE: "ca.pem",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, errors] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    const before = out;
    out += chunk.toString();
    if (until !== undefined && !before.includes(until) && out.includes(until)) child.kill("SIGINT");
  });
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      resolve({ code, signal, out, errors });
    });
  });
}

describe("the installed command exchange-certificates", () => {
  it("walks to a server and ends by itself", async () => {
    const { code, out, errors } = await doctor(["--server", EX01]);
    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    expect(out).toMatch(/\n {2}ok {4}services[^\n]+\n\nIt can be used\.\n$/);
    expect(endpoint.shellCount()).toBe(0);
  });

  it("writes all of a report into a pipe, and ends with 1 when something failed", async () => {
    const { code, out } = await doctor(["--server", EX01, "--json", "--tls-server-name", "owa.fabrikam.com"]);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ exitCode: 1, servers: [{ outcome: "fail" }] });
  });

  it("ends with 2 when it isn't understood", async () => {
    expect(await doctor(["--sever", EX01])).toMatchObject({
      code: 2,
      out: "",
      errors: expect.stringMatching(/^There is no option --sever\..*\n$/),
    });
  });

  // Windows has no signal that a process could be told by.
  (process.platform === "win32" ? it.skip : it)("ends at once with Ctrl-C", async () => {
    endpoint.inject({ fault: { kind: "slow", milliseconds: 60_000 }, operation: "Command", times: 10 });
    const { code, signal, out } = await doctor(["--server", EX01], "ok    session");
    endpoint.clearFaults();
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    expect(out).toContain("It was interrupted before it was through.");
  });
});
