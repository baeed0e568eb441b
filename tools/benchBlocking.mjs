/**
 * `npm run bench:blocking`: how long the event loop is blocked by what others hand in: a server's answers, and files.
 * Ends with 1 when anything blocks it for longer than a hundred milliseconds.
 *
 * Each input is read several times, and the best time counts: what a busy machine adds isn't ours.
 *
 *   npm run bench:blocking -- --rounds 5 --bytes 1000000
 */

import fs from "node:fs";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { setTimeout as wait } from "node:timers/promises";
import { ensureBuilt, ensureNodeModules, log, main, root } from "./setup.mjs";

const LONGEST_MILLISECONDS = 100;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    bytes: { type: "string", default: "1000000" },
  },
});
const rounds = Number(values.rounds);
const bytes = Number(values.bytes);

/**
 * Something that is read, and what becomes of it.
 *
 * @typedef {object} Input
 * @property {string} name
 * @property {() => Promise<string>} read
 */

/**
 * @param {NodeJS.Require} load
 * @returns {Input[]}
 */
function answers(load) {
  const { hostileAnswers, readServer } = load("./bench/hostileAnswers.cjs");
  /** @type {Record<string, string[]>} */
  const all = hostileAnswers(bytes);
  return Object.entries(all).map(([name, pieces]) => ({ name: `answer: ${name}`, read: () => readServer(pieces) }));
}

/**
 * @param {NodeJS.Require} load
 * @returns {Input[]}
 */
function files(load) {
  const { readPem, readPfx } = load("../lib/certificate/readMaterial.js");
  const { readAuthorities } = load("../lib/certificate/readAuthorities.js");
  const { Secret } = load("../lib/secret.js");
  const fixtures = `${root}/test/certificate/fixtures`;
  /**
   * What is read again is remembered, so each is another one; made beforehand.
   *
   * @template T
   * @param {(round: number) => T} make
   * @param {(made: T) => Promise<unknown>} read
   */
  const anew = (make, read) => {
    const all = Array.from({ length: rounds }, (_one, round) => make(round + 1));
    return () => outcome(read(/** @type {T} */ (all.pop())));
  };
  const pfx = (/** @type {(round: number) => Uint8Array} */ make) =>
    anew(make, (file) => readPfx(new Secret(file), new Secret("secret")));
  const pem = (/** @type {(round: number) => string} */ make) =>
    anew(make, (text) => readPem({ certificate: text, privateKey: new Secret(text), chain: undefined }));
  const caFile = (/** @type {(round: number) => Uint8Array} */ make) => anew(make, (file) => readAuthorities(file));
  const noise = (/** @type {number} */ round) =>
    Uint8Array.from({ length: bytes }, (_one, at) => (at * 7 + round) & 255);
  const nested = (/** @type {number} */ round) => {
    const depth = Math.floor(bytes / 2);
    return Uint8Array.from({ length: bytes }, (_one, at) => (at < depth * 2 ? (at % 2 === 0 ? 0x30 : 0x80) : round));
  };
  const armour = (/** @type {number} */ round) =>
    `-----BEGIN CERTIFICATE-----\n${"TUlJ".repeat(20)}\n-----END CERTIFICATE-----\n`.repeat(Math.floor(bytes / 140)) +
    round;
  const authority = fs.readFileSync(`${fixtures}/tools/authority.pem`, "utf8");
  const authorities = authority.repeat(Math.floor(bytes / authority.length));
  const existing = fs.readdirSync(fixtures).filter((one) => /\.(?:pfx|p12)$/.test(one));
  return [
    ...existing.map((one) => {
      const whole = fs.readFileSync(`${fixtures}/${one}`);
      const file = /^[A-Za-z0-9+/=\s]+$/.test(whole.toString("latin1"))
        ? Buffer.from(whole.toString(), "base64")
        : whole;
      return { name: `file: ${one}`, read: pfx((round) => Buffer.concat([file, Buffer.alloc(round - 1)])) };
    }),
    { name: "file: noise", read: pfx(noise) },
    { name: "file: nested", read: pfx(nested) },
    { name: "file: PEM of many blocks", read: pem(armour) },
    { name: "caFile: noise", read: caFile(noise) },
    { name: "caFile: nested", read: caFile(nested) },
    { name: "caFile: PEM of many blocks", read: caFile((round) => Buffer.from(armour(round))) },
    { name: "caFile: many authorities", read: caFile((round) => Buffer.from(authorities + " ".repeat(round))) },
    {
      name: "file: PEM of one line",
      read: pem((round) => `-----BEGIN CERTIFICATE-----\n${"A".repeat(bytes)}${round}`),
    },
  ];
}

/**
 * @param {Promise<unknown>} reading
 * @returns {Promise<string>}
 */
function outcome(reading) {
  return reading.then(
    () => "read",
    (/** @type {{ code?: string }} */ error) => error.code ?? "failed",
  );
}

/**
 * The longest that this ran while nothing else could, in milliseconds of the processor: what other processes take
 * meanwhile isn't ours.
 *
 * @param {() => Promise<string>} run
 * @returns {Promise<{ blocked: number, became: string }>}
 */
async function measure(run) {
  await wait(20);
  let longest = 0;
  let isOver = false;
  let before = process.cpuUsage();
  const look = () => {
    const { user, system } = process.cpuUsage(before);
    longest = Math.max(longest, (user + system) / 1000);
    before = process.cpuUsage();
    if (!isOver) setImmediate(look);
  };
  look();
  const became = await run();
  isOver = true;
  await wait(20);
  return { blocked: longest, became };
}

await main(async () => {
  ensureNodeModules();
  await ensureBuilt();
  const load = createRequire(import.meta.url);
  let isGood = true;
  for (const input of [...answers(load), ...files(load)]) {
    let best = { blocked: Number.POSITIVE_INFINITY, became: "" };
    for (let round = 0; round < rounds; round += 1) {
      const one = await measure(input.read);
      if (one.blocked < best.blocked) best = one;
    }
    const isShort = best.blocked <= LONGEST_MILLISECONDS;
    isGood &&= isShort;
    log(
      `${isShort ? "ok " : "BAD"} ${input.name.padEnd(40)} ${best.blocked.toFixed(0).padStart(5)} ms  ${best.became}`,
    );
  }
  log(isGood ? `Nothing of ${bytes} bytes blocks for longer than ${LONGEST_MILLISECONDS} ms.` : "Something blocks.");
  if (!isGood) process.exitCode = 1;
});
