import path from "node:path";
import { Linter } from "eslint";
import { layers } from "../../tools/eslint/layers.cjs";
import { run } from "../../tools/process.cjs";

const root = path.resolve(__dirname, "../..");

/** What the rule says about a file with this text. */
function messagesFor(file: string, text: string): readonly string[] {
  const config: Linter.Config = {
    files: ["**/*.ts"],
    plugins: { layers },
    rules: { "layers/imports-downwards": "error" },
  };
  return new Linter({ cwd: root }).verify(text, config, path.join(root, file)).map(({ message }) => message);
}

describe("the rule about layers", () => {
  it.each([
    ["provider/provider.ts", "./lifecycle/lifecycle"],
    ["provider/lifecycle/check.ts", "../plan/plan"],
    ["provider/plan/plan.ts", "../backends/backend"],
    ["provider/backends/simulator/cmdlets/servers.ts", "../../../certificate/facts"],
    ["provider/backends/remote/session.ts", "../../remoting/xml"],
    ["provider/doctor/walk.ts", "../backends/remote/snapshot"],
    ["provider/certificate/pfx.ts", "../secret"],
    ["provider/plan/plan.ts", "./goals"],
    ["test/plan/plan.test.ts", "../../provider/index"],
  ])("lets %s import %s", (file, source) => {
    expect(messagesFor(file, `import "${source}";`)).toEqual([]);
  });

  it.each([
    ["provider/errors.ts", "./certificate/facts"],
    ["provider/certificate/pfx.ts", "../backends/backend"],
    ["provider/remoting/xml.ts", "../backends/backend"],
    ["provider/backends/simulator/simulatorBackend.ts", "../../plan/plan"],
    ["provider/plan/plan.ts", "../lifecycle/check"],
    ["provider/doctor/walk.ts", "../lifecycle/check"],
    ["provider/lifecycle/check.ts", "../exchangeCertificateBinding"],
  ])("does not let %s import %s", (file, source) => {
    const expected = [expect.stringContaining("layers import downwards only")];
    expect(messagesFor(file, `import "${source}";`)).toEqual(expected);
    expect(messagesFor(file, `export { a } from "${source}";`)).toEqual(expected);
    expect(messagesFor(file, `export * from "${source}";`)).toEqual(expected);
    expect(messagesFor(file, `void import("${source}");`)).toEqual(expected);
    expect(messagesFor(file, `require("${source}");`)).toEqual(expected);
  });

  it.each([
    ["provider/doctor/reachFindings.ts", "./reachText", false],
    ["provider/doctor/walk.ts", "./findingText", false],
    ["provider/doctor/report.ts", "./findingText", true],
    ["provider/doctor/findingText.ts", "./reachText", true],
    ["provider/plan/plan.ts", "./noticeText", false],
    ["provider/plan/lineText.ts", "./noticeText", true],
    ["provider/lifecycle/diff.ts", "../plan/lineText", true],
  ])("keeps sentences out of the files that decide: %s imports %s: %s", (file, source, isLet) => {
    const expected = isLet ? [] : [expect.stringContaining("sentences are made at the edge")];
    expect(messagesFor(file, `import "${source}";`)).toEqual(expected);
  });

  it("lets one file load the Pulumi SDK", () => {
    const text = 'import * as pulumi from "@pulumi/pulumi";';
    expect(messagesFor("provider/exchangeCertificateBinding.ts", text)).toEqual([]);
    expect(messagesFor("provider/lifecycle/check.ts", text)).toEqual([expect.stringContaining("@pulumi/pulumi")]);
  });

  it("asks for a layer for every new file", () => {
    expect(messagesFor("provider/somethingNew.ts", "")).toEqual([expect.stringContaining("belongs to no layer")]);
    expect(messagesFor("provider/plan/plan.ts", 'import "../somethingNew";')).toEqual([
      expect.stringContaining("belongs to no layer"),
    ]);
  });

  it("is in force for the sources of this repository", async () => {
    const eslint = path.join(root, "node_modules", "eslint", "bin", "eslint.js");
    const args = [eslint, "--format", "json", "--stdin", "--stdin-filename", "provider/backends/backend.ts"];
    const text = 'import type { Plan } from "../plan/plan";\nexport type Wrong = Plan;\n';
    const { stdout } = await run(process.execPath, args, { cwd: root, input: text });
    expect(stdout).toContain("layers/imports-downwards");
  });
});
