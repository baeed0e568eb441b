import { resolve } from "node:path";

import { DEFAULT_SIMULATOR_FILE, chooseBackend } from "./backends/openBackend";
import type { BackendSettings } from "./backends/openBackend";
import { parseRemoteSettings, REMOTE_KEYS, type RemoteSettings } from "./backends/remote/settings";
import { nearNames } from "./console/nearNames";
import { parseServerFqdn } from "./model";
import type { ServerFqdn } from "./model";
import { readFlag, readingAll, readPath, settingRefused, shownSetting, type Setting } from "./setting";
import { shown } from "./shownValue";

/** How values of the configuration are read: `get("exchange:backend")`. */
export type ReadConfig = (key: string) => string | undefined;

/** The provider's configuration, parsed. Precedence: environment, stack config, default. */
export interface Settings {
  /** Undefined only when `offline` is set and none was chosen. */
  readonly backend: BackendSettings | undefined;
  /** Servers to read ahead. */
  readonly servers: readonly ServerFqdn[];
  /** No call at all: plan from the last known state. */
  readonly offline: boolean;
  /** What a preview does when a server can't be asked. */
  readonly onUnreachable: "fail" | "continue";
}

const KEYS = {
  backend: { config: "exchange:backend", environment: "EXCHANGE_BACKEND" },
  simulatorFile: { config: "exchange:simulatorFile", environment: "EXCHANGE_SIMULATOR_FILE" },
  servers: { config: "exchange:servers", environment: "EXCHANGE_SERVERS" },
  offline: { config: "exchange:offline", environment: "EXCHANGE_OFFLINE" },
  onUnreachable: { config: "exchange:onUnreachable", environment: "EXCHANGE_ON_UNREACHABLE" },
  ...REMOTE_KEYS,
} as const;

/** Each setting's name below `exchange:`, and its variable. */
export const SETTING_KEYS: readonly { readonly key: string; readonly variable: string }[] = Object.entries(KEYS).map(
  ([key, { environment }]) => ({ key, variable: environment }),
);
/** Those that say which organisation is reached, and as whom. */
export const CONNECTION_SETTINGS: readonly string[] = ["backend", "simulatorFile", ...Object.keys(REMOTE_KEYS)];

/** What people write for "fail" or "continue". */
const NEARLY_WAY =
  /^(?:fail(?:s|ed)?|continued?|ignored?|warn(?:ing)?|skip|error|abort|stop|proceed|true|false|yes|no|none)$/i;
/** Short names, and full ones with a mistake in them. */
const NEARLY_SERVER = /^[A-Za-z0-9._-]{1,15}$|^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)+$/;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the configuration. `directory` is the program's, against which relative paths count. Throws
 * `ConfigurationInvalid`, naming the key, what it held and what it may hold.
 */
export function readSettings(config: ReadConfig, environment: Environment, directory: string): Settings {
  const readAsWritten = (name: keyof typeof KEYS): Setting | undefined => {
    const { config: configKey, environment: variable } = KEYS[name];
    for (const [value, from] of [
      [environment[variable], variable],
      [config(configKey), configKey],
    ] as const) {
      if (value !== undefined && value.trim() !== "") return { value, from };
    }
    return undefined;
  };
  const read: typeof readAsWritten = (name) => {
    const entry = readAsWritten(name);
    return entry && { ...entry, value: entry.value.trim() };
  };

  return readingAll((attempt) => {
    const backend = read("backend");
    const offline = attempt(() => readFlag(read("offline")), false);
    const remote = (): RemoteSettings => parseRemoteSettings(readAsWritten, directory);
    const file = attempt(() => readPath(read("simulatorFile") ?? DEFAULT_FILE), "");
    return {
      // There is no default: a program must not reach real servers, or only simulated ones, by accident.
      backend:
        backend === undefined && offline
          ? undefined
          : attempt(
              () => chooseBackend(backend?.value, { simulatorFile: resolve(directory, file), remote }),
              undefined,
            ),
      servers: attempt(() => readServers(read("servers")), []),
      offline,
      onUnreachable: attempt(() => readWay(read("onUnreachable")), "fail"),
    };
  });
}

const DEFAULT_FILE: Setting = { value: DEFAULT_SIMULATOR_FILE, from: "" };

function readWay(entry: Setting | undefined): Settings["onUnreachable"] {
  const value = entry?.value.toLowerCase() ?? "fail";
  if (value === "fail" || value === "continue") return value;
  throw settingRefused(
    `${entry?.from ?? ""} is ${shownSetting(entry?.value ?? "", NEARLY_WAY)}; it may be "fail" (the default) or "continue".`,
  );
}

/**
 * Settings of ours that aren't there, and whose names are nearly like those of some that are: a sentence each. Programs
 * have keys of their own in the same namespace, so that it is no mistake.
 */
export function nearSettings(keys: readonly string[]): readonly string[] {
  const own = Object.values(KEYS).map(({ config }) => config);
  return keys.flatMap((key) => {
    const name = /^exchange:(.+)$/i.exec(key)?.[1];
    if (name === undefined || (own as readonly string[]).includes(key)) return [];
    const [near] = nearNames(
      name,
      own.map((one) => one.replace("exchange:", "")),
    );
    if (near === undefined) return [];
    return `The setting ${shown(key)} means nothing to pulumi-exchange-certificates. If it is one of your program's own, all is well; did you mean exchange:${near}?`;
  });
}

/**
 * A JSON list, as `pulumi config set --path` writes it, or names with commas or blanks between them. Throws
 * `ConfigurationInvalid`.
 */
export function readServers(entry: Setting | undefined): readonly ServerFqdn[] {
  if (entry === undefined) return [];
  const servers = splitServers(entry).map((name) => {
    const server = parseServerFqdn(name);
    if (server === undefined) {
      throw settingRefused(
        `${entry.from} names ${shownSetting(name, NEARLY_SERVER)}, which isn't a fully qualified server name. Write names like ex01.contoso.com, with commas between them.`,
      );
    }
    return server;
  });
  return [...new Set(servers)];
}

function splitServers(entry: Setting): readonly string[] {
  if (!entry.value.startsWith("[")) return entry.value.split(/[\s,;]+/).filter((name) => name !== "");
  let parsed: unknown;
  try {
    parsed = JSON.parse(entry.value);
  } catch (cause) {
    throw settingRefused(`${entry.from} begins like a JSON list but can't be read as one.`, cause);
  }
  if (!Array.isArray(parsed) || !parsed.every((name): name is string => typeof name === "string")) {
    throw settingRefused(`${entry.from} must be a list of server names.`);
  }
  return parsed;
}
