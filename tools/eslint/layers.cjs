"use strict";

/**
 * ESLint rules for what DESIGN.md says about layers. CommonJS, because Jest loads the tests that way.
 */

const path = require("node:path");

/**
 * From the bottom to the top. An entry that ends with "/" is a folder of provider/, any other is a file of it.
 *
 * @type {readonly (readonly string[])[]}
 */
const LAYERS = [
  [
    "sentence",
    "errors",
    "secret",
    "unknowns",
    "shownValue",
    "setting",
    "powershellQuotes",
    "sortedJson",
    "growingDelays",
    "model",
    "builds",
    "zod",
  ],
  ["certificate/"],
  ["remoting/"],
  ["console/"],
  ["backends/"],
  [
    "plan/",
    "apply",
    "applyRun",
    "namingConnectors",
    "removing",
    "rollingBack",
    "observe",
    "inputs",
    "certificateSource",
    "sourceKeys",
    "state",
    "outputKeys",
    "storedFollowUps",
    "config",
  ],
  ["doctor/", "inventory/"],
  ["exchangeCertificates/"],
  ["lifecycle/"],
  ["frontends/", "provider"],
  ["args", "exchangeCertificateBinding", "index"],
];

/**
 * Folders in which judging and saying are apart: sentences are made in files whose names end with "Text", and a file
 * that decides imports none of them. The files named here are the edge at which they are shown.
 *
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const WORDS_APART = { "plan/": [], "doctor/": ["doctor/report"] };

/** The one file that may load the Pulumi SDK: the provider's own process starts without it. */
const PULUMI_FILE = "exchangeCertificateBinding";

/**
 * @param {string} file Relative to provider/, with "/" and without its extension.
 * @returns {number} The layer's number, or -1.
 */
function layerOf(file) {
  return LAYERS.findIndex((entries) =>
    entries.some((entry) => (entry.endsWith("/") ? file.startsWith(entry) : file === entry)),
  );
}

/**
 * Whether a file that decides takes words from one that says.
 *
 * @param {string} from Relative to provider/, as above.
 * @param {string} to
 */
function takesWords(from, to) {
  const folder = Object.keys(WORDS_APART).find((one) => from.startsWith(one) && to.startsWith(one));
  return folder !== undefined && to.endsWith("Text") && !from.endsWith("Text") && !WORDS_APART[folder]?.includes(from);
}

/**
 * The path below provider/ without extension, or undefined for a file elsewhere.
 *
 * @param {string} file Absolute, or relative to the root.
 * @returns {string | undefined}
 */
function inProvider(file) {
  const parts = path.normalize(file).split(path.sep);
  const start = parts.lastIndexOf("provider", parts.length - 2);
  if (start === -1) return undefined;
  return parts
    .slice(start + 1)
    .join("/")
    .replace(/\.[cm]?[jt]s$/, "");
}

/** @type {import("eslint").Rule.RuleModule} */
const importsDownwards = {
  meta: {
    type: "problem",
    docs: { description: "Files of provider/ import from their own layer and from layers below it." },
    schema: [],
    messages: {
      upwards: "{{from}} may not import {{to}}: layers import downwards only (tools/eslint/layers.cjs).",
      words: "{{from}} decides, so it may not import {{to}}: sentences are made at the edge (tools/eslint/layers.cjs).",
      noLayer: "{{file}} belongs to no layer. Give it a place in tools/eslint/layers.cjs.",
      pulumi: "Only {{allowed}}.ts loads @pulumi/pulumi; elsewhere it may be imported as a type.",
    },
  },
  create(context) {
    const from = inProvider(context.filename);
    if (from === undefined) return {};
    const layer = layerOf(from);

    /**
     * @param {import("eslint").Rule.Node} node
     * @param {unknown} source
     * @param {boolean} typeOnly
     */
    function check(node, source, typeOnly) {
      if (typeof source !== "string") return;
      if (/^@pulumi\//.test(source) && !typeOnly && from !== PULUMI_FILE) {
        context.report({ node, messageId: "pulumi", data: { allowed: PULUMI_FILE } });
      }
      if (!source.startsWith(".")) return;
      const to = inProvider(path.resolve(path.dirname(context.filename), source));
      if (to === undefined) return;
      const target = layerOf(to);
      if (target === -1) context.report({ node, messageId: "noLayer", data: { file: to } });
      else if (target > layer) context.report({ node, messageId: "upwards", data: { from: from ?? "", to } });
      else if (takesWords(from ?? "", to)) context.report({ node, messageId: "words", data: { from: from ?? "", to } });
    }

    /** @param {unknown} node */
    const isTypeOnly = (node) => {
      const { importKind, exportKind } = /** @type {{ importKind?: string, exportKind?: string }} */ (node);
      return importKind === "type" || exportKind === "type";
    };
    return {
      Program(node) {
        if (layer === -1) context.report({ node, messageId: "noLayer", data: { file: from } });
      },
      ImportDeclaration: (node) => check(node, node.source.value, isTypeOnly(node)),
      ExportAllDeclaration: (node) => check(node, node.source.value, isTypeOnly(node)),
      ExportNamedDeclaration: (node) => check(node, node.source?.value, isTypeOnly(node)),
      ImportExpression: (node) => check(node, node.source.type === "Literal" && node.source.value, false),
      TSImportType: (/** @type {import("eslint").Rule.Node & { source?: { value?: unknown } }} */ node) =>
        check(node, node.source?.value, true),
      CallExpression(node) {
        const [argument] = node.arguments;
        if (node.callee.type === "Identifier" && node.callee.name === "require" && argument?.type === "Literal") {
          check(node, argument.value, false);
        }
      },
    };
  },
};

module.exports = { layers: { rules: { "imports-downwards": importsDownwards } } };
