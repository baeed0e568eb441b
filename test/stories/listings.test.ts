import { runScenarios, staleDocuments } from "../../tools/docs/listings.cjs";
import { read as readDocument } from "../../tools/docs/markdown.cjs";

const RENEW = 'The listings of these documents aren\'t what is printed today. Run "npm run docs:renew".';

describe("the listings in the documents", () => {
  it("are what the commands print", async () => {
    const listings = await runScenarios({
      pulumi: process.env["HARNESS_PULUMI"] ?? "",
      modules: process.env["HARNESS_TYPESCRIPT_MODULES"] ?? "",
    });
    // As text, so that a failure shows the line that differs.
    const stale = [...staleDocuments(listings)].map(
      ([file, fresh]) => `${RENEW}\n${file}: ${differenceIn(file, fresh)}`,
    );
    expect(stale.join("\n")).toBe("");
  });
});

function differenceIn(file: string, fresh: string): string {
  const before = readDocument(file).split("\n");
  const after = fresh.split("\n");
  const at = after.findIndex((line, index) => line !== before[index]);
  return `line ${String(at + 1)}\n  is:     ${before[at] ?? "(nothing)"}\n  should: ${after[at] ?? "(nothing)"}`;
}
