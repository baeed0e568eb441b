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
import { killingAdapter, type Mishap } from "../killingAdapter";

/*
 * What a run says that goes on with one that was cut off in the gap of a connector, and one that is rolled back. That
 * every run comes to the same end: killPoints.test.ts.
 */

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
  const adapter = killingAdapter({ organisation: STATE_FILE, control: "control.json", calls: "calls.txt" });
  const project = await makeBindings(
    { mail: declare(first) },
    { config: { "exchange:backend": "./adapter.cjs" }, files: { "adapter.cjs": adapter, "calls.txt": "" } },
  );
  mustSucceed(await project.simulator("init"));
  mustSucceed(await project.simulator("connector", EX01, "Relay"));
  const organisation = JSON.parse(project.readFile(STATE_FILE)) as object;
  const sendConnectors = [{ name: "Outbound", fqdn: null, tlsCertificateName: null, sourceServers: ["EX01"] }];
  project.writeFile(STATE_FILE, JSON.stringify({ ...organisation, sendConnectors }));
  return project;
}

it("a run that is killed in the gap of a connector is gone on with by the next, which sets its name first; one that fails is rolled back", async () => {
  const project = await begin();
  const killAfter = (first?: string): void => {
    const mishap: Mishap = { ...(first === undefined ? {} : { first }), fails: false };
    project.writeFile("control.json", JSON.stringify(mishap));
  };
  killAfter();
  mustSucceed(await project.up("--skip-preview"));
  const name = outbound(project);
  expect(name).toMatch(/^<I>.*<S>CN=mail\.contoso\.com$/);

  // The renewed one has the same issuer and subject: the old one goes in a gap.
  project.setProgram(programOf({ mail: declare(second) }));
  killAfter("removeCertificate");
  expect((await project.up("--skip-preview")).exitCode).not.toBe(0);
  killAfter();
  expect(outbound(project)).toBeNull();
  expect(await thumbprints(project)).not.toContain(first.thumbprint);
  const next = mustSucceed(await project.up("--skip-preview"));
  expect(next.combined).toMatch(
    /send connector "Outbound" names no certificate: .* a run of ours was killed in the gap/,
  );
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
