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

/** The certificate names of the connectors, as a person at a console sees them. */
async function connectorNames(project: EngineProject): Promise<readonly string[]> {
  const shown = [
    await project.simulator("Get-SendConnector", "--json"),
    ...(await Promise.all(
      SERVERS.map((server) => project.simulator("Get-ReceiveConnector", "-Server", server, "--json")),
    )),
  ].flatMap(
    (one) => JSON.parse(mustSucceed(one).stdout) as readonly { Name: string; TlsCertificateName: string | null }[],
  );
  return shown.flatMap(({ Name, TlsCertificateName: name }) => (name === null ? [] : [`${Name}: ${name}`]));
}

/** All four, naming what is in the project's folder. */
function allNaming(project: EngineProject): readonly string[] {
  const { issuer, subject } = certificateIn(project);
  const connectors = ["Outbound to Internet", ...["EX01", "EX02", "EX03"].map((one) => `Default Frontend ${one}`)];
  return connectors.map((one) => `${one}: <I>${issuer}<S>${subject}`);
}

const certificateIn = (project: EngineProject): X509Certificate =>
  new X509Certificate(readFileSync(path.join(project.directory, "tls", "cert.pem")));

const thumbprintIn = (project: EngineProject): string => certificateIn(project).fingerprint.replaceAll(":", "");

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
      expect(await connectorNames(project)).toEqual(allNaming(project));

      // Another root and another issuer, as an authority that takes turns.
      await authority.restart();
      expect(await renew(project, authority, 100)).toContain("Renewed");
      const second = thumbprintIn(project);
      const preview = mustSucceed(await project.preview()).combined;
      expect(preview).toContain("3 to replace");
      expect(preview).toMatch(/goes: .*CN=mail\.contoso\.com; issued by CN=Pebble Intermediate CA/);
      expect(preview).toContain('send connector "Outbound to Internet"');
      expect(preview).toContain("so Exchange doesn't let it go until that names the new one");
      expect(preview).not.toContain("Set-SendConnector");
      const up = mustSucceed(await project.up("--skip-preview")).combined;
      expect(up.match(/removed \w{8} \(mail\.contoso\.com, 46 days left\)/g)).not.toBeNull();
      for (const server of SERVERS) {
        expect(await frontEndOf(project, server)).toBe(second);
        expect((await certificatesOf(project, server)).map(({ Thumbprint }) => Thumbprint)).not.toContain(first);
      }
      expect(await connectorNames(project)).toEqual(allNaming(project));
      mustSucceed(await project.preview("--expect-no-changes"));
    } finally {
      await authority.close();
    }
  });
});
