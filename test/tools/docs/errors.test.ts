import { ERROR_CODES } from "../../../provider/errors";
import { REMOTING_ERROR_CODES } from "../../../provider/remoting/errors";
import { anchorsOf, read } from "../../../tools/docs/markdown.cjs";

const page = read("docs/errors.md");

describe("docs/errors.md", () => {
  it("has an entry for every error code, and none for one that isn't there", () => {
    const entries = [...page.matchAll(/^### (\w+)$/gm)].map(([, code]) => code);
    expect(entries.toSorted()).toEqual([...ERROR_CODES].toSorted());
  });

  it.each(ERROR_CODES)("%s can be linked to", (code) => {
    expect(anchorsOf(page)).toContain(code.toLowerCase());
  });

  it.each(REMOTING_ERROR_CODES)("%s, a reason on the way to a server, is explained", (code) => {
    expect(page).toContain(`\`${code}\``);
  });
});
