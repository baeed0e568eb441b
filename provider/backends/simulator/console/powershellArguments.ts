import type { CmdletValue } from "../cmdlet";
import type { CmdletDefinition } from "../cmdletDefinition";
import type { ParameterDefinition } from "../parameterDefinition";
import { alternatives, nearNames } from "../../../console/nearNames";

export type ParsedArguments =
  | { readonly kind: "parsed"; readonly parameters: Readonly<Record<string, CmdletValue>> }
  | { readonly kind: "refused"; readonly message: string };

/** What is to be known of a parameter to read its value. */
type Typed = Pick<ParameterDefinition, "name" | "kind" | "position">;

/**
 * Parameters that PowerShell adds to every cmdlet. Scripts that people paste from carry them; here they are read and
 * have no effect.
 */
const COMMON_PARAMETERS: readonly Typed[] = [
  ...["Verbose", "Debug"].map((name) => ({ name, kind: "switch" as const })),
  ...["ErrorAction", "WarningAction", "InformationAction", "ErrorVariable", "WarningVariable", "OutVariable"].map(
    (name) => ({ name, kind: "text" as const }),
  ),
];

/** PowerShell takes a typographic dash for a hyphen, because word processors make one of the other. */
const PARAMETER = /^[-\u2013\u2014\u2015]([A-Za-z][A-Za-z0-9]*)(?::(.*))?$/s;

/** A mistake in the arguments; never leaves this file. */
class Mistake extends Error {}

function resolve(typed: string, { name: cmdlet, parameters }: CmdletDefinition): Typed {
  const wanted = typed.toLowerCase();
  const find = (all: readonly Typed[]): Typed | undefined => {
    const exact = all.find(({ name }) => name.toLowerCase() === wanted);
    if (exact !== undefined) return exact;
    const matching = all.filter(({ name }) => name.toLowerCase().startsWith(wanted));
    if (matching.length > 1) {
      const names = alternatives(matching.map(({ name }) => `-${name}`));
      throw new Mistake(`-${typed} is short for more than one parameter of ${cmdlet}: ${names}. Write it out.`);
    }
    return matching[0];
  };
  const found = find(parameters) ?? find(COMMON_PARAMETERS);
  if (found !== undefined) return found;
  const near = nearNames(
    typed,
    parameters.map(({ name }) => name),
  ).map((name) => `-${name}`);
  const hint = near.length === 0 ? "" : ` Did you mean ${alternatives(near)}?`;
  throw new Mistake(
    `${cmdlet} has no parameter -${typed}.${hint} See its parameters with: exchange-simulator ${cmdlet} --help`,
  );
}

/** cmd.exe leaves single quotes where they are. */
function unquote(text: string): string {
  const inner = /^'([^']*)'$/.exec(text)?.[1] ?? /^"([^"]*)"$/.exec(text)?.[1];
  return inner ?? text;
}

function isNull(text: string): boolean {
  return text.toLowerCase() === "$null";
}

function toBoolean(text: string): boolean | undefined {
  switch (text.toLowerCase()) {
    case "$true":
    case "true":
    case "1":
      return true;
    case "$false":
    case "false":
    case "0":
      return false;
    default:
      return undefined;
  }
}

function toList(text: string): readonly string[] | null {
  const bare = /^@\((.*)\)$/s.exec(text.trim())?.[1] ?? text;
  if (isNull(bare.trim())) return null;
  return unquote(bare.trim())
    .split(",")
    .map((item) => unquote(item.trim()))
    .filter((item) => item !== "");
}

function toNumber(text: string, name: string): number {
  if (!/^-?[0-9]+$/.test(text)) throw new Mistake(`-${name} takes a whole number; "${text}" is none.`);
  return Number(text);
}

const SHELL_HINT = "A Unix shell puts nothing in the place of $true, $false and $null: quote them";

/** The words of one command line, read from left to right. */
class Words {
  readonly #words: readonly string[];
  #next = 0;

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  take(): string | undefined {
    return this.#words[this.#next++];
  }

  /** The next word when it is a value and not the name of a parameter. */
  takeValue(): string | undefined {
    const word = this.#words[this.#next];
    if (word === undefined || PARAMETER.test(word)) return undefined;
    this.#next++;
    return word;
  }

  /** What follows a list's first word: `IIS, SMTP` arrives as two words. */
  takeRestOfList(first: string): string {
    let list = first;
    for (;;) {
      const following = this.#words[this.#next];
      if (following === undefined || PARAMETER.test(following)) return list;
      if (!list.trimEnd().endsWith(",") && !following.trimStart().startsWith(",")) return list;
      list += following;
      this.#next++;
    }
  }
}

function readValue(parameter: Typed, attached: string | undefined, words: Words): CmdletValue {
  const { name, kind } = parameter;
  if (kind === "secret") {
    throw new Mistake(
      `-${name} can't be given on the command line, where every user of this machine could read it. ` +
        "Leave it out to be asked, or use --password-env NAME or --password-stdin.",
    );
  }
  if (kind === "bytes") {
    throw new Mistake(
      `-${name} takes bytes, and reading them from a file is the client's work: give the file with --pfx <path>.`,
    );
  }
  if (kind === "switch") {
    if (attached === undefined) return true;
    const text = attached === "" ? words.takeValue() : attached;
    const value = text === undefined ? undefined : toBoolean(text);
    if (value === undefined) {
      throw new Mistake(
        `-${name}: takes $true or $false${text === undefined ? "" : `, not "${text}"`}. ` +
          `${SHELL_HINT}, as in '-${name}:$false', or write -${name}:false.`,
      );
    }
    return value;
  }
  const first = attached === undefined || attached === "" ? words.takeValue() : attached;
  if (first === undefined) {
    throw new Mistake(`-${name} needs a value. ${SHELL_HINT}, as in -${name} '$null'.`);
  }
  if (kind === "list") return toList(words.takeRestOfList(first));
  if (isNull(first)) return null;
  if (kind === "number") return toNumber(first, name);
  if (kind === "boolean") {
    const value = toBoolean(first);
    if (value === undefined) throw new Mistake(`-${name} takes $true or $false, not "${first}".`);
    return value;
  }
  return unquote(first);
}

function readAll(words: Words, cmdlet: CmdletDefinition): Readonly<Record<string, CmdletValue>> {
  const { parameters } = cmdlet;
  const values: Record<string, CmdletValue> = {};
  const put = (parameter: Typed, value: CmdletValue): void => {
    if (parameter.name in values) throw new Mistake(`-${parameter.name} is given more than once.`);
    values[parameter.name] = value;
  };
  for (let word = words.take(); word !== undefined; word = words.take()) {
    const match = PARAMETER.exec(word);
    if (match?.[1] !== undefined) {
      const parameter = resolve(match[1], cmdlet);
      put(parameter, readValue(parameter, match[2], words));
      continue;
    }
    const positional = parameters.find(({ name, position }) => position !== undefined && !(name in values));
    if (positional === undefined) {
      throw new Mistake(
        `${cmdlet.name} doesn't know what "${word}" belongs to: there is no parameter name in front of it. ` +
          "The values of a list want a comma between them, as in IIS,SMTP.",
      );
    }
    put(positional, positional.kind === "list" ? toList(words.takeRestOfList(word)) : unquote(word));
  }
  for (const { name } of COMMON_PARAMETERS) {
    if (!parameters.some((parameter) => parameter.name === name)) Reflect.deleteProperty(values, name);
  }
  return values;
}

/**
 * Reads the arguments of a cmdlet the way PowerShell does: `-Name value` and `-Name:value`, names in any case and
 * shortened as far as they stay unambiguous, switches with `:$false`, `$true`, `$false` and `$null`, lists with commas
 * (in one word or in several), and one value without a name.
 */
export function parseArguments(words: readonly string[], cmdlet: CmdletDefinition): ParsedArguments {
  try {
    const values = readAll(new Words(words), cmdlet);
    return { kind: "parsed", parameters: values };
  } catch (error) {
    if (error instanceof Mistake) return { kind: "refused", message: error.message };
    throw error;
  }
}
