"use strict";

/** Our client of the endpoint, as pypsrp_client.py is one: a job per line, an outcome per line, both JSON. */

const fs = require("node:fs");
const path = require("node:path");
const readline = require("node:readline");

const root = path.resolve(__dirname, "../..");
/** What is in lib/, whose place tsc doesn't need to know. */
const built = (/** @type {string} */ file) => require(path.join(root, "lib", file));

const { openSession, sessionEnv } = built("remoting/session.js");
const { basicAuthentication } = built("remoting/http/authentication.js");
const { openRemote } = built("backends/remote/remoteBackend.js");
const { Secret } = built("secret.js");

/** As the backend asks unless its settings say otherwise. */
const SETTINGS = { maxConnections: 2, operationTimeoutSeconds: 20 };

/** @type {any} */
let connection;
/** @type {Map<string, any>} Sessions, and backends for snapshots. */
const open = new Map();

/** @type {Record<string, (job: any) => Promise<number>>} */
const JOBS = {
  begin: async ({ pool }) => {
    open.set(pool, pool === "snapshot" ? await openBackend() : await openOne());
    return 0;
  },
  end: async ({ pool }) => {
    await open.get(pool).close();
    open.delete(pool);
    return 0;
  },
  run: async ({ pool, pipelines, count }) => {
    const signal = AbortSignal.timeout(LIMIT_MILLISECONDS);
    let objects = 0;
    for (let time = 0; time < count; time += 1) {
      for (const commands of pipelines) {
        const { errors, output } = await open.get(pool).run(commands, { signal });
        if (errors.length > 0) throw new Error(`${commands[0].name} failed: ${errors[0].message}`);
        objects += output.length;
      }
    }
    return objects;
  },
  snapshot: async ({ pool, count }) => {
    let certificates = 0;
    for (let time = 0; time < count; time += 1) {
      const snapshot = await open.get(pool).readSnapshot(connection.server, callOptions());
      certificates += snapshot.certificates.length;
    }
    return certificates;
  },
  import: async ({ pool, thumbprint, pfxFile }) => {
    const request = {
      thumbprint,
      pfx: new Secret(new Uint8Array(fs.readFileSync(pfxFile))),
      password: new Secret(connection.pfxPassword),
      privateKeyExportable: false,
    };
    const { outcome } = await open.get(pool).importCertificate(connection.server, request, callOptions());
    return outcome === "imported" ? 1 : 0;
  },
  enable: async ({ pool, thumbprint, services }) => {
    const request = { thumbprint, services, requireSsl: true, replaceDefaultSmtpCertificate: false };
    await open.get(pool).enableServices(connection.server, request, callOptions());
    return 0;
  },
  name: async ({ pool, service, name }) => {
    await open.get(pool).setCertificateName(connection.server, service, name, callOptions());
    return 0;
  },
  memory: () => Promise.resolve(peakMebibytes()),
  cpu: () => Promise.resolve(cpuSeconds()),
};

const LIMIT_MILLISECONDS = 120_000;

function callOptions() {
  return { signal: AbortSignal.timeout(LIMIT_MILLISECONDS) };
}

function openOne() {
  const options = {
    ...SETTINGS,
    url: new URL(`${connection.url}?serializationLevel=Full`),
    resourceUri: "http://schemas.microsoft.com/powershell/Microsoft.Exchange",
    authentication: basicAuthentication(connection.user, new Secret(connection.password)),
    tls: { ca: fs.readFileSync(connection.caFile, "utf8") },
    // It has to last while the other client has its turn.
    idleSeconds: 120,
  };
  return openSession(options, sessionEnv, AbortSignal.timeout(LIMIT_MILLISECONDS));
}

function openBackend() {
  const settings = {
    endpoint: connection.url,
    authentication: "basic",
    username: connection.user,
    password: new Secret(connection.password),
    tlsServerName: undefined,
    caFile: connection.caFile,
    maxConnectionsPerServer: SETTINGS.maxConnections,
    operationTimeoutSeconds: SETTINGS.operationTimeoutSeconds,
    dangerouslySkipTlsVerification: false,
  };
  return openRemote(settings, (/** @type {string} */ line) => process.stderr.write(`${line}\n`));
}

/** Since the process was started. */
function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** What the process itself had at most; `maxRSS` may begin with what its parent had when it was started. */
function peakMebibytes() {
  const ofLinux = /^VmHWM:\s+(\d+)/m.exec(
    fs.existsSync("/proc/self/status") ? fs.readFileSync("/proc/self/status", "utf8") : "",
  );
  return (ofLinux === null ? process.resourceUsage().maxRSS : Number(ofLinux[1])) / 1024;
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const job = JSON.parse(line);
    if (connection === undefined) {
      connection = job;
      continue;
    }
    const cpu = cpuSeconds();
    const clock = process.hrtime.bigint();
    const value = await JOBS[job.do]?.(job);
    const seconds = Number(process.hrtime.bigint() - clock) / 1e9;
    process.stdout.write(`${JSON.stringify({ value, seconds, cpuSeconds: cpuSeconds() - cpu })}\n`);
  }
}

main().catch((/** @type {unknown} */ error) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
