import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import type { RemoteSettings } from "../../../provider/backends/remote/settings";
import type { SessionOptions } from "../../../provider/remoting/session";
import { Secret } from "../../../provider/secret";
import { endpointIdentity, PASSWORD, SERVER_NAME, sessionOptionsFor, USER } from "../endpoint";

/** A value as psrpcore is to serialise it. */
export type ScriptValue =
  | string
  | number
  | boolean
  | null
  | readonly ScriptValue[]
  | { readonly bytes: string }
  | { readonly secret: string }
  | { readonly guid: string }
  | { readonly long: string; readonly times: number }
  | {
      readonly types?: readonly string[];
      /** What ToString says. */
      readonly text?: string;
      /** Of the .NET object. */
      readonly properties?: Readonly<Record<string, ScriptValue>>;
      /** Added by PowerShell. */
      readonly notes?: Readonly<Record<string, ScriptValue>>;
    };

export interface ScriptError {
  readonly message: string;
  readonly id?: string;
  readonly category?: string;
  readonly activity?: string;
  readonly reason?: string;
  readonly targetName?: string;
  readonly targetType?: string;
  readonly target?: ScriptValue;
  readonly types?: readonly string[];
  readonly details?: string;
}

/** What a cmdlet does, one thing after the other; then it completes. */
export type Step =
  | { readonly output: ScriptValue }
  | { readonly warning: string }
  | { readonly verbose: string }
  | { readonly debug: string }
  | { readonly information: string }
  | { readonly progress: string }
  /** Of the host, and no answer wanted. */
  | { readonly writeLine: string }
  | { readonly hostProgress: string }
  | { readonly error: ScriptError }
  /** Ends the pipeline as Failed. */
  | { readonly fail: ScriptError }
  | {
      readonly ask: {
        readonly caption: string;
        readonly message: string;
        readonly choices: readonly string[];
        readonly default: number;
        /** By the number of the choice. */
        readonly then?: Readonly<Record<number, readonly Step[]>>;
      };
    }
  | { readonly readLine: null }
  /** Seconds. */
  | { readonly pause: number }
  | { readonly untilStopped: null }
  /** Goes on when so many pipelines have come here. */
  | { readonly meet: number };

/** By the cmdlets' names, with ` | ` between them. Without a script they end with nothing to say. */
export type Script = Readonly<Record<string, readonly Step[]>>;

export interface ServerOptions {
  readonly script?: Script;
  /** Of a fragment, at most, its 21 bytes of header included. */
  readonly fragmentBytes?: number;
  readonly fragmentsPerReceive?: number;
  /** What a script writes is sent when it has ended, or waits: messages then share requests. */
  readonly batched?: boolean;
  readonly applicationPrivateData?: Readonly<Record<string, string>>;
  /** Asks for the client's key by itself, as servers before protocol 2.2 did. */
  readonly requestsKey?: boolean;
  /** What the pool says beside its key: an event, a question of its own, that it broke. */
  readonly withKey?: readonly ("event" | "question" | "broken")[];
  /** Texts that must never come in the clear. */
  readonly secrets?: readonly string[];
  /** Ends the TCP connection after each answer. */
  readonly closesConnections?: boolean;
}

/** A value as psrpcore understood it, with the name of its Python type. */
export interface ReceivedValue {
  readonly type: string;
  readonly value?: unknown;
  /** Of bytes. */
  readonly sha256?: string;
  readonly length?: number;
  /** .NET types of a list. */
  readonly names?: readonly string[];
}

export interface ReceivedPipeline {
  readonly id: string;
  readonly commands: readonly {
    readonly name: string;
    readonly isScript: boolean;
    readonly parameters: Readonly<Record<string, ReceivedValue>>;
  }[];
  /** How many of each operation. */
  readonly requests: Readonly<Record<string, number>>;
  readonly answers: readonly {
    readonly method: string;
    readonly result?: ReceivedValue;
    readonly error?: string;
    readonly errorId?: string;
  }[];
  readonly signals: readonly string[];
  readonly state: string;
}

export interface ReceivedShell {
  readonly id: string;
  /** Of the URL. */
  readonly query: string;
  readonly runspacePoolId: string;
  readonly state: string;
  /** Smallest and largest number. */
  readonly runspaces: readonly [number, number];
  /** Versions of the protocol, of PowerShell and of the serialisation. */
  readonly capability: readonly string[];
  readonly host: Readonly<Record<string, boolean>> | null;
  /** Of the pool, psrpcore's names. */
  readonly events: readonly string[];
  readonly openPipelinesAtDelete: number | null;
  /** Identifiers of the errors that answered the pool's own questions; null for an answer. */
  readonly poolAnswers: readonly (string | null)[];
  /** Fragments sent that carry nothing. */
  readonly emptyFragments: number;
  readonly pipelines: readonly ReceivedPipeline[];
}

export interface Report {
  /** What was wrong in what the client sent. */
  readonly complaints: readonly string[];
  /** Shells that are there. */
  readonly open: number;
  /** All shells there ever were. */
  readonly shells: readonly ReceivedShell[];
}

export interface PsrpcoreServer {
  readonly url: string;
  readonly session: (changes?: Partial<SessionOptions>) => SessionOptions;
  readonly settings: (changes?: Partial<RemoteSettings>) => RemoteSettings;
  readonly report: () => Promise<Report>;
  /** Asks until it is as described. Throws after a while. */
  readonly reportWhen: (isThere: (report: Report) => boolean) => Promise<Report>;
  /** For pipelines that begin from now on. */
  readonly play: (script: Script) => Promise<void>;
  /** Forgets all shells, as a web server does that is restarted. */
  readonly forget: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const RESOURCE_URI = "http://schemas.microsoft.com/powershell/Microsoft.Exchange";
const REPORT_LIMIT_MILLISECONDS = 120_000;

/** Starts psrpcore_server.py on a port of its own, with a certificate made on the spot. */
export async function startPsrpcoreServer(options: ServerOptions = {}): Promise<PsrpcoreServer> {
  const python = process.env["HARNESS_PEERS"];
  if (python === undefined) throw new Error("The Python of the peers isn't there.");
  const directory = await mkdtemp(path.join(tmpdir(), "psrpcore-server-"));
  const files = { certificate: path.join(directory, "certificate.pem"), key: path.join(directory, "key.pem") };
  const identity = endpointIdentity();
  await writeFile(files.certificate, identity.certificate);
  await writeFile(files.key, identity.key, { mode: 0o600 });
  // -E and -B: neither settings of whoever runs the tests, nor compiled files in the work tree.
  const child = spawn(python, ["-EB", path.join(__dirname, "psrpcore_server.py")]);
  const ask = conversation(child);
  const job = { ...files, ...options, path: "/PowerShell/", resourceUri: RESOURCE_URI, user: USER, password: PASSWORD };
  const cleanUp = (): Promise<void> => rm(directory, { recursive: true });
  const { url } = (await ask(job).catch(async (error: unknown) => {
    await cleanUp();
    throw error;
  })) as { readonly url: string };
  const report = async (): Promise<Report> => (await ask({})) as Report;
  return {
    url,
    session: (changes = {}) => sessionOptionsFor(url, { operationTimeoutSeconds: 5, ...changes }),
    settings: (changes = {}) => ({
      endpoint: url,
      authentication: "basic",
      username: USER,
      password: new Secret(PASSWORD),
      tlsServerName: SERVER_NAME,
      caFile: files.certificate,
      maxConnectionsPerServer: 2,
      operationTimeoutSeconds: 5,
      dangerouslySkipTlsVerification: false,
      ...changes,
    }),
    report,
    reportWhen: async (isThere) => {
      const limit = Date.now() + REPORT_LIMIT_MILLISECONDS;
      for (;;) {
        const current = await report();
        if (isThere(current)) return current;
        if (Date.now() > limit) throw new Error(`It never came about: ${JSON.stringify(current)}`);
        await wait(20);
      }
    },
    play: async (script) => {
      await ask({ script });
    },
    forget: async () => {
      await ask({ forget: true });
    },
    close: async () => {
      const ended = child.exitCode === null ? once(child, "exit") : undefined;
      child.stdin.end();
      await ended;
      await cleanUp();
    },
  };
}

/** A question on stdin, an answer on stdout, one after the other. */
function conversation(child: ChildProcessWithoutNullStreams): (question: unknown) => Promise<unknown> {
  const lines = createInterface({ input: child.stdout });
  const waiting: { readonly resolve: (line: unknown) => void; readonly reject: (error: Error) => void }[] = [];
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  lines.on("line", (line) => waiting.shift()?.resolve(JSON.parse(line)));
  child.on("error", (error) => {
    for (const { reject } of waiting.splice(0)) reject(error);
  });
  child.on("exit", () => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`psrpcore_server.py ended:\n${said}`));
  });
  return (question) =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      child.stdin.write(`${JSON.stringify(question)}\n`);
    });
}
