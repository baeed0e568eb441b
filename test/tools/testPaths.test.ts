import { existsSync, readdirSync } from "node:fs";
import path from "node:path";

const ROOT = path.join(__dirname, "..", "..");

/** Folders of test/ that are no folders of provider/: other ways of running the same, and the tools. */
const OF_THEIR_OWN = /^(engine|stories|process|tools|fuzz|oldStates|windows|remoting\/(peers|kerberos))\//;
/** Tests of how something that has its file elsewhere works out here. */
const ELSEWHERE_ON_PURPOSE = [
  "backends/remote/contract",
  "backends/remote/trace",
  "exchangeCertificates/inventory",
  "exchangeCertificates/twin",
  "lifecycle/connectors",
  "lifecycle/removal",
];

function filesIn(folder: string, ending: string): readonly string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .map((name) => name.slice(0, -ending.length).replaceAll(path.sep, "/"));
}

const tests = filesIn("test", ".test.ts").filter((name) => !OF_THEIR_OWN.test(name));
const sources = filesIn("provider", ".ts");

describe("a test's path", () => {
  it("is in the folder of what it tests", () => {
    const lost = tests.filter((name) => !existsSync(path.join(ROOT, "provider", path.dirname(name))));
    expect(lost).toEqual([]);
  });

  it("is the path of the file that has its name", () => {
    const nameOf = (file: string): string => path.posix.basename(file);
    const strayed = tests
      .filter((name) => !sources.includes(name) && !ELSEWHERE_ON_PURPOSE.includes(name))
      .filter((name) => sources.some((source) => nameOf(source) === nameOf(name)));
    expect(strayed).toEqual([]);
  });
});
