import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { run, type RunResult } from "../../tools/process.cjs";

const script = path.resolve(__dirname, "../../tools/pulumi/ensure.mjs");
const goMod = fs.readFileSync(path.resolve(__dirname, "../../tools/pulumi/cli/go.mod"), "utf8");
const made = /pulumi\/pkg\/v3 v(\S+)/.exec(goMod)?.[1] ?? "";

let directory: string;
beforeEach(() => {
  directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "exchange-ensure-")));
});
afterEach(() => {
  fs.rmSync(directory, { recursive: true, force: true });
});

/** A folder with something that answers `pulumi version`. */
function folderWith(name: string, version: string, companions: boolean): string {
  const folder = path.join(directory, name);
  fs.mkdirSync(folder, { recursive: true });
  const names = ["pulumi", ...(companions ? ["pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"] : [])];
  for (const file of names) {
    fs.writeFileSync(path.join(folder, file), `#!/bin/sh\necho v${version}\n`, { mode: 0o755 });
  }
  return folder;
}

function ensure(onPath: string): Promise<RunResult> {
  const env = { ...process.env, PATH: onPath, PULUMI_EXCHANGE_CERTIFICATES_CACHE: path.join(directory, "cache") };
  return run(process.execPath, [script], { env });
}

// The stand-ins are shell scripts.
const onPosix = process.platform === "win32" ? describe.skip : describe;

onPosix("finding a Pulumi CLI", () => {
  it("takes one on PATH and prints its folder alone on stdout", async () => {
    const folder = folderWith("bin", "3.300.1", true);
    const { exitCode, stdout } = await ensure(folder);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${folder}\n` });
  });

  it("takes the folder behind a link on PATH when the companions are there", async () => {
    const folder = folderWith("opt", "3.300.1", true);
    const links = path.join(directory, "bin");
    fs.mkdirSync(links);
    fs.symlinkSync(path.join(folder, "pulumi"), path.join(links, "pulumi"));
    expect((await ensure(links)).stdout).toBe(`${folder}\n`);
  });

  it.each([
    ["is too old", "3.215.9", true],
    ["has no companions", "3.300.1", false],
  ])("passes over one that %s and takes the one it made before", async (_, version, companions) => {
    const cached = folderWith(`cache/pulumi-${made}-${process.platform}-${process.arch}`, made, true);
    expect((await ensure(folderWith("bin", version, companions))).stdout).toBe(`${cached}\n`);
  });
});
