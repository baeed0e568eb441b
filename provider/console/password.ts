import { Secret } from "../secret";
import type { CommandLineIo } from "./io";
import { lengthOf } from "./misplaced";
import { UsageMistake } from "./usageMistake";

/** Where a password may come from, besides the terminal. */
export interface PasswordOptions {
  /** Name of the environment variable that holds it. */
  readonly passwordEnv: string | undefined;
  readonly passwordStdin: boolean;
}

/** What is said to whoever writes `--password secret`. */
export const PASSWORD_AS_ARGUMENT =
  "A password can't be given on the command line, where every user of this machine could read it. Use --password-env " +
  "NAME or --password-stdin, or leave it out to be asked.";

/**
 * The password of `whose`, from where the options say, or typed; `undefined` without a terminal. Throws
 * {@link UsageMistake}, also when nothing is typed, which then costs what `lost` says.
 */
export async function readPassword(
  whose: string,
  lost: string,
  { passwordEnv, passwordStdin }: PasswordOptions,
  io: CommandLineIo,
): Promise<Secret<string> | undefined> {
  if (passwordEnv !== undefined && passwordStdin) {
    throw new UsageMistake("Give the password with --password-env or with --password-stdin, not with both.");
  }
  if (passwordEnv !== undefined) {
    const value = io.environment[passwordEnv];
    if (value !== undefined) return new Secret(value);
    // The name isn't repeated: it may be the password itself, written where its variable's name belongs.
    throw new UsageMistake(
      `--password-env takes the name of an environment variable; of the name that was given (${lengthOf(passwordEnv)}) ` +
        "none is set. The password itself doesn't belong there.",
    );
  }
  if (passwordStdin) return new Secret((await io.readStandardInput()).replace(/\r?\n$/, ""));
  if (!io.isInteractive) return undefined;
  const typed = await io.ask(`Password of ${whose}: `, { hidden: true });
  if (typed === undefined) throw new UsageMistake(`No password was given; ${lost}.`);
  return new Secret(typed);
}
