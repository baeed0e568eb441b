import { parseArgs } from "node:util";
import { alternatives, nearNames } from "../backends/simulator/console/nearNames";
import { UsageMistake } from "../backends/simulator/console/usageMistake";
import type { REMOTE_KEYS } from "../backends/remote/settings";
import { parseServerFqdn, type ServerFqdn } from "../model";

/** What `exchange-certificates doctor` was told on its command line. */
export interface DoctorOptions {
  readonly servers: readonly ServerFqdn[];
  /** By the name of the setting; they go before the environment. */
  readonly settings: ReadonlyMap<keyof typeof REMOTE_KEYS, { readonly value: string; readonly from: string }>;
  readonly passwordEnv: string | undefined;
  readonly passwordStdin: boolean;
  /** Longest time for one step, in seconds. */
  readonly timeoutSeconds: number | undefined;
  readonly json: boolean;
}

export type Request =
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | { readonly kind: "doctor"; readonly options: DoctorOptions };

/** Options that are settings of the provider, by the name that they have there. */
const SETTINGS = {
  endpoint: "endpoint",
  authentication: "authentication",
  username: "username",
  "tls-server-name": "tlsServerName",
  "ca-file": "caFile",
} as const satisfies Readonly<Record<string, keyof typeof REMOTE_KEYS>>;
const VALUES = ["server", ...Object.keys(SETTINGS), "password-env", "timeout"];
const FLAGS = ["password-stdin", "json", "help", "version"];
const MOST_SECONDS = 3600;

const HELP = "See: exchange-certificates --help";

/** Throws {@link UsageMistake}. */
export function readRequest(argv: readonly string[]): Request {
  const { tokens } = parseArgs({
    args: argv.map((word) => (word === "-h" || word === "-?" || word === "/?" ? "--help" : word)),
    options: {
      ...Object.fromEntries(VALUES.map((name) => [name, { type: "string" as const }])),
      ...Object.fromEntries(FLAGS.map((name) => [name, { type: "boolean" as const }])),
    },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const words: string[] = [];
  const flags = new Set<string>();
  const values = new Map<string, readonly string[]>();
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const { name, rawName, value } = token;
    if (FLAGS.includes(name)) {
      if (value !== undefined) throw new UsageMistake(`${rawName} takes no value.`);
      flags.add(name);
    } else if (VALUES.includes(name)) {
      // Another option behind it isn't its value.
      if (value === undefined || value.trim() === "" || (!token.inlineValue && value.startsWith("--"))) {
        throw new UsageMistake(`${rawName} needs a value.`);
      }
      values.set(name, [...(values.get(name) ?? []), value]);
    } else throw new UsageMistake(unknownOption(name, rawName));
  }
  if (flags.has("version")) return { kind: "version" };
  const [command, ...rest] = words;
  if (flags.has("help") || command?.toLowerCase() === "help") return { kind: "help" };
  if (command === undefined) throw new UsageMistake(`Say what to do: exchange-certificates doctor. ${HELP}`);
  if (command.toLowerCase() !== "doctor") {
    throw new UsageMistake(`There is no command "${command}"; the only one is doctor. ${HELP}`);
  }
  if (rest.length > 0) {
    throw new UsageMistake(`"${rest.join(" ")}" belongs to no option. Servers are named with --server. ${HELP}`);
  }
  return { kind: "doctor", options: optionsOf(values, flags) };
}

function optionsOf(values: ReadonlyMap<string, readonly string[]>, flags: ReadonlySet<string>): DoctorOptions {
  const single = (name: string): string | undefined => {
    const [value, second] = values.get(name) ?? [];
    if (second !== undefined) throw new UsageMistake(`--${name} may be given once only.`);
    return value;
  };
  const settings: DoctorOptions["settings"] extends ReadonlyMap<infer K, infer V> ? Map<K, V> : never = new Map();
  for (const [option, setting] of Object.entries(SETTINGS)) {
    const value = single(option);
    if (value !== undefined) settings.set(setting, { value, from: `--${option}` });
  }
  const timeout = single("timeout");
  const seconds = timeout === undefined ? undefined : Number(timeout);
  if (
    timeout !== undefined &&
    !(/^\d{1,4}$/.test(timeout) && Number(timeout) >= 1 && Number(timeout) <= MOST_SECONDS)
  ) {
    throw new UsageMistake(`--timeout is a number of seconds from 1 to ${MOST_SECONDS}, not "${timeout}".`);
  }
  return {
    servers: (values.get("server") ?? []).flatMap(serversOf),
    settings,
    passwordEnv: single("password-env"),
    passwordStdin: flags.has("password-stdin"),
    timeoutSeconds: seconds,
    json: flags.has("json"),
  };
}

function serversOf(text: string): readonly ServerFqdn[] {
  return text
    .split(/[\s,;]+/)
    .filter((name) => name !== "")
    .map((name) => {
      const server = parseServerFqdn(name);
      if (server !== undefined) return server;
      throw new UsageMistake(
        `--server names "${name}", which isn't a fully qualified server name. Write it like ex01.contoso.com.`,
      );
    });
}

function unknownOption(name: string, rawName: string): string {
  if (name === "password") {
    return (
      "A password can't be given on the command line, where every user of this machine could read it. Use " +
      "--password-env NAME or --password-stdin, set EXCHANGE_PASSWORD, or leave it out to be asked."
    );
  }
  const near = nearNames(name, [...VALUES, ...FLAGS]).map((one) => `--${one}`);
  const hint = near.length === 0 ? "" : ` Did you mean ${alternatives(near)}?`;
  return `There is no option ${rawName}.${hint} ${HELP}`;
}
