import { readSessionSettings } from "../backends/remote/sessionSettings";
import type { RemoteSettings } from "../backends/remote/settings";
import type { CommandLineIo } from "../console/io";
import { isBindingError } from "../errors";
import type { ServerFqdn } from "../model";
import { within } from "../remoting/trace";
import { traceLines } from "../remoting/traceText";
import type { Finding, UsableSettings } from "./finding";
import {
  exitCodeOf,
  findingLines,
  INTRODUCTION,
  type Report,
  reportJson,
  type ServerReport,
  summaryLine,
} from "./report";
import { walk } from "./walk";

/** What `exchange-certificates doctor` was told. */
export interface DoctorRequest {
  readonly servers: readonly ServerFqdn[];
  /** Reads the settings, and asks for a password where one is missing. Throws `ConfigurationInvalid`. */
  readonly readSettings: () => Promise<RemoteSettings>;
  /** Longest time for one step, in seconds. Default 60. */
  readonly timeoutSeconds: number | undefined;
  readonly json: boolean;
  /** Of this package. */
  readonly version: string;
}

const DEFAULT_TIMEOUT_SECONDS = 60;

/** Walks the way to each server and tells what it finds. 0: nothing failed, 1: something did. */
export async function doctorCommand(request: DoctorRequest, io: CommandLineIo): Promise<0 | 1> {
  const { servers, version } = request;
  const interruption = new AbortController();
  const { signal } = interruption;
  const show = (line: string): void => {
    if (!request.json) io.out(line);
  };
  show(`exchange-certificates ${version} doctor. ${INTRODUCTION}`);
  const now = (): Date => new Date();
  const trace =
    io.environment["EXCHANGE_TRACE"] === "1"
      ? traceLines((line) => {
          io.error(line);
        }, now)
      : undefined;

  const settingsFindings: Finding[] = [];
  const reports: ServerReport[] = [];
  const tellSettings = (finding: Finding): void => {
    settingsFindings.push(finding);
    findingLines(finding).forEach(show);
  };
  const finish = (): 0 | 1 => {
    const report: Report = { version, settings: settingsFindings, servers: reports, isInterrupted: signal.aborted };
    if (request.json) io.out(reportJson(report));
    else {
      io.out("");
      io.out(summaryLine(report));
    }
    return exitCodeOf(report);
  };
  try {
    const other = judgeBackend(io.environment["EXCHANGE_BACKEND"]?.trim());
    if (other !== undefined) {
      tellSettings(other);
      return finish();
    }
    const settings = await request.readSettings();
    const sessions = await readSessionSettings(settings, (line) => {
      io.error(line);
    });
    // Until here, where a password may be typed, Ctrl-C does what it always does.
    void io.interrupted().then(() => {
      interruption.abort();
    });
    tellSettings({
      step: "settings",
      outcome: "ok",
      kind: "settingsUsable",
      ...usable(settings, io.environment["KRB5CCNAME"]),
    });
    for (const [index, server] of servers.entries()) {
      if (signal.aborted) break;
      show("");
      show(server);
      const findings: Finding[] = [];
      reports.push({ server, findings });
      await walk(server, {
        settings,
        sessions,
        timeoutSeconds: request.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS,
        signal,
        now,
        trace: within(trace, { session: index + 1 }),
        tell: (finding) => {
          findings.push(finding);
          findingLines(finding).forEach(show);
        },
      });
    }
  } catch (error) {
    if (!isBindingError(error, "ConfigurationInvalid")) throw error;
    const { problem } = error.facts;
    tellSettings({
      step: "settings",
      outcome: "fail",
      kind: "settingsUnusable",
      problem: typeof problem === "string" ? problem : error.message,
    });
  }
  return finish();
}

/** What is said of a backend that has no way to look at; `undefined` for ours. */
function judgeBackend(backend: string | undefined): Finding | undefined {
  if (backend === undefined || backend === "" || backend.toLowerCase() === "remote") return undefined;
  return {
    step: "settings",
    outcome: "fail",
    kind: backend.toLowerCase() === "simulator" ? "backendIsSimulator" : "backendIsAdapter",
  };
}

function usable(settings: RemoteSettings, ticketCache: string | undefined): UsableSettings {
  const { authentication, username, endpoint, tlsServerName, caFile, password } = settings;
  const { platform } = process;
  const hasPassword = password !== undefined;
  return { authentication, username, hasPassword, endpoint, tlsServerName, caFile, ticketCache, platform };
}
