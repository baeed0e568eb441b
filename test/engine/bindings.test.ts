import {
  EX01,
  EX02,
  certificatesOf,
  defaultSmtpOf,
  frontEndOf,
  makeBindings,
  makePfx,
  pfxText,
  programOf,
} from "./bindingProgram";
import { mustSucceed } from "./engine";
import { live } from "./life";

describe("a binding in the real engine", () => {
  it("lives: previewed, made, unchanged, drifted, repaired, extended, refused, replaced, forgotten", () =>
    live({ make: makeBindings, programOf }));

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

  it("gives a program in a preview what is known by then: the certificate's facts, and nothing that only the server says", async () => {
    const pfx = makePfx();
    const project = await makeBindings(
      {},
      { files: { "mail.pfx": pfx.bytes }, env: { MAIL_PFX_PASSWORD: pfx.password } },
    );
    const builtIn = await frontEndOf(project, EX01);
    const declare = (certificate: string): string =>
      `{ server: "${EX01}", certificate: ${certificate}, services: ["SMTP"] }`;
    const bindings = {
      given: declare('{ pfxFile: "mail.pfx", passwordEnv: "MAIL_PFX_PASSWORD" }'),
      there: declare(`{ thumbprint: "${builtIn}" }`),
      made: declare('{ selfSigned: { dnsNames: ["mail.contoso.com"] } }'),
    };
    project.setProgram(`${programOf(bindings)}
      for (const [name, binding] of Object.entries({ given, there, made })) {
        for (const [key, output] of Object.entries(binding).filter(([, value]) => pulumi.Output.isInstance(value))) {
          output.isKnown.then((isKnown) => isKnown && console.log("known: " + name + "." + key + "."));
        }
      }
    `);
    const preview = mustSucceed(await project.preview());
    const known = (name: string) => [
      ...new Set(
        Array.from(preview.combined.matchAll(new RegExp(`known: ${name}\\.(\\w+)\\.`, "g")), ([, key]) => key),
      ),
    ];
    const facts = ["thumbprint", "subject", "issuer", "serialNumber", "dnsNames", "notBefore", "notAfter"];
    const ofServer = [
      "id",
      "heldServices",
      "displayedServices",
      "isDefaultSmtpCertificate",
      "status",
      "exchangeVersion",
    ];
    const ofChange = ["takenOver", "staysBehind", "supersedes", "followUps", "followUpTasks"];
    for (const name of Object.keys(bindings)) {
      expect(known(name)).toEqual(expect.arrayContaining(["server", "services"]));
      expect(known(name).filter((key = "") => [...ofServer, ...ofChange].includes(key))).toEqual([]);
      const knownFacts = known(name).filter((key = "") => facts.includes(key));
      expect(knownFacts.sort()).toEqual(name === "made" ? [] : [...facts].sort());
    }
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
