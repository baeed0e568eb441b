import { Secret } from "../../../secret";
import type { CommandLineIo } from "./io";
import type { Options } from "./options";
import { UsageMistake } from "./usageMistake";

/**
 * The password of `whose`, from where the options say, or typed; `undefined` without a terminal. Throws
 * {@link UsageMistake}, also when nothing is typed, which then costs what `lost` says.
 */
export async function readPassword(
  whose: string,
  lost: string,
  { passwordEnv, passwordStdin }: Pick<Options, "passwordEnv" | "passwordStdin">,
  io: CommandLineIo,
): Promise<Secret<string> | undefined> {
  if (passwordEnv !== undefined && passwordStdin) {
    throw new UsageMistake("Give the password with --password-env or with --password-stdin, not with both.");
  }
  if (passwordEnv !== undefined) {
    const value = io.environment[passwordEnv];
    if (value !== undefined) return new Secret(value);
    throw new UsageMistake(`The environment variable ${passwordEnv}, which --password-env names, isn't set.`);
  }
  if (passwordStdin) return new Secret((await io.readStandardInput()).replace(/\r?\n$/, ""));
  if (!io.isInteractive) return undefined;
  const typed = await io.ask(`Password of ${whose}: `, { hidden: true });
  if (typed === undefined) throw new UsageMistake(`No password was given; ${lost}.`);
  return new Secret(typed);
}
