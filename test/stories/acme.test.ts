import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";

import { run } from "../../tools/process.cjs";
import { certificatesOf, frontEndOf } from "../engine/bindingProgram";
import { makeProject, mustSucceed, type EngineProject } from "../engine/engine";
import { PEBBLE, startAuthority, type AcmeAuthority } from "../engine/pebble";

const EXAMPLE = path.join(__dirname, "..", "..", "examples", "acme");
const SERVERS = ["ex01.contoso.com", "ex02.contoso.com", "ex03.contoso.com"];

/** Runs the example's step of renewal in the project. */
async function renew(project: EngineProject, { environment }: AcmeAuthority, days = 20): Promise<string> {
  const env = { ...process.env, ...environment, ACME_DAYS: String(days) };
  const { exitCode, combined } = await run(process.execPath, [path.join(EXAMPLE, "renew.mjs")], {
    cwd: project.directory,
    env,
    timeLimitSeconds: 300,
  });
  if (exitCode !== 0) throw new Error(combined);
  return combined;
}

const thumbprintIn = (project: EngineProject): string =>
  new X509Certificate(readFileSync(path.join(project.directory, "tls", "cert.pem"))).fingerprint.replaceAll(":", "");

// Built from Go modules; where there is no Go there is no authority to ask.
(PEBBLE === undefined ? describe.skip : describe)("the example of a certificate by ACME", () => {
  it("is issued, bound on three servers, renewed, and renewed by another authority, with nothing left to do by hand", async () => {
    const authority = await startAuthority(PEBBLE ?? "");
    try {
      const file = (name: string): string => readFileSync(path.join(EXAMPLE, name), "utf8");
      const project = await makeProject({
        language: "TypeScript",
        program: file("index.ts"),
        files: { "Pulumi.yaml": file("Pulumi.yaml"), "package.json": file("package.json") },
      });
      mustSucceed(await project.simulator("init"));
      mustSucceed(await project.simulator("add-server", "ex03.contoso.com"));

      expect(await renew(project, authority)).toContain("Renewed: 46 days are left.");
      mustSucceed(await project.up("--skip-preview"));
      expect(await renew(project, authority)).toContain("46 days are left: nothing to do.");
      mustSucceed(await project.preview("--expect-no-changes"));
      const first = thumbprintIn(project);
      for (const server of SERVERS) expect(await frontEndOf(project, server)).toBe(first);

      // Another root and another issuer, as an authority that takes turns.
      await authority.restart();
      expect(await renew(project, authority, 100)).toContain("Renewed");
      const second = thumbprintIn(project);
      const preview = mustSucceed(await project.preview()).combined;
      expect(preview).toContain("3 to replace");
      expect(preview).toMatch(/goes: .*mail\.contoso\.com, without a subject; issued by CN=Pebble Intermediate CA/);
      mustSucceed(await project.up("--skip-preview"));
      mustSucceed(await project.up("--skip-preview"));
      for (const server of SERVERS) {
        expect(await frontEndOf(project, server)).toBe(second);
        expect((await certificatesOf(project, server)).map(({ Thumbprint }) => Thumbprint)).not.toContain(first);
      }
      mustSucceed(await project.preview("--expect-no-changes"));
    } finally {
      await authority.close();
    }
  });
});
