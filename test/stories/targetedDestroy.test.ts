import { organisation, published, server, stored } from "../backends/simulator/lab";
import { makeTestAuthority, makeTestCertificate } from "../certificate/testCertificates";
import { EX01, STATE_FILE, certificatesOf, makePfx, pfxText, programOf, type TestPfx } from "../engine/bindingProgram";
import { makeProject, mustSucceed } from "../engine/engine";

/*
 * `pulumi destroy --target` asks about the targets alone: what other bindings declare nobody tells us. What the server
 * shows has to be enough.
 */

/** A server whose own certificate, which holds everything, is over: it serves nobody any more. */
const OVER = makeTestCertificate({ dnsNames: ["EX01", EX01], notAfter: new Date("2026-01-01T00:00:00Z") });
const ONE = server({
  name: "EX01",
  certificates: [stored(OVER, { privateKey: { networkServiceRead: true } })],
  iis: { frontEnd: OVER.facts.thumbprint, backEnd: OVER.facts.thumbprint, requireSsl: true },
  imap: { x509CertificateName: "EX01" },
  internalTransportCertificate: published(OVER),
  receiveConnectors: [{ name: "Clients", fqdn: "mail.contoso.com", tlsCertificateName: null }],
});

const authority = makeTestAuthority();
const [first, second] = [makePfx({ issuer: authority }), makePfx({ issuer: authority })];
const declare = (pfx: TestPfx, services: string, more: string): string =>
  `{ server: "${EX01}", certificate: ${pfxText(pfx)}, services: ${services}, ${more} }`;
const mail = declare(first, '["SMTP"]', 'onDelete: "remove"');
const clients = (pfx: TestPfx): string =>
  declare(pfx, '["IMAP", "SMTP"]', 'imapCertificateName: "mail.contoso.com", onDelete: "retain"');

it("a targeted destroy never removes a certificate with a service that no other valid one holds, and else removes it", async () => {
  const project = await makeProject({
    program: programOf({ mail, clients: clients(first) }),
    config: { "exchange:backend": "simulator" },
    files: { [STATE_FILE]: JSON.stringify(organisation([ONE])) },
  });
  mustSucceed(await project.up("--skip-preview"));
  const urn = (await project.resources()).find((one) => one.urn.endsWith("::mail"))?.urn ?? "";
  const before = project.readFile(STATE_FILE);

  // Both bindings share the certificate, and with it SMTP.
  const refused = await project.destroy("--target", urn);
  expect(refused.exitCode).not.toBe(0);
  expect(refused.combined).toContain("it is the only valid certificate with SMTP");
  expect(refused.combined).toContain("it is the only valid certificate for mail.contoso.com, the name of IMAP");
  expect(refused.combined).toContain('receive connector "EX01\\Clients"');
  expect(refused.combined).toContain("Enable SMTP on another certificate first.");
  expect(refused.combined).toContain('set onDelete: "retain", run pulumi up, then delete');
  expect(project.readFile(STATE_FILE)).toBe(before);
  expect(await project.resources()).toHaveLength(2);

  // Another valid one holds what they share.
  project.setProgram(programOf({ mail, clients: clients(second) }));
  mustSucceed(await project.up("--skip-preview"));
  const removed = mustSucceed(await project.destroy("--target", urn));
  expect(removed.combined).toContain(`removed ${first.thumbprint.slice(0, 8)} (mail.contoso.com`);
  expect((await certificatesOf(project, EX01)).map(({ Thumbprint }) => Thumbprint)).toEqual([
    OVER.facts.thumbprint,
    second.thumbprint,
  ]);
  project.setProgram(programOf({ clients: clients(second) }));
  mustSucceed(await project.preview("--expect-no-changes"));
  mustSucceed(await project.refresh("--expect-no-changes"));
});
