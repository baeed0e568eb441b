import { PROVIDER_TEXT } from "../providerText";
import { LANGUAGES, makeProject, mustSucceed, type Language } from "./engine";

/** A dynamic resource in the form that this package uses: own class, provider code as a constant text. */
const WISH_PROVIDER_TEXT = 'exports.handler = () => require("./provider.cjs");';
const PROVIDER_FILE = `
  exports.check = async (olds, news) =>
    news.wish === "impossible"
      ? { inputs: news, failures: [{ property: "wish", reason: "nobody can do that" }] }
      : { inputs: news };
  exports.diff = async (id, olds, news) => ({ changes: olds.wish !== news.wish });
  exports.create = async (inputs) => ({ id: "wish-1", outs: inputs });
  exports.read = async (id, props) => ({ id, props, inputs: props });
  exports.update = async (id, olds, news) => ({ outs: news });
  exports.delete = async () => undefined;
`;
const PASSWORD = "Tr0ub4dor";

/** One resource of that kind. */
function wishProgram(wish: string): string {
  return `
    const pulumi = require("@pulumi/pulumi");
    class Wish extends pulumi.CustomResource {
      constructor(name, wish) {
        const __provider = ${JSON.stringify(WISH_PROVIDER_TEXT)};
        super("pulumi-nodejs:dynamic/test:Wish", name, { wish, password: pulumi.secret("${PASSWORD}"), __provider });
      }
    }
    new Wish("wish", ${JSON.stringify(wish)});
  `;
}

/** A binding of a made certificate, in each language. */
function bindingProgram(language: Language): string {
  const name = "ExchangeCertificateBinding";
  const importing =
    language === "JavaScript"
      ? `const { ${name} } = require("pulumi-exchange-certificates");`
      : `import { ${name} } from "pulumi-exchange-certificates";`;
  const exporting = language === "JavaScript" ? "exports.ends =" : "export const ends =";
  return `
    ${importing}
    const mail = new ${name}("mail", {
      server: "ex01.contoso.com",
      certificate: { selfSigned: { dnsNames: ["mail.contoso.com"] } },
      services: ["IIS", "SMTP"],
    });
    ${exporting} mail.notAfter;
  `;
}

describe("a program that declares a binding", () => {
  it.each(LANGUAGES)("runs in %s", async (language) => {
    const project = await makeProject({
      language,
      program: bindingProgram(language),
      config: { "exchange:backend": "simulator" },
    });
    expect(await project.plan()).toEqual([expect.objectContaining({ op: "create" })]);
    mustSucceed(await project.up("--skip-preview"));
    expect(await project.resources()).toEqual([
      expect.objectContaining({
        type: "pulumi-nodejs:dynamic/exchange:ExchangeCertificateBinding",
        id: expect.stringMatching(/^ex01\.contoso\.com\/[0-9A-F]{40}$/) as unknown,
        inputs: expect.objectContaining({ __provider: PROVIDER_TEXT }) as unknown,
        outputs: expect.objectContaining({ __provider: PROVIDER_TEXT }) as unknown,
      }),
    ]);
    mustSucceed(await project.preview("--expect-no-changes"));
  });
});

describe("the real engine with a resource that does nothing", () => {
  it("takes it from preview to destroy, with its secret encrypted", async () => {
    const project = await makeProject({ program: wishProgram("first"), files: { "provider.cjs": PROVIDER_FILE } });
    expect(await project.plan()).toEqual([expect.objectContaining({ op: "create" })]);
    mustSucceed(await project.up());
    mustSucceed(await project.refresh("--expect-no-changes"));

    project.setProgram(wishProgram("second"));
    expect(await project.plan()).toEqual([expect.objectContaining({ op: "update" })]);
    mustSucceed(await project.up("--skip-preview"));
    expect(await project.resources()).toEqual([
      expect.objectContaining({ outputs: expect.objectContaining({ wish: "second" }) as unknown }),
    ]);

    project.setProgram(wishProgram("impossible"));
    const refused = await project.preview();
    expect(refused.exitCode).not.toBe(0);
    expect(refused.combined).toContain("nobody can do that");

    expect(project.stateText()).toContain("second");
    expect(project.stateText() + project.transcriptText()).not.toContain(PASSWORD);
    mustSucceed(await project.destroy());
    expect(await project.resources()).toEqual([]);
  });
});
