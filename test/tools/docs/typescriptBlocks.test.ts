import { readdirSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { blocksOf, documents, read, root } from "../../../tools/docs/markdown.cjs";

/** As a program finds the package once it is installed. */
const PACKAGE = "pulumi-exchange-certificates";
/** As the compiler writes paths, also on Windows. */
const at = (...parts: readonly string[]): string => path.posix.join(root.replaceAll("\\", "/"), ...parts);
const OPTIONS: ts.CompilerOptions = {
  strict: true,
  skipLibCheck: true,
  noEmit: true,
  target: ts.ScriptTarget.ES2022,
  lib: ["lib.es2023.d.ts"],
  module: ts.ModuleKind.Node20,
  types: ["node", "jest"],
  paths: {
    [PACKAGE]: [at("provider", "index.ts")],
    [`${PACKAGE}/backend`]: [at("provider", "backends", "backend.ts")],
    [`${PACKAGE}/backend-contract`]: [at("provider", "backends", "contract.ts")],
    [`${PACKAGE}/simulator`]: [at("provider", "backends", "simulator", "simulatorBackend.ts")],
  },
};

/** Blocks and programs by the path that they would have. Each block is a module of its own. */
function sources(): ReadonlyMap<string, string> {
  const blocks = documents().flatMap((file) =>
    blocksOf(read(file))
      .filter(({ language }) => language === "ts")
      .map(({ text, line }) => [at(`${file}.${String(line)}.ts`), moduleOf(text)] as const),
  );
  const programs = readdirSync(path.join(root, "examples"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `examples/${name}/index.ts`);
  const files = [...programs, "template/index.ts"].map((file) => [at(file), read(file)] as const);
  return new Map([...blocks, ...files]);
}

/** A block that imports nothing uses what the reader has seen before. */
function moduleOf(text: string): string {
  if (/^import /m.test(text)) return text;
  return `import * as pulumi from "@pulumi/pulumi";\nimport { ExchangeCertificateBinding } from "${PACKAGE}";\nvoid pulumi;\n${text}`;
}

function problemsIn(files: ReadonlyMap<string, string>): readonly string[] {
  const host = ts.createCompilerHost(OPTIONS);
  const fileExists = host.fileExists.bind(host);
  const readFile = host.readFile.bind(host);
  const getSourceFile = host.getSourceFile.bind(host);
  host.fileExists = (file) => files.has(file) || fileExists(file);
  host.readFile = (file) => files.get(file) ?? readFile(file);
  host.getSourceFile = (file, version, ...more) => {
    const text = files.get(file);
    return text === undefined ? getSourceFile(file, version, ...more) : ts.createSourceFile(file, text, version);
  };
  const program = ts.createProgram([...files.keys()], OPTIONS, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    const where = file === undefined ? "" : path.relative(root, file.fileName);
    return `${where}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}

describe("TypeScript in the documents and in the examples", () => {
  it("has the types that the package has", () => {
    expect(problemsIn(sources())).toEqual([]);
  });

  it("is found wrong when it is", () => {
    const wrong = 'new ExchangeCertificateBinding("mail", { server: "a.b.c", services: ["FTP"] });';
    const [problem] = problemsIn(new Map([[at("wrong.ts"), moduleOf(wrong)]]));
    expect(problem).toContain("wrong.ts");
  });
});
