"use strict";

// Jest compiles what it loads itself. A thread that a test starts loads on its own, and from the sources: it gets the
// hook that compiles them, as the processes that tests start do.
const path = require("node:path");
const threads = require("node:worker_threads");

const HOOK = path.join(__dirname, "runTypescript.cjs");
const isReady = Symbol.for("exchange-certificates.threads-run-typescript");

/** @type {Record<symbol, unknown>} */
const marks = /** @type {any} */ (threads);
if (marks[isReady] === undefined) {
  marks[isReady] = true;
  threads.Worker = class extends threads.Worker {
    /**
     * @param {string | URL} file
     * @param {import("node:worker_threads").WorkerOptions} [options]
     */
    constructor(file, options = {}) {
      const isTypescript = typeof file === "string" && file.endsWith(".ts");
      super(file, isTypescript ? { ...options, execArgv: [...(options.execArgv ?? []), "--require", HOOK] } : options);
    }
  };
}
