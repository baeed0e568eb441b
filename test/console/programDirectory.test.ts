import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mainOf, programDirectory } from "../../provider/console/programDirectory";

describe("main of a project file", () => {
  it.each([
    ["name: a\nmain: examples/quickstart\n", "examples/quickstart"],
    ["name: a\r\nmain: infra/\r\nruntime: nodejs\r\n", "infra/"],
    ['main: "with blank/x" # why', "with blank/x"],
    ["main: 'a'", "a"],
    ["main: dist#1 # a comment", "dist#1"],
    ['"main": x', "x"],
    ['{ "name": "a", "main": "infra" }', "infra"],
  ])("is read from %j", (text, main) => {
    expect(mainOf(text)).toBe(main);
  });

  it.each([
    ["name: a\nruntime:\n  name: nodejs\n  main: not this one\n"],
    ["name: a\n# main: nor this one\n"],
    ["main:\nname: a\n"],
    ["main: # nothing\n"],
    ["main: null\n"],
    ["description: the main: thing\n"],
    ["{ this is no JSON"],
    [""],
  ])("is not there in %j", (text) => {
    expect(mainOf(text)).toBeUndefined();
  });
});

describe("the directory that Pulumi runs a program in", () => {
  let root: string;
  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), "program-directory-")));
    await mkdir(join(root, "project", "infra", "deep"), { recursive: true });
  });
  afterEach(async () => {
    await rm(root, { recursive: true, force: true });
  });
  const project = (text: string, name = "Pulumi.yaml") => writeFile(join(root, "project", name), text);

  it("is that of Pulumi.yaml, from wherever below one looks", async () => {
    await project("name: a\n");
    for (const start of ["project", "project/infra", "project/infra/deep"]) {
      expect(programDirectory(join(root, start))).toBe(join(root, "project"));
    }
  });

  it("is the one that main names", async () => {
    await project("name: a\nmain: infra/\n");
    expect(programDirectory(join(root, "project"))).toBe(join(root, "project", "infra"));
  });

  it("is that of the file that main names", async () => {
    await writeFile(join(root, "project", "infra", "index.ts"), "");
    await project("name: a\nmain: infra/index.ts\n", "Pulumi.yml");
    expect(programDirectory(join(root, "project"))).toBe(join(root, "project", "infra"));
  });

  it("is that of the project when main names nothing that is there", async () => {
    await project("name: a\nmain: elsewhere\n");
    expect(programDirectory(join(root, "project"))).toBe(join(root, "project"));
  });

  it("is the starting point where there is no project", () => {
    expect(programDirectory(join(root, "project"))).toBe(join(root, "project"));
  });
});
