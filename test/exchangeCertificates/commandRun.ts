import { runCommandLine } from "../../provider/exchangeCertificates/commandLine";

export interface Surroundings {
  readonly workingDirectory: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly interrupted?: Promise<void>;
}

/** Runs `exchange-certificates` where nobody sits at the terminal. */
export async function runCommand(args: readonly string[], surroundings: Surroundings) {
  const out: string[] = [];
  const errors: string[] = [];
  const code = await runCommandLine(args, {
    workingDirectory: surroundings.workingDirectory,
    environment: surroundings.environment ?? {},
    out: (text) => out.push(text),
    error: (text) => errors.push(text),
    isInteractive: false,
    ask: () => Promise.resolve(undefined),
    readStandardInput: () => Promise.resolve(""),
    interrupted: () => surroundings.interrupted ?? new Promise(() => undefined),
  });
  return { code, out: out.join("\n"), errors: errors.join("\n") };
}
