import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { makeTestCertificate } from "../../provider/backends/contract";
import { linkModules } from "./linkModules";

/* The command as it is installed: the packed package, its bin file, a process of its own. */

const modules = process.env["HARNESS_MODULES"];
if (modules === undefined) throw new Error('HARNESS_MODULES isn\'t set: run these tests as the project "process"');
const installed = path.join(modules, "pulumi-exchange-certificates");

let directory: string;
beforeAll(() => {
  directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "exchange-simulator-")));
  fs.writeFileSync(path.join(directory, "Pulumi.yaml"), "name: rehearsal\nmain: infra\n");
  fs.mkdirSync(path.join(directory, "infra"));
});
afterAll(() => {
  fs.rmSync(directory, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly errors: string;
}

async function node(args: readonly string[], standardInput = "", env: Record<string, string> = {}): Promise<Ended> {
  const { EXCHANGE_SIMULATOR_FILE: _, ...environment } = process.env;
  const child = spawn(process.execPath, args, { cwd: directory, env: { ...environment, ...env } });
  let [out, errors] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  child.stdin.end(standardInput);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code, out, errors };
}

const command = path.join(installed, "bin", "exchange-simulator.js");
const simulator = (args: readonly string[], standardInput?: string) => node([command, ...args], standardInput);

describe("the installed command exchange-simulator", () => {
  it("says its version", async () => {
    const { version } = JSON.parse(fs.readFileSync(path.join(installed, "package.json"), "utf8")) as {
      version: string;
    };
    expect(await simulator(["--version"])).toEqual({ code: 0, out: `${version}\n`, errors: "" });
  });

  it("invents no organisation where there is none, and says how one is made", async () => {
    const { code, out, errors } = await simulator(["show"]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(errors).toContain("exchange-simulator init");
    expect(fs.readdirSync(path.join(directory, "infra"))).toEqual([]);
  });

  it("makes the organisation in the program's directory, and shows it", async () => {
    const file = path.join(directory, "infra", ".exchange-simulator.json");
    expect(await simulator(["init"])).toMatchObject({ code: 0, errors: `Made ${file}.\n` });
    const { code, out } = await simulator(["show"]);
    expect(code).toBe(0);
    expect(out).toContain("ex01.contoso.com");
    expect(fs.readdirSync(path.join(directory, "infra"))).toEqual([".exchange-simulator.json"]);
  });

  it("imports a certificate and gives it services, as one would by hand", async () => {
    const { thumbprint, pfx, password } = await makeTestCertificate({ dnsNames: ["mail.contoso.com"] });
    fs.writeFileSync(path.join(directory, "mail.pfx"), pfx.reveal());
    const importing = ["Import-ExchangeCertificate", "-Server", "ex01", "--pfx", "mail.pfx", "--password-stdin"];
    expect(await simulator(importing, password.reveal())).toMatchObject({ code: 0, errors: "" });

    const enabling = ["Enable-ExchangeCertificate", thumbprint, "-Server", "ex01", "-Services", "IIS,", "SMTP"];
    const asked = await simulator(enabling);
    expect(asked).toMatchObject({ code: 2, errors: expect.stringContaining("--answer No") });
    expect(await simulator([...enabling, "--answer", "No"])).toEqual({ code: 0, out: "", errors: "" });

    const { out } = await simulator(["Get-ExchangeCertificate", "-Server:ex01", thumbprint, "--json"]);
    expect(JSON.parse(out)).toEqual([expect.objectContaining({ Thumbprint: thumbprint, Services: "IIS, SMTP" })]);
  });

  it("ends with 1 when a cmdlet fails, and shows no stack", async () => {
    const { code, out, errors } = await simulator(["Get-ExchangeCertificate", "-Server", "ex09"]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(errors).toMatch(/^Get-ExchangeCertificate : .*"ex09"/);
    expect(errors).not.toMatch(/^ +at /m);
  });

  it("serves until Ctrl-C, and then ends of itself", async () => {
    const args = ["serve", "--basic-over-http", "--port", "0", "--user", "admin", "--password-stdin"];
    const child = spawn(process.execPath, [command, ...args], { cwd: directory, stdio: ["pipe", "pipe", "ignore"] });
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    child.stdin.end("secret");
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const headers = { authorization: `Basic ${Buffer.from("admin:secret").toString("base64")}` };
    // Not fetch, which Wine can't do.
    const request = http.request(line.toString().trim(), { method: "POST", headers }).end("not SOAP");
    const [{ statusCode }] = (await once(request, "response")) as [http.IncomingMessage];
    expect(statusCode).toBe(500);
    // Windows has no signal that a process could be told by; there it is ended.
    child.kill("SIGINT");
    expect(await ended).toBe(process.platform === "win32" ? null : 0);
  });

  it("loads no protocol for a command that needs none", async () => {
    const script = `process.argv.push("show"); process.on("exit", () => {
        console.log(Object.keys(require.cache).filter((file) => /[\\\\/](?:remoting|endpoint|saxes)[\\\\/]/.test(file)));
      }); require(${JSON.stringify(command)});`;
    const { code, out } = await node(["-e", script, "exchange-simulator"]);
    expect({ code, last: out.trim().split("\n").at(-1) }).toEqual({ code: 0, last: "[]" });
  });
});

it("opens an adapter that is an ES module and can only be imported", async () => {
  fs.writeFileSync(
    path.join(directory, "lab.mjs"),
    `const kind = await Promise.resolve("lab");
     const none = async () => { throw new Error("not in this test"); };
     export const createBackend = () => ({
       kind, readSnapshot: none, importCertificate: none, enableServices: none, setCertificateName: none,
       setSendConnectorCertificate: none, setReceiveConnectorCertificate: none,
       removeCertificate: none, close: async () => {},
     });`,
  );
  const script = `require(${JSON.stringify(path.join(installed, "lib", "backends", "openBackend.js"))})
    .openBackend({ kind: "module", specifier: "./lab.mjs" }, { programDirectory: process.cwd(), say: console.log })
    .then((backend) => console.log(backend.kind));`;
  expect(await node(["-e", script])).toMatchObject({ code: 0, out: "lab\n" });
});

it("loads of zod the one file that was made of what is used", async () => {
  const script = `require(${JSON.stringify(path.join(installed, "lib", "provider.js"))});
    console.log(Object.keys(require.cache).filter((file) => /zod/.test(file)).map((file) => require("node:path").basename(file)).join());`;
  expect(await node(["-e", script])).toMatchObject({ code: 0, out: "zod.js\n" });
});

it("loads nothing of the simulator until it is chosen", async () => {
  const script = `require(${JSON.stringify(path.join(installed, "lib", "backends", "openBackend.js"))});
    console.log(Object.keys(require.cache).filter((file) => require("node:path").dirname(file).endsWith("simulator")).length);`;
  expect(await node(["-e", script])).toMatchObject({ code: 0, out: "0\n" });
});

it.each(["simulator", "remote"])(
  "loads protocols and native code only once real servers are chosen: here %s",
  async (backend) => {
    const file = (name: string): string => JSON.stringify(path.join(installed, "lib", `${name}.js`));
    const script = `const { readSettings } = require(${file("config")}); require(${file("provider")});
    const values = { "exchange:backend": ${JSON.stringify(backend)} };
    const settings = readSettings((key) => values[key], {}, process.cwd());
    const protocols = () => Object.keys(require.cache).filter((one) => /[\\\\/](?:remoting|saxes|koffi|doctor)[\\\\/]/.test(one)).length;
    const before = protocols();
    require(${file("backends/openBackend")})
      .openBackend(settings.backend, { programDirectory: process.cwd(), say: () => {} })
      .then(() => undefined, () => undefined)
      .then(() => console.log(before, protocols() > 0));`;
    expect(await node(["-e", script])).toMatchObject({ code: 0, out: `0 ${String(backend === "remote")}\n` });
  },
);

it.each([
  ["basic", []],
  ["kerberos", process.platform === "win32" ? ["koffi", "sspi"] : ["gssapi"]],
  // Elsewhere than on Windows koffi isn't installed beside the package here, and is asked for in vain.
])("loads this system's Kerberos and nothing of another's, and only when it is chosen: %s", async (how, loaded) => {
  const script = `const values = { "exchange:backend": "remote", "exchange:authentication": "${how}",
      ...("${how}" === "basic" ? { "exchange:username": "anna@contoso.com", "exchange:password": "x" } : {}) };
    const { readSettings } = require(${JSON.stringify(path.join(installed, "lib", "config.js"))});
    const { backend } = readSettings((key) => values[key], {}, process.cwd());
    const native = () => Object.keys(require.cache).flatMap((one) => /koffi|sspi(?=\\.js)|gssapi(?=\\.js)/.exec(one)?.[0] ?? []);
    require(${JSON.stringify(path.join(installed, "lib", "backends", "openBackend.js"))})
      .openBackend(backend, { programDirectory: process.cwd(), say: () => {} })
      .then(() => undefined, () => undefined)
      .then(() => console.log(JSON.stringify([...new Set(native())].sort())));`;
  expect(await node(["-e", script])).toEqual({ code: 0, out: `${JSON.stringify(loaded)}\n`, errors: "" });
});

it("offers the contract suite and all that an adapter needs under public names", async () => {
  linkModules(modules, directory);
  fs.writeFileSync(
    path.join(directory, "suite.js"),
    `const { backendContract } = require("pulumi-exchange-certificates/backend-contract");
     const { ExchangeBindingError, parseServerFqdn } = require("pulumi-exchange-certificates/backend");
     const refuse = async () => { throw new ExchangeBindingError("ServerUnreachable", "nobody is at home"); };
     const open = async () => ({
       kind: "empty", readSnapshot: refuse, importCertificate: refuse, enableServices: refuse,
       setCertificateName: refuse, setSendConnectorCertificate: refuse,
       setReceiveConnectorCertificate: refuse, removeCertificate: refuse, close: async () => {},
     });
     const [first] = backendContract({ server: parseServerFqdn("ex01.contoso.com"), open });
     first.run().catch((error) => console.log(first.title + ": " + error.message));`,
  );
  const { code, out } = await node(["suite.js"]);
  expect({ code, out }).toEqual({
    code: 0,
    out: "names its kind in one word that stays the same: nobody is at home\n",
  });
});
