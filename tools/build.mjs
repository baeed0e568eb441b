/** `npm run build`: lib/ from provider/, always. */

import { ensureBuilt } from "./setup.mjs";

try {
  await ensureBuilt({ force: true });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
