import { join, resolve } from "node:path";
import { programDirectory } from "../console/programDirectory";

/** Name of the simulator's file in the program's directory when nothing names another. */
export const DEFAULT_SIMULATOR_FILE = ".exchange-simulator.json";

/**
 * The path of the organisation's file for a command: the option, then the environment, then the program's directory.
 *
 * @param option a path that counts from the working directory, as one that is typed does
 */
export function simulatorFile(
  option: string | undefined,
  {
    workingDirectory,
    environment,
  }: {
    readonly workingDirectory: string;
    readonly environment: Readonly<Record<string, string | undefined>>;
  },
): string {
  if (option !== undefined) return resolve(workingDirectory, option);
  const directory = programDirectory(workingDirectory);
  const named = environment["EXCHANGE_SIMULATOR_FILE"]?.trim();
  // A relative path counts from the program's directory, as it does for the provider.
  return named === undefined || named === "" ? join(directory, DEFAULT_SIMULATOR_FILE) : resolve(directory, named);
}
