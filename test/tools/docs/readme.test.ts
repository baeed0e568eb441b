import { blocksOf, read } from "../../../tools/docs/markdown.cjs";

const README = read("README.md");
const MOST_BYTES = 15_000;

/** A command line of each shell that sets a variable. */
const SETTINGS = [/^export (\w+)=(.*)$/, /^\$env:(\w+) = "(.*)"$/, /^set (\w+)=(.*)$/];

describe("the README", () => {
  it("is short enough to be read", () => {
    expect(Buffer.byteLength(README)).toBeLessThanOrEqual(MOST_BYTES);
  });

  it("has the same first steps for bash, PowerShell and cmd", () => {
    const blocks = blocksOf(README);
    const [bash, ...others] = [
      blocks.find(({ marker }) => marker === "run: first binding"),
      blocks.find(({ language }) => language === "powershell"),
      blocks.find(({ language }) => language === "bat"),
    ].map((block) => (block?.text ?? "").split("\n").map(withoutShell));
    expect(bash).toContain("pulumi preview");
    for (const other of others) expect(other).toEqual(bash);
  });

  it("has first steps without what a shell would read in its own way", () => {
    const lines = (blocksOf(README).find(({ language }) => language === "bat")?.text ?? "").split("\n");
    for (const line of lines) expect(line).not.toMatch(/['"^&|<>%$*~;]/);
  });

  it("installs the package from a file, because its name on the registry is somebody else's", () => {
    const installs = blocksOf(README).flatMap(({ text }) => text.match(/^npm (install|i|add) .*$/gm) ?? []);
    expect(installs).not.toEqual([]);
    for (const line of installs) expect(line).not.toMatch(/ pulumi-exchange-certificates(@|\s|$)/);
  });

  it("explains lines that the listing has", () => {
    const section = README.slice(README.indexOf("## How to read a preview"));
    const listing = blocksOf(section)[0]?.text ?? "";
    const explained = [...section.slice(0, section.indexOf("A preview reads")).matchAll(/^- (`.+?`.*?):/gm)];
    expect(explained.length).toBeGreaterThan(3);
    const parts = explained.flatMap(([, item = ""]) => [...item.matchAll(/`([^`]+)`/g)].map(([, part = ""]) => part));
    for (const part of parts) for (const piece of part.split("…")) expect(listing).toContain(piece.trim());
  });
});

function withoutShell(line: string): string {
  const found = SETTINGS.map((pattern) => pattern.exec(line)).find((match) => match !== null);
  return found === undefined ? line : `${found[1] ?? ""}=${found[2] ?? ""}`;
}
