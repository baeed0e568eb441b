import { readFileSync } from "node:fs";
import path from "node:path";

import { EX01, defaultSmtpOf, enableByHand, frontEndOf } from "./bindingProgram";
import { makeProject, mustSucceed } from "./engine";
import { formsOfPassword, leaksIn, leftBehind } from "./leaks";
import { PASSWORD, remoteConfig, serve } from "./served";

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
    expect(preview.combined).toContain(`IIS leaves ${builtIn}`);
    expect(preview.combined).toContain(`the default SMTP certificate stays ${builtIn}`);
    expect(await frontEndOf(project, EX01)).toBe(builtIn);

    mustSucceed(await project.up("--skip-preview"));
    const made = await frontEndOf(project, EX01);
    expect(made).not.toBe(builtIn);
    expect(await defaultSmtpOf(project, EX01)).toBe(builtIn);
    mustSucceed(await project.preview("--expect-no-changes"));

    await enableByHand(project, EX01, builtIn, "IIS");
    const drifted = await project.preview("--expect-no-changes");
    expect(drifted.exitCode).not.toBe(0);
    expect(drifted.combined).toContain(`DRIFT: IIS is now held by ${builtIn}`);
    mustSucceed(await project.refresh());
    const [refreshed] = await project.resources();
    expect(refreshed?.outputs?.["heldServices"]).toEqual(["SMTP"]);
    expect(mustSucceed(await project.up("--skip-preview")).combined).toContain("1 updated");
    expect(await frontEndOf(project, EX01)).toBe(made);

    const withoutIis = program.replace('services: ["IIS", "SMTP"]', 'services: ["SMTP"]');
    expect(withoutIis).not.toBe(program);
    project.setProgram(withoutIis);
    const removed = mustSucceed(await project.preview());
    expect(removed.combined).toContain(`IIS is NOT released: it stays on ${made}`);
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
