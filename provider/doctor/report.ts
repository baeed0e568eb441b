import { safeJson } from "../console/safeJson";
import { cleanedMessage } from "../sentence";
import { type Finding, type Outcome, worstOf } from "./finding";
import { describeFinding } from "./findingText";

/** What was found about one server. */
export interface ServerReport {
  readonly server: string;
  readonly findings: readonly Finding[];
}

/** Everything that was found. */
export interface Report {
  /** Of this package. */
  readonly version: string;
  readonly settings: readonly Finding[];
  readonly servers: readonly ServerReport[];
  /** Somebody ended it before it was through. */
  readonly isInterrupted: boolean;
}

const SHOWN: Readonly<Record<Outcome, string>> = { ok: "ok", warn: "warn", fail: "FAIL", skip: "skip" };
/** The longest step is `authentication`. */
const STEP_WIDTH = 14;
const INDENT = 2 + 6 + STEP_WIDTH + 1;
/** What a terminal usually has room for. */
const WIDTH = 118;

export const INTRODUCTION = "It only reads: nothing on any server is changed.";

/** Lines for people: the finding, and each remedy in a line of its own. */
export function findingLines(finding: Finding): readonly string[] {
  const { step, outcome } = finding;
  const { text, remedies } = describeFinding(finding);
  const indent = " ".repeat(INDENT);
  const [first = "", ...rest] = wrapped(text);
  return [
    `  ${SHOWN[outcome].padEnd(5)} ${step.padEnd(STEP_WIDTH)} ${first}`,
    ...rest.map((line) => `${indent}${line}`),
    ...remedies.flatMap((remedy) => wrapped(remedy).map((line, at) => `${indent}${at === 0 ? "-> " : "   "}${line}`)),
  ];
}

/** Breaks a text between words; a word that is too long for a line gets one of its own. */
function wrapped(text: string): readonly string[] {
  const lines: string[] = [];
  for (const word of cleanedMessage(text).split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || INDENT + last.length + 1 + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** The last line. */
export function summaryLine(report: Report): string {
  const { settings, servers, isInterrupted } = report;
  const interrupted = isInterrupted ? " It was interrupted before it was through." : "";
  if (worstOf(settings) === "fail") return `The settings can't be used; no server was asked.${interrupted}`;
  const failed = servers.filter(({ findings }) => worstOf(findings) === "fail");
  const warnings = [...settings, ...servers.flatMap(({ findings }) => findings)].filter(
    ({ outcome }) => outcome === "warn",
  ).length;
  const usable = servers.length - failed.length;
  const counted = servers.length === 1 ? "It" : `${usable} of ${servers.length} servers`;
  const warned = warnings === 0 ? "" : `, with ${warnings} ${warnings === 1 ? "warning" : "warnings"}`;
  const failures = failed.map(({ server, findings }) => {
    const steps = new Set(findings.filter(({ outcome }) => outcome === "fail").map(({ step }) => step));
    return `${server} (${[...steps].join(", ")})`;
  });
  if (isInterrupted) return interrupted.trim();
  if (failed.length === 0) return `${counted} can be used${warned}.`;
  if (servers.length === 1) return `It can't be used: ${failures.join(", ")}.`;
  return `${counted} can be used${warned}. Not: ${failures.join(", ")}.`;
}

export function exitCodeOf(report: Report): 0 | 1 {
  const all = [...report.settings, ...report.servers.flatMap(({ findings }) => findings)];
  return report.isInterrupted || worstOf(all) === "fail" ? 1 : 0;
}

/** The whole report for machines. Keys stay what they are; texts may change. */
export function reportJson(report: Report): string {
  const { version, settings, servers, isInterrupted } = report;
  return safeJson({
    doctor: version,
    readOnly: true,
    interrupted: isInterrupted,
    exitCode: exitCodeOf(report),
    summary: summaryLine(report),
    settings: settings.map(findingJson),
    servers: servers.map(({ server, findings }) => ({
      server,
      outcome: worstOf(findings),
      findings: findings.map(findingJson),
    })),
  });
}

function findingJson(finding: Finding): object {
  const { step, outcome } = finding;
  const { text, remedies } = describeFinding(finding);
  return { step, outcome, text, remedies };
}
