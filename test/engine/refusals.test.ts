import { readFileSync } from "node:fs";
import { join } from "node:path";

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
import { mustSucceed, type EngineProject } from "./engine";

const fixture = (name: string): string =>
  readFileSync(join(__dirname, "..", "certificate", "fixtures", name)).toString("base64");
const FIXTURE_PASSWORD = "exchange-test";
const pfx = makePfx();
const other = makePfx();
const wildcard = makePfx({ dnsNames: ["*.contoso.com"] });
const binding = (certificate: string, services: string, more = "", server = EX01): string =>
  `{ server: "${server}", certificate: ${certificate}, services: ${services}${more} }`;
const mail = (certificate: string, services: string, more = "", server = EX01): Declared => ({
  mail: binding(certificate, services, more, server),
});

interface Refusal {
  readonly what: string;
  readonly bindings: Declared;
  /** The top-level property that the engine names. */
  readonly property: string;
  /** The reason and the way out. */
  readonly says: readonly string[];
  /** Done before, and undone afterwards. */
  readonly fault?: readonly string[];
}

const REFUSALS: readonly Refusal[] = [
  {
    what: "an unknown service",
    bindings: mail(pfxText(pfx), '["IIS", "FTP"]'),
    property: "services",
    says: ['"FTP" isn\'t a service', "IIS, IMAP, POP, SMTP, UM, UMCallRouter"],
  },
  {
    what: "no service",
    bindings: mail(pfxText(pfx), "[]"),
    property: "services",
    says: ["the list is empty", "remove the resource"],
  },
  {
    what: "a malformed thumbprint",
    bindings: mail('{ thumbprint: "12 34" }', '["SMTP"]'),
    property: "certificate",
    says: ["isn't a thumbprint", "Get-ExchangeCertificate"],
  },
  {
    what: "a server by its short name",
    bindings: mail(pfxText(pfx), '["SMTP"]', "", "EX01"),
    property: "server",
    says: ["isn't a server's fully qualified name", "ex01.contoso.com"],
  },
  {
    what: "a server nobody knows",
    bindings: mail(pfxText(pfx), '["SMTP"]', "", "ex99.contoso.com"),
    property: "server",
    says: ["ex99.contoso.com"],
  },
  {
    what: "no source",
    bindings: mail("{}", '["SMTP"]'),
    property: "certificate",
    says: ["no source is given", "exactly one of"],
  },
  {
    what: "two sources",
    bindings: mail(`{ thumbprint: "${pfx.thumbprint}", pfx: "AAAA" }`, '["SMTP"]'),
    property: "certificate",
    says: ["thumbprint and pfx are given together"],
  },
  {
    what: "a broken PFX",
    bindings: mail('{ pfx: "AAAA", password: "x" }', '["SMTP"]'),
    property: "certificate",
    says: ["PFX"],
  },
  {
    what: "a wrong password",
    bindings: mail(`{ pfx: "${pfx.base64}", password: "not it" }`, '["SMTP"]'),
    property: "certificate",
    says: ["password"],
  },
  {
    what: "a PFX without a key",
    bindings: mail(`{ pfx: "${fixture("certificate-only.pfx")}", password: "${FIXTURE_PASSWORD}" }`, '["SMTP"]'),
    property: "certificate",
    says: ["key"],
  },
  {
    what: "a key that doesn't fit the certificate",
    bindings: mail(
      JSON.stringify({
        pem: { certificate: pfx.certificatePem, privateKey: makePfx({ key: "rsa2048b" }).privateKeyPem },
      }),
      '["SMTP"]',
    ),
    property: "certificate",
    says: ["the private key belongs to none of the certificates"],
  },
  {
    what: "IMAP on a wildcard certificate without a name",
    bindings: mail(pfxText(wildcard), '["IMAP"]'),
    property: "imapCertificateName",
    says: ["can't be enabled for a wildcard certificate", "Set-ImapSettings"],
  },
  {
    what: "POP with a name that the certificate doesn't cover",
    bindings: mail(pfxText(wildcard), '["POP"]', ', popCertificateName: "pop.fabrikam.com"'),
    property: "popCertificateName",
    says: ["pop.fabrikam.com isn't a name of the certificate"],
  },
  {
    what: "the default SMTP role without SMTP",
    bindings: mail(pfxText(pfx), '["IIS"]', ", replaceDefaultSmtpCertificate: true"),
    property: "replaceDefaultSmtpCertificate",
    says: ["Add SMTP to services"],
  },
  {
    what: "a certificate that nobody brings",
    bindings: mail(`{ thumbprint: "${"A".repeat(40)}" }`, '["SMTP"]'),
    property: "certificate",
    says: [`isn't on ${EX01}`, "pfxFile"],
  },
  {
    what: "an expired certificate",
    bindings: mail(pfxText(makePfx({ notAfter: new Date("2025-06-01T00:00:00Z") })), '["SMTP"]'),
    property: "certificate",
    says: ["expired on 2025-06-01", "Give a renewed certificate"],
  },
  {
    what: "a certificate that isn't valid yet",
    bindings: mail(pfxText(makePfx({ notBefore: new Date("2044-01-01T00:00:00Z") })), '["SMTP"]'),
    property: "certificate",
    says: ["valid only from 2044-01-01"],
  },
  {
    what: "UM on Exchange 2019",
    bindings: mail(pfxText(pfx), '["UM"]'),
    property: "services",
    says: ["Unified Messaging ended with Exchange 2016"],
  },
  {
    what: "an ECC certificate where it can't be used",
    bindings: mail(pfxText(makePfx({ key: "ecc" })), '["SMTP"]', "", EX02),
    property: "certificate",
    says: ["ECC key", "RSA certificate"],
  },
  {
    what: "a certificate whose services the server doesn't tell",
    bindings: mail(pfxText(pfx), '["SMTP", "IIS"]'),
    property: "replaceDefaultSmtpCertificate",
    says: ["couldn't be read"],
    fault: ["hiddenCmdlets", "Get-TransportService"],
  },
  {
    what: "removal of the certificate on delete, which isn't there yet",
    bindings: mail(pfxText(pfx), '["SMTP"]', ', onDelete: "remove"'),
    property: "onDelete",
    says: ["not there yet", "retain"],
  },
  {
    what: "an input that doesn't exist",
    bindings: mail(pfxText(pfx), '["SMTP"]', ', replaceDefaultSmtp: "yes"'),
    property: "replaceDefaultSmtp",
    says: ["isn't an input", "did you mean replaceDefaultSmtpCertificate?"],
  },
];

describe("a preview refuses, with property, reason and way out,", () => {
  let project: EngineProject;
  beforeAll(async () => {
    project = await makeBindings({});
  });

  it.each(REFUSALS)("$what", async ({ bindings, property, says, fault }) => {
    project.setProgram(programOf(bindings));
    if (fault !== undefined) mustSucceed(await project.simulator("fault", EX01, ...fault));
    try {
      const refused = await project.preview();
      expect(refused.exitCode).not.toBe(0);
      // The value of a property that may hold a secret isn't shown, so such a property is named in the sentence.
      expect(refused.combined).toMatch(
        new RegExp(`resource 'mail'(: property ${property} value| has a problem: ${property}: )`),
      );
      for (const text of says) expect(refused.combined).toContain(text);
      expectNoStackTrace(refused.combined);
    } finally {
      if (fault?.[0] !== undefined) mustSucceed(await project.simulator("fault", EX01, fault[0], "off"));
    }
  });

  it("the Auth certificate as target", async () => {
    const auth = (await certificatesOf(project, EX01)).find(({ Subject }) => Subject.includes("Auth Certificate"));
    project.setProgram(programOf(mail(`{ thumbprint: "${auth?.Thumbprint ?? ""}" }`, '["IIS"]')));
    const refused = await project.preview();
    expect(refused.combined).toContain("resource 'mail': property certificate value");
    expect(refused.combined).toContain("the organisation's Auth certificate");
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
    for (const property of [
      "server",
      "certificate",
      "services",
      "timeoutSeconds",
      "onServiceRemoved",
      "renewBeforeDays",
    ]) {
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
