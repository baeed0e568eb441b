import { spawn } from "node:child_process";
import type net from "node:net";
import path from "node:path";
import readline from "node:readline";
import type { Secret } from "../../../provider/secret";
import { atAnotherTime, end, kerberos, libraryPath } from "./machine";
import type { RealmEnv } from "./realm";

/** How the front end behaves. All of it can change while it runs; connections keep what they have proven. */
export interface AcceptorBehaviour {
  /** Bodies that are taken; others are answered with 400. Default `both`. */
  readonly bodies: "encrypted" | "plain" | "both";
  /** What begins a line between parts of an encrypted answer: WinRM `--`, Exchange `-- `. Default `winrm`. */
  readonly boundary: "winrm" | "exchange";
  /**
   * The `WWW-Authenticate` headers of a 401. Of `Kerberos` and `Negotiate` those are taken that stand here. Default
   * `Kerberos`.
   */
  readonly challenges: readonly string[];
  /** The token by which the server proves itself: sent, left out, or something else. Default `sent`. */
  readonly mutual: "sent" | "none" | "wrong";
  /** Answers to encrypted requests. Default `sealed`; anything else is wrong in the way that it says. */
  readonly answers: "sealed" | "clear" | "corrupt" | "wrongLength" | "replayed";
  /** A connection isn't authenticated any more after so many requests. Default null: it stays so. */
  readonly forgetAfter: number | null;
}

export interface AcceptorOptions {
  /** URL of what is behind the front end: `http://127.0.0.1:PORT/`. Path and query come from each request. */
  readonly target: string;
  /** Basic authentication to the target. Default: none. */
  readonly credentials?: { readonly user: string; readonly password: Secret<string> };
  /** The realm's `env`. */
  readonly env: RealmEnv;
  /** File with the keys of the services that it is. */
  readonly keytab: string;
  /** PEM. `channelBinding`: refuse clients that are bound to another certificate. */
  readonly tls?: {
    readonly certificate: string;
    readonly privateKey: Secret<string>;
    readonly channelBinding?: boolean;
    /** The certificate that clients have to be bound to: another's, as if somebody stood in between. Default: its own. */
    readonly boundTo?: string;
  };
  /** How far its clock is ahead of ours; negative: behind. Default 0. */
  readonly aheadSeconds?: number;
  readonly behaviour?: Partial<AcceptorBehaviour>;
}

/** Something that happened at the front end. */
export type AcceptorEvent =
  | { readonly event: "listening"; readonly port: number }
  | { readonly event: "behaving" }
  | { readonly event: "handshake"; readonly error: string }
  | {
      readonly event: "request";
      readonly path: string;
      readonly contentType: string | null;
      readonly bytes: number;
      readonly encrypted: boolean;
      /** The client's, which tells connections apart. */
      readonly port: number;
    }
  | {
      readonly event: "authenticated";
      /** `operator@CONTOSO.TEST` */
      readonly user: string;
      readonly scheme: "kerberos" | "negotiate";
      readonly port: number;
    }
  | { readonly event: "refused"; readonly why: string; readonly status: number }
  /** An encrypted body; `tokenId` is `0504` with AES, `signature` its length in bytes. */
  | { readonly event: "opened"; readonly bytes: number; readonly tokenId: string; readonly signature: number }
  | { readonly event: "answer"; readonly status: number; readonly encrypted: boolean; readonly bytes: number };

export interface Acceptor {
  readonly port: number;
  /** `http(s)://localhost:PORT/powershell/`; the service is `HTTP/localhost`. */
  readonly url: string;
  /** All that has happened since it began, or since `forgetEvents`. */
  events<Kind extends AcceptorEvent["event"]>(kind: Kind): readonly Extract<AcceptorEvent, { event: Kind }>[];
  forgetEvents(): void;
  behave(changes: Partial<AcceptorBehaviour>): Promise<void>;
  stop(): Promise<void>;
}

const DEFAULT_BEHAVIOUR: AcceptorBehaviour = {
  bodies: "both",
  boundary: "winrm",
  challenges: ["Kerberos"],
  mutual: "sent",
  answers: "sealed",
  forgetAfter: null,
};
const STARTING_LIMIT_MILLISECONDS = 120_000;

export async function startAcceptor(options: AcceptorOptions): Promise<Acceptor> {
  const { target, credentials, tls, aheadSeconds = 0 } = options;
  // -B: no compiled files in the work tree. Not -E: what the realm says is in the environment.
  const child = spawn(kerberos().python, ["-B", path.join(__dirname, "acceptor.py")], {
    env: {
      ...process.env,
      ...libraryPath(),
      ...options.env,
      KRB5_KTNAME: `FILE:${options.keytab}`,
      ...(aheadSeconds === 0 ? {} : atAnotherTime(aheadSeconds)),
    },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaints += text));
  let events: AcceptorEvent[] = [];
  const waiting: { readonly kind: string; readonly resolve: (event: AcceptorEvent) => void }[] = [];
  readline.createInterface({ input: child.stdout }).on("line", (line) => {
    const event = JSON.parse(line) as AcceptorEvent;
    events.push(event);
    const first = waiting.findIndex(({ kind }) => kind === event.event);
    if (first !== -1) waiting.splice(first, 1)[0]?.resolve(event);
  });
  /** The process may end instead; its own complaint is then the reason. */
  function next<Kind extends AcceptorEvent["event"]>(kind: Kind): Promise<Extract<AcceptorEvent, { event: Kind }>> {
    return new Promise((resolve, reject) => {
      const fail = (): void => {
        clearTimeout(limit);
        reject(new Error(`The acceptor ended, or didn't answer, while "${kind}" was awaited:\n${complaints}`));
      };
      const limit = setTimeout(fail, STARTING_LIMIT_MILLISECONDS);
      child.once("exit", fail);
      waiting.push({
        kind,
        resolve: (event) => {
          clearTimeout(limit);
          child.off("exit", fail);
          resolve(event as Extract<AcceptorEvent, { event: Kind }>);
        },
      });
    });
  }
  const send = (value: unknown): void => {
    child.stdin.write(`${JSON.stringify(value)}\n`);
  };

  const listening = next("listening");
  // When the child can't start, its exit says so better than a broken pipe.
  child.stdin.on("error", () => undefined);
  send({
    target,
    credentials: credentials && { user: credentials.user, password: credentials.password.reveal() },
    tls: tls && { ...tls, privateKey: tls.privateKey.reveal() },
    behaviour: { ...DEFAULT_BEHAVIOUR, ...options.behaviour },
  });
  const { port } = await listening;
  // One that nobody stops must not keep this process alive; it ends when its standard input does.
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as Partial<net.Socket>).unref?.();
  return {
    port,
    url: `${tls === undefined ? "http" : "https"}://localhost:${port}/powershell/`,
    events: <Kind extends AcceptorEvent["event"]>(kind: Kind) =>
      events.filter((event): event is Extract<AcceptorEvent, { event: Kind }> => event.event === kind),
    forgetEvents: () => {
      events = [];
    },
    behave: async (changes) => {
      const behaving = next("behaving");
      send(changes);
      await behaving;
    },
    stop: async () => {
      await end(child);
    },
  };
}
