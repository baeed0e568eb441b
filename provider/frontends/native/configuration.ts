import { SETTING_KEYS, readSettings } from "../../config";
import { messageOf } from "../../errors";
import type { Bag } from "../../lifecycle/requests";
import { containsUnknown } from "../../unknowns";
import type { EngineFailure } from "../engine/failuresForEngine";
import { explicitSettings } from "./explicitSettings";

/** Settings as texts, as the stack's configuration holds them; lists and flags as JSON. Unknown ones are left out. */
export function configurationIn(bag: Bag): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(bag)
      .filter(([key, value]) => isSetting(key) && value !== undefined && value !== null && !containsUnknown(value))
      .map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
  );
}

/** What is wrong with the inputs of a provider resource. */
export function checkConfiguration(
  bag: Bag,
  environment: Readonly<Record<string, string | undefined>>,
  directory: string,
): readonly EngineFailure[] {
  const strange = Object.keys(bag).filter((key) => !isSetting(key) && !OF_ENGINE.has(key));
  if (strange.length > 0) {
    const known = SETTING_KEYS.map(({ key }) => key).join(", ");
    return strange.map((key) => ({
      property: "",
      reason: `${key} isn't a setting of this provider. Settings are ${known}.`,
    }));
  }
  if (containsUnknown(bag)) return [];
  const config = configurationIn(bag);
  try {
    readSettings(
      (key) => config[key.replace(/^exchange:/, "")],
      explicitSettings(config, environment).environment,
      directory,
    );
    return [];
  } catch (error) {
    return [{ property: "", reason: messageOf(error) }];
  }
}

function isSetting(key: string): boolean {
  return SETTING_KEYS.some((one) => one.key === key);
}

/** What the engine keeps among the inputs of every provider resource. */
const OF_ENGINE: ReadonlySet<string> = new Set([
  "version",
  "pluginDownloadURL",
  "pluginChecksums",
  "parameterization",
  "__internal",
]);
