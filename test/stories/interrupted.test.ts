import {
  EX01,
  STATE_FILE,
  certificatesOf,
  frontEndOf,
  makeBindings,
  makePfx,
  pfxText,
  programOf,
  type TestPfx,
} from "../engine/bindingProgram";
import { mustSucceed, type EngineProject } from "../engine/engine";

/*
 * Runs that are cut off in the real engine: by a kill after one call of each kind, and by a failure that is rolled back.
 * All kill points of all scenarios: test/lifecycle in process, and `npm run kill-points` over the provider's own process.
 */

/** An adapter around the simulator that ends its process, once, right after a call of the kind that a file names. */
const ADAPTER = `
  const fs = require("node:fs");
  const { join } = require("node:path");
  const { openSimulator } = require("pulumi-exchange-certificates/simulator");
  exports.createBackend = ({ programDirectory, say }) => {
    const backend = openSimulator({ file: join(programDirectory, "${STATE_FILE}"), say });
    const die = join(programDirectory, "die");
    const wrapped = (name) => async (...args) => {
      const outcome = await backend[name](...args);
      if (fs.existsSync(die) && fs.readFileSync(die, "utf8") === name) {
        fs.rmSync(die);
        process.kill(process.pid, "SIGKILL");
        await new Promise(() => undefined);
      }
      return outcome;
    };
    const names = ["readSnapshot", "importCertificate", "enableServices", "setCertificateName",
      "setSendConnectorCertificate", "setReceiveConnectorCertificate", "removeCertificate"];
    return {
      kind: "dying",
      close: () => backend.close(),
      ...Object.fromEntries(names.map((name) => [name, wrapped(name)])),
    };
  };
`;

const [first, second, owa] = [makePfx(), makePfx(), makePfx({ dnsNames: ["owa.contoso.com"] })];
const declare = (pfx: TestPfx): string => `{
  server: "${EX01}", certificate: ${pfxText(pfx)}, services: ["POP", "SMTP"], popCertificateName: "mail.contoso.com",
  connectors: { send: ["Outbound"], receive: ["Relay"] }, onDelete: "remove", allowConnectorGap: true,
}`;

interface Connectors {
  readonly sendConnectors: readonly { readonly tlsCertificateName: string | null }[];
}
const outbound = (project: EngineProject): string | null | undefined =>
  (JSON.parse(project.readFile(STATE_FILE)) as Connectors).sendConnectors[0]?.tlsCertificateName;
const thumbprints = async (project: EngineProject): Promise<readonly string[]> =>
  (await certificatesOf(project, EX01)).map(({ Thumbprint }) => Thumbprint);

async function begin(): Promise<EngineProject> {
  const project = await makeBindings(
    { mail: declare(first) },
    { config: { "exchange:backend": "./adapter.cjs" }, files: { "adapter.cjs": ADAPTER } },
  );
  mustSucceed(await project.simulator("init"));
  mustSucceed(await project.simulator("connector", EX01, "Relay"));
  const organisation = JSON.parse(project.readFile(STATE_FILE)) as object;
  const sendConnectors = [{ name: "Outbound", fqdn: null, tlsCertificateName: null, sourceServers: ["EX01"] }];
  project.writeFile(STATE_FILE, JSON.stringify({ ...organisation, sendConnectors }));
  return project;
}

/** A run whose process is killed right after a call of that kind. */
async function killed(project: EngineProject, after: string): Promise<void> {
  project.writeFile("die", after);
  const run = await project.up("--skip-preview");
  expect({ after, exitCode: run.exitCode }).not.toMatchObject({ exitCode: 0 });
  expect(() => project.readFile("die")).toThrow();
}

it("a run that is killed after any kind of call is gone on with by the next, also in the gap of a connector; one that fails is rolled back", async () => {
  const project = await begin();
  for (const call of [
    "importCertificate",
    "setCertificateName",
    "enableServices",
    "setReceiveConnectorCertificate",
    "setSendConnectorCertificate",
  ]) {
    await killed(project, call);
    expect(await project.resources()).toEqual([]);
  }
  mustSucceed(await project.up("--skip-preview"));
  expect((await thumbprints(project)).filter((one) => one === first.thumbprint)).toHaveLength(1);
  const name = outbound(project);
  expect(name).toMatch(/^<I>.*<S>CN=mail\.contoso\.com$/);
  mustSucceed(await project.preview("--expect-no-changes"));

  // The renewed one has the same issuer and subject: the old one goes in a gap.
  project.setProgram(programOf({ mail: declare(second) }));
  await killed(project, "removeCertificate");
  expect(outbound(project)).toBeNull();
  expect(await thumbprints(project)).not.toContain(first.thumbprint);
  const next = mustSucceed(await project.up("--skip-preview"));
  expect(next.combined).toContain('send connector "Outbound" names no certificate: a run of ours that was killed');
  expect(outbound(project)).toBe(name);
  mustSucceed(await project.preview("--expect-no-changes"));

  const before = await frontEndOf(project, EX01);
  const rolledBack = `{ server: "${EX01}", certificate: ${pfxText(owa)}, services: ["IMAP", "SMTP", "IIS"],
    requireSsl: false, replaceDefaultSmtpCertificate: true, onFailure: "rollback", timeoutSeconds: 20 }`;
  project.setProgram(programOf({ mail: declare(second), owa: rolledBack }));
  mustSucceed(await project.simulator("fault", EX01, "enableFailsAfter", "IIS"));
  const failed = await project.up("--skip-preview");
  expect(failed.exitCode).not.toBe(0);
  expect(failed.combined).toContain("the change has failed and is rolled back: IIS (the front end) goes back to");
  expect(failed.combined).toMatch(
    /It was rolled back: ex01\.contoso\.com, read again, is as it was before, and so is\s+the state/,
  );
  expect(await project.resources()).toHaveLength(1);
  expect(await frontEndOf(project, EX01)).toBe(before);
  expect(await thumbprints(project)).not.toContain(owa.thumbprint);
});
