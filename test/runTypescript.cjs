"use strict";

// `node --require test/runTypescript.cjs file.ts`: lets plain node run the TypeScript of this repository, for tests
// that need processes of their own and nothing built. Types are not checked here.
const { readFileSync } = require("node:fs");
const ts = require("typescript");

/** @type {import("typescript").CompilerOptions} */
const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true };

/**
 * @param {NodeModule & { _compile(code: string, fileName: string): void }} module
 * @param {string} fileName
 */
function loadTypescript(module, fileName) {
  const { outputText } = ts.transpileModule(readFileSync(fileName, "utf8"), { fileName, compilerOptions });
  module._compile(outputText, fileName);
}

// Node calls it with a module of its own, which has a compiler that no type tells of.
require.extensions[".ts"] = /** @type {(module: NodeModule, fileName: string) => void} */ (loadTypescript);
