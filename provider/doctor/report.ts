import { type Finding, type Outcome, worstOf } from "./finding";

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
const STEP_WIDTH = 15;

export const INTRODUCTION = "It only reads: nothing on any server is changed.";

/** Lines for people: the finding, and each remedy in a line of its own. */
export function findingLines({ step, outcome, text, remedies }: Finding): readonly string[] {
  const head = `  ${SHOWN[outcome].padEnd(5)} ${step.padEnd(STEP_WIDTH)} ${oneLine(text)}`;
  return [head, ...remedies.map((remedy) => `  ${" ".repeat(6 + STEP_WIDTH)} -> ${oneLine(remedy)}`)];
}

/** What a server says must not end our line, nor steer a terminal. */
function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- they are what is taken out
  return text.replace(/[\s\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim();
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
  const counted = servers.length === 1 ? "The server" : `${usable} of ${servers.length} servers`;
  const warned = warnings === 0 ? "" : `, with ${warnings} ${warnings === 1 ? "warning" : "warnings"}`;
  const failures = failed.map(({ server, findings }) => {
    const steps = new Set(findings.filter(({ outcome }) => outcome === "fail").map(({ step }) => step));
    return `${server} (${[...steps].join(", ")})`;
  });
  if (isInterrupted) return interrupted.trim();
  if (failed.length === 0) return `${counted} can be used${warned}.`;
  if (servers.length === 1) return `The server can't be used: ${failures.join(", ")} failed${warned}.`;
  return `${counted} can be used${warned}. Not: ${failures.join(", ")}.`;
}

export function exitCodeOf(report: Report): 0 | 1 {
  const all = [...report.settings, ...report.servers.flatMap(({ findings }) => findings)];
  return report.isInterrupted || worstOf(all) === "fail" ? 1 : 0;
}

/** The whole report for machines. Keys stay what they are; texts may change. */
export function reportJson(report: Report): string {
  const { version, settings, servers, isInterrupted } = report;
  return JSON.stringify(
    {
      doctor: version,
      readOnly: true,
      interrupted: isInterrupted,
      exitCode: exitCodeOf(report),
      summary: summaryLine(report),
      settings,
      servers: servers.map(({ server, findings }) => ({ server, outcome: worstOf(findings), findings })),
    },
    null,
    2,
  );
}
