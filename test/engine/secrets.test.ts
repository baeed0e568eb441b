import { EX01, EX02, makeBindings, makePfx, pfxText, programOf, type TestPfx } from "./bindingProgram";
import { mustSucceed } from "./engine";
import { leaksIn, leftBehind, secretsOf } from "./leaks";

describe("secrets", () => {
  it("are found by this test when they are there", () => {
    const pfx = makePfx();
    const secrets = secretsOf(pfx);
    expect(leaksIn(`x ${pfx.password} y`, secrets)).toContain("the password");
    expect(leaksIn(`x ${Buffer.from(`abcd${pfx.password}`).toString("base64")}`, secrets)).not.toEqual([]);
    expect(leaksIn(pfx.privateKeyPem, secrets)).not.toEqual([]);
    expect(leaksIn(JSON.stringify({ pfx: pfx.base64 }), secrets)).not.toEqual([]);
    expect(leaksIn(Buffer.from(pfx.bytes).toString("hex").toUpperCase(), secrets)).not.toEqual([]);
    expect(leaksIn("nothing of it", secrets)).toEqual([]);
  });

  it("are nowhere in clear after a full run, although the program never marked them as secret", async () => {
    const given = makePfx();
    const renewed = makePfx();
    const asPem = makePfx({ key: "rsa2048b" });
    const pemText = JSON.stringify({ pem: { certificate: asPem.certificatePem, privateKey: asPem.privateKeyPem } });
    const declare = (pfx: TestPfx, services: string): string =>
      `{ server: "${EX01}", certificate: ${pfxText(pfx)}, services: ${services} }`;
    const second = `{ server: "${EX02}", certificate: pulumi.output(${pemText}), services: ["SMTP"] }`;
    const project = await makeBindings(
      { mail: declare(given, '["SMTP"]'), second },
      {
        // The file of events is an option of those who work on the engine.
        env: { EXCHANGE_TRACE: "1", PULUMI_DEBUG_COMMANDS: "true" },
      },
    );
    mustSucceed(await project.preview("--diff"));
    mustSucceed(await project.up("--diff"));
    mustSucceed(await project.preview("--json"));
    project.setProgram(programOf({ mail: declare(given, '["SMTP", "IIS"]'), second }));
    mustSucceed(await project.simulator("fault", EX01, "enableHasNoEffectOn", "IIS"));
    expect((await project.up("--skip-preview")).exitCode).not.toBe(0);
    mustSucceed(await project.simulator("fault", EX01, "enableHasNoEffectOn", "off"));
    mustSucceed(await project.up("--skip-preview", "--json", "--event-log", "events.json"));
    mustSucceed(await project.refresh("--diff"));
    project.setProgram(programOf({ mail: declare(renewed, '["SMTP", "IIS"]'), second }));
    mustSucceed(await project.up("--diff"));
    project.setProgram(
      programOf({ mail: declare({ ...renewed, password: `${renewed.password}x` }, '["SMTP"]'), second }),
    );
    expect((await project.preview("--diff")).exitCode).not.toBe(0);
    const misfit = JSON.stringify({ pem: { certificate: given.certificatePem, privateKey: asPem.privateKeyPem } });
    const misplaced = JSON.stringify(given.password);
    project.setProgram(
      programOf({ mail: `{ server: "${EX01}", certificate: ${misfit}, services: ["SMTP"], password: ${misplaced} }` }),
    );
    const refused = await project.preview("--diff");
    expect(refused.combined).toContain("certificate: ");
    expect(refused.combined).toContain("password: ");
    mustSucceed(await project.pulumi("stack", "export", "--show-secrets"));
    const state = leftBehind(project);
    mustSucceed(await project.destroy());

    const secrets = [...secretsOf(given), ...secretsOf(renewed), ...secretsOf(asPem)];
    for (const [where, text] of Object.entries({
      ...leftBehind(project),
      "the state before destroy": state["the state"] ?? "",
      "the engine's events": project.readFile("events.json"),
    })) {
      expect({ where, leaks: leaksIn(text, secrets) }).toEqual({ where, leaks: [] });
    }
  });

  it("don't even reach the engine's own logs when the program names files: pfxFile with passwordEnv, pemFiles", async () => {
    const pfx = makePfx();
    const asPem = makePfx({ key: "rsa2048b" });
    const project = await makeBindings(
      {
        mail: `{ server: "${EX01}", certificate: { pfxFile: "mail.pfx", passwordEnv: "MAIL_PFX_PASSWORD" }, services: ["SMTP"] }`,
        web: `{ server: "${EX02}", certificate: { pemFiles: { certificateFile: "mail.pem", privateKeyFile: "mail.key" } }, services: ["SMTP"] }`,
      },
      {
        env: { MAIL_PFX_PASSWORD: pfx.password },
        files: { "mail.pfx": pfx.bytes, "mail.pem": asPem.certificatePem, "mail.key": asPem.privateKeyPem },
      },
    );
    mustSucceed(await project.up("--skip-preview", "--logtostderr", "-v=9", "--tracing", "file:./engine.trace"));
    mustSucceed(await project.refresh("--logtostderr", "-v=9"));
    const secrets = [...secretsOf(pfx), ...secretsOf(asPem)];
    const everything = { ...leftBehind(project), "the engine's trace": project.readFile("engine.trace") };
    for (const [where, text] of Object.entries(everything)) {
      expect({ where, leaks: leaksIn(text, secrets) }).toEqual({ where, leaks: [] });
    }
  });
});
