import { readOptions } from "../../../console/options";
import { UsageMistake } from "../../../console/usageMistake";

/** Options of this command itself. They have two dashes, so that no parameter of a cmdlet is ever meant. */
export interface Options {
  readonly file: string | undefined;
  /** An inventory that `init` makes a twin of. */
  readonly from: string | undefined;
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

const FLAGS = ["json", "password-stdin", "yes", "help", "version"] as const;
const VALUES = ["file", "from", "answer", "pfx", "password-env"] as const;
const SERVE_FLAGS = ["tls", "follow-iis", "basic-over-http"] as const;
// prettier-ignore
const SERVE_VALUES = [
  "port", "host", "server", "user", "cert", "key", "ca-file", "projection", "cookie", "signing", "max-shells",
  "idle-timeout", "fail",
] as const;

/**
 * Takes the command's own options out of its arguments; the words that are left belong to the command or cmdlet. Throws
 * {@link UsageMistake}.
 */
export function readSimulatorOptions(argv: readonly string[]): {
  readonly options: Options;
  readonly words: readonly string[];
} {
  const { words, flags, one } = readOptions(argv, {
    values: [...VALUES, ...SERVE_VALUES],
    flags: [...FLAGS, ...SERVE_FLAGS],
    help: "exchange-simulator --help",
  });
  const answer = one("answer")?.toLowerCase();
  if (answer !== undefined && !/^(y|yes|n|no)$/.test(answer)) throw new UsageMistake("--answer is Yes or No.");
  const serve = new Map<ServeOption, string>();
  for (const name of SERVE_FLAGS) if (flags.has(name)) serve.set(name, "");
  for (const name of SERVE_VALUES) {
    const value = one(name);
    if (value !== undefined) serve.set(name, value);
  }
  return {
    words,
    options: {
      file: one("file"),
      from: one("from"),
      json: flags.has("json"),
      answer: answer === undefined ? undefined : answer.startsWith("y") ? "yes" : "no",
      pfx: one("pfx"),
      passwordEnv: one("password-env"),
      passwordStdin: flags.has("password-stdin"),
      yes: flags.has("yes"),
      help: flags.has("help"),
      version: flags.has("version"),
      serve,
    },
  };
}
