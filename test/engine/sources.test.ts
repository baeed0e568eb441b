import {
  EX01,
  certificatesOf,
  makeBindings,
  makePfx,
  pfxText,
  programOf,
  type Declared,
  type TestPfx,
} from "./bindingProgram";
import { run } from "../../tools/process.cjs";
import { mustSucceed, type EngineProject } from "./engine";
import { WITH_EVENTS } from "./events";
import { formsOfPassword, leaksIn, leftBehind, secretsOf, type SecretForm } from "./leaks";
import { HOSTS, PASSWORD, USER, remoteConfig, serve } from "./served";

/** A certificate of each form of source that brings a key; selfSigned has none before the server has made one. */
interface Brought {
  readonly pfx: TestPfx;
  readonly protectedFile: TestPfx;
  readonly file: TestPfx;
  readonly pem: TestPfx;
  readonly pemFiles: TestPfx;
}
const bring = (): Brought => ({
  pfx: makePfx(),
  protectedFile: makePfx(),
  file: makePfx(),
  pem: makePfx(),
  pemFiles: makePfx(),
});

/** A binding of each; nothing is marked as secret but where the line says so. */
function declare({ pfx, file, pem }: Brought): Declared {
  const pemText = JSON.stringify({ certificate: pem.certificatePem, privateKey: pem.privateKeyPem });
  const certificates = {
    pfx: pfxText(pfx),
    protectedFile: `{ pfxFile: "protected.pfx", passwordEnv: "MAIL_PFX_PASSWORD" }`,
    file: `{ pfxFile: "mail.pfx", password: pulumi.secret(${JSON.stringify(file.password)}) }`,
    pem: `{ pem: pulumi.output(${pemText}) }`,
    pemFiles: `{ pemFiles: { certificateFile: "mail.pem", privateKeyFile: "mail.key" } }`,
    made: `{ selfSigned: { dnsNames: ["mail.contoso.com"] } }`,
  };
  return Object.fromEntries(
    Object.entries(certificates).map(([name, certificate]) => [
      name,
      `{ server: "${EX01}", certificate: ${certificate}, services: ["SMTP"] }`,
    ]),
  );
}

function putFiles(project: EngineProject, { protectedFile, file, pemFiles }: Brought): void {
  project.writeFile("protected.pfx", protectedFile.bytes);
  project.writeFile("mail.pfx", file.bytes);
  project.writeFile("mail.pem", pemFiles.certificatePem);
  project.writeFile("mail.key", pemFiles.privateKeyPem);
}

/** Drives the stack by the Automation API and keeps every event that it gives. */
const AUTOMATION = `
  const { writeFileSync } = require("node:fs");
  const { LocalWorkspace } = require("@pulumi/pulumi/automation");
  (async () => {
    const stack = await LocalWorkspace.selectStack({ stackName: "test", workDir: process.cwd() });
    const events = [];
    const onEvent = (event) => events.push(event);
    const previewed = await stack.preview({ onEvent });
    const made = await stack.up({ onEvent });
    writeFileSync("automation.json", JSON.stringify({ events, previewed, made, outputs: await stack.outputs() }));
  })().catch((error) => { console.error(error); process.exitCode = 1; });
`;

describe("keys and passwords of every form of source", () => {
  it("are in no output of a whole run: console, events, state, Automation API, doctor, traces", async () => {
    const [first, renewed] = [bring(), bring()];
    // One variable for both: the run in between reads the file of the day with it.
    const protectedBy = first.protectedFile.password;
    const project = await makeBindings(
      {},
      {
        program: programOf(declare(first)),
        env: {
          ...HOSTS,
          ...WITH_EVENTS,
          EXCHANGE_TRACE: "1",
          EXCHANGE_PASSWORD: PASSWORD,
          MAIL_PFX_PASSWORD: protectedBy,
        },
      },
    );
    const served = await serve(project);
    const url = `https://localhost:${String(served.port)}/PowerShell/`;
    const config = remoteConfig(url, { "exchange:caFile": "exchange-simulator-ca.pem" });
    project.writeFile("Pulumi.test.yaml", JSON.stringify({ config }));
    putFiles(project, first);
    mustSucceed(await project.preview("--json", "--event-log", "preview.json", "--save-plan", "plan.json"));
    mustSucceed(await project.up("--json", "--skip-preview", "--event-log", "up.json", "--plan", "plan.json"));

    project.setProgram(`${programOf(declare(renewed))}
      exports.got = ExchangeCertificateBinding.get("got", "${EX01}/${first.pfx.thumbprint}").subject;
    `);
    putFiles(project, { ...renewed, protectedFile: first.protectedFile });
    project.writeFile("automation.cjs", AUTOMATION);
    const automated = mustSucceed(
      await run(process.execPath, ["automation.cjs"], {
        cwd: project.directory,
        env: project.environment(),
        timeLimitSeconds: 300,
      }),
    );
    expect(project.readFile("automation.json")).toContain('"got"');
    const exported = mustSucceed(await project.pulumi("stack", "export", "--show-secrets"));
    expect(exported.stdout).toContain(renewed.pem.thumbprint);
    const account = ["--endpoint", url, "--authentication", "basic", "--username", USER];
    const authority = ["--ca-file", "exchange-simulator-ca.pem"];
    const examined = await project.exchangeCertificates("doctor", "--server", EX01, ...account, ...authority, "--json");
    expect(examined.stdout).toContain('"session"');
    expect(examined.stderr).toContain("Basic accepted");

    // The engine gives back the form that it has, and the process has no key: the files are read again.
    const again = { protectedFile: first.protectedFile, pemFiles: renewed.pemFiles };
    const { protectedFile = "", pemFiles = "" } = declare(renewed);
    const ignoring = (what: string): string =>
      programOf({
        protectedFile: `${protectedFile}, { ignoreChanges: ["${what}"] }`,
        pemFiles: `${pemFiles}, { ignoreChanges: ["${what}"] }`,
      });
    for (const { thumbprint } of Object.values(again)) {
      const args = ["-Server", EX01, "-Thumbprint", thumbprint, "-Confirm:$false"];
      mustSucceed(await project.simulator("Remove-ExchangeCertificate", ...args));
    }
    project.setProgram(ignoring("certificate"));
    mustSucceed(await project.up("--skip-preview"));
    const there = (await certificatesOf(project, EX01)).map(({ Thumbprint }) => Thumbprint);
    expect(there).toEqual(expect.arrayContaining(Object.values(again).map(({ thumbprint }) => thumbprint)));
    // A part of it is no way: the engine mixes, or takes away what it doesn't find in the state.
    for (const part of ["certificate.form", "certificate.pfxFile"]) {
      project.setProgram(ignoring(part));
      const refused = await project.preview();
      expect(refused.exitCode).not.toBe(0);
      expect(refused.combined).toMatch(/ignoreChanges (names a part of it, )?name `certificate` as a whole/);
    }

    const secrets: SecretForm[] = [...formsOfPassword("the password of the account", PASSWORD)];
    for (const one of [first, renewed]) {
      for (const [source, pfx] of Object.entries(one)) {
        secrets.push(...secretsOf(pfx as TestPfx).map(([name, text]): SecretForm => [`${name} (${source})`, text]));
      }
    }
    const everything = {
      ...leftBehind(project),
      "the events of preview": project.readFile("preview.json"),
      "the events of up": project.readFile("up.json"),
      "the saved plan": project.readFile("plan.json"),
      "the events of the Automation API": project.readFile("automation.json"),
      "what its program printed": automated.combined,
      "the endpoint's output": served.outputText(),
    };
    for (const [where, text] of Object.entries(everything)) {
      expect({ where, leaks: leaksIn(text, secrets) }).toEqual({ where, leaks: [] });
    }
  });
});
