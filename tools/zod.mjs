/** `lib/zod.js`: what provider/zod.ts takes of zod, in one file. */

import fs from "node:fs";
import path from "node:path";
import { build } from "esbuild";

/**
 * @param {string} root Of the repository.
 * @param {string} lib Where the build is made.
 */
export async function bundleZod(root, lib) {
  const licence = fs.readFileSync(path.join(root, "node_modules", "zod", "LICENSE"), "utf8");
  await build({
    entryPoints: [path.join(root, "provider", "zod.ts")],
    outfile: path.join(lib, "zod.js"),
    banner: { js: `/* zod (https://zod.dev)\n\n${licence.trim()}\n*/` },
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    logLevel: "error",
  });
}
