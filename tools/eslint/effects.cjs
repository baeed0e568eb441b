"use strict";

/**
 * An ESLint rule for files that decide and do nothing: what they need of the world is handed to them. CommonJS, because
 * Jest loads the tests that way.
 */

/** Modules that reach out of the process, wait, or look at a clock. */
const MODULES = new Set([
  "child_process",
  "cluster",
  "dgram",
  "dns",
  "dns/promises",
  "fs",
  "fs/promises",
  "http",
  "http2",
  "https",
  "inspector",
  "net",
  "perf_hooks",
  "readline",
  "readline/promises",
  "timers",
  "timers/promises",
  "tls",
  "worker_threads",
]);

/** What a module has that is chance, beside what isn't. */
const CHANCE =
  /^(?:random|getRandomValues$|generateKey|generatePrime|createDiffieHellman|createECDH|webcrypto$|default$)/;

const GLOBALS = new Set([
  "clearImmediate",
  "clearInterval",
  "clearTimeout",
  "crypto",
  "fetch",
  "performance",
  "process",
  "setImmediate",
  "setInterval",
  "setTimeout",
  "WebSocket",
]);

/**
 * @param {string} source
 * @returns {string}
 */
function bare(source) {
  return source.replace(/^node:/, "");
}

/** @type {import("eslint").Rule.RuleModule} */
const none = {
  meta: {
    type: "problem",
    docs: { description: "No socket, file, timer, clock or chance; only files that have none either are imported." },
    schema: [
      {
        type: "object",
        properties: { imports: { type: "array", items: { type: "string" } } },
        additionalProperties: false,
      },
    ],
    messages: {
      module: "{{what}} is an effect: what is needed of it is handed in (tools/eslint/effects.cjs).",
      file: "{{what}} isn't among the files without effects that may be imported here (eslint.config.mjs).",
    },
  },
  create(context) {
    /** @type {{ imports?: readonly string[] }} */
    const { imports } = context.options[0] ?? {};
    const allowed = imports?.map((one) => new RegExp(one));

    /**
     * @param {import("eslint").Rule.Node} node
     * @param {string} what
     */
    const report = (node, what) => {
      context.report({ node, messageId: "module", data: { what } });
    };

    /**
     * @param {import("eslint").Rule.Node} node
     * @param {string} source
     */
    const look = (node, source) => {
      if (MODULES.has(bare(source))) report(node, source);
      else if (source.startsWith(".") && allowed !== undefined && !allowed.some((one) => one.test(source)))
        context.report({ node, messageId: "file", data: { what: source } });
    };

    return {
      ImportDeclaration(node) {
        // Types do nothing.
        if ("importKind" in node && node.importKind === "type") return;
        const source = String(node.source.value);
        look(node, source);
        if (bare(source) !== "crypto") return;
        for (const one of node.specifiers) {
          if ("importKind" in one && one.importKind === "type") continue;
          const name =
            one.type === "ImportSpecifier" && one.imported.type === "Identifier" ? one.imported.name : "default";
          if (CHANCE.test(name)) report(node, `crypto's ${name}`);
        }
      },
      ExportNamedDeclaration(node) {
        if (node.source && !("exportKind" in node && node.exportKind === "type")) look(node, String(node.source.value));
      },
      ExportAllDeclaration(node) {
        look(node, String(node.source.value));
      },
      ImportExpression(node) {
        if (node.source.type === "Literal") look(node, String(node.source.value));
      },
      CallExpression(node) {
        const { callee } = node;
        const [first] = node.arguments;
        if (callee.type === "Identifier" && callee.name === "require" && first?.type === "Literal")
          look(node, String(first.value));
      },
      NewExpression(node) {
        // With an argument it is a date that somebody named.
        if (node.callee.type === "Identifier" && node.callee.name === "Date" && node.arguments.length === 0)
          report(node, "new Date()");
      },
      MemberExpression(node) {
        if (node.object.type !== "Identifier" || node.property.type !== "Identifier") return;
        const name = `${node.object.name}.${node.property.name}`;
        if (name === "Date.now" || name === "Math.random" || name === "AbortSignal.timeout") report(node, name);
      },
      Program(node) {
        // The globals that this file uses and doesn't declare itself.
        for (const reference of context.sourceCode.getScope(node).through) {
          const { name } = reference.identifier;
          if (GLOBALS.has(name)) report(/** @type {import("eslint").Rule.Node} */ (reference.identifier), name);
        }
      },
    };
  },
};

module.exports = { effects: { rules: { none } } };
