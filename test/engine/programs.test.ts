import { LANGUAGES, makeProject, mustSucceed, type EngineProject, type Language } from "./engine";

/** A dynamic resource in the form that this package uses: own class, provider code as a constant text. */
const PROVIDER_TEXT = 'exports.handler = () => require("./provider.cjs");';
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
const IMPORTS: Readonly<Record<Language, string>> = {
  JavaScript: 'const pulumi = require("@pulumi/pulumi");',
  TypeScript: 'import * as pulumi from "@pulumi/pulumi";',
  "TypeScript of the SDK": 'import * as pulumi from "@pulumi/pulumi";',
  "ES module": 'import * as pulumi from "@pulumi/pulumi";',
};

function programWith(language: Language, wish: string): string {
  const typed = language.startsWith("TypeScript");
  return `
    ${IMPORTS[language]}
    class Wish extends pulumi.CustomResource {
      constructor(name${typed ? ": string" : ""}, wish${typed ? ": string" : ""}) {
        const __provider = ${JSON.stringify(PROVIDER_TEXT)};
        super("pulumi-nodejs:dynamic/test:Wish", name, { wish, password: pulumi.secret("${PASSWORD}"), __provider });
      }
    }
    new Wish("wish", ${JSON.stringify(wish)});
  `;
}

/** A project whose provider lies beside the program. */
function makeWishProject(language: Language): Promise<EngineProject> {
  const program = programWith(language, "first");
  return makeProject({ language, program, files: { "provider.cjs": PROVIDER_FILE } });
}

describe("the real engine", () => {
  it.each(LANGUAGES)("runs a program in %s", async (language) => {
    const project = await makeWishProject(language);
    mustSucceed(await project.up("--skip-preview"));
    expect(await project.resources()).toEqual([
      expect.objectContaining({ type: "pulumi-nodejs:dynamic/test:Wish", id: "wish-1" }),
    ]);
    mustSucceed(await project.preview("--expect-no-changes"));
  });

  it("takes a resource from preview to destroy", async () => {
    const project = await makeWishProject("JavaScript");
    expect(await project.plan()).toEqual([expect.objectContaining({ op: "create" })]);
    mustSucceed(await project.up());
    mustSucceed(await project.refresh("--expect-no-changes"));

    project.setProgram(programWith("JavaScript", "second"));
    expect(await project.plan()).toEqual([expect.objectContaining({ op: "update" })]);
    mustSucceed(await project.up("--skip-preview"));
    expect(await project.resources()).toEqual([
      expect.objectContaining({ outputs: expect.objectContaining({ wish: "second" }) as unknown }),
    ]);

    project.setProgram(programWith("JavaScript", "impossible"));
    const refused = await project.preview();
    expect(refused.exitCode).not.toBe(0);
    expect(refused.combined).toContain("nobody can do that");

    expect(project.stateText()).toContain("second");
    expect(project.stateText() + project.transcriptText()).not.toContain(PASSWORD);
    mustSucceed(await project.destroy());
    expect(await project.resources()).toEqual([]);
  });
});
