import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";

import {
  EX01,
  EX02,
  STATE_FILE,
  certificatesOf,
  frontEndOf,
  makePfx,
  pfxText,
  programOf,
} from "../engine/bindingProgram";
import { makeProject, mustSucceed, type EngineProject } from "../engine/engine";
import { leaksIn, leftBehind, secretsOf, formsOfPassword } from "../engine/leaks";
import { makeNative, NATIVE_CLASSES, NATIVE_PROJECT_FILE, nativeProgramOf, TOKEN } from "../engine/nativeProgram";
import { PASSWORD, serve, USER } from "../engine/served";

/** The simulator, whose calls that enable services hang as long as there is a file "hang". */
const HANGING_ADAPTER = `
  const { existsSync, writeFileSync } = require("node:fs");
  const { join } = require("node:path");
  const { openSimulator } = require("pulumi-exchange-certificates/simulator");
  exports.createBackend = ({ programDirectory, say }) => {
    const backend = openSimulator({ file: join(programDirectory, "${STATE_FILE}"), say });
    return {
      ...Object.fromEntries(Object.entries(backend)),
      kind: "hanging",
      enableServices: (...args) => {
        if (!existsSync(join(programDirectory, "hang"))) return backend.enableServices(...args);
        writeFileSync(join(programDirectory, "hanging"), "");
        return new Promise(() => undefined);
      },
    };
  };
`;

/** Runs \`pulumi up\` until a file is there, presses Ctrl-C, and gives what was printed. */
async function interrupted(
  project: EngineProject,
  until: string,
): Promise<{ exitCode: number | null; output: string }> {
  const pulumi = path.join(process.env["HARNESS_PULUMI"] ?? "", "pulumi");
  const child = spawn(pulumi, ["up", "--yes", "--skip-preview", "--non-interactive"], {
    cwd: project.directory,
    env: project.environment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: Buffer) => (output += text.toString()));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const interrupt = (): void => {
    if (!existsSync(path.join(project.directory, until))) return;
    clearInterval(look);
    child.kill("SIGINT");
  };
  const look = setInterval(interrupt, 50);
  const exitCode = await ended;
  clearInterval(look);
  return { exitCode, output };
}

describe("the native plugin", () => {
  it("ends at Ctrl-C although a server hangs, remembers how far it came, and the next run goes on", async () => {
    const pfx = makePfx();
    const project = await makeNative(
      nativeProgramOf({ mail: `{ server: "${EX01}", certificate: ${pfxText(pfx)}, services: ["SMTP", "IIS"] }` }),
      { config: { "exchange:backend": "./adapter.cjs" }, files: { "adapter.cjs": HANGING_ADAPTER, hang: "" } },
    );
    mustSucceed(await project.simulator("init"));
    const { exitCode, output } = await interrupted(project, "hanging");
    expect(exitCode).not.toBe(0);
    expect(output).toContain(`Binding "mail" on ${EX01}: Pulumi was told to stop.`);
    expect(output).toContain("imported");
    const [half] = await project.resources();
    expect(half).toMatchObject({ id: `${EX01}/${pfx.thumbprint}` });

    project.removeFile("hang");
    mustSucceed(await project.up("--skip-preview"));
    expect(await frontEndOf(project, EX01)).toBe(pfx.thumbprint);
    mustSucceed(await project.preview("--expect-no-changes"));
  });

  it("takes over a dynamic stack by the alias, without a change", async () => {
    const first = makePfx();
    const bindings = {
      mail: `{ server: "${EX01}", certificate: ${pfxText(first)}, services: ["SMTP", "IIS"], connectors: { receive: ["Relay"] } }`,
      made: `{ server: "${EX02}", certificate: { selfSigned: { dnsNames: ["mail.contoso.com"] } }, services: ["SMTP"] }`,
      uses: `{ server: "${EX02}", certificate: { thumbprint: made.thumbprint }, services: ["IIS"], onDelete: "retain" }`,
    };
    const project = await makeProject({ program: programOf(bindings), config: { "exchange:backend": "simulator" } });
    mustSucceed(await project.simulator("init"));
    mustSucceed(await project.simulator("connector", EX01, "Relay"));
    mustSucceed(await project.up("--skip-preview"));
    const before = await project.resources();

    project.writeFile("Pulumi.yaml", NATIVE_PROJECT_FILE);
    // As a generated SDK gives them: defaults, written out.
    const defaults = ", onServiceRemoved: 'refuse', timeoutSeconds: 300, requireSsl: true }";
    project.setProgram(nativeProgramOf({ ...bindings, mail: bindings.mail.replace(/ \}$/, defaults) }));
    mustSucceed(await project.preview("--expect-no-changes"));
    expect(mustSucceed(await project.up("--skip-preview")).combined).toMatch(/Resources:\s+4 unchanged/);
    const moved = await project.resources();
    expect(moved.map(({ type }) => type)).toEqual([TOKEN, TOKEN, TOKEN]);
    expect(moved.map(({ id }) => id).toSorted()).toEqual(before.map(({ id }) => id).toSorted());
    mustSucceed(await project.refresh("--expect-no-changes"));
    mustSucceed(await project.preview("--expect-no-changes"));
  });

  it("imports by the id: on the command line, and with the option", async () => {
    const project = await makeNative(nativeProgramOf({}));
    const own = await frontEndOf(project, EX01);
    const other = await frontEndOf(project, EX02);
    const certificates = await certificatesOf(project, EX01);
    const auth = certificates.find(({ Subject }) => Subject.includes("Auth Certificate"))?.Thumbprint ?? "";
    const refused = await project.pulumi("import", TOKEN, "auth", `${EX01}/${auth}`, "--yes");
    expect(refused.exitCode).not.toBe(0);
    expect(refused.combined).toContain("is an Auth certificate of the organisation");
    // The code is printed by the language's host, which may be too old for it; what is stored is what counts.
    await project.pulumi("import", TOKEN, "own", `${EX01}/${own}`, "--yes", "--skip-preview", "--protect=false");
    const wish = (server: string, thumbprint: string): string =>
      `{ server: "${server}", certificate: { thumbprint: "${thumbprint}" }, services: ["IIS", "IMAP", "POP", "SMTP"] }`;
    project.setProgram(nativeProgramOf({ own: wish(EX01, own) }));
    mustSucceed(await project.preview("--expect-no-changes"));
    project.setProgram(
      `${nativeProgramOf({ own: wish(EX01, own) })}
       new ExchangeCertificateBinding("other", ${wish(EX02, other)}, { import: "${EX02}/${other}" });`,
    );
    expect(mustSucceed(await project.up("--skip-preview")).combined).toContain("1 imported");
    mustSucceed(await project.preview("--expect-no-changes"));
  });

  it("serves two organisations in one program, whatever a third one's endpoint and password say", async () => {
    const pfx = makePfx();
    const thirdPassword = "the-password-of-a-third-organisation";
    const provider = (name: string, port: number, ca: string, more = ""): string => `
      const ${name} = new Provider("${name}", {
        backend: "remote", authentication: "basic", endpoint: "https://localhost:${String(port)}/PowerShell/",
        username: "${USER}", password: process.env.BOTH_PASSWORD, caFile: "${ca}"${more}
      });
      new ExchangeCertificateBinding("mail-of-${name}", {
        server: "${EX01}", certificate: ${pfxText(pfx)}, services: ["IIS"],
      }, { provider: ${name} });`;
    const project = await makeNative("", {
      config: {},
      env: {
        BOTH_PASSWORD: PASSWORD,
        EXCHANGE_BACKEND: "remote",
        EXCHANGE_ENDPOINT: "https://localhost:1/PowerShell/",
        EXCHANGE_USERNAME: "third",
        EXCHANGE_PASSWORD: thirdPassword,
      },
    });
    mustSucceed(await project.simulator("init"));
    mustSucceed(await project.simulator("init", "--file", "second.json"));
    const first = await serve(project);
    const second = await serve(project, "--file", "second.json", "--ca-file", "second-ca.pem");
    const program = (more = ""): string =>
      `${NATIVE_CLASSES}${provider("first", first.port, "exchange-simulator-ca.pem", more)}${provider("second", second.port, "second-ca.pem")}`;
    project.setProgram(program());
    const made = mustSucceed(await project.up("--skip-preview"));
    expect(made.combined).toContain('Provider "first" has a configuration of its own');
    expect(made.combined).toContain('Provider "second" has a configuration of its own');
    expect(await frontEndOf(project, EX01)).toBe(pfx.thumbprint);
    const inSecond = mustSucceed(
      await project.simulator("Get-ExchangeCertificate", "-Server", EX01, "--file", "second.json", "--json"),
    );
    expect(inSecond.stdout).toContain(pfx.thumbprint);

    // Another configuration is a change of the provider resource, and of nothing else.
    project.setProgram(program(", operationTimeoutSeconds: 30"));
    expect(await project.plan()).toEqual([]);
    const changed = mustSucceed(await project.up("--skip-preview", "--diff"));
    expect(changed.combined).not.toContain("replace");
    mustSucceed(await project.refresh("--skip-preview", "--expect-no-changes"));

    const secrets = [
      ...secretsOf(pfx),
      ...formsOfPassword("the endpoint's password", PASSWORD),
      ...formsOfPassword("the third organisation's password", thirdPassword),
    ];
    for (const [where, text] of Object.entries(leftBehind(project))) {
      expect({ where, leaks: leaksIn(text, secrets) }).toEqual({ where, leaks: [] });
    }
    mustSucceed(await project.destroy("--skip-preview"));
  });
});
