import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { root } from "../../../tools/docs/markdown.cjs";

/** What the steps of the READMEs leave behind. */
const MADE = ["node_modules/x", ".pulumi/x", ".exchange-simulator.json", "Pulumi.dev.yaml", "mail.pfx", "cert.pem"];

const examples = readdirSync(path.join(root, "examples"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

describe("an example", () => {
  it.each(examples)("%s keeps what its steps make out of the repository, by a .gitignore of its own", (name) => {
    const directory = path.join(root, "examples", name);
    expect(existsSync(path.join(directory, ".gitignore"))).toBe(true);
    // Asked in an empty repository, so that no other .gitignore helps.
    const git = spawnSync("git", ["-c", "core.excludesFile=", "check-ignore", "--no-index", "--verbose", ...MADE], {
      cwd: directory,
      encoding: "utf8",
    });
    const sources = git.stdout
      .trim()
      .split("\n")
      .map((line) => line.split(":")[0]);
    expect(sources).toEqual(MADE.map(() => `examples/${name}/.gitignore`));
  });
});
