"use strict";

/**
 * What is in the documents: their listings, their code blocks, their links. Pure, but for the reading of files.
 * CommonJS, because Jest loads the tests' helpers that way.
 */

const fs = require("node:fs");
const path = require("node:path");

const root = path.dirname(path.dirname(__dirname));

/**
 * A code block.
 *
 * @typedef {object} Block
 * @property {string} language What stands behind the opening fence.
 * @property {string} text Without its fences.
 * @property {number} line Of the opening fence, from 1.
 * @property {string | undefined} marker What the comment right above it says: `<!-- listing: name -->`.
 */

/** @returns {string[]} All documents of the repository, relative to its root, with "/". */
function documents() {
  const below = (/** @type {string} */ folder) =>
    fs
      .readdirSync(path.join(root, folder), { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
      .map(({ name }) => (folder === "." ? name : `${folder}/${name}`));
  const examples = fs.readdirSync(path.join(root, "examples")).filter((name) => !name.startsWith("."));
  return [...below("."), ...below("docs"), ...examples.flatMap((name) => below(`examples/${name}`))].sort();
}

/**
 * @param {string} file Relative to the root.
 * @returns {string}
 */
function read(file) {
  return fs.readFileSync(path.join(root, file), "utf8");
}

/**
 * @param {string} text
 * @returns {Block[]}
 */
function blocksOf(text) {
  const lines = text.split("\n");
  /** @type {Block[]} */
  const blocks = [];
  for (let index = 0; index < lines.length; index += 1) {
    const opening = /^( *)(`{3,})(\S*)\s*$/.exec(lines[index] ?? "");
    if (opening === null) continue;
    const [, indent = "", fence = "", language = ""] = opening;
    const end = lines.findIndex((line, at) => at > index && line.trimEnd() === indent + fence);
    if (end === -1) throw new Error(`A code block that begins in line ${String(index + 1)} doesn't end.`);
    blocks.push({
      language,
      text: lines
        .slice(index + 1, end)
        .map((line) => line.slice(indent.length))
        .join("\n"),
      line: index + 1,
      marker: markerAbove(lines, index),
    });
    index = end;
  }
  return blocks;
}

/**
 * @param {readonly string[]} lines
 * @param {number} index
 * @returns {string | undefined}
 */
function markerAbove(lines, index) {
  const above = lines.slice(Math.max(0, index - 2), index).filter((line) => line.trim() !== "");
  return /^ *<!-- (.+) -->$/.exec(above.at(-1) ?? "")?.[1];
}

/**
 * The text with every marked block replaced by what `contentOf` says of its marker. Blocks with another marker, or none,
 * stay as they are.
 *
 * @param {string} text
 * @param {(marker: string) => string | undefined} contentOf Undefined leaves the block as it is.
 * @returns {string}
 */
function withListings(text, contentOf) {
  const lines = text.split("\n");
  // From the end, so that the lines' numbers stay right.
  for (const block of blocksOf(text).reverse()) {
    const content = block.marker === undefined ? undefined : contentOf(block.marker);
    if (content === undefined) continue;
    const indent = /^ */.exec(lines[block.line - 1] ?? "")?.[0] ?? "";
    const count = block.text === "" && lines[block.line] === `${indent}\`\`\`` ? 0 : block.text.split("\n").length;
    const fresh = content.split("\n").map((line) => (line === "" ? "" : indent + line));
    lines.splice(block.line, count, ...fresh);
  }
  return lines.join("\n");
}

/**
 * Links and pictures to something else than the web, as they are written.
 *
 * @param {string} text
 * @returns {string[]}
 */
function localLinksOf(text) {
  const prose = withoutCode(text);
  const inline = [...prose.matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g)].map(([, target = ""]) => target);
  const references = [...prose.matchAll(/^\[[^\]]+\]:\s+<?(\S+?)>?$/gm)].map(([, target = ""]) => target);
  return [...inline, ...references].filter((target) => !/^[a-z]+:/i.test(target));
}

/**
 * The names by which GitHub and typedoc let one link to the headings of a text.
 *
 * @param {string} text
 * @returns {Set<string>}
 */
function anchorsOf(text) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  const anchors = [...withoutCode(text, { inline: false }).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) => {
    const name = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-");
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    return count === 0 ? name : `${name}-${String(count)}`;
  });
  return new Set(anchors);
}

/**
 * @param {string} text
 * @param {{ inline?: boolean }} [options]
 * @returns {string}
 */
function withoutCode(text, { inline = true } = {}) {
  const lines = text.split("\n");
  for (const block of blocksOf(text)) {
    const count = block.text.split("\n").length;
    for (let at = block.line - 1; at <= block.line + count; at += 1) lines[at] = "";
  }
  const prose = lines.join("\n");
  return inline ? prose.replace(/`[^`\n]*`/g, "") : prose;
}

module.exports = { root, documents, read, blocksOf, withListings, localLinksOf, anchorsOf };
