/** Options of this command itself. They have two dashes, so that no parameter of a cmdlet is ever meant. */
export interface Options {
  readonly file: string | undefined;
  readonly json: boolean;
  readonly answer: "yes" | "no" | undefined;
  readonly pfx: string | undefined;
  readonly passwordEnv: string | undefined;
  readonly passwordStdin: boolean;
  readonly yes: boolean;
  readonly help: boolean;
  readonly version: boolean;
  /** Those of `serve`, by name; a switch has an empty value. */
  readonly serve: ReadonlyMap<ServeOption, string>;
}

export type ServeOption = (typeof SERVE_FLAGS)[number] | (typeof SERVE_VALUES)[number];

export type ReadOptions =
  | { readonly kind: "read"; readonly options: Options; readonly words: readonly string[] }
  | { readonly kind: "refused"; readonly message: string };

const FLAGS = ["json", "password-stdin", "yes", "help", "version"] as const;
const VALUES = ["file", "answer", "pfx", "password-env"] as const;
const SERVE_FLAGS = ["tls", "follow-iis", "basic-over-http"] as const;
// prettier-ignore
const SERVE_VALUES = [
  "port", "host", "server", "user", "cert", "key", "ca-file", "projection", "cookie", "signing", "max-shells",
  "idle-timeout", "fail",
] as const;

function isOneOf<Name extends string>(names: readonly Name[], text: string): text is Name {
  return names.some((name) => name === text);
}

/** Takes the command's own options out of its arguments; what is left belongs to the command or cmdlet. */
export function readOptions(argv: readonly string[]): ReadOptions {
  const flags = new Set<(typeof FLAGS)[number]>();
  const values = new Map<(typeof VALUES)[number], string>();
  const serve = new Map<ServeOption, string>();
  const words: string[] = [];
  const refused = (message: string): ReadOptions => ({ kind: "refused", message });

  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? "";
    if (word === "-?" || word === "-h" || word === "/?") {
      flags.add("help");
      continue;
    }
    const match = /^--([a-z-]+)(?:=(.*))?$/is.exec(word);
    if (match === null) {
      words.push(word);
      continue;
    }
    const name = (match[1] ?? "").toLowerCase();
    if (isOneOf(FLAGS, name) || isOneOf(SERVE_FLAGS, name)) {
      if (match[2] !== undefined) return refused(`--${name} takes no value.`);
      if (isOneOf(FLAGS, name)) flags.add(name);
      else serve.set(name, "");
    } else if (isOneOf(VALUES, name) || isOneOf(SERVE_VALUES, name)) {
      const value = match[2] ?? argv[++index];
      if (value === undefined || value === "") return refused(`--${name} needs a value.`);
      if (isOneOf(VALUES, name)) values.set(name, value);
      else serve.set(name, value);
    } else if (name === "password") {
      return refused(
        "A password can't be given on the command line, where every user of this machine could read it. " +
          "Use --password-env NAME or --password-stdin, or leave it out to be asked.",
      );
    } else {
      return refused(
        `There is no option --${name}. Parameters of a cmdlet have one dash. See: exchange-simulator --help`,
      );
    }
  }

  const answer = values.get("answer")?.toLowerCase();
  if (answer !== undefined && !/^(y|yes|n|no)$/.test(answer)) return refused("--answer is Yes or No.");
  return {
    kind: "read",
    words,
    options: {
      file: values.get("file"),
      json: flags.has("json"),
      answer: answer === undefined ? undefined : answer.startsWith("y") ? "yes" : "no",
      pfx: values.get("pfx"),
      passwordEnv: values.get("password-env"),
      passwordStdin: flags.has("password-stdin"),
      yes: flags.has("yes"),
      help: flags.has("help"),
      version: flags.has("version"),
      serve,
    },
  };
}
