import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

/*
 * What is inside the plugin's tarballs. That they can be installed and work is shown by npm run test:languages.
 */

const root = path.join(__dirname, "..", "..", "..");
const evaluate = (expression: string): unknown =>
  JSON.parse(
    execFileSync(
      process.execPath,
      [
        "--input-type=module",
        "--eval",
        `import * as contents from "./tools/native/contents.mjs"; console.log(JSON.stringify(${expression}));`,
      ],
      { cwd: root, encoding: "utf8" },
    ),
  );

describe("a tarball of the plugin", () => {
  it("holds the packages that run, those of the engine's messages among them, and of the SDK nothing else", () => {
    const folders = evaluate("contents.closureOf()") as string[];
    for (const name of ["zod", "node-forge", "koffi", "@grpc/grpc-js", "google-protobuf", "@js-sdsl/ordered-map"]) {
      expect(folders).toContain(`node_modules/${name}`);
    }
    for (const name of ["typescript", "ts-node", "jest"]) expect(folders).not.toContain(`node_modules/${name}`);
    const neededOf = (name: string, files: readonly string[]): readonly unknown[] =>
      files.map((file) => evaluate(`contents.isNeeded("node_modules/${name}", "${file}", false)`));
    const ofSdk = neededOf("@pulumi/pulumi", ["proto/provider_pb.js", "LICENSE", "index.js", "proto/provider_pb.d.ts"]);
    expect(ofSdk).toEqual([true, true, false, false]);
    expect(neededOf("zod", ["package.json", "LICENSE", "index.cjs"])).toEqual([true, true, false]);
  });

  it("has koffi for every system, from the lock file", () => {
    const targets = ["linux", "darwin", "windows"].flatMap((system) => [`${system}-amd64`, `${system}-arm64`]);
    expect((evaluate("Object.keys(contents.TARGETS)") as string[]).toSorted()).toEqual(targets.toSorted());
    const packages = evaluate("Object.keys(contents.TARGETS).map(contents.platformPackage)") as { integrity: string }[];
    for (const { integrity } of packages) expect(integrity).toMatch(/^sha512-/);
  });

  it("has the licence of each package, with its text", () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), "exchange-licences-"));
    const folder = path.join(directory, "node_modules", "one");
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, "package.json"), '{"name":"one","version":"1.0.0","license":"MIT"}');
    fs.writeFileSync(path.join(folder, "LICENCE.md"), "Do as you like.\n");
    const text = evaluate(`contents.licences(${JSON.stringify(directory)})`);
    fs.rmSync(directory, { recursive: true });
    expect(text).toMatch(/\n\none 1\.0\.0: MIT\n\nDo as you like\.\n$/);
  });

  (process.platform === "win32" ? it.skip : it)("says in one sentence that Node is missing", () => {
    const empty = fs.mkdtempSync(path.join(os.tmpdir(), "exchange-start-"));
    const script = path.join(root, "tools/native/start/pulumi-resource-exchange");
    const { status, stdout, stderr } = spawnSync("/bin/sh", [script], { env: { PATH: empty }, encoding: "utf8" });
    fs.rmSync(empty, { recursive: true });
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toBe(
      "The exchange plugin needs Node 20.17 or newer, and there is no node on the PATH. Install it: https://nodejs.org\n",
    );
  });

  it("says in one sentence that Node is too old", () => {
    const start = path.join(root, "tools/native/start/start.js");
    const old = `Object.defineProperty(process.versions, "node", { value: "18.20.4" }); require(${JSON.stringify(start)});`;
    const { status, stderr } = spawnSync(process.execPath, ["--eval", old], { encoding: "utf8" });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^The exchange plugin needs Node 20\.17 or newer, and .* Install it: https:\/\/nodejs\.org\n$/,
    );
  });
});
