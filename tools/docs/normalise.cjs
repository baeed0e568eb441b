"use strict";

/**
 * What commands print, so that it's the same after each run: thumbprints, dates and paths are other ones each time. The
 * replacements are worked out from the text, so a listing stays what somebody would see.
 */

const { createHash } = require("node:crypto");

/** The day on which all listings are taken. */
const DAY = Date.UTC(2027, 2, 1, 12);
const MILLISECONDS = 86_400_000;
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

/**
 * @typedef {object} Normaliser
 * @property {(text: string) => string} normalise
 * @property {(thumbprint: string, who: string) => void} know A certificate whose thumbprint may be printed in short
 *   before it's printed whole. It gets one that depends on `who` alone.
 */

/**
 * One for a whole story: a thumbprint is the same in all of its listings.
 *
 * @param {object} options
 * @param {string} options.name Of the story: thumbprints are made of it.
 * @param {string} options.directory The project's, as commands print it.
 * @param {() => Date} [options.now]
 * @returns {Normaliser}
 */
function createNormaliser({ name, directory, now = () => new Date() }) {
  /** @type {Map<string, string>} */
  const thumbprints = new Map();
  /** @param {string} found */
  const fixed = (found) => {
    const upper = found.toUpperCase();
    const known = thumbprints.get(upper) ?? thumbprintOf(`${name} ${String(thumbprints.size)}`);
    thumbprints.set(upper, known);
    return known;
  };
  /**
   * @param {Date} instant
   * @returns {Date}
   */
  const shifted = (instant) =>
    new Date(DAY + Math.round((instant.getTime() - now().getTime()) / MILLISECONDS) * MILLISECONDS);
  /** @type {Map<string, string>} */
  const dates = new Map();

  return {
    know(thumbprint, who) {
      thumbprints.set(thumbprint.toUpperCase(), thumbprintOf(`${name} ${who}`));
    },
    normalise(text) {
      let result = text.replaceAll(directory, "/home/you/mail").replaceAll("\r\n", "\n");
      result = result.replace(/\b(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(?:\.\d+)?Z/g, (found, day) => {
        const date = shifted(new Date(found)).toISOString();
        dates.set(day, date.slice(0, 10));
        return date;
      });
      // A day alone: that of an instant that was printed, or else counted from today.
      const today = now().toISOString().slice(0, 10);
      const dayAlone = (/** @type {string} */ day) => {
        const offset = Math.round((Date.parse(day) - Date.parse(today)) / MILLISECONDS);
        return dates.get(day) ?? new Date(DAY + offset * MILLISECONDS).toISOString().slice(0, 10);
      };
      result = result.replace(/\b\d{4}-\d\d-\d\d\b(?!T)/g, dayAlone);
      result = result.replace(new RegExp(`\\b(\\d{1,2}) (${MONTHS.join("|")})\\b(?: (\\d{4}))?`, "g"), (...found) => {
        const [, day, month, year] = /** @type {string[]} */ (found);
        const iso = `${year ?? today.slice(0, 4)}-${two(MONTHS.indexOf(month ?? "") + 1)}-${two(Number(day))}`;
        const date = dayAlone(iso);
        const words = `${String(Number(date.slice(8)))} ${MONTHS[Number(date.slice(5, 7)) - 1] ?? ""}`;
        return year === undefined ? words : `${words} ${date.slice(0, 4)}`;
      });
      // The certificates that setup makes last five and ten years: some days more when leap days are among them.
      result = result.replace(/\b(182[4-8]|365[0-4])\b/g, (days) => (days.startsWith("18") ? "1825" : "3651"));
      result = result.replace(/\b[0-9A-Fa-f]{40}\b/g, fixed);
      result = result.replace(/\b[0-9A-F]{32}\b/g, (serial) => fixed(serial).slice(0, 32));
      // Certificates are told by eight digits, too.
      return result.replace(/\b[0-9A-F]{8}\b/g, (short) => {
        const whole = [...thumbprints.keys()].find((each) => each.startsWith(short));
        return whole === undefined ? short : (thumbprints.get(whole) ?? short).slice(0, 8);
      });
    },
  };
}

/** @param {number} value */
function two(value) {
  return String(value).padStart(2, "0");
}

/**
 * @param {string} seed
 * @returns {string}
 */
function thumbprintOf(seed) {
  return createHash("sha1").update(seed).digest("hex").toUpperCase();
}

/** Lines of the CLI that say nothing, or something else each time. */
const NOISE =
  /^(@ |Previewing |Updating |Refreshing |Destroying |Duration: |View |The resources in the stack|hash and|If you want to remove|Loading|\s*This is a simulation: )/;

/**
 * What of the CLI's output is worth reading. Its summary, because the progress before it says the same; all of it where
 * it begins with something else than progress.
 *
 * @param {string} output
 * @returns {string}
 */
function summaryOf(output) {
  const lines = output.replaceAll("\r\n", "\n").split("\n");
  const progress = lines.findLastIndex((line) => /^ [ +~=-]{2,3} ?pulumi/.test(line));
  const kept = lines.slice(progress + 1).filter((line) => !NOISE.test(line));
  return inOrder(withGroupsInOrder(withoutEmptyGroups(kept.map((line) => line.trimEnd()))))
    .join("\n")
    .replace(/^(Diagnostics:)\n\n/m, "$1\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

/**
 * Without headings that have lost all of their lines.
 *
 * @param {readonly string[]} lines
 * @returns {readonly string[]}
 */
function withoutEmptyGroups(lines) {
  const depth = (/** @type {string | undefined} */ line) => (line === undefined ? -1 : line.search(/\S/));
  const kept = lines.filter((line, index) => {
    if (!line.endsWith(":")) return true;
    const next = lines.slice(index + 1).find((each) => each.trim() !== "");
    return depth(next) > depth(line);
  });
  return kept.length === lines.length ? kept : withoutEmptyGroups(kept);
}

/**
 * The same for the rows of Diagnostics: each resource has a heading of its own there.
 *
 * @param {readonly string[]} lines
 * @returns {string[]}
 */
function withGroupsInOrder(lines) {
  const isHeading = (/** @type {string} */ line) => /^ {2}\S.* \(.+\):$/.test(line);
  const first = lines.findIndex(isHeading);
  if (first === -1) return [...lines];
  const end = lines.findIndex((line, index) => index > first && /^\S/.test(line));
  const last = end === -1 ? lines.length : end;
  /** @type {string[][]} */
  const groups = [];
  for (const line of lines.slice(first, last)) {
    if (isHeading(line)) groups.push([]);
    if (line !== "") groups.at(-1)?.push(line);
  }
  // The stack's own comes first.
  const key = (/** @type {string[]} */ [heading = ""]) =>
    `${heading.includes("pulumi:pulumi:Stack") ? "0" : "1"} ${heading}`;
  const sorted = groups.sort((left, right) => key(left).localeCompare(key(right)));
  return [...lines.slice(0, first), ...sorted.flatMap((group) => [...group, ""]), ...lines.slice(last)];
}

/**
 * Resources come in another order each time. So the lines that name a server and a binding stand in the order of these,
 * and each binding's own as they came.
 *
 * @param {readonly string[]} lines
 * @returns {string[]}
 */
function inOrder(lines) {
  const who = (/** @type {string} */ line) => /^\s*(?:\w+: )?(\[\S+\] \S+):/.exec(line)?.[1];
  /** @type {string[]} */
  const result = [];
  /** @type {string[]} */
  let run = [];
  const flush = () => {
    result.push(...run.sort((left, right) => (who(left) ?? "").localeCompare(who(right) ?? "")));
    run = [];
  };
  for (const line of lines) {
    if (who(line) === undefined) {
      flush();
      result.push(line);
    } else run.push(line);
  }
  flush();
  return result;
}

module.exports = { createNormaliser, summaryOf, thumbprintOf };
