import type { Bag } from "../../lifecycle/requests";

/** Marks an object as one of the engine's special values, and says of which kind. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
/** An output of another resource: `value`, or unknown where there is none. */
const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

/** Where something is that is secret: keys from the outside in. What is in a list makes the whole list secret. */
export type Path = readonly string[];

export interface Revealed {
  /** Values without their marks. */
  readonly bag: Bag;
  readonly secrets: readonly Path[];
}

/** Takes the engine's marks off values, and says where they were. `unknown` stands for what has no value yet. */
export function reveal(bag: Bag, unknown: unknown): Revealed {
  const secrets: Path[] = [];
  const walk = (value: unknown, at: Path): unknown => {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) {
      const within: number = secrets.length;
      const plain = value.map((one) => walk(one, at));
      if (secrets.length > within) secrets.splice(within, secrets.length, at);
      return plain;
    }
    const { [SIGNATURE]: kind, ...rest } = value as Readonly<Record<string, unknown>>;
    if (kind === SECRET || (kind === OUTPUT && rest["secret"] === true)) secrets.push(at);
    if (kind === SECRET) return walk(rest["value"], at);
    if (kind === OUTPUT) return "value" in rest ? walk(rest["value"], at) : unknown;
    return Object.fromEntries(
      Object.entries(value).map(([key, one]: [string, unknown]) => [key, walk(one, [...at, key])]),
    );
  };
  return { bag: walk(bag, []) as Bag, secrets };
}

/** Puts the marks back, where there still is something. */
export function conceal(bag: Bag, secrets: readonly Path[]): Bag {
  return secrets.reduce((all, path) => concealAt(all, path) as Bag, bag);
}

function concealAt(value: unknown, [key, ...rest]: Path): unknown {
  if (key === undefined) return isMarked(value) ? value : { [SIGNATURE]: SECRET, value };
  if (typeof value !== "object" || value === null || Array.isArray(value) || isMarked(value)) return value;
  const bag = value as Bag;
  return bag[key] === undefined ? bag : { ...bag, [key]: concealAt(bag[key], rest) };
}

function isMarked(value: unknown): boolean {
  return typeof value === "object" && value !== null && SIGNATURE in value;
}
