/**
 * `npm run bench:remote`: what talking to a server costs, compared with pypsrp, a client of the same protocol in
 * Python, on the same endpoint (`exchange-simulator serve`, https, Basic). Ends with 1 when one of these doesn't hold:
 *
 * - A small cmdlet takes at most a third of the processor time that it takes pypsrp.
 * - We run at least three times as many small cmdlets per second, one after the other in one session.
 *
 * Both clients and the endpoint are processes of their own that live for the whole run. The clients have their turns
 * one after the other, in several rounds, so that a busy machine is unkind to both; medians are compared. pypsrp
 * is made to do what we do: the same cmdlets with the same query string, and the Signal Terminate after each.
 *
 *   npm run bench:remote -- --rounds 5 --cmdlets 500 --certificates 50
 */

import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { median } from "./bench/numbers.mjs";
import { makePfx, oneServer } from "./bench/organisation.cjs";
import { Client, Endpoint } from "./bench/workers.mjs";
import { ensurePeers } from "./peers/ensure.mjs";
import { ensureBuilt, ensureNodeModules, log, main, root } from "./setup.mjs";

const HIGHEST_CPU_RATIO = 1 / 3;
const LOWEST_RATE_RATIO = 3;
const SETTLING_MILLISECONDS = 100;
const USER = "administrator@contoso.com";
/** Before anything is measured, because code is compiled while it runs; fresh processes are measured by themselves. */
const WARM_UP = { sessions: 5, others: 3, cmdlets: 2000 };

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    cmdlets: { type: "string", default: "500" },
    certificates: { type: "string", default: "50" },
  },
});
const rounds = Number(values.rounds);
const cmdlets = Number(values.cmdlets);
const certificates = Number(values.certificates);

/**
 * One job of one client.
 *
 * @typedef {object} Measured
 * @property {number} seconds
 * @property {number} cpuSeconds Of the client.
 * @property {number} endpointCpuSeconds
 * @property {number} requests
 * @property {number} value
 */

/**
 * @typedef {object} Contender
 * @property {string} name
 * @property {() => Client} start Starts one more process of it.
 * @property {Client} client Lives as long as the benchmark.
 * @property {Map<string, Measured[]>} measured By what was measured, one for each round.
 * @property {number[]} memory Mebibytes at most: of the fresh processes.
 */

await main(async () => {
  await ensureNodeModules();
  await ensureBuilt();
  const python = await ensurePeers();
  const work = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "exchange-bench-")));
  /** @type {{ end(): Promise<void> }[]} */
  const processes = [];
  try {
    log(`Making a server with ${String(certificates)} certificates ...`);
    const password = randomBytes(12).toString("hex");
    const pfxPassword = randomBytes(12).toString("hex");
    const server = await oneServer(certificates);
    const pfx = await makePfx(certificates, pfxPassword);
    const pfxFile = path.join(work, "new.pfx");
    fs.writeFileSync(pfxFile, pfx.bytes);
    const file = path.join(work, ".exchange-simulator.json");
    fs.writeFileSync(file, server.text);
    const caFile = path.join(work, "ca.pem");
    const options = ["--tls", "--port", "0", "--ca-file", caFile, "--user", USER, "--file", file];
    const endpoint = new Endpoint(options, password);
    processes.push(endpoint);
    await endpoint.start();
    const { hostname: host, port } = new URL(endpoint.url);
    const connection = { url: endpoint.url, host, port: Number(port), user: USER, password, caFile, pfxPassword };
    const contender = (/** @type {string} */ name, /** @type {string} */ program, /** @type {string[]} */ args) => {
      const start = () => {
        const client = new Client(program, args, { ...connection, server: server.name });
        processes.push(client);
        return client;
      };
      return { name, start, client: start(), measured: new Map(), memory: [] };
    };
    const bench = path.join(root, "tools", "bench");
    const ours = contender("ours", process.execPath, [path.join(bench, "remoteClient.cjs")]);
    // Neither settings of whoever runs this, nor compiled files in the work tree.
    const theirs = contender("pypsrp", python, ["-EB", path.join(bench, "pypsrp_client.py")]);
    await compare([ours, theirs], endpoint, server.name);
    const steps = await changes(ours.client, endpoint, { pfxFile, thumbprint: pfx.thumbprint });
    process.exitCode = (await report(ours, theirs, steps)) ? 0 : 1;
  } finally {
    // The endpoint last: clients say good-bye.
    for (const each of processes.reverse()) await each.end();
    fs.rmSync(work, { recursive: true, force: true });
  }
});

/**
 * All rounds of both clients.
 *
 * @param {readonly Contender[]} contenders
 * @param {Endpoint} endpoint
 * @param {string} server
 */
async function compare(contenders, endpoint, server) {
  const snapshot = snapshotPipelines(server);
  const small = [[{ name: "Get-TransportService", parameters: { Identity: server } }]];
  const all = [[{ name: "Get-ExchangeCertificate", parameters: { Server: server } }]];
  const jobs = {
    small: { do: "run", pool: "cmdlets", pipelines: small, count: cmdlets },
    certificates: { do: "run", pool: "cmdlets", pipelines: all, count: 3 },
    first: { do: "snapshot", pool: "snapshot", pipelines: snapshot, count: 1 },
    snapshots: { do: "snapshot", pool: "snapshot", pipelines: snapshot, count: 3 },
  };
  const begin = { do: "begin", pool: "snapshot" };
  const end = { do: "end", pool: "snapshot" };
  for (const { name, client } of contenders) {
    log(`Warming up: ${name} ...`);
    // The sessions come first: with each of the first few some of the compiled code is thrown away.
    for (let session = 1; session <= WARM_UP.sessions; session += 1) {
      await client.ask(begin);
      await client.ask({ ...jobs.snapshots, count: WARM_UP.others });
      await client.ask(end);
    }
    await client.ask({ do: "begin", pool: "cmdlets" });
    await client.ask({ ...jobs.certificates, count: WARM_UP.others });
    await client.ask({ ...jobs.small, count: WARM_UP.cmdlets });
  }
  for (let round = 1; round <= rounds; round += 1) {
    for (const { name, start, client, measured, memory } of contenders) {
      /** @type {(label: string, ...asked: { do: string, count?: number }[]) => Promise<void>} */
      const measure = async (label, ...asked) => {
        const one = await measureJobs(client, endpoint, asked);
        measured.set(label, [...(measured.get(label) ?? []), one]);
      };
      await measure("small", jobs.small);
      await measure("certificates", jobs.certificates);
      await measure("first", begin, jobs.first);
      await measure("snapshots", jobs.snapshots);
      await measure("end", end);
      const started = process.hrtime.bigint();
      const fresh = start();
      await fresh.ask(begin);
      const { value } = await fresh.ask(jobs.first);
      const seconds = Number(process.hrtime.bigint() - started) / 1e9;
      const cpuSeconds = (await fresh.ask({ do: "cpu" })).value;
      const one = { seconds, cpuSeconds, endpointCpuSeconds: NaN, requests: NaN, value };
      measured.set("fresh", [...(measured.get("fresh") ?? []), one]);
      memory.push((await fresh.ask({ do: "memory" })).value);
      await fresh.ask(end);
      await fresh.end();
      log(`Round ${String(round)}: ${name} ${rate(measured.get("small")?.at(-1)).toFixed(0)} cmdlets/s`);
    }
  }
  for (const { client } of contenders) await client.ask({ do: "end", pool: "cmdlets" });
}

/**
 * @param {Client} client
 * @param {Endpoint} endpoint
 * @param {readonly { do: string, count?: number }[]} jobs One after the other.
 * @returns {Promise<Measured>} Per repetition of the last.
 */
async function measureJobs(client, endpoint, jobs) {
  await settled();
  const before = await endpoint.read();
  const sum = { seconds: 0, cpuSeconds: 0, value: 0 };
  for (const job of jobs) {
    const { seconds, cpuSeconds, value } = await client.ask(job);
    sum.seconds += seconds;
    sum.cpuSeconds += cpuSeconds;
    sum.value = value;
  }
  await settled();
  const after = await endpoint.read();
  const count = jobs.at(-1)?.count ?? 1;
  return {
    seconds: sum.seconds / count,
    cpuSeconds: sum.cpuSeconds / count,
    endpointCpuSeconds: (after.cpuSeconds - before.cpuSeconds) / count,
    requests: (after.requests - before.requests) / count,
    value: sum.value / count,
  };
}

/** Commands are terminated when nobody waits any more: that belongs to the job before. */
function settled() {
  return new Promise((resolve) => setTimeout(resolve, SETTLING_MILLISECONDS));
}

/**
 * The cmdlets of a snapshot, as the backend asks them.
 *
 * @param {string} server
 * @returns {unknown[][]}
 */
function snapshotPipelines(server) {
  const built = (/** @type {string} */ file) => createRequire(import.meta.url)(path.join(root, "lib", file));
  const { SNAPSHOT_CMDLETS } = built("backends/serverSnapshot.js");
  const { CERTIFICATE_PROJECTION, question } = built("backends/cmdlets.js");
  return [
    [question("Get-ExchangeCertificate", server), CERTIFICATE_PROJECTION],
    ...Object.values(SNAPSHOT_CMDLETS).map((cmdlet) => [question(cmdlet, server)]),
  ];
}

/**
 * HTTP requests of each kind of change, in a session that is there.
 *
 * @param {Client} client
 * @param {Endpoint} endpoint
 * @param {{ pfxFile: string, thumbprint: string }} certificate
 * @returns {Promise<[label: string, requests: number][]>}
 */
async function changes(client, endpoint, { pfxFile, thumbprint }) {
  const pool = "snapshot";
  /** @type {[string, { do: string }][]} */
  const jobs = [
    ["import, the session's first", at({ do: "import", thumbprint, pfxFile })],
    ["enable IMAP", at({ do: "enable", thumbprint, services: ["IMAP"] })],
    ["enable SMTP, keep the default", at({ do: "enable", thumbprint, services: ["SMTP"] })],
    ["change the name of IMAP", at({ do: "name", service: "IMAP", name: "mail.contoso.com" })],
  ];
  /** @type {[string, number][]} */
  const counted = [];
  await client.ask({ do: "begin", pool });
  await client.ask({ do: "snapshot", pool, count: 1 });
  for (const [label, job] of jobs) counted.push([label, (await measureJobs(client, endpoint, [job])).requests]);
  await client.ask({ do: "end", pool });
  return counted;

  /** @param {{ do: string, [key: string]: unknown }} job */
  function at(job) {
    return { ...job, pool };
  }
}

/**
 * @param {Contender} ours
 * @param {Contender} theirs
 * @param {readonly [label: string, requests: number][]} steps
 * @returns {Promise<boolean>} Whether the demands hold.
 */
async function report(ours, theirs, steps) {
  const rows = [["", ours.name, theirs.name, `${theirs.name}/${ours.name}`]];
  const add = (/** @type {string} */ label, /** @type {number} */ our, /** @type {number} */ their, digits = 2) => {
    rows.push([label, our.toFixed(digits), their.toFixed(digits), (their / our).toFixed(2)]);
  };
  const pair = (/** @type {string} */ key, /** @type {(one: Measured) => number} */ of) => {
    const [our, their] = [ours, theirs].map(({ measured }) => median((measured.get(key) ?? []).map(of)));
    return /** @type {const} */ ([our ?? NaN, their ?? NaN]);
  };
  /** @type {[label: string, key: string][]} */
  const kinds = [
    ["small cmdlet", "small"],
    [`${String(certificates)} certificates`, "certificates"],
    ["session and snapshot", "first"],
    ["further snapshot", "snapshots"],
  ];
  for (const [kind, key] of kinds) {
    add(`${kind}: ms`, ...pair(key, ({ seconds }) => seconds * 1000));
    add(`${kind}: client CPU ms`, ...pair(key, cpuMilliseconds));
    add(`${kind}: endpoint CPU ms`, ...pair(key, ({ endpointCpuSeconds }) => endpointCpuSeconds * 1000));
    add(`${kind}: HTTP requests`, ...pair(key, requestsOf), 0);
  }
  const fresh = "new process, session and snapshot";
  add(`${fresh}: ms`, ...pair("fresh", ({ seconds }) => seconds * 1000), 0);
  add(`${fresh}: client CPU ms`, ...pair("fresh", cpuMilliseconds), 0);
  add(`${fresh}: peak MiB`, median(ours.memory), median(theirs.memory), 0);
  const memory = [];
  for (const { client } of [ours, theirs]) memory.push((await client.ask({ do: "memory" })).value);
  add("thousands of cmdlets: peak MiB", memory[0] ?? NaN, memory[1] ?? NaN, 0);
  for (const [label = "", ...numbers] of rows) {
    process.stdout.write(`${label.padEnd(52)}${numbers.map((number) => number.padStart(12)).join("")}\n`);
  }
  const closing = pair("end", requestsOf)[0];
  const opening = pair("first", requestsOf)[0] - pair("snapshots", requestsOf)[0];
  /** @type {[label: string, requests: number][]} */
  const counted = [["opening a session", opening], ["closing it", closing], ...steps];
  const requests = counted.map(([label, many]) => `${label} ${String(many)}`);
  process.stdout.write(`\nHTTP requests of ours: ${requests.join("; ")}\n\n`);

  const small = (/** @type {Contender} */ { measured }) => measured.get("small") ?? [];
  const cpu = median(small(ours).map(cpuMilliseconds)) / median(small(theirs).map(cpuMilliseconds));
  const faster = median(small(ours).map(rate)) / median(small(theirs).map(rate));
  const verdicts = [
    verdict("processor time", cpu <= HIGHEST_CPU_RATIO, [
      `a small cmdlet takes ${cpu.toFixed(2)} of what it takes pypsrp (at most ${HIGHEST_CPU_RATIO.toFixed(2)})`,
    ]),
    verdict("speed", faster >= LOWEST_RATE_RATIO, [
      `${median(small(ours).map(rate)).toFixed(0)} small cmdlets per second`,
      `pypsrp: ${median(small(theirs).map(rate)).toFixed(0)}`,
      `ratio ${faster.toFixed(2)} (at least ${String(LOWEST_RATE_RATIO)})`,
    ]),
  ];
  return verdicts.every(Boolean);
}

/** @param {Measured | undefined} measured */
function rate(measured) {
  return 1 / (measured?.seconds ?? NaN);
}

/** @param {Measured} measured */
function cpuMilliseconds({ cpuSeconds }) {
  return cpuSeconds * 1000;
}

/** @param {Measured} measured */
function requestsOf({ requests }) {
  return requests;
}

/**
 * @param {string} name
 * @param {boolean} good
 * @param {readonly string[]} facts
 * @returns {boolean}
 */
function verdict(name, good, facts) {
  process.stdout.write(`${good ? "ok    " : "FAILED"} ${name}: ${facts.join("; ")}\n`);
  return good;
}
