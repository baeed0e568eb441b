import { makeTestAuthority } from "../certificate/testCertificates";
import { EX01, certificatesOf, makePfx, pfxText, programOf, type TestPfx } from "../engine/bindingProgram";
import { makeProject, mustSucceed } from "../engine/engine";
import { PASSWORD, remoteConfig, serve, storeOf } from "../engine/served";

const authority = makeTestAuthority();
const [first, second] = [makePfx({ issuer: authority }), makePfx({ issuer: authority })];
const short = ({ thumbprint }: TestPfx): string => thumbprint.slice(0, 8);
const declare = (pfx: TestPfx, gap: boolean): string => `{
  server: "${EX01}", certificate: ${pfxText(pfx)}, services: ["SMTP"], connectors: { send: ["Outbound"] },
  onDelete: "remove", allowConnectorGap: ${String(gap)},
}`;

it("over the wire a send connector names no certificate for a moment, in which the old one is removed, and then that name again", async () => {
  const project = await makeProject({
    program: programOf({ mail: declare(first, false) }),
    env: { EXCHANGE_PASSWORD: PASSWORD },
  });
  mustSucceed(await project.simulator("init"));
  const store = storeOf(project);
  await store.update((organisation) => {
    const sendConnectors = [{ name: "Outbound", fqdn: null, tlsCertificateName: null, sourceServers: ["EX01"] }];
    return { organisation: { ...organisation, sendConnectors }, result: undefined };
  });
  const named = async (): Promise<unknown> => (await store.read()).sendConnectors[0]?.tlsCertificateName;
  const thumbprints = async (): Promise<readonly string[]> =>
    (await certificatesOf(project, EX01)).map(({ Thumbprint }) => Thumbprint);
  const served = await serve(project);
  const endpoint = `https://localhost:${String(served.port)}/PowerShell/`;
  const config = remoteConfig(endpoint, { "exchange:caFile": "exchange-simulator-ca.pem" });
  project.writeFile("Pulumi.test.yaml", JSON.stringify({ config }));
  mustSucceed(await project.up("--skip-preview"));
  const name = await named();
  expect(name).toBe("<I>CN=Contoso Issuing CA, O=Contoso<S>CN=mail.contoso.com");

  // The same issuer and subject: without a gap Exchange doesn't let the old one go.
  project.setProgram(programOf({ mail: declare(second, false) }));
  const kept = mustSucceed(await project.up("--skip-preview"));
  expect(kept.combined).toContain('it has the issuer and subject that send connector "Outbound" names');
  expect(await thumbprints()).toEqual(expect.arrayContaining([first.thumbprint, second.thumbprint]));

  project.setProgram(programOf({ mail: declare(second, true) }));
  const preview = mustSucceed(await project.preview());
  expect(preview.combined).toContain(`plan: removes ${short(first)} (mail.contoso.com`);
  expect(preview.combined).toContain(
    'for that moment the name of send connector "Outbound" is cleared and then set again: mail sent then goes out without this certificate',
  );
  expect(await named()).toBe(name);
  const up = mustSucceed(await project.up("--skip-preview"));
  expect(up.combined).toContain(`removed ${short(first)} (mail.contoso.com`);
  expect(up.combined).toContain('the name of send connector "Outbound" was cleared, and is set again');
  expect(await named()).toBe(name);
  expect(await thumbprints()).not.toContain(first.thumbprint);
  mustSucceed(await project.preview("--expect-no-changes"));
  mustSucceed(await project.refresh("--expect-no-changes"));
});
