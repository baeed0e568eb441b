import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createServer as createSocketServer, type AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { makeTestAuthority, makeTestCertificate } from "../certificate/testCertificates";

/** Where Pebble is; undefined where there is neither one nor Go to build it with. */
export const PEBBLE = ((): string | undefined => {
  const script = path.join(__dirname, "..", "..", "tools", "pebble", "ensure.mjs");
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: "utf8" });
  if (status === 2) return undefined;
  if (status !== 0) throw new Error(stderr);
  return stdout.trim().split("\n").at(-1);
})();

/** An authority that speaks ACME. */
export interface AcmeAuthority {
  /** What a client needs: directory, trusted certificate, folder in which it answers challenges. */
  readonly environment: Readonly<Record<string, string>>;
  /** Begins anew, with another root and another issuing authority. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Starts Pebble, with names that all lead here, and a web server for the answers to its challenges. */
export async function startAuthority(programs: string): Promise<AcmeAuthority> {
  const directory = mkdtempSync(path.join(os.tmpdir(), "exchange-pebble-"));
  const [acme, management, dns, names] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const web = await serve(path.join(directory, "webroot"));
  const trusted = makeTestAuthority();
  const own = makeTestCertificate({ dnsNames: ["localhost"], issuer: trusted });
  const file = (name: string, text: string): string => {
    writeFileSync(path.join(directory, name), text);
    return path.join(directory, name);
  };
  const config = file(
    "config.json",
    JSON.stringify({
      pebble: {
        listenAddress: `127.0.0.1:${String(acme)}`,
        managementListenAddress: `127.0.0.1:${String(management)}`,
        certificate: file("own.pem", pem("CERTIFICATE", own.der) + pem("CERTIFICATE", trusted.der)),
        privateKey: file("own.key", own.privateKey.reveal().export({ type: "pkcs8", format: "pem" }).toString()),
        httpPort: (web.address() as AddressInfo).port,
        tlsPort: 1,
        // Public authorities may give 47 days from 2029. A subject, as Let's Encrypt's classic profile gives one.
        profiles: { default: { description: "47 days", validityPeriod: 4_060_800, promoteCommonName: true } },
      },
    }),
  );
  const start = (program: string, args: readonly string[]): ChildProcess =>
    spawn(path.join(programs, program), args, {
      stdio: "ignore",
      env: { ...process.env, PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "0" },
    });
  const off = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "", "-defaultIPv6", ""];
  const at = (port: number): string => `127.0.0.1:${String(port)}`;
  const challenges = start("pebble-challtestsrv", [...off, "-dnsserver", at(dns), "-management", at(names)]);
  const startPebble = async (): Promise<ChildProcess> => {
    const child = start("pebble", ["-config", config, "-dnsserver", at(dns)]);
    await untilListening(acme);
    return child;
  };
  let pebble = await startPebble();
  return {
    environment: {
      ACME_DIRECTORY: `https://localhost:${String(acme)}/dir`,
      NODE_EXTRA_CA_CERTS: file(
        "trusted.pem",
        trusted.chain
          .concat(trusted.der)
          .map((der) => pem("CERTIFICATE", der))
          .join(""),
      ),
      ACME_WEBROOT: path.join(directory, "webroot"),
    },
    restart: async () => {
      await ended(pebble);
      pebble = await startPebble();
    },
    close: async () => {
      await Promise.all([ended(pebble), ended(challenges)]);
      web.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function pem(label: string, der: Uint8Array): string {
  const body = Buffer.from(der).toString("base64").replace(/.{64}/g, "$&\n").trimEnd();
  return `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createSocketServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });
}

/** The files of a folder, by http. */
function serve(folder: string): Promise<Server> {
  const server = createServer(({ url = "" }, response) => {
    try {
      response.end(readFileSync(path.join(folder, path.posix.normalize(url))));
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      resolve(server);
    });
  });
}

async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const answered = await fetch(`http://127.0.0.1:${String(port)}/`).then(
      () => true,
      () => false,
    );
    if (answered) return;
    await wait(100);
  }
  throw new Error("Pebble doesn't listen");
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else {
      child.once("exit", () => {
        resolve();
      });
      child.kill();
    }
  });
}
