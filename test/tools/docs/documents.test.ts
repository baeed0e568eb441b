import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { anchorsOf, documents, localLinksOf, read, root } from "../../../tools/docs/markdown.cjs";
import { staleDocuments } from "../../../tools/docs/listings.cjs";

describe("the documents", () => {
  it.each(documents())("%s links to what is there", (file) => {
    const broken = localLinksOf(read(file)).filter((link) => !leadsSomewhere(file, link));
    expect(broken).toEqual([]);
  });

  it("show the files that they say they show", () => {
    expect([...staleDocuments().keys()]).toEqual([]);
  });
});

function leadsSomewhere(from: string, link: string): boolean {
  const [target = "", anchor] = link.split("#");
  const file = target === "" ? from : path.posix.join(path.posix.dirname(from), decodeURI(target));
  const absolute = path.join(root, file);
  if (!existsSync(absolute)) return false;
  if (anchor === undefined) return true;
  if (statSync(absolute).isDirectory() || !file.endsWith(".md")) return false;
  return anchorsOf(read(file)).has(decodeURI(anchor));
}
