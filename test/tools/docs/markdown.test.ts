import { anchorsOf, blocksOf, localLinksOf, withListings } from "../../../tools/docs/markdown.cjs";

const DOCUMENT = [
  "# One & two",
  "See [here](docs/a.md#b), [there](https://example.org) and `[not](this.md)`.",
  "",
  "<!-- listing: story/first -->",
  "",
  "```text",
  "$ old",
  "old line [nor](that.md)",
  "```",
  "",
  "```ts",
  "const untouched = 1;",
  "```",
  "## One & two",
].join("\n");

describe("a document", () => {
  it("has its blocks with language, text and marker", () => {
    expect(blocksOf(DOCUMENT)).toEqual([
      { language: "text", text: "$ old\nold line [nor](that.md)", line: 6, marker: "listing: story/first" },
      { language: "ts", text: "const untouched = 1;", line: 11, marker: undefined },
    ]);
  });

  it("gets a marked block renewed, and nothing else", () => {
    const fresh = withListings(DOCUMENT, (marker) => (marker === "listing: story/first" ? "$ new" : undefined));
    expect(fresh).toBe(DOCUMENT.replace("$ old\nold line [nor](that.md)", "$ new"));
    expect(withListings(fresh, () => "$ new")).toBe(fresh);
  });

  it("refuses a block that doesn't end", () => {
    expect(() => blocksOf("```ts\nconst a = 1;")).toThrow("line 1");
  });

  it("has links outside of code only, and headings to link to, told apart by number", () => {
    expect(localLinksOf(DOCUMENT)).toEqual(["docs/a.md#b"]);
    expect([...anchorsOf(DOCUMENT)]).toEqual(["one--two", "one--two-1"]);
  });
});
