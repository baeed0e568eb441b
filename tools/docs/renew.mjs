/**
 * `npm run docs:renew`: runs every command of which a document shows the output, and puts what it prints today into the
 * documents. Look at `git diff` afterwards. With `--files` only the files that documents show; that takes no time.
 */

import { parseArgs } from "node:util";
import { prepareCli, prepareModules, removeModules } from "../jest/prepare.mjs";
import { ensureNodeModules, main } from "../setup.mjs";
import { runScenarios, staleDocuments, writeDocuments } from "./listings.cjs";

const { values } = parseArgs({ options: { files: { type: "boolean", default: false } } });

await main(async () => {
  await ensureNodeModules();
  const stale = staleDocuments(values.files ? undefined : await listings());
  writeDocuments(stale);
  process.stdout.write(stale.size === 0 ? "All listings are fresh.\n" : `Renewed: ${[...stale.keys()].join(", ")}\n`);
});

async function listings() {
  try {
    await prepareCli();
    await prepareModules();
    const pulumi = process.env["HARNESS_PULUMI"] ?? "";
    const modules = process.env["HARNESS_TYPESCRIPT_MODULES"] ?? "";
    return await runScenarios({ pulumi, modules });
  } finally {
    removeModules();
  }
}
