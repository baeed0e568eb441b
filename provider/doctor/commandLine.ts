import type { CommandLineIo } from "../backends/simulator/console/io";
import { readPassword } from "../backends/simulator/console/password";
import { processIo } from "../backends/simulator/console/terminal";
import { UsageMistake } from "../backends/simulator/console/usageMistake";
import { readSessionSettings } from "../backends/remote/sessionSettings";
import {
  parseRemoteSettings,
  type ReadRemoteSetting,
  REMOTE_KEYS,
  type RemoteSettings,
} from "../backends/remote/settings";
import { readServers } from "../config";
import { ExchangeBindingError, isBindingError, messageOf } from "../errors";
import type { ServerFqdn } from "../model";
import { within } from "../remoting/trace";
import { traceLines } from "../remoting/traceText";
import { fail, type Finding, ok } from "./finding";
import { HELP_TEXT } from "./helpText";
import { type DoctorOptions, readRequest } from "./options";
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

/** 0: nothing failed. 1: something did. 2: the command couldn't be understood. */
export type DoctorExitCode = 0 | 1 | 2;

const DEFAULT_TIMEOUT_SECONDS = 60;

/** Runs `exchange-certificates`. Every mistake is told on standard error; nothing is thrown but what is our own mistake. */
export async function runCommandLine(argv: readonly string[], io: CommandLineIo): Promise<DoctorExitCode> {
  try {
    const request = readRequest(argv);
    switch (request.kind) {
      case "help":
        io.out(HELP_TEXT);
        return 0;
      case "version":
        io.out(packageVersion());
        return 0;
      case "doctor":
        return await doctor(request.options, io);
    }
  } catch (error) {
    if (!(error instanceof UsageMistake)) throw error;
    io.error(error.message);
    return 2;
  }
}

async function doctor(options: DoctorOptions, io: CommandLineIo): Promise<DoctorExitCode> {
  const servers = serversOf(options, io);
  const interruption = new AbortController();
  const { signal } = interruption;
  const show = (line: string): void => {
    if (!options.json) io.out(line);
  };
  const version = packageVersion();
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
    const settings = await settingsOf(options, io);
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
        timeoutSeconds: options.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS,
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
    const text = error.message.replace(/^Reading the configuration: /, "");
    tellSettings(
      fail("settings", text, "Settings come from options and from EXCHANGE_*: exchange-certificates --help"),
    );
  }
  const report: Report = { version, settings: settingsFindings, servers: reports, isInterrupted: signal.aborted };
  if (options.json) io.out(reportJson(report));
  else {
    io.out("");
    io.out(summaryLine(report));
  }
  return exitCodeOf(report);
}

function serversOf({ servers }: DoctorOptions, { environment }: CommandLineIo): readonly ServerFqdn[] {
  if (servers.length > 0) return [...new Set(servers)];
  const value = environment["EXCHANGE_SERVERS"]?.trim();
  try {
    const named = readServers(value === undefined || value === "" ? undefined : { value, from: "EXCHANGE_SERVERS" });
    if (named.length > 0) return named;
  } catch (error) {
    if (!isBindingError(error, "ConfigurationInvalid")) throw error;
    throw new UsageMistake(error.message, { cause: error });
  }
  throw new UsageMistake("Name a server: exchange-certificates doctor --server ex01.contoso.com, or EXCHANGE_SERVERS.");
}

/** Options first, then the environment. Throws `ConfigurationInvalid`, and {@link UsageMistake} about the password. */
async function settingsOf(options: DoctorOptions, io: CommandLineIo): Promise<RemoteSettings> {
  refuseOtherBackends(io.environment["EXCHANGE_BACKEND"]?.trim());
  const isSaidWhere = options.passwordEnv !== undefined || options.passwordStdin;
  const given = isSaidWhere ? await readPassword("the account", NOTHING_ASKED, options, io) : undefined;
  const read: ReadRemoteSetting = (name) => {
    if (name === "password" && given !== undefined) {
      return { value: given.reveal(), from: options.passwordStdin ? "--password-stdin" : "--password-env" };
    }
    const option = options.settings.get(name);
    if (option !== undefined) return option;
    const { environment: from } = REMOTE_KEYS[name];
    const value = io.environment[from];
    return value === undefined || value.trim() === "" ? undefined : { value, from };
  };
  const settings = parseRemoteSettings(read, io.workingDirectory);
  const { authentication, username } = settings;
  if (authentication !== "basic" || username === undefined || settings.password !== undefined) return settings;
  const password = await readPassword(username, NOTHING_ASKED, options, io);
  return { ...settings, password };
}

const NOTHING_ASKED = "nothing was asked of any server";

function refuseOtherBackends(backend: string | undefined): void {
  if (backend === undefined || backend === "" || backend.toLowerCase() === "remote") return;
  const what =
    backend.toLowerCase() === "simulator"
      ? 'EXCHANGE_BACKEND is "simulator": there are no real servers to look at. "exchange-simulator show" tells about the ' +
        'simulated ones; to look at one over the wire, run "exchange-simulator serve" and set EXCHANGE_BACKEND to "remote".'
      : `EXCHANGE_BACKEND is "${backend}", whose way to its servers isn't known here. Unset it, or set it to "remote".`;
  throw new ExchangeBindingError("ConfigurationInvalid", what);
}

function describeSettings(settings: RemoteSettings, ticketCache: string | undefined): string {
  const { authentication, username, endpoint, tlsServerName, caFile, password } = settings;
  const cache = ticketCache === undefined || password !== undefined ? "" : `, ticket cache ${ticketCache}`;
  const who =
    authentication === "basic"
      ? `Basic as ${username ?? ""}`
      : `Kerberos as ${username ?? "whoever the tickets or the keytab belong to"}` +
        (password === undefined ? cache : ", with a password");
  return [
    who,
    // A query may hold anything.
    endpoint.split("?", 1)[0],
    ...(tlsServerName === undefined ? [] : [`expecting ${tlsServerName}`]),
    ...(caFile === undefined ? [] : [`trusting ${caFile}`]),
  ].join(", ");
}

function packageVersion(): string {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- read when it is asked for
  const { version } = require("../../package.json") as { readonly version: string };
  return version;
}

/** What `bin/exchange-certificates.js` runs. */
export async function main(): Promise<void> {
  // `exchange-certificates doctor … | head` closes the pipe early; that is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  try {
    process.exitCode = await runCommandLine(process.argv.slice(2), processIo());
  } catch (error) {
    // A mistake of ours: the stack is what helps, and it holds no secrets, because no message does.
    console.error(error instanceof Error ? error.stack : messageOf(error));
    process.exitCode = 1;
  }
  // What still waits (a name that nobody answers for, a session that is put away) waits for nothing that matters.
  process.stdout.write("", () => process.exit());
}
