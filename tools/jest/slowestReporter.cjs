"use strict";

/**
 * Says at the end of a run where its minutes went, so that a test that costs much is seen on the day it is written.
 */

const path = require("node:path");

const SHOWN = 12;
/** A run that is shorter has nothing worth telling. */
const LEAST_SECONDS = 60;

class SlowestReporter {
  /**
   * @param {unknown} _contexts
   * @param {any} results What Jest collected: its AggregatedResult.
   */
  onRunComplete(_contexts, results) {
    /** @type {{ testFilePath: string, perfStats: { start: number, end: number }, testResults: unknown[] }[]} */
    const files = results.testResults;
    const rows = files
      .map(({ testFilePath, perfStats, testResults }) => ({
        name: path.relative(process.cwd(), testFilePath),
        seconds: (perfStats.end - perfStats.start) / 1000,
        tests: testResults.length,
      }))
      .sort((left, right) => right.seconds - left.seconds);
    const total = rows.reduce((sum, { seconds }) => sum + seconds, 0);
    if (total < LEAST_SECONDS) return;
    const lines = rows
      .slice(0, SHOWN)
      .map(({ name, seconds, tests }) => `${seconds.toFixed(0).padStart(6)} s  ${name} (${String(tests)} tests)`);
    process.stderr.write(`\nWhere ${total.toFixed(0)} s of testing went:\n${lines.join("\n")}\n`);
  }
}

module.exports = SlowestReporter;
