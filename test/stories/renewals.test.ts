import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";

import type { Organisation, ServerState } from "../../provider/backends/simulator/organisation";
import { packPfx } from "../../provider/certificate/packPfx";
import { readPemHere } from "../../provider/certificate/pem";
import { Secret } from "../../provider/secret";
import { blocksOf, read } from "../../tools/docs/markdown.cjs";
import { stored } from "../backends/simulator/lab";
import { makeTestAuthority, makeTestCertificate } from "../certificate/testCertificates";
import { STATE_FILE } from "../engine/bindingProgram";
import { makeProject, mustSucceed, type EngineProject } from "../engine/engine";

/*
 * The programs of docs/renewals.md, each on a server of its own, on files as their tools leave them.
 */

const FIXTURES = path.join(__dirname, "..", "certificate", "fixtures", "acme");
const PASSWORD = "Renewals-Test-1";
/** Roots that a test can't write below. */
const ROOTS = { "C:/Certificates": "Certificates", "/etc/letsencrypt": "letsencrypt", "/etc/ssl/exchange": "exchange" };

const programs = blocksOf(read("docs/renewals.md"))
  .filter(({ language }) => language === "ts")
  .map(({ text }) => text);
const serverOf = (index: number): string => `host${String(index)}.contoso.com`;

/** One program of all, each of them a module of its own. */
function wholeProgram(): string {
  const modules = programs.map((text, index) => {
    const here = Object.entries(ROOTS).reduce((all, [root, place]) => all.replaceAll(root, place), text);
    const source = here.replaceAll("ex01.contoso.com", serverOf(index));
    const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
    return `((exports) => { ${ts.transpileModule(source, { compilerOptions }).outputText}\n return exports; })({})`;
  });
  return `
    const pulumi = require("@pulumi/pulumi");
    const { ExchangeCertificateBinding } = require("pulumi-exchange-certificates");
    class Certificate extends pulumi.CustomResource {
      constructor(name, order) {
        const __provider = 'exports.handler = () => require("./issuer.cjs");';
        const none = { certificatePem: undefined, privateKeyPem: undefined, issuerPem: undefined };
        super("pulumi-nodejs:dynamic/test:Certificate", name, { order, ...none, __provider });
      }
    }
    const modules = [${modules.join(",\n")}];
    modules.find(({ bind }) => bind !== undefined).bind(new Certificate("certificate", process.env.ORDER));
  `;
}

/** A provider that issues one of two certificates. */
const ISSUER = `
  const { readFileSync } = require("node:fs");
  const file = (folder, name) => readFileSync(\`issued/\${folder}/certificates/mail.contoso.com.\${name}\`, "utf8");
  const outs = ({ order }) => ({
    order, certificatePem: file(order, "crt"), privateKeyPem: file(order, "key"), issuerPem: file(order, "issuer.crt"),
  });
  exports.check = async (olds, news) => ({ inputs: news });
  exports.diff = async (id, olds, news) => ({ changes: olds.order !== news.order });
  exports.create = async (inputs) => ({ id: "certificate", outs: outs(inputs) });
  exports.update = async (id, olds, news) => ({ outs: outs(news) });
  exports.read = async (id, props) => ({ id, props });
  exports.delete = async () => undefined;
`;

/** Servers like the first one of the default organisation, with what something else enrolled on the last. */
function makeServers(project: EngineProject): void {
  const organisation = JSON.parse(project.readFile(STATE_FILE)) as Organisation;
  const [first] = Object.values(organisation.servers);
  if (first === undefined) throw new Error("no server");
  const own = stored(makeTestCertificate({ dnsNames: ["mail.contoso.com"], issuer: makeTestAuthority() }), {
    rootStore: "trusted",
  });
  const servers = programs.map((text, index): ServerState => {
    const certificates = text.includes("onServer") ? [...first.certificates, own] : first.certificates;
    return { ...first, name: `HOST${String(index)}`, fqdn: serverOf(index), certificates };
  });
  const all = Object.fromEntries(servers.map((server) => [server.fqdn, server]));
  project.writeFile(STATE_FILE, JSON.stringify({ ...organisation, servers: { ...organisation.servers, ...all } }));
}

/** As each tool leaves them. */
function layOut({ directory }: EngineProject): void {
  const put = (place: string, bytes: Uint8Array): void => {
    mkdirSync(path.dirname(path.join(directory, place)), { recursive: true });
    writeFileSync(path.join(directory, place), bytes);
  };
  const file = (name: string): Buffer => readFileSync(path.join(FIXTURES, name));
  const live = "certbot/live/mail.contoso.com";
  const material = readPemHere({
    certificate: file(`${live}/fullchain.pem`),
    privateKey: new Secret(file(`${live}/privkey.pem`)),
  });
  const pfx = (password: string): Uint8Array => packPfx(material, new Secret(password)).reveal();
  put("Certificates/mail.contoso.com.pfx", pfx(PASSWORD));
  put("Certificates/exported/mail.contoso.com.pfx", pfx(""));
  put("AppData/Posh-ACME/LE_PROD/12345678/mail.contoso.com/fullchain.pfx", pfx("poshacme"));
  cpSync(path.join(FIXTURES, "lego"), path.join(directory, ".lego"), { recursive: true });
  cpSync(path.join(FIXTURES, "certbot"), path.join(directory, "letsencrypt"), { recursive: true });
  cpSync(path.join(FIXTURES, "acme.sh", "installed"), path.join(directory, "exchange"), { recursive: true });
  for (const order of ["lego", "lego-ec"]) {
    cpSync(path.join(FIXTURES, order), path.join(directory, "issued", order), { recursive: true });
  }
  put("mail.pfx.base64", Buffer.from(Buffer.from(pfx("")).toString("base64")));
}

describe("the ways in which renewed certificates come", () => {
  it("are programs that bind them, and one whose certificate isn't known yet is previewed in two steps", async () => {
    const env = {
      MAIL_PFX_PASSWORD: PASSWORD,
      POSH_ACME_PFX_PASSWORD: "poshacme",
      LOCALAPPDATA: "AppData",
      ORDER: "lego",
    };
    const project = await makeProject({
      program: wholeProgram(),
      files: { "issuer.cjs": ISSUER },
      config: { "exchange:backend": "simulator" },
      env,
    });
    mustSucceed(await project.simulator("init"));
    makeServers(project);
    layOut(project);
    mustSucceed(await project.pulumi("config", "set", "--secret", "mailPfx", project.readFile("mail.pfx.base64")));

    mustSucceed(await project.up("--skip-preview"));
    const bindings = (await project.resources()).filter(({ type }) => type.includes("ExchangeCertificateBinding"));
    expect(bindings).toHaveLength(programs.length);
    for (const { outputs } of bindings) {
      expect(outputs).toMatchObject({ heldServices: ["IIS", "SMTP"] });
      expect(outputs?.["dnsNames"]).toContain("mail.contoso.com");
    }
    mustSucceed(await project.preview("--expect-no-changes"));

    // A renewal that isn't known before: alone it can't say which certificate comes; after the first step it can.
    project.setProgram(wholeProgram().replace("process.env.ORDER", '"lego-ec"'));
    const before = mustSucceed(await project.preview());
    expect(before.combined).toContain("1 to replace");
    expect(before.combined).not.toContain("comes:");
    const urn = (await project.resources()).find(({ type }) => type.endsWith("test:Certificate"))?.urn ?? "";
    mustSucceed(await project.up("--skip-preview", "--target", urn));
    const after = mustSucceed(await project.preview());
    expect(after.combined).toContain("comes:");
    mustSucceed(await project.up("--skip-preview"));
    mustSucceed(await project.preview("--expect-no-changes"));
  });
});
