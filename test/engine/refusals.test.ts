import {
  EX01,
  EX02,
  STATE_FILE,
  certificatesOf,
  makeBindings,
  makePfx,
  pfxText,
  programOf,
  type Declared,
} from "./bindingProgram";
import { REFUSALS } from "../refusals";
import { mustSucceed, type EngineProject } from "./engine";

const pfx = makePfx();
const other = makePfx();
const binding = (certificate: string, services: string, more = "", server = EX01): string =>
  `{ server: "${server}", certificate: ${certificate}, services: ${services}${more} }`;
const mail = (certificate: string, services: string, more = "", server = EX01): Declared => ({
  mail: binding(certificate, services, more, server),
});

describe("a preview refuses, with property, reason and way out,", () => {
  let project: EngineProject;
  beforeAll(async () => {
    project = await makeBindings({});
    mustSucceed(await project.simulator("init"));
  });

  // The others of the table are asked of the provider's process (test/process/refusals.test.ts): the engine adds no more
  // than the form in which it shows a property, and each preview is three programs to start.
  it.each(REFUSALS.filter(({ inEngine }) => inEngine))("$what", async ({ inputs, property, says }) => {
    project.setProgram(programOf({ mail: JSON.stringify(inputs) }));
    const refused = await project.preview();
    expect(refused.exitCode).not.toBe(0);
    // The value of a property that may hold a secret isn't shown, so such a property is named in the sentence.
    expect(refused.combined).toMatch(
      new RegExp(`resource 'mail'(: property ${property} value| has a problem: ${property}: )`),
    );
    for (const text of says) expect(refused.combined).toContain(text);
    expectNoStackTrace(refused.combined);
  });

  it("SMTP where the server doesn't tell its default SMTP certificate", async () => {
    mustSucceed(await project.simulator("fault", EX01, "hiddenCmdlets", "Get-TransportService"));
    try {
      project.setProgram(programOf(mail(pfxText(pfx), '["SMTP", "IIS"]')));
      const refused = await project.preview();
      expect(refused.combined).toContain("resource 'mail': property replaceDefaultSmtpCertificate value");
      expect(refused.combined).toContain("couldn't be read");
    } finally {
      mustSucceed(await project.simulator("fault", EX01, "hiddenCmdlets", "off"));
    }
  });

  it("the Auth certificate as target", async () => {
    const auth = (await certificatesOf(project, EX01)).find(({ Subject }) => Subject.includes("Auth Certificate"));
    project.setProgram(programOf(mail(`{ thumbprint: "${auth?.Thumbprint ?? ""}" }`, '["IIS"]')));
    const refused = await project.preview();
    expect(refused.combined).toContain("resource 'mail': property certificate value");
    expect(refused.combined).toContain("an Auth certificate of the organisation");
  });

  it("UM while its start-up mode is TCP", async () => {
    mustSucceed(await project.simulator("Set-UMService", "-Identity", EX02, "-UMStartupMode", "TCP"));
    project.setProgram(programOf(mail(pfxText(pfx), '["UM"]', "", EX02)));
    const refused = await project.preview();
    expect(refused.combined).toContain("resource 'mail': property services value");
    expect(refused.combined).toContain(`Set-UMService ${EX02} -UMStartupMode Dual`);
  });

  it.each([
    ["a revoked certificate", { status: "Revoked" }, "status as Revoked"],
    [
      "a certificate without its private key",
      { privateKey: { present: false, exportable: false, provider: "CSP", networkServiceRead: false } },
      "Exchange shows none without its private key",
    ],
  ])("%s", async (_what, change, says) => {
    const wmsvc = (await certificatesOf(project, EX01)).find(({ Subject }) => Subject.includes("WMSvc"));
    const before = project.readFile(STATE_FILE);
    const organisation = JSON.parse(before) as {
      servers: Record<string, { certificates: { friendlyName: string }[] }>;
    };
    for (const certificate of organisation.servers[EX01]?.certificates ?? []) {
      if (certificate.friendlyName === wmsvc?.FriendlyName) Object.assign(certificate, change);
    }
    project.writeFile(STATE_FILE, JSON.stringify(organisation));
    try {
      project.setProgram(programOf(mail(`{ thumbprint: "${wmsvc?.Thumbprint ?? ""}" }`, '["IIS"]')));
      const refused = await project.preview();
      expect(refused.exitCode).not.toBe(0);
      expect(refused.combined).toContain("resource 'mail': property certificate value");
      expect(refused.combined).toContain(says);
    } finally {
      project.writeFile(STATE_FILE, before);
    }
  });

  it("a certificate of which the server sends no more than RawData", async () => {
    mustSucceed(await project.simulator("fault", EX01, "servicesUnknown", "on"));
    try {
      const wmsvc = (await certificatesOf(project, EX02)).find(({ Subject }) => Subject.includes("Auth"));
      expect(wmsvc).toBeDefined();
      const builtIn = (
        JSON.parse(project.readFile(STATE_FILE)) as { servers: Record<string, { iis: { frontEnd: string } }> }
      ).servers[EX01]?.iis.frontEnd;
      project.setProgram(programOf(mail(`{ thumbprint: "${builtIn ?? ""}" }`, '["SMTP", "IIS"]')));
      const refused = await project.preview();
      expect(refused.exitCode).not.toBe(0);
      expect(refused.combined).toContain("resource 'mail': property services value");
      expect(refused.combined).toContain(`Unknown isn't "none"`);
    } finally {
      mustSucceed(await project.simulator("fault", EX01, "servicesUnknown", "off"));
    }
  });

  it.each([
    ["IIS", '["IIS"]', "", "", "services", "both claim IIS"],
    [
      "different IMAP names",
      '["IMAP"]',
      ', imapCertificateName: "a.contoso.com"',
      ', imapCertificateName: "b.contoso.com"',
      "imapCertificateName",
      "both claim IMAP",
    ],
    [
      "the default SMTP role",
      '["SMTP"]',
      ", replaceDefaultSmtpCertificate: true",
      ", replaceDefaultSmtpCertificate: true",
      "replaceDefaultSmtpCertificate",
      "both claim the default SMTP role",
    ],
  ])("two bindings that claim %s of one server", async (_what, services, one, two, property, says) => {
    const names = { dnsNames: ["a.contoso.com", "b.contoso.com"] };
    project.setProgram(
      programOf({
        first: binding(pfxText(makePfx(names)), services, one),
        second: binding(pfxText(makePfx(names)), services, two),
      }),
    );
    const refused = await project.preview();
    expect(refused.exitCode).not.toBe(0);
    expect(refused.combined).toMatch(new RegExp(`resource '(first|second)': property ${property} value`));
    expect(refused.combined).toContain(says);
    expect(refused.combined).toMatch(/"first" and "second"|"second" and "first"/);
  });

  it("all mistakes of one resource at once", async () => {
    project.setProgram(
      programOf(
        mail(
          `{ thumbprint: "xyz" }`,
          '["FTP", "Federation"]',
          ', timeoutSeconds: 0, onServiceRemoved: "perhaps", renewBeforeDays: 1.5',
          "ex01.",
        ),
      ),
    );
    const { combined } = await project.preview();
    // What isn't a thumbprint may be a secret in the wrong place.
    expect(combined).toContain(`resource 'mail' has a problem: certificate: "xyz" isn't a thumbprint`);
    for (const property of ["server", "services", "timeoutSeconds", "onServiceRemoved", "renewBeforeDays"]) {
      expect(combined).toContain(`resource 'mail': property ${property} value`);
    }
    expectNoStackTrace(combined);
  });

  it("a server that can't be reached, naming the ways out, and goes on from the last known state when told to", async () => {
    project.setProgram(programOf(mail(pfxText(other), '["SMTP"]')));
    mustSucceed(await project.up("--skip-preview"));
    mustSucceed(await project.simulator("fault", EX01, "unreachable", "on"));
    try {
      const refused = await project.preview();
      expect(refused.exitCode).not.toBe(0);
      expect(refused.combined).toContain(EX01);
      expect(refused.combined).toContain("exchange:onUnreachable");
      expectNoStackTrace(refused.combined);
      mustSucceed(await project.setConfig("exchange:onUnreachable", "continue"));
      const continued = mustSucceed(await project.preview("--expect-no-changes"));
      expect(continued.combined).toContain("planned from the last known state");
    } finally {
      mustSucceed(await project.simulator("fault", EX01, "unreachable", "off"));
      mustSucceed(await project.pulumi("config", "rm", "exchange:onUnreachable"));
    }
  });

  it("to begin without a backend, listing the choices", async () => {
    mustSucceed(await project.pulumi("config", "rm", "exchange:backend"));
    const refused = await project.preview();
    expect(refused.exitCode).not.toBe(0);
    expect(refused.combined).toContain("pulumi config set exchange:backend simulator");
    expectNoStackTrace(refused.combined);
  });
});

function expectNoStackTrace(output: string): void {
  expect(output).not.toMatch(/\n\s+at \S+ \(/);
  expect(output).not.toContain("node_modules");
}
