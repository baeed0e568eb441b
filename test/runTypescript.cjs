"use strict";

// `node --require test/runTypescript.cjs file.ts`: lets plain node run the TypeScript of this repository, for tests
// that need processes or threads of their own and nothing built. Types are not checked here. What was compiled once is
// kept in .cache/, because loading the compiler takes longer than everything else that such a process does.
const { createHash, randomUUID } = require("node:crypto");
const { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } = require("node:fs");
const path = require("node:path");
const { version } = require("typescript/package.json");

const CACHE = path.join(__dirname, "..", ".cache", "typescript");

/**
 * @param {NodeModule & { _compile(code: string, fileName: string): void }} module
 * @param {string} fileName
 */
function loadTypescript(module, fileName) {
  const source = readFileSync(fileName, "utf8");
  const kept = path.join(CACHE, `${createHash("sha256").update(`${version}\n${source}`).digest("hex")}.js`);
  module._compile(readKept(kept) ?? compile(source, fileName, kept), fileName);
}

/**
 * @param {string} file
 * @returns {string | undefined}
 */
function readKept(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/**
 * @param {string} source
 * @param {string} fileName
 * @param {string} kept
 * @returns {string}
 */
function compile(source, fileName, kept) {
  /** @type {typeof import("typescript")} */
  const ts = require("typescript");
  const { outputText } = ts.transpileModule(source, {
    fileName,
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true },
  });
  mkdirSync(CACHE, { recursive: true });
  const unfinished = `${kept}.${randomUUID()}`;
  writeFileSync(unfinished, outputText);
  try {
    renameSync(unfinished, kept);
  } catch (error) {
    rmSync(unfinished, { force: true });
    // Windows lets nobody replace a file that is read: then another process was quicker, with the same.
    if (!existsSync(kept)) throw error;
  }
  return outputText;
}

// Node calls it with a module of its own, which has a compiler that no type tells of.
require.extensions[".ts"] = /** @type {(module: NodeModule, fileName: string) => void} */ (loadTypescript);
