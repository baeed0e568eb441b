import { readSessionSettings } from "../backends/remote/sessionSettings";
import type { RemoteSettings } from "../backends/remote/settings";
import type { CommandLineIo } from "../console/io";
import { ExchangeBindingError, isBindingError } from "../errors";
import type { ServerFqdn } from "../model";
import { within } from "../remoting/trace";
import { traceLines } from "../remoting/traceText";
import { fail, type Finding, ok } from "./finding";
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
  try {
    refuseOtherBackends(io.environment["EXCHANGE_BACKEND"]?.trim());
    const settings = await request.readSettings();
    const sessions = await readSessionSettings(settings, (line) => {
      io.error(line);
    });
    // Until here, where a password may be typed, Ctrl-C does what it always does.
    void io.interrupted().then(() => {
      interruption.abort();
    });
    tellSettings(ok("settings", describeSettings(settings, io.environment["KRB5CCNAME"])));
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
    tellSettings(
      fail(
        "settings",
        typeof problem === "string" ? problem : error.message,
        "Settings come from options and from EXCHANGE_*: exchange-certificates --help",
      ),
    );
  }
  const report: Report = { version, settings: settingsFindings, servers: reports, isInterrupted: signal.aborted };
  if (request.json) io.out(reportJson(report));
  else {
    io.out("");
    io.out(summaryLine(report));
  }
  return exitCodeOf(report);
}

function refuseOtherBackends(backend: string | undefined): void {
  if (backend === undefined || backend === "" || backend.toLowerCase() === "remote") return;
  const what =
    backend.toLowerCase() === "simulator"
      ? 'EXCHANGE_BACKEND is "simulator": there are no real servers to look at. "exchange-simulator show" tells about the ' +
        'simulated ones; to look at one over the wire, run "exchange-simulator serve" and set EXCHANGE_BACKEND to "remote".'
      : 'EXCHANGE_BACKEND names an adapter, whose way to its servers isn\'t known here. Unset it, or set it to "remote".';
  throw new ExchangeBindingError("ConfigurationInvalid", what);
}

function whoeverWeAre(): string {
  return process.platform === "win32" ? "the account that is logged on" : "whoever the tickets or the keytab belong to";
}

function describeSettings(settings: RemoteSettings, ticketCache: string | undefined): string {
  const { authentication, username, endpoint, tlsServerName, caFile, password } = settings;
  const cache = ticketCache === undefined || password !== undefined ? "" : `, ticket cache ${ticketCache}`;
  const who =
    authentication === "basic"
      ? `Basic as ${username ?? ""}`
      : `Kerberos as ${username ?? whoeverWeAre()}` + (password === undefined ? cache : ", with a password");
  return [
    who,
    // A query may hold anything.
    endpoint.split("?", 1)[0],
    ...(tlsServerName === undefined ? [] : [`expecting ${tlsServerName}`]),
    ...(caFile === undefined ? [] : [`trusting ${caFile}`]),
  ].join(", ");
}
