import { parseArgs } from "node:util";
import { alternatives, nearNames } from "./nearNames";
import { PASSWORD_AS_ARGUMENT } from "./password";
import { UsageMistake } from "./usageMistake";

/** The options of a command, without their dashes. */
export interface OptionNames<Value extends string, Flag extends string> {
  /** Those that take a value. */
  readonly values: readonly Value[];
  readonly flags: readonly Flag[];
  /** How all of them are listed: `exchange-certificates --help`. */
  readonly help: string;
}

/** What was typed, taken apart. */
export interface TypedOptions<Value extends string, Flag extends string> {
  /** Everything that is no option of two dashes, in its order. */
  readonly words: readonly string[];
  readonly flags: ReadonlySet<Flag>;
  /** The values of an option that may be repeated; empty when it wasn't given. */
  readonly all: (name: Value) => readonly string[];
  /** The value of an option that may be given once. Throws {@link UsageMistake}. */
  readonly one: (name: Value) => string | undefined;
}

const HELP_WORDS: ReadonlySet<string> = new Set(["-h", "-?", "/?"]);

/**
 * Takes the options out of a command's arguments. Only two dashes make an option, in any case: one dash may belong to
 * the parameter of a cmdlet. Throws {@link UsageMistake}.
 */
export function readOptions<Value extends string, Flag extends string>(
  argv: readonly string[],
  names: OptionNames<Value, Flag>,
): TypedOptions<Value, Flag> {
  const args = argv.map((word) => (HELP_WORDS.has(word) ? "--help" : withLowerName(word)));
  const { tokens } = parseArgs({
    args,
    options: {
      ...Object.fromEntries(names.values.map((name) => [name, { type: "string" as const }])),
      ...Object.fromEntries(names.flags.map((name) => [name, { type: "boolean" as const }])),
    },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const words: string[] = [];
  const flags = new Set<Flag>();
  const values = new Map<Value, readonly string[]>();
  let wordAt = -1;
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const { name, rawName, value, index } = token;
    if (!rawName.startsWith("--")) {
      // -Server comes as a group of one-letter options, all at the same place.
      if (index !== wordAt) words.push(args[index] ?? "");
      wordAt = index;
    } else if (isOneOf(names.flags, name)) {
      if (value !== undefined) throw new UsageMistake(`${rawName} takes no value.`);
      flags.add(name);
    } else if (isOneOf(names.values, name)) {
      // Another option behind it isn't its value.
      if (value === undefined || value.trim() === "" || (!token.inlineValue && value.startsWith("--"))) {
        throw new UsageMistake(`${rawName} needs a value.`);
      }
      values.set(name, [...(values.get(name) ?? []), value]);
    } else throw new UsageMistake(unknownOption(name, names));
  }
  const all = (name: Value): readonly string[] => values.get(name) ?? [];
  return {
    words,
    flags,
    all,
    one: (name) => {
      const [value, second] = all(name);
      if (second !== undefined) throw new UsageMistake(`--${name} may be given once only.`);
      return value;
    },
  };
}

function isOneOf<Name extends string>(names: readonly Name[], text: string): text is Name {
  return names.some((name) => name === text);
}

function withLowerName(word: string): string {
  return /^--[a-z]/i.test(word) ? word.replace(/^--[^=]*/, (name) => name.toLowerCase()) : word;
}

function unknownOption(name: string, { values, flags, help }: OptionNames<string, string>): string {
  if (name === "password") return PASSWORD_AS_ARGUMENT;
  const near = nearNames(name, [...values, ...flags]).map((one) => `--${one}`);
  const hint = near.length === 0 ? "" : ` Did you mean ${alternatives(near)}?`;
  // What was typed is repeated only where it can be a name: --secret=… has lost its value already, --hunter2!"§ hasn't.
  const which = /^[a-z][a-z-]{0,29}$/.test(name) ? `no option --${name}` : "no such option";
  return `There is ${which}.${hint} See: ${help}`;
}
