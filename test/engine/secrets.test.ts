import { createPrivateKey } from "node:crypto";

import { EX01, EX02, STATE_FILE, makeBindings, makePfx, pfxText, programOf, type TestPfx } from "./bindingProgram";
import { mustSucceed, type EngineProject } from "./engine";

/** Every form in which a secret usually leaks, each long enough not to be met by chance. */
function formsOf(name: string, bytes: Uint8Array): [string, string][] {
  const buffer = Buffer.from(bytes);
  const forms: [string, string][] = [[`${name} in hex`, buffer.toString("hex")]];
  // Base64 of something that contains it depends on where it begins: leave out what the neighbours could change.
  for (const shift of [0, 1, 2]) {
    const shifted = Buffer.concat([Buffer.alloc(shift), buffer]).toString("base64");
    forms.push([`${name} in base64 (shifted by ${String(shift)})`, shifted.slice(shift === 0 ? 0 : 4, -4)]);
  }
  return forms;
}

/** Long secrets are looked for in pieces too: PEM breaks lines, and logs cut. */
function piecesOf(name: string, text: string): [string, string][] {
  return Array.from({ length: Math.floor(text.length / 64) }, (_, index) => [
    `line ${String(index + 1)} of ${name}`,
    text.slice(index * 64, index * 64 + 64),
  ]);
}

function secretsOf(pfx: TestPfx): [string, string][] {
  const key = createPrivateKey(pfx.privateKeyPem);
  const pkcs8 = key.export({ type: "pkcs8", format: "der" });
  const pkcs1 = key.export({ type: "pkcs1", format: "der" });
  const password = Buffer.from(pfx.password);
  const { d = "" } = key.export({ format: "jwk" });
  return [
    ["the password", pfx.password],
    ...formsOf("the password", password),
    ...formsOf("the password in UTF-16", Buffer.from(pfx.password, "utf16le")),
    ...piecesOf("the PFX in base64", pfx.base64),
    ...piecesOf("the PFX in hex", Buffer.from(pfx.bytes).toString("hex")),
    // The head of a key is the same for every key; its body is not.
    ...piecesOf("the key (PKCS#8)", pkcs8.toString("base64")).slice(1),
    ...piecesOf("the key (PKCS#1)", pkcs1.toString("base64")).slice(1),
    ...piecesOf("the key in hex", pkcs8.toString("hex")).slice(1),
    ["the private exponent", d],
  ];
}

function leaksIn(text: string, secrets: readonly [string, string][]): string[] {
  const lower = text.toLowerCase();
  return secrets.filter(([, form]) => text.includes(form) || lower.includes(form.toLowerCase())).map(([name]) => name);
}

/** Everything a run has left behind: state, settings, what was printed, and the simulated organisation. */
function leftBehind(project: EngineProject): Readonly<Record<string, string>> {
  return {
    "the state": project.stateText(),
    "the output": project.transcriptText(),
    "the simulator's file": project.readFile(STATE_FILE),
  };
}

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
    const project = await makeBindings({ mail: declare(given, '["SMTP"]'), second }, { env: { EXCHANGE_TRACE: "1" } });
    mustSucceed(await project.preview("--diff"));
    mustSucceed(await project.up("--diff"));
    mustSucceed(await project.preview("--json"));
    project.setProgram(programOf({ mail: declare(given, '["SMTP", "IIS"]'), second }));
    mustSucceed(await project.simulator("fault", EX01, "enableHasNoEffectOn", "IIS"));
    expect((await project.up("--skip-preview")).exitCode).not.toBe(0);
    mustSucceed(await project.simulator("fault", EX01, "enableHasNoEffectOn", "off"));
    mustSucceed(await project.up("--skip-preview", "--diff"));
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
    mustSucceed(await project.pulumi("stack", "export"));
    const state = leftBehind(project);
    mustSucceed(await project.destroy());

    const secrets = [...secretsOf(given), ...secretsOf(renewed), ...secretsOf(asPem)];
    for (const [where, text] of Object.entries({
      ...leftBehind(project),
      "the state before destroy": state["the state"] ?? "",
    })) {
      expect({ where, leaks: leaksIn(text, secrets) }).toEqual({ where, leaks: [] });
    }
  });

  it("don't even reach the engine's own logs when they are given as pfxFile and passwordEnv", async () => {
    const pfx = makePfx();
    const project = await makeBindings(
      {
        mail: `{ server: "${EX01}", certificate: { pfxFile: "mail.pfx", passwordEnv: "MAIL_PFX_PASSWORD" }, services: ["SMTP"] }`,
      },
      { env: { MAIL_PFX_PASSWORD: pfx.password }, files: { "mail.pfx": pfx.bytes } },
    );
    mustSucceed(await project.up("--skip-preview", "--logtostderr", "-v=9", "--tracing", "file:./engine.trace"));
    mustSucceed(await project.refresh("--logtostderr", "-v=9"));
    const everything = { ...leftBehind(project), "the engine's trace": project.readFile("engine.trace") };
    for (const [where, text] of Object.entries(everything)) {
      expect({ where, leaks: leaksIn(text, secretsOf(pfx)) }).toEqual({ where, leaks: [] });
    }
  });
});
