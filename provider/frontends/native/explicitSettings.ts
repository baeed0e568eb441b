import { CONNECTION_SETTINGS, SETTING_KEYS } from "../../config";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The environment as it counts for a provider resource with a configuration of its own. What that says comes first; and
 * where it says anything of how the servers are reached, the environment says nothing of that: a password in a pipeline
 * must not go to another organisation than it was meant for.
 */
export function explicitSettings(
  config: Readonly<Record<string, string>>,
  environment: Environment,
): { readonly environment: Environment; readonly ignored: readonly string[] } {
  const isGiven = (key: string): boolean => (config[key] ?? "").trim() !== "";
  const hasConnection = CONNECTION_SETTINGS.some(isGiven);
  const overruled = SETTING_KEYS.filter(
    ({ key }) => isGiven(key) || (hasConnection && CONNECTION_SETTINGS.includes(key)),
  ).map(({ variable }) => variable);
  const ignored = overruled.filter((variable) => (environment[variable] ?? "").trim() !== "");
  return {
    environment: Object.fromEntries(Object.entries(environment).filter(([name]) => !ignored.includes(name))),
    ignored,
  };
}
