import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";

import { makeDefaultOrganisation } from "../../provider/backends/simulator/defaultOrganisation";
import { openStateFile, type StateStore } from "../../provider/backends/simulator/stateFile";
import { STATE_FILE } from "./bindingProgram";
import type { EngineProject } from "./engine";

export const USER = "administrator@contoso.com";
/** Of the endpoint's user. Long, so that it isn't met anywhere by chance. */
export const PASSWORD = `endpoint-${randomBytes(15).toString("hex")}`;

/** Makes Node take the names of contoso.com for this machine. */
export const HOSTS = {
  NODE_OPTIONS: `--require ${JSON.stringify(path.join(__dirname, "contosoHosts.cjs"))}`,
} as const;

/** Stack configuration for servers behind an endpoint. The password isn't among it. */
export function remoteConfig(endpoint: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    "exchange:backend": "remote",
    "exchange:endpoint": endpoint,
    "exchange:authentication": "basic",
    "exchange:username": USER,
    ...more,
  };
}

/** The command `exchange-simulator serve`, running. */
export interface Served {
  readonly port: number;
  /** What it has printed so far. */
  outputText(): string;
  /** Ends it as Ctrl-C does. */
  stop(): Promise<void>;
}

const running = new Set<Served>();
afterAll(async () => {
  await Promise.all([...running].map((served) => served.stop()));
});

/** Serves the organisation of the project with the command of the installed package, over https on a free port. */
export async function serve(project: EngineProject, ...more: readonly string[]): Promise<Served> {
  const directory = path.join(project.directory, "node_modules", "pulumi-exchange-certificates");
  const { bin } = JSON.parse(readFileSync(path.join(directory, "package.json"), "utf8")) as {
    readonly bin: Readonly<Record<string, string>>;
  };
  const command = path.join(directory, bin["exchange-simulator"] ?? "");
  const args = ["serve", "--tls", "--port", "0", "--user", USER, "--password-env", "SERVED_PASSWORD", ...more];
  const child = spawn(process.execPath, [command, ...args], {
    cwd: project.directory,
    env: { ...process.env, SERVED_PASSWORD: PASSWORD },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => {
      resolve();
    });
  });
  const served = await new Promise<Served>((resolve, reject) => {
    let said = "";
    child.stderr.on("data", (text: Buffer) => (said += text.toString()));
    child.stdout.on("data", (text: Buffer) => {
      said += text.toString();
      const port = /:(\d+)\/PowerShell\//.exec(text.toString())?.[1];
      const stop = async (): Promise<void> => {
        running.delete(served);
        child.kill("SIGINT");
        await ended;
      };
      if (port !== undefined) resolve({ port: Number(port), outputText: () => said, stop });
    });
    child.once("error", reject);
    void ended.then(() => {
      reject(new Error(`"exchange-simulator ${args.join(" ")}" ended before it served:\n${said}`));
    });
  });
  running.add(served);
  return served;
}

/** The organisation in the project's file, which the `exchange-simulator` command works on too. */
export function storeOf(project: EngineProject): StateStore {
  return openStateFile(path.join(project.directory, STATE_FILE), {
    makeOrganisation: () => makeDefaultOrganisation({ now: new Date(), randomBytes }),
  });
}
