import path from "node:path";
import { run } from "../../../tools/process.cjs";
import { kerberos, libraryPath } from "./machine";
import type { RealmEnv } from "./realm";

/** What client.py is told: pypsrp opens a pool on `localhost` and runs cmdlets in it. */
export interface ClientJob {
  readonly port: number;
  /** PEM of an authority: then by https. */
  readonly caFile?: string;
  readonly cmdlets: readonly string[];
  readonly encryption: "always" | "never";
  /** Default `kerberos`. */
  readonly auth?: "kerberos" | "negotiate";
  /** Default: whom the ticket cache belongs to. */
  readonly user?: string;
  readonly password?: string;
  /** The service is `HTTP/` and this. Default `localhost`. */
  readonly serviceHost?: string;
}

export interface ClientOutcome {
  /** How many objects each cmdlet put out. */
  readonly outputs?: readonly number[];
  /** Instead: `authentication`, `http`, or the name of Python's error. */
  readonly error?: string;
  readonly text?: string;
  /** HTTP's. */
  readonly status?: number;
}

/** Lets an independent client do a job. `env`: the realm's; `more`: further variables. */
export async function pypsrp(
  job: ClientJob,
  env: RealmEnv,
  more: Readonly<Record<string, string>> = {},
): Promise<ClientOutcome> {
  const { exitCode, stdout, stderr } = await run(kerberos().python, ["-B", path.join(__dirname, "client.py")], {
    env: { ...process.env, ...libraryPath(), ...env, ...more },
    input: JSON.stringify(job),
    timeLimitSeconds: 300,
  });
  if (exitCode !== 0) throw new Error(`client.py failed:\n${stderr}`);
  return JSON.parse(stdout) as ClientOutcome;
}
