/** `npm run build`: lib/ from provider/, always. */

import { ensureBuilt, main } from "./setup.mjs";

await main(() => ensureBuilt({ force: true }));
