import {
  EX01,
  EX02,
  certificatesOf,
  defaultSmtpOf,
  enableByHand,
  frontEndOf,
  makeBindings,
  makePfx,
  pfxText,
  programOf,
} from "./bindingProgram";
import { mustSucceed } from "./engine";

describe("a binding in the real engine", () => {
  it("lives: previewed, made, unchanged, drifted, repaired, extended, replaced, forgotten", async () => {
    const first = makePfx();
    const second = makePfx();
    const declare = (pfx: typeof first, services: string): string =>
      `{ server: "EX01.contoso.com", certificate: ${pfxText(pfx)}, services: ${services} }`;
    const project = await makeBindings({ mail: declare(first, '["smtp", "IIS"]') });
    mustSucceed(await project.simulator("init"));
    const builtIn = await frontEndOf(project, EX01);

    const preview = mustSucceed(await project.preview());
    expect(preview.combined).toContain(`IIS leaves ${builtIn.slice(0, 8)}`);
    expect(preview.combined).toContain(`the default SMTP certificate stays ${builtIn.slice(0, 8)}`);
    expect(await frontEndOf(project, EX01)).toBe(builtIn);

    mustSucceed(await project.up("--skip-preview"));
    expect(await frontEndOf(project, EX01)).toBe(first.thumbprint);
    expect(await defaultSmtpOf(project, EX01)).toBe(builtIn);
    const [resource] = await project.resources();
    expect(resource?.id).toBe(`${EX01}/${first.thumbprint}`);
    expect(resource?.outputs).toMatchObject({
      thumbprint: first.thumbprint,
      services: ["IIS", "SMTP"],
      heldServices: ["IIS", "SMTP"],
      isDefaultSmtpCertificate: false,
      takenOver: [{ service: "IIS", fromThumbprint: builtIn }],
      stateVersion: 1,
      backend: "simulator",
    });
    mustSucceed(await project.preview("--expect-no-changes"));
    mustSucceed(await project.refresh("--expect-no-changes"));
    mustSucceed(await project.preview("--expect-no-changes"));

    await enableByHand(project, EX01, builtIn, "IIS");
    const drifted = await project.preview("--expect-no-changes");
    expect(drifted.exitCode).not.toBe(0);
    expect(drifted.combined).toContain(`DRIFT: IIS is now held by ${builtIn.slice(0, 8)}`);
    const refreshed = await project.refresh("--preview-only", "--diff", "--expect-no-changes");
    expect(refreshed.exitCode).not.toBe(0);
    expect(refreshed.combined).toContain(`DRIFT: IIS is now held by ${builtIn.slice(0, 8)}`);
    expect(refreshed.combined).toContain('~ [0]: "IIS" => "SMTP"');
    const repaired = mustSucceed(await project.up("--skip-preview"));
    expect(repaired.combined).toContain("1 updated");
    expect(await frontEndOf(project, EX01)).toBe(first.thumbprint);
    mustSucceed(await project.refresh("--expect-no-changes"));

    project.setProgram(programOf({ mail: declare(first, '["IIS", "SMTP", "IMAP", "POP"]') }));
    const extended = mustSucceed(await project.up("--skip-preview"));
    expect(extended.combined).toContain("enables IMAP and POP");
    expect(extended.combined).not.toContain("enables IIS");
    mustSucceed(await project.preview("--expect-no-changes"));

    project.setProgram(programOf({ mail: declare(first, '["SMTP", "IMAP", "POP"]') }));
    const refused = await project.preview();
    expect(refused.exitCode).not.toBe(0);
    expect(refused.combined).toContain("Exchange can't take a service away");
    expect(refused.combined).not.toMatch(/\n\s+at /);

    project.setProgram(programOf({ mail: declare(second, '["IIS", "SMTP", "IMAP", "POP"]') }));
    expect(await project.plan()).toEqual([expect.objectContaining({ op: "replace", replaceReasons: ["certificate"] })]);
    const replaced = mustSucceed(await project.up("--skip-preview"));
    expect(replaced.combined).toContain(`IIS leaves ${first.thumbprint.slice(0, 8)}`);
    expect(replaced.combined).toContain(`certificate ${first.thumbprint} stays on ${EX01}`);
    expect(await frontEndOf(project, EX01)).toBe(second.thumbprint);
    expect(await defaultSmtpOf(project, EX01)).toBe(builtIn);
    const [replacement] = await project.resources();
    expect(replacement?.outputs).toMatchObject({
      supersedes: [{ id: `${EX01}/${first.thumbprint}`, thumbprint: first.thumbprint, released: [] }],
    });
    mustSucceed(await project.preview("--expect-no-changes"));
    mustSucceed(await project.refresh("--expect-no-changes"));

    const destroyed = mustSucceed(await project.destroy());
    expect(destroyed.combined).toContain(`certificate ${second.thumbprint} stays on ${EX01}`);
    expect(await project.resources()).toEqual([]);
    expect(await frontEndOf(project, EX01)).toBe(second.thumbprint);
  });

  it("makes a certificate once, keeps it, and makes another when a service has to go", async () => {
    const declare = (services: string): string =>
      `{ server: "${EX02}", certificate: { selfSigned: { dnsNames: ["mail.contoso.com"] } }, services: ${services} }`;
    const project = await makeBindings({ mail: declare('["IIS", "SMTP"]') });
    mustSucceed(await project.up());
    const made = await frontEndOf(project, EX02);
    mustSucceed(await project.preview("--expect-no-changes"));
    mustSucceed(await project.refresh("--expect-no-changes"));

    project.setProgram(programOf({ mail: declare('["SMTP"]') }));
    const preview = mustSucceed(await project.preview());
    expect(preview.combined).toContain(`IIS is NOT released: it stays on ${made.slice(0, 8)}`);
    mustSucceed(await project.up("--skip-preview"));
    const [resource] = await project.resources();
    expect(resource?.outputs?.["thumbprint"]).not.toBe(made);
    expect(resource?.outputs?.["staysBehind"]).toEqual([{ service: "IIS", thumbprint: made }]);
    expect(await frontEndOf(project, EX02)).toBe(made);
    mustSucceed(await project.preview("--expect-no-changes"));
  });

  it("hands a service to a successor that the same program makes", async () => {
    const next = `{ server: "${EX01}", certificate: { selfSigned: { dnsNames: ["owa.contoso.com"] } }, services: ["SMTP"] }`;
    const mail = makePfx();
    const declare = (services: string, more = ""): string =>
      `{ server: "${EX01}", certificate: ${pfxText(mail)}, services: ${services}${more} }`;
    const project = await makeBindings({ mail: declare('["IIS", "SMTP"]') });
    mustSucceed(await project.up("--skip-preview"));

    project.setProgram(programOf({ next, mail: declare('["SMTP"]', ", successor: next.thumbprint") }));
    mustSucceed(await project.preview());
    mustSucceed(await project.up("--skip-preview"));
    const front = await frontEndOf(project, EX01);
    const certificates = await certificatesOf(project, EX01);
    expect(certificates.find(({ Thumbprint }) => Thumbprint === front)?.Subject).toBe("CN=owa.contoso.com");
    mustSucceed(await project.preview("--expect-no-changes"));
    mustSucceed(await project.refresh("--expect-no-changes"));
  });

  it("imports what another binding of the program needs by its thumbprint, in whatever order the engine comes", async () => {
    const pfx = makePfx();
    const project = await makeBindings({
      imports: `{ server: "${EX01}", certificate: ${pfxText(pfx)}, services: ["SMTP"] }`,
      uses: `{ server: "${EX01}", certificate: { thumbprint: imports.thumbprint }, services: ["IIS"] }`,
    });
    const preview = mustSucceed(await project.preview());
    expect(preview.combined).toContain('binding "imports" of this program imports it');
    mustSucceed(await project.up("--skip-preview"));
    expect(await frontEndOf(project, EX01)).toBe(pfx.thumbprint);
    mustSucceed(await project.preview("--expect-no-changes"));
  });

  it("becomes the default SMTP certificate only when that is asked for, and stays it when it no longer is", async () => {
    const pfx = makePfx();
    const declare = (more: string): string =>
      `{ server: "${EX01}", certificate: ${pfxText(pfx)}, services: ["SMTP"]${more} }`;
    const project = await makeBindings({ mail: declare("") });
    mustSucceed(await project.up("--skip-preview"));
    const builtIn = await defaultSmtpOf(project, EX01);
    expect(builtIn).not.toBe(pfx.thumbprint);

    project.setProgram(programOf({ mail: declare(", replaceDefaultSmtpCertificate: true") }));
    const asked = mustSucceed(await project.up("--skip-preview"));
    expect(asked.combined).toContain(`becomes the default SMTP certificate instead of ${builtIn.slice(0, 8)}`);
    expect(await defaultSmtpOf(project, EX01)).toBe(pfx.thumbprint);

    project.setProgram(programOf({ mail: declare(", replaceDefaultSmtpCertificate: false") }));
    mustSucceed(await project.up("--skip-preview"));
    expect(await defaultSmtpOf(project, EX01)).toBe(pfx.thumbprint);
    mustSucceed(await project.preview("--expect-no-changes"));
  });

  it("finds a binding by get without managing it", async () => {
    const project = await makeBindings({});
    mustSucceed(await project.simulator("init"));
    const builtIn = await frontEndOf(project, EX01);
    project.setProgram(`
      const { ExchangeCertificateBinding } = require("pulumi-exchange-certificates");
      const found = ExchangeCertificateBinding.get("found", "${EX01}/${builtIn}");
      exports.held = found.heldServices;
      exports.is = ExchangeCertificateBinding.isInstance(found);
    `);
    mustSucceed(await project.up("--skip-preview"));
    const { stdout } = mustSucceed(await project.pulumi("stack", "output", "--json"));
    expect(JSON.parse(stdout)).toEqual({ held: ["IIS", "IMAP", "POP", "SMTP"], is: true });
  });
});
