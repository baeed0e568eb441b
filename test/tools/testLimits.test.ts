import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const TESTS = path.dirname(__dirname);

/** Written so that this file doesn't find itself. */
const OWN_LIMITS = [/jest\s*\.setTimeout\(/, /^\s*\}, [\d_]+\);$/m];
const ON_A_LINE_OF_ITS_OWN = /\n {2,4}\},\n {2,4}[\d_]{4,},\n {0,2}\);/;

const files = readdirSync(TESTS, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));

describe("the tests' limits", () => {
  it("are one for all, in jest.config.cjs: a limit that a busy machine reaches fails a good test", () => {
    const own = files.filter((name) => {
      const text = readFileSync(path.join(TESTS, name), "utf8");
      if (ON_A_LINE_OF_ITS_OWN.test(text)) return true;
      return OWN_LIMITS.some((pattern) => limitsIn(text).some((line) => pattern.test(line)));
    });
    expect(own).toEqual([]);
  });
});

/** The ends of tests and hooks, which stand at the left or below a `describe`; timers within a test are none of ours. */
function limitsIn(text: string): readonly string[] {
  return text.split("\n").filter((line) => !line.startsWith("    "));
}
