import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import os from "node:os";
import path from "node:path";

import ts from "typescript";

import type { Endpoint } from "../../provider/backends/simulator/endpoint/endpoint";
import { memoryState } from "../../provider/backends/simulator/stateFile";
import type { CertificateMaterial } from "../../provider/certificate/material";
import { packPfx } from "../../provider/certificate/packPfx";
import { Secret } from "../../provider/secret";
import { defaultOrganisation, EX01, EX02 } from "../backends/simulatedServer";
import { makeTestCertificate } from "../certificate/testCertificates";
import {
  endpointIdentity,
  PASSWORD as ENDPOINT_PASSWORD,
  SERVER_NAME,
  startTestEndpoint,
  USER,
} from "../remoting/endpoint";
import { pem } from "../remoting/http/webServer";
import { makeProject, mustSucceed, type EngineProject, type ProjectOptions } from "./engine";

const ROOT = path.join(__dirname, "..", "..");
const EXAMPLES = path.join(ROOT, "examples");
/** That one needs an authority: acme.test.ts. */
const WITH_AUTHORITY = "acme";
const FOLDERS = readdirSync(EXAMPLES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(path.join(EXAMPLES, entry.name, "index.ts")))
  .map(({ name }) => name)
  .filter((name) => name !== WITH_AUTHORITY);

const PASSWORD = "the password of files that live as long as a test";

/** For mail.contoso.com; another certificate each time. */
const makeCertificate = (): CertificateMaterial => makeTestCertificate({ dnsNames: ["mail.contoso.com"] });
const pfxOf = (material: CertificateMaterial): Uint8Array => packPfx(material, new Secret(PASSWORD)).reveal();

const endpoints: Endpoint[] = [];
afterAll(() => Promise.all(endpoints.map((endpoint) => endpoint.close())));

/** The example for real servers says itself nothing of how they are reached: here, over the wire, simulated ones. */
async function realServers(mail: CertificateMaterial): Promise<Pick<ProjectOptions, "config" | "env" | "files">> {
  const endpoint = await startTestEndpoint({ store: memoryState(await defaultOrganisation()) });
  endpoints.push(endpoint);
  return {
    config: {
      "exchange:backend": "remote",
      "exchange:servers": JSON.stringify([EX01, EX02]),
      "exchange:endpoint": endpoint.url,
      "exchange:authentication": "basic",
      "exchange:username": USER,
      "exchange:caFile": "trusted.pem",
      "exchange:tlsServerName": SERVER_NAME,
    },
    env: { EXCHANGE_PASSWORD: ENDPOINT_PASSWORD },
    files: { "trusted.pem": endpointIdentity().ca + pem("CERTIFICATE", mail.der) },
  };
}

/** The example as it is, with the PFX that its README says how to make, where it wants one. */
async function makeExample(folder: string): Promise<EngineProject> {
  const read = (name: string): string => readFileSync(path.join(EXAMPLES, folder, name), "utf8");
  const mail = makeCertificate();
  const more = folder === "real-servers" ? await realServers(mail) : {};
  return makeProject({
    language: "TypeScript",
    program: read("index.ts"),
    ...more,
    files: {
      ...more.files,
      "Pulumi.yaml": folder === "quickstart" ? rootProject() : read("Pulumi.yaml"),
      "package.json": read("package.json"),
      "tsconfig.json": read("tsconfig.json"),
      "mail.pfx": pfxOf(mail),
    },
    // Their types are looked at once for all, below: with each command that would take most of the time.
    env: { ...more.env, MAIL_PFX_PASSWORD: PASSWORD, PULUMI_NODEJS_TRANSPILE_ONLY: "true" },
  });
}

/** The quickstart is what the root's project runs. */
function rootProject(): string {
  const project = readFileSync(path.join(ROOT, "Pulumi.yaml"), "utf8");
  expect(project).toContain("main: examples/quickstart\n");
  return project.replace("main: examples/quickstart\n", "");
}

async function mustBeInSync(project: EngineProject): Promise<void> {
  mustSucceed(await project.preview("--refresh", "--expect-no-changes"));
}

describe("the examples", () => {
  it("are more than one", () => {
    expect(FOLDERS.length).toBeGreaterThan(1);
  });

  it("are accepted by the compiler, with the package as it is installed", () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), "exchange-examples-"));
    try {
      symlinkSync(process.env["HARNESS_TYPESCRIPT_MODULES"] ?? "", path.join(directory, "node_modules"), "junction");
      for (const folder of FOLDERS)
        cpSync(path.join(EXAMPLES, folder), path.join(directory, folder), { recursive: true });
      const programs = FOLDERS.map((folder) => path.join(directory, folder, "index.ts"));
      const { NodeNext: module } = ts.ModuleKind;
      const options = { strict: true, skipLibCheck: true, noEmit: true, types: ["node"], module };
      const wrong = ts.getPreEmitDiagnostics(ts.createProgram(programs, options));
      expect(wrong.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it.each(FOLDERS)("%s comes up, has nothing to do afterwards, and goes", async (folder) => {
    const project = await makeExample(folder);
    mustSucceed(await project.up("--skip-preview"));
    expect(await project.resources()).not.toEqual([]);
    await mustBeInSync(project);
    mustSucceed(await project.destroy("--skip-preview"));
    expect(await project.resources()).toEqual([]);
  });
});

describe("the steps that the examples' READMEs tell", () => {
  it("enable services more in place, and replace the certificate when the file is a renewed one", async () => {
    const project = await makeExample("rotation");
    mustSucceed(await project.up("--skip-preview"));
    mustSucceed(await project.setConfig("services", JSON.stringify(["IIS", "SMTP", "IMAP", "POP"])));
    expect(await project.plan()).toEqual([expect.objectContaining({ op: "update" })]);
    mustSucceed(await project.up("--skip-preview"));

    project.writeFile("mail.pfx", pfxOf(makeCertificate()));
    expect(await project.plan()).toContainEqual(expect.objectContaining({ op: "replace" }));
    mustSucceed(await project.up("--skip-preview"));
    await mustBeInSync(project);
  });

  it("give IIS a certificate of its own, while SMTP stays with the first one", async () => {
    const project = await makeExample("successor");
    mustSucceed(await project.up("--skip-preview"));
    mustSucceed(await project.setConfig("ownWebCertificate", "true"));
    expect(mustSucceed(await project.preview()).combined).toContain("IIS goes to the successor");
    mustSucceed(await project.up("--skip-preview"));
    expect(JSON.parse(mustSucceed(await project.pulumi("stack", "output", "--json")).stdout)).toEqual({
      heldByMail: ["SMTP"],
      heldByWeb: ["IIS"],
    });
    await mustBeInSync(project);
  });

  it("give the call router the certificate once its start-up mode takes one", async () => {
    const project = await makeExample("unified-messaging");
    mustSucceed(await project.up("--skip-preview"));
    mustSucceed(await project.setConfig("callRouter", "true"));
    const refused = await project.preview();
    expect(refused.exitCode).not.toBe(0);
    expect(refused.combined).toContain("the start-up mode of UMCallRouter on ex02.contoso.com is TCP");
    mustSucceed(
      await project.simulator("Set-UMCallRouterSettings", "-Server", "ex02.contoso.com", "-UMStartupMode", "Dual"),
    );
    mustSucceed(await project.up("--skip-preview"));
    await mustBeInSync(project);
  });

  it("serve IMAP and POP with a wildcard certificate that doesn't show them", async () => {
    const project = await makeExample("wildcard");
    mustSucceed(await project.up("--skip-preview"));
    expect(JSON.parse(mustSucceed(await project.pulumi("stack", "output", "--json")).stdout)).toEqual({
      held: ["IIS", "IMAP", "POP", "SMTP"],
      displayed: ["IIS", "SMTP"],
    });
  });
});
