import { readFileSync } from "node:fs";
import path from "node:path";

import { EX01, EX02, certificatesOf, defaultSmtpOf, enableByHand, frontEndOf, programOf } from "./bindingProgram";
import { makeProject, mustSucceed } from "./engine";
import { formsOfPassword, leaksIn, leftBehind } from "./leaks";
import { HOSTS, PASSWORD, remoteConfig, serve } from "./served";

const QUICKSTART = path.join(__dirname, "..", "..", "examples", "quickstart");

describe("the quick start on servers behind remote PowerShell", () => {
  it("is previewed, made, unchanged, drifted, refreshed, repaired, replaced and forgotten", async () => {
    const program = readFileSync(path.join(QUICKSTART, "index.ts"), "utf8");
    const project = await makeProject({ language: "TypeScript", program, env: { EXCHANGE_TRACE: "1" } });
    mustSucceed(await project.simulator("init"));
    const served = await serve(project);
    const entry = `https://localhost:${String(served.port)}/PowerShell/`;
    const config = remoteConfig(entry, { "exchange:caFile": "exchange-simulator-ca.pem" });
    project.writeFile("Pulumi.test.yaml", JSON.stringify({ config }));
    mustSucceed(await project.pulumi("config", "set", "--secret", "exchange:password", PASSWORD));
    const builtIn = await frontEndOf(project, EX01);

    const preview = mustSucceed(await project.preview());
    expect(preview.combined).toContain(`IIS leaves ${builtIn.slice(0, 8)}`);
    expect(preview.combined).toContain(`the default SMTP certificate stays ${builtIn.slice(0, 8)}`);
    expect(await frontEndOf(project, EX01)).toBe(builtIn);

    mustSucceed(await project.up("--skip-preview"));
    const made = await frontEndOf(project, EX01);
    expect(made).not.toBe(builtIn);
    expect(await defaultSmtpOf(project, EX01)).toBe(builtIn);
    mustSucceed(await project.preview("--expect-no-changes"));

    await enableByHand(project, EX01, builtIn, "IIS");
    const drifted = await project.preview("--expect-no-changes");
    expect(drifted.exitCode).not.toBe(0);
    expect(drifted.combined).toContain(`DRIFT: IIS is now held by ${builtIn.slice(0, 8)}`);
    mustSucceed(await project.refresh());
    const [refreshed] = await project.resources();
    expect(refreshed?.outputs?.["heldServices"]).toEqual(["SMTP"]);
    expect(mustSucceed(await project.up("--skip-preview")).combined).toContain("1 updated");
    expect(await frontEndOf(project, EX01)).toBe(made);

    const withoutIis = program.replace('services: ["IIS", "SMTP"]', 'services: ["SMTP"]');
    expect(withoutIis).not.toBe(program);
    project.setProgram(withoutIis);
    const removed = mustSucceed(await project.preview());
    expect(removed.combined).toContain(`IIS is NOT released: it stays on ${made.slice(0, 8)}`);
    mustSucceed(await project.up("--skip-preview"));
    const [replacement] = await project.resources();
    expect(replacement?.outputs?.["thumbprint"]).not.toBe(made);
    expect(replacement?.outputs?.["staysBehind"]).toEqual([{ service: "IIS", thumbprint: made }]);
    expect(replacement?.outputs?.["backend"]).toBe("remote");
    mustSucceed(await project.refresh("--expect-no-changes"));

    mustSucceed(await project.destroy("--skip-preview"));
    expect(await project.resources()).toEqual([]);
    expect(await frontEndOf(project, EX01)).toBe(made);
    expect(await defaultSmtpOf(project, EX01)).toBe(builtIn);

    for (const [where, text] of Object.entries(leftBehind(project))) {
      // The command with which somebody sets it is the one place where it stands.
      const seen = text.replace(/^\$ pulumi config set .*$/gm, "");
      expect({ where, leaks: leaksIn(seen, formsOfPassword("the endpoint's password", PASSWORD)) }).toEqual({
        where,
        leaks: [],
      });
    }
  });
});

describe("several servers", () => {
  it("are reached through one of them, or each through its own endpoint", async () => {
    const on = (server: string): string =>
      `{ server: "${server}", certificate: { selfSigned: { dnsNames: ["mail.contoso.com"] } }, services: ["SMTP"] }`;
    const project = await makeProject({
      program: programOf({ first: on(EX01), second: on(EX02) }),
      env: { ...HOSTS, EXCHANGE_PASSWORD: PASSWORD },
    });
    mustSucceed(await project.simulator("init"));
    const served = await serve(project);
    const reachThrough = (host: string): void => {
      const config = remoteConfig(`https://${host}:${String(served.port)}/PowerShell/`, {
        "exchange:caFile": "exchange-simulator-ca.pem",
        "exchange:servers": `${EX01},${EX02}`,
      });
      project.writeFile("Pulumi.test.yaml", JSON.stringify({ config }));
    };

    reachThrough(EX01);
    mustSucceed(await project.up("--skip-preview"));
    const made = await project.resources();
    for (const server of [EX01, EX02]) {
      const thumbprint = made.find(({ id }) => id?.startsWith(`${server}/`) === true)?.outputs?.["thumbprint"];
      expect(await certificatesOf(project, server)).toContainEqual(
        expect.objectContaining({ Thumbprint: thumbprint, Services: "SMTP" }),
      );
    }
    reachThrough("{server}");
    mustSucceed(await project.preview("--expect-no-changes"));

    // Only where the entry is the server that has failed, the other one is out of reach with it.
    mustSucceed(await project.simulator("fault", EX01, "unreachable", "on"));
    project.setProgram(programOf({ second: on(EX02) }));
    mustSucceed(await project.preview());
    reachThrough(EX01);
    const refused = await project.preview();
    expect(refused.exitCode).not.toBe(0);
    expect(refused.combined).toContain(`https://${EX01}`);
  });
});
