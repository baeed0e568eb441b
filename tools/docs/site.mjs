/**
 * `npm run docs`: the site, from the same pages that the repository shows, with the reference of the API and a search,
 * in `site/`. With `--check` nothing is written; a link that leads nowhere fails either way.
 *
 * Typedoc takes a page's name from front matter, which other readers would see as text. So the pages are copied, each
 * with its heading as its name.
 */

import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { run } from "../process.cjs";
import { ensureNodeModules, main, root } from "../setup.mjs";
import { read } from "./markdown.cjs";

/** The pages in the order of the site's list, by the heading under which they stand there. */
const GROUPS = {
  Using: [
    "docs/inputs-and-outputs.md",
    "docs/certificate-sources.md",
    "docs/renewals.md",
    "docs/configuration.md",
    "docs/previews.md",
    "docs/changes.md",
    "docs/removed-services.md",
    "docs/removal.md",
    "docs/default-smtp-certificate.md",
    "docs/connectors.md",
    "docs/several-servers.md",
    "docs/components.md",
    "docs/native.md",
    "docs/other-languages.md",
    "docs/secrets.md",
    "docs/errors.md",
    "docs/compatibility.md",
  ],
  "Real servers": ["docs/connecting-to-real-servers.md", "docs/agents.md", "docs/pipelines.md"],
  "Trying and testing": ["docs/simulator.md", "docs/twin.md", "docs/testing-programs.md", "docs/own-backend.md"],
  Examples: fs
    .readdirSync(path.join(root, "examples"))
    .map((name) => `examples/${name}/README.md`)
    .filter((file) => fs.existsSync(path.join(root, file))),
  Project: ["CHANGELOG.md", "CONTRIBUTING.md", "DESIGN.md", "SECURITY.md"],
};

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });

await main(async () => {
  await ensureNodeModules();
  const copies = path.join(root, ".cache", "site");
  fs.rmSync(copies, { recursive: true, force: true });
  const listed = Object.values(GROUPS).flat();
  const forgotten = fs
    .readdirSync(path.join(root, "docs"))
    .map((name) => `docs/${name}`)
    .filter((file) => file.endsWith(".md") && !listed.includes(file));
  if (forgotten.length > 0) throw new Error(`${forgotten.join(", ")}: name it in GROUPS of tools/docs/site.mjs.`);
  const pages = Object.entries(GROUPS).flatMap(([group, files]) =>
    files.filter((file) => fs.existsSync(path.join(root, file))).map((file) => copy(file, copies, group)),
  );
  const readme = copy("README.md", copies, undefined);
  // What pages link to besides pages.
  for (const file of ["LICENSE", "examples"]) {
    fs.cpSync(path.join(root, file), path.join(copies, file), {
      recursive: true,
      filter: (source) => !source.endsWith("README.md") && !source.includes("node_modules"),
    });
  }
  const typedoc = path.join(path.dirname(fileURLToPath(import.meta.resolve("typedoc/package.json"))), "bin", "typedoc");
  const documents = pages.flatMap((file) => ["--projectDocuments", file]);
  const args = [typedoc, "--readme", readme, ...documents, ...(values.check ? ["--emit", "none"] : [])];
  const { exitCode } = await run(process.execPath, args, {
    cwd: root,
    timeLimitSeconds: 600,
    onOutput: (text) => process.stdout.write(text),
  });
  process.exitCode = exitCode ?? 1;
});

/**
 * @param {string} file
 * @param {string} into
 * @param {string | undefined} group None for the first page.
 * @returns {string} Where it is now.
 */
function copy(file, into, group) {
  const text = read(file);
  const [, title = file] = /^# (.+)$/m.exec(text) ?? [];
  const target = path.join(into, file);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  const front = `---\ntitle: ${JSON.stringify(title.replaceAll("`", ""))}\ngroup: ${JSON.stringify(group ?? "")}\n---\n\n`;
  // Above the first page the site shows the package's name.
  fs.writeFileSync(target, group === undefined ? text.replace(/^# .+\n/m, "") : front + text);
  return target;
}
