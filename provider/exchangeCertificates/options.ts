import { kindAndLength } from "../console/misplaced";
import { readOptions, type TypedOptions } from "../console/options";
import { alternatives, nearNames } from "../console/nearNames";
import { UsageMistake } from "../console/usageMistake";
import type { REMOTE_KEYS } from "../backends/remote/settings";
import { parseServerFqdn, type ServerFqdn } from "../model";
import type { Setting } from "../setting";

/** What both commands are told about servers and the way to them. */
export interface CommonOptions {
  /** As they were named, each once. Empty: `EXCHANGE_SERVERS` says it. */
  readonly servers: readonly ServerFqdn[];
  /** By the name of the setting; they go before the environment. */
  readonly settings: ReadonlyMap<keyof typeof REMOTE_KEYS, Setting>;
  readonly passwordEnv: string | undefined;
  readonly passwordStdin: boolean;
  /** Longest time for one step, or for the reading of one server; seconds. */
  readonly timeoutSeconds: number | undefined;
  readonly json: boolean;
}

/** Of the commands that read through any backend. */
export interface BackendOptions extends CommonOptions {
  readonly backend: string | undefined;
  readonly simulatorFile: string | undefined;
}

export interface InventoryOptions extends BackendOptions {
  /** Days within which the end of a certificate in use is a finding. */
  readonly endsWithin: number | undefined;
}

export interface GenerateOptions extends BackendOptions {
  readonly as: "import" | "program";
}

export type Request =
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | { readonly kind: "doctor"; readonly options: CommonOptions }
  | { readonly kind: "inventory"; readonly options: InventoryOptions }
  | { readonly kind: "generate"; readonly options: GenerateOptions };

/** Options that are settings of the provider, by the name that they have there. */
const SETTINGS = {
  endpoint: "endpoint",
  authentication: "authentication",
  username: "username",
  "tls-server-name": "tlsServerName",
  "ca-file": "caFile",
} as const satisfies Readonly<Record<string, keyof typeof REMOTE_KEYS>>;
const SETTING_OPTIONS = ["endpoint", "authentication", "username", "tls-server-name", "ca-file"] as const;
const BACKEND_VALUES = ["backend", "simulator-file"] as const;
const OWN_VALUES = ["ends-within", "as", ...BACKEND_VALUES] as const;
const VALUES = ["server", ...SETTING_OPTIONS, "password-env", "timeout", ...OWN_VALUES] as const;
const FLAGS = ["password-stdin", "json", "help", "version"] as const;
const COMMANDS = ["doctor", "inventory", "generate"] as const;
const MOST_SECONDS = 3600;
const MOST_DAYS = 9999;

const HELP = "exchange-certificates --help";
type Typed = TypedOptions<(typeof VALUES)[number], (typeof FLAGS)[number]>;

/** Throws {@link UsageMistake}, which repeats no word that may be a secret in the wrong place. */
export function readRequest(argv: readonly string[]): Request {
  const typed = readOptions(argv, { values: VALUES, flags: FLAGS, help: HELP });
  if (typed.flags.has("version")) return { kind: "version" };
  const [word, ...rest] = typed.words;
  if (typed.flags.has("help") || word?.toLowerCase() === "help") return { kind: "help" };
  if (word === undefined) {
    throw new UsageMistake(
      `Say what to do: exchange-certificates doctor, exchange-certificates inventory, or exchange-certificates generate. See: ${HELP}`,
    );
  }
  const command = COMMANDS.find((one) => one === word.toLowerCase());
  if (command === undefined) {
    const near = nearNames(word, COMMANDS);
    const hint = near.length === 0 ? "" : ` Did you mean ${alternatives(near)}?`;
    throw new UsageMistake(
      `The first word (${kindAndLength(word)}) is no command; the commands are doctor, inventory and generate.${hint} See: ${HELP}`,
    );
  }
  const [stray] = rest;
  if (stray !== undefined) {
    throw new UsageMistake(
      `A word behind ${command} (${kindAndLength(stray)}) belongs to no option. Servers are named with --server. See: ${HELP}`,
    );
  }
  refuseStrays(command, typed);
  switch (command) {
    case "doctor":
      return { kind: command, options: commonOptions(typed) };
    case "inventory": {
      const endsWithin = wholeNumber(typed, "ends-within", { unit: "days", least: 0, most: MOST_DAYS });
      return { kind: command, options: { ...backendOptions(typed), endsWithin } };
    }
    case "generate": {
      const as = typed.one("as")?.toLowerCase() ?? "import";
      if (as !== "import" && as !== "program") {
        throw new UsageMistake(`--as takes import or program, not ${kindAndLength(as)}.`);
      }
      if (typed.flags.has("json")) throw new UsageMistake("--json is no option of: exchange-certificates generate");
      return { kind: command, options: { ...backendOptions(typed), as } };
    }
  }
}

/** Commands that an option belongs to, where it isn't all. */
const OWNERS: Readonly<Record<(typeof OWN_VALUES)[number], readonly (typeof COMMANDS)[number][]>> = {
  "ends-within": ["inventory"],
  as: ["generate"],
  backend: ["inventory", "generate"],
  "simulator-file": ["inventory", "generate"],
};

function refuseStrays(command: (typeof COMMANDS)[number], typed: Typed): void {
  const stray = OWN_VALUES.find((name) => typed.all(name).length > 0 && !OWNERS[name].includes(command));
  if (stray === undefined) return;
  const owners = OWNERS[stray].map((owner) => `exchange-certificates ${owner}`).join(", ");
  throw new UsageMistake(`--${stray} is an option of: ${owners}`);
}

function backendOptions(typed: Typed): BackendOptions {
  return { ...commonOptions(typed), backend: typed.one("backend"), simulatorFile: typed.one("simulator-file") };
}

function commonOptions(typed: Typed): CommonOptions {
  const settings = new Map<keyof typeof REMOTE_KEYS, Setting>();
  for (const option of SETTING_OPTIONS) {
    const value = typed.one(option);
    if (value !== undefined) settings.set(SETTINGS[option], { value, from: `--${option}` });
  }
  return {
    servers: [...new Set(typed.all("server").flatMap(serversOf))],
    settings,
    passwordEnv: typed.one("password-env"),
    passwordStdin: typed.flags.has("password-stdin"),
    timeoutSeconds: wholeNumber(typed, "timeout", { unit: "seconds", least: 1, most: MOST_SECONDS }),
    json: typed.flags.has("json"),
  };
}

function wholeNumber(
  typed: Typed,
  name: "timeout" | "ends-within",
  { unit, least, most }: { readonly unit: string; readonly least: number; readonly most: number },
): number | undefined {
  const text = typed.one(name);
  if (text === undefined) return undefined;
  const number = /^\d{1,4}$/.test(text) ? Number(text) : -1;
  if (number >= least && number <= most) return number;
  throw new UsageMistake(`--${name} is a number of ${unit} from ${least} to ${most}, not ${kindAndLength(text)}.`);
}

function serversOf(text: string): readonly ServerFqdn[] {
  return text
    .split(/[\s,;]+/)
    .filter((name) => name !== "")
    .map((name) => {
      const server = parseServerFqdn(name);
      if (server !== undefined) return server;
      throw new UsageMistake(
        `--server names something (${kindAndLength(name)}) that isn't a fully qualified server name. Write it like ` +
          "ex01.contoso.com.",
      );
    });
}
