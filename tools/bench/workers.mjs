/** The processes of the remote benchmark: the endpoint, which is asked what it has done, and clients with their jobs. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import readline from "node:readline";
import { root } from "../setup.mjs";

/**
 * What a client says of a job.
 *
 * @typedef {object} Outcome
 * @property {number} value
 * @property {number} seconds
 * @property {number} cpuSeconds Of the client's process alone.
 */

/**
 * What the endpoint's process has done since it was started.
 *
 * @typedef {object} Reading
 * @property {number} requests
 * @property {number} cpuSeconds
 */

/** A program that answers each line with a line. */
export class Client {
  #child;
  /** @type {AsyncIterator<string>} */
  #lines;
  #errors = "";

  /**
   * @param {string} file
   * @param {readonly string[]} args
   * @param {object} connection Its first line.
   */
  constructor(file, args, connection) {
    this.#child = spawn(file, args, { cwd: root, stdio: ["pipe", "pipe", "pipe"], windowsHide: true });
    this.#child.stderr.on("data", (text) => (this.#errors += String(text)));
    this.#lines = readline.createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#child.stdin.write(`${JSON.stringify(connection)}\n`);
  }

  /**
   * @param {object} job
   * @returns {Promise<Outcome>}
   */
  async ask(job) {
    this.#child.stdin.write(`${JSON.stringify(job)}\n`);
    const { done, value } = await this.#lines.next();
    if (done === true) throw new Error(`A client ended in the middle of a job:\n${this.#errors.slice(-2000)}`);
    return JSON.parse(value);
  }

  /** @returns {Promise<void>} */
  async end() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.stdin.end();
    const limit = setTimeout(() => this.#child.kill(), 5000);
    await ended;
    clearTimeout(limit);
  }
}

/** `exchange-simulator serve`. */
export class Endpoint {
  #child;
  url = "";

  /**
   * @param {readonly string[]} args
   * @param {string} password Of the user that the arguments name.
   */
  constructor(args, password) {
    const meter = path.join(root, "tools", "bench", "endpointMeter.cjs");
    const program = path.join(root, "bin", "exchange-simulator.js");
    this.#child = spawn(process.execPath, ["--require", meter, program, "serve", ...args, "--password-env", VARIABLE], {
      env: { ...process.env, [VARIABLE]: password },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      windowsHide: true,
    });
  }

  /** Waits until it listens. */
  async start() {
    let errors = "";
    this.#child.stderr?.on("data", (text) => (errors += String(text)));
    if (this.#child.stdout === null) throw new Error("The endpoint has no output.");
    for await (const line of readline.createInterface({ input: this.#child.stdout })) {
      this.url = line;
      return;
    }
    throw new Error(`The endpoint ended before it listened:\n${errors}`);
  }

  /** @returns {Promise<Reading>} */
  async read() {
    const answered = once(this.#child, "message");
    this.#child.send("read");
    const [reading] = await answered;
    return reading;
  }

  /** @returns {Promise<void>} */
  async end() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGINT");
    await ended;
  }
}

const VARIABLE = "BENCH_ENDPOINT_PASSWORD";
