import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { blocksOf, read, root } from "../../tools/docs/markdown.cjs";
import { run } from "../../tools/process.cjs";
import { makeBindings } from "./bindingProgram";
import { mustSucceed } from "./engine";

describe("the first steps of the README", () => {
  let base: string;
  beforeAll(() => {
    base = realpathSync(mkdtempSync(path.join(os.tmpdir(), "exchange-readme-")));
  });
  afterAll(() => {
    rmSync(base, { recursive: true, force: true });
  });

  it("end with a binding, in an empty directory beside the clone", async () => {
    const block = blocksOf(read("README.md")).find(({ marker }) => marker === "run: first binding")?.text ?? "";
    const clone = path.join(base, "pulumi-exchange-certificates");
    const directory = path.join(base, "mail");
    cpSync(path.join(root, "template"), path.join(clone, "template"), { recursive: true });
    mkdirSync(directory);
    // What `npm install` would put there, without the network: the packed package and the SDK. At its turn, because
    // the project is made in an empty directory only.
    const modules = process.env["HARNESS_TYPESCRIPT_MODULES"] ?? "";
    const command = "../pulumi-exchange-certificates/bin/exchange-simulator.js";
    const install = `cp -a '${modules}' . && mkdir node_modules/.bin && ln -s ${command} node_modules/.bin/exchange-simulator`;
    const lines = block.split("\n").map((line) => (line.startsWith("npm install ") ? install : line));
    expect(lines.filter((line) => line === install)).toHaveLength(1);

    const {
      PULUMI_BACKEND_URL: _url,
      PULUMI_CONFIG_PASSPHRASE: _phrase,
      ...env
    } = (await makeBindings({})).environment();
    const script = ["set -e", ...lines].join("\n");
    const result = mustSucceed(await run("bash", ["-c", script], { cwd: directory, env, timeLimitSeconds: 300 }));
    expect(result.combined).toContain("2 created");
    expect(result.stdout).toMatch(/IIS, SMTP\s+front end\s+36[45]\s+CN=mail\.contoso\.com/);
  });
});
