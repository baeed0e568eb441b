import { FACT_KEYS } from "../../certificate/facts";
import type { Bag } from "../../lifecycle/requests";
import { OUTPUT_KEYS } from "../../outputKeys";
import { UNKNOWN } from "../../unknowns";

/** What stays what it is as long as the certificate does. */
const LASTING: ReadonlySet<string> = new Set([...FACT_KEYS, "exchangeVersion", "backend", "stateVersion"]);

/** Outputs of a preview: what check could tell, what an update leaves as it is, and unknown what the server will say. */
export function plannedOutputs(inputs: Bag, state: Bag = {}): Bag {
  const open = OUTPUT_KEYS.map((key) => [key, LASTING.has(key) ? (state[key] ?? UNKNOWN) : UNKNOWN] as const);
  return { ...Object.fromEntries(open), ...inputs };
}
