import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import dgram from "node:dgram";
import { once } from "node:events";
import fs from "node:fs";
import net, { type AddressInfo } from "node:net";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { runOrThrow } from "../../../tools/process.cjs";
import { atAnotherTime, end, guard, kerberos, libraryPath, temporaryDirectory } from "./machine";

/*
 * A realm of our own: MIT's KDC on a loopback port, with settings, database and tickets in a temporary directory. As in
 * Active Directory, clients prove themselves before they get a ticket, and keys are AES. Names are neither looked up
 * nor completed, so that any name can be that of a service; "localhost" is one that also leads here.
 */

export const REALM = "CONTOSO.TEST";

export interface RealmOptions {
  /** Passwords of users, by name without realm. Default: one for `operator`. */
  readonly users?: Readonly<Record<string, string>>;
  /** Principals with a random key. Default: `HTTP/localhost`. */
  readonly services?: readonly string[];
  /** How far the KDC's clock is ahead of ours; negative: behind. Default 0. */
  readonly kdcAheadSeconds?: number;
  /** Longest life of a ticket. Default a day. */
  readonly ticketLifetimeSeconds?: number;
}

/** What kinit is told. */
export interface KinitWish {
  /** Name without realm. */
  readonly user: string;
  /** Without both: the keytab of `keytab(user)` is made and used. */
  readonly password?: string;
  readonly keytab?: string;
  /** Default: as long as the realm allows. */
  readonly lifetimeSeconds?: number;
  /** Default: `env.KRB5CCNAME` of the realm. */
  readonly cache?: string;
}

export interface Realm {
  readonly name: typeof REALM;
  /** Goes with the realm; tests may put their own files into it. */
  readonly directory: string;
  readonly kdcPort: number;
  /**
   * `KRB5_CONFIG`, `KRB5CCNAME`, `KRB5_CLIENT_KTNAME`, `KRB5RCACHEDIR`. The ticket cache and the client keytab don't
   * exist until `kinit` and `clientKeytab` make them.
   */
  readonly env: RealmEnv;
  /** The same with settings that lead to another port than the KDC's. */
  envWithKdc(port: number): RealmEnv;
  password(user: string): string;
  /** A file with the keys of these principals; for a user its password goes on working. */
  keytab(...principals: readonly string[]): Promise<string>;
  /** Puts a user's key where `KRB5_CLIENT_KTNAME` points. */
  clientKeytab(user: string): Promise<void>;
  /** Fetches a ticket; the name of the cache that has it. Throws with what kinit says. */
  kinit(wish: KinitWish): Promise<string>;
  /** Empties the ticket cache of `env`. */
  forgetTickets(): void;
  /** Adds a principal with a random key. */
  addService(principal: string): Promise<void>;
  /** What the KDC wrote about the requests it got. */
  kdcLog(): string;
  /** Ends the KDC and removes the directory. */
  stop(): Promise<void>;
}

export interface RealmEnv {
  readonly KRB5_CONFIG: string;
  readonly KRB5CCNAME: string;
  readonly KRB5_CLIENT_KTNAME: string;
  readonly KRB5RCACHEDIR: string;
}

const STARTING_LIMIT_MILLISECONDS = 120_000;
/** Between looking for a free port and taking it another process may have it. */
const PORT_ATTEMPTS = 3;

export async function startRealm(options: RealmOptions = {}): Promise<Realm> {
  const { users = { operator: randomPassword() }, services = ["HTTP/localhost"] } = options;
  const directory = temporaryDirectory();
  const inside = (name: string): string => path.join(directory, name);
  fs.mkdirSync(inside("replays"));
  const lifetime = options.ticketLifetimeSeconds ?? 86_400;
  const { kdcAheadSeconds = 0 } = options;
  // The database knows the time, too: a principal of the future would have a password that has not begun.
  const kdcEnv = {
    ...process.env,
    ...libraryPath(),
    ...(kdcAheadSeconds === 0 ? {} : atAnotherTime(kdcAheadSeconds)),
    KRB5_CONFIG: inside("krb5.conf"),
    KRB5_KDC_PROFILE: inside("kdc.conf"),
  };
  const { programs } = kerberos();

  async function admin(...commands: readonly string[]): Promise<void> {
    const input = `${commands.join("\n")}\n`;
    // Whom the log names. By default the user of the process, who in a container may have no name.
    const as = ["-p", `tests@${REALM}`];
    const result = await runOrThrow(programs["kadmin.local"], ["-r", REALM, ...as], { env: kdcEnv, input });
    const complaint = /^(?:kadmin\.local|\w+): .*$/m.exec(result.stderr.replace(/^No policy specified.*$/gm, ""));
    if (complaint !== null) throw new Error(`kadmin.local says: ${complaint[0]}`);
  }

  async function prepare(): Promise<void> {
    const master = randomPassword();
    const create = ["create", "-r", REALM, "-s"];
    await runOrThrow(programs.kdb5_util, create, { env: kdcEnv, input: `${master}\n${master}\n` });
    await admin(
      ...Object.entries(users).map(([user, password]) => `addprinc -pw ${quoted(password)} ${quoted(user)}`),
      ...services.map((service) => `addprinc -randkey ${quoted(service)}`),
    );
  }

  let kdc: ChildProcess | undefined;
  let release = (): void => undefined;
  let port = 0;
  try {
    for (let attempt = 1; kdc === undefined; attempt += 1) {
      port = await freePort();
      fs.writeFileSync(inside("krb5.conf"), clientSettings(port));
      fs.writeFileSync(inside("kdc.conf"), kdcSettings(directory, port, lifetime));
      if (attempt === 1) await prepare();
      const started = spawn(programs.krb5kdc, ["-n"], { env: kdcEnv, stdio: "ignore" });
      started.unref();
      release = guard(started, directory);
      if (await answers(started, port)) {
        kdc = started;
      } else {
        release();
        await end(started);
        if (attempt === PORT_ATTEMPTS) throw new Error(`The KDC didn't start. Its log:\n${read(inside("kdc.log"))}`);
      }
    }
  } catch (error) {
    fs.rmSync(directory, { recursive: true, force: true });
    throw error;
  }

  const env: RealmEnv = {
    KRB5_CONFIG: inside("krb5.conf"),
    KRB5CCNAME: `FILE:${inside("tickets")}`,
    KRB5_CLIENT_KTNAME: `FILE:${inside("client.keytab")}`,
    KRB5RCACHEDIR: inside("replays"),
  };
  let keytabs = 0;
  async function extract(file: string, principals: readonly string[]): Promise<void> {
    // Without -norandkey a user's password would be replaced.
    await admin(...principals.map((principal) => `ktadd -k ${quoted(file)} -norandkey ${quoted(principal)}`));
  }
  async function keytab(...principals: readonly string[]): Promise<string> {
    keytabs += 1;
    const file = inside(`${keytabs}.keytab`);
    await extract(file, principals);
    return file;
  }
  const running = kdc;
  return {
    name: REALM,
    directory,
    kdcPort: port,
    env,
    envWithKdc: (other) => {
      const file = inside(`krb5-${other}.conf`);
      fs.writeFileSync(file, clientSettings(other));
      return { ...env, KRB5_CONFIG: file };
    },
    password: (user) => {
      const password = users[user];
      if (password === undefined) throw new Error(`No user "${user}" in the realm.`);
      return password;
    },
    keytab,
    clientKeytab: (user) => extract(inside("client.keytab"), [user]),
    kinit: async ({ user, password, keytab: given, lifetimeSeconds, cache = env.KRB5CCNAME }) => {
      const args = ["-c", cache, ...(lifetimeSeconds === undefined ? [] : ["-l", `${lifetimeSeconds}s`])];
      if (password === undefined) args.push("-k", "-t", given ?? (await keytab(user)));
      await runOrThrow(programs.kinit, [...args, `${user}@${REALM}`], {
        env: { ...process.env, ...libraryPath(), ...env },
        ...(password === undefined ? {} : { input: `${password}\n` }),
      });
      return cache;
    },
    forgetTickets: () => {
      fs.rmSync(inside("tickets"), { force: true });
    },
    addService: (principal) => admin(`addprinc -randkey ${quoted(principal)}`),
    kdcLog: () => read(inside("kdc.log")),
    stop: async () => {
      release();
      await end(running);
      fs.rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A KDC that takes every request, over UDP and TCP, and answers none. */
export async function startSilentKdc(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const connections = new Set<net.Socket>();
  const tcp = net.createServer((socket) => {
    connections.add(socket.on("error", () => undefined).resume());
  });
  tcp.listen(0, "127.0.0.1");
  await once(tcp, "listening");
  const { port } = tcp.address() as AddressInfo;
  const udp = dgram.createSocket("udp4");
  udp.bind(port, "127.0.0.1");
  await once(udp, "listening");
  return {
    port,
    close: async () => {
      for (const socket of connections) socket.destroy();
      udp.close();
      tcp.close();
      await once(tcp, "close");
    },
  };
}

/** A port of loopback that refuses connections, as long as nobody takes it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const silent = await startSilentKdc().catch((error: unknown) => {
      // Free for TCP, and taken for UDP.
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      return undefined;
    });
    await silent?.close();
    if (silent !== undefined) return silent.port;
  }
}

async function answers(kdc: ChildProcess, port: number): Promise<boolean> {
  const deadline = Date.now() + STARTING_LIMIT_MILLISECONDS;
  while (Date.now() < deadline && kdc.exitCode === null && kdc.signalCode === null) {
    const socket = net.connect(port, "127.0.0.1");
    const connected = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    // Another process on this port would have let ours end.
    if (connected) return (await Promise.race([once(kdc, "exit"), wait(50, true)])) === true;
    await wait(20);
  }
  return false;
}

function clientSettings(port: number): string {
  return `[libdefaults]
  default_realm = ${REALM}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  qualify_shortname = ""
  permitted_enctypes = aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96
[realms]
  ${REALM} = {
    kdc = 127.0.0.1:${port}
  }
[domain_realm]
  localhost = ${REALM}
  .test = ${REALM}
`;
}

function kdcSettings(directory: string, port: number, lifetimeSeconds: number): string {
  const { databaseModules } = kerberos();
  return `[kdcdefaults]
  kdc_listen = 127.0.0.1:${port}
  kdc_tcp_listen = 127.0.0.1:${port}
[realms]
  ${REALM} = {
    database_name = ${directory}/principal
    key_stash_file = ${directory}/stash
    acl_file = ${directory}/acl
    supported_enctypes = aes256-cts-hmac-sha1-96:normal aes128-cts-hmac-sha1-96:normal
    master_key_type = aes256-cts-hmac-sha1-96
    default_principal_flags = +preauth
    max_life = ${lifetimeSeconds}s
  }
[dbmodules]
${databaseModules === null ? "" : `  db_module_dir = ${databaseModules}\n`}[logging]
  kdc = FILE:${directory}/kdc.log
  default = FILE:${directory}/other.log
`;
}

function randomPassword(): string {
  return randomBytes(18).toString("base64url");
}

/** For kadmin's command line. */
function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

function read(file: string): string {
  return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
}
