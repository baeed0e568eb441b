import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { run, type RunResult } from "../../tools/process.cjs";

const PROGRAMS = path.join(__dirname, "..", "..", "tools", "docs", "programs");

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), "exchange-documented-"));
  for (const name of ["adapter.cjs", "adapter.test.mjs", "farm.cjs", "farm.test.mjs"]) {
    cpSync(path.join(PROGRAMS, name), path.join(directory, name));
  }
  symlinkSync(process.env["HARNESS_MODULES"] ?? "", path.join(directory, "node_modules"), "junction");
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

function nodeTest(file: string): Promise<RunResult> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  return run(process.execPath, ["--test", "--test-reporter=tap", file], { cwd: directory, env, timeLimitSeconds: 300 });
}

describe("a program that the documents show", () => {
  it("is an adapter that keeps the contract", async () => {
    const { exitCode, combined } = await nodeTest("adapter.test.mjs");
    expect({ exitCode, failed: /^# fail (\d+)/m.exec(combined)?.[1] }).toEqual({ exitCode: 0, failed: "0" });
    expect(Number(/^# pass (\d+)/m.exec(combined)?.[1])).toBeGreaterThan(10);
  });

  it("is a program tested with mocks", async () => {
    const { exitCode, combined } = await nodeTest("farm.test.mjs");
    expect({ exitCode, passed: /^# pass (\d+)/m.exec(combined)?.[1], combined }).toEqual({
      exitCode: 0,
      passed: "2",
      combined: expect.any(String),
    });
  });
});
