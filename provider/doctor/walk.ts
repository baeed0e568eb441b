import { isIP } from "node:net";
import { TLSSocket } from "node:tls";
import { GET_SERVERS } from "../backends/cmdlets";
import type { EndpointMemory } from "../backends/remote/endpointSessions";
import { hasFailed } from "../backends/remote/exchangeErrors";
import { endpointUrl } from "../backends/remote/remoteBackend";
import type { SessionSettings } from "../backends/remote/sessionSettings";
import type { RemoteSettings } from "../backends/remote/settings";
import { type Ask, readSnapshot, shownObject } from "../backends/remote/snapshot";
import type { ServerFqdn } from "../model";
import { isRemotingError } from "../remoting/errors";
import { askAsStranger, type StrangerAnswer } from "../remoting/http/stranger";
import { hostOf, portOf } from "../remoting/http/tcp";
import { expectedName, peerOf } from "../remoting/http/tls";
import { openSession, type Session, sessionEnv } from "../remoting/session";
import type { Trace, TraceEvent } from "../remoting/trace";
import { untilAborted } from "../remoting/untilAborted";
import { listCmdlets } from "./cmdletListing";
import { judgeCmdlets, judgeReading, judgeReadingFailure, judgeServices } from "./exchangeFindings";
import { type Finding, worstOf } from "./finding";
import { NEEDED_CMDLETS } from "./neededCmdlets";
import { codeOf, connectTcp, connectVerified, lookUp } from "./probes";
import {
  judgeAddress,
  judgeClock,
  judgeConnection,
  judgeName,
  judgeNameFailure,
  judgeNoAnswer,
  judgeStranger,
  judgeTls,
  judgeTlsFailure,
} from "./reachFindings";
import { judgeOpening } from "./sessionFindings";

export interface WalkOptions {
  readonly settings: RemoteSettings;
  readonly sessions: SessionSettings;
  /** Longest time for one step. */
  readonly timeoutSeconds: number;
  /** Ends the walk at once. */
  readonly signal: AbortSignal;
  readonly now: () => Date;
  readonly trace: Trace | undefined;
  /** Gets each finding as soon as it is there. */
  readonly tell: (finding: Finding) => void;
}

/** A name, a connection, an answer: what takes longer than that won't come. */
const REACH_SECONDS = 15;
/** What a session may take to be put away when somebody has ended the walk. */
const FAREWELL_MILLISECONDS = 1000;

/** The end of a walk that can't go on. What there is to say has been told. */
class WalkEnded extends Error {}

/** Looks at one server, step by step, until a step fails without which the next make no sense. Changes nothing. */
export async function walk(server: ServerFqdn, options: WalkOptions): Promise<void> {
  const url = endpointUrl(options.settings.endpoint, server);
  try {
    const { offers } = await reach(url, options);
    const session = await open(url, { server, offers }, options);
    try {
      await look(session, server, options);
    } finally {
      await farewell(session, options.signal);
    }
  } catch (error) {
    if (!(error instanceof WalkEnded)) throw error;
  }
}

/** Tells findings; ends the walk when one of them is a failure. */
function tellAll(findings: readonly Finding[], { tell }: WalkOptions): void {
  findings.forEach(tell);
  if (worstOf(findings) === "fail") throw new WalkEnded();
}

/** The same, where it is clear that nothing can follow. */
function stop(findings: readonly Finding[], options: WalkOptions): never {
  tellAll(findings, options);
  throw new WalkEnded();
}

type Limited<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "timedOut"; readonly seconds: number };

/** Runs one step within its time. Rejects only when somebody ended the walk. */
async function limited<T>(
  most: number,
  { timeoutSeconds, signal }: WalkOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<Limited<T>> {
  const seconds = Math.min(most, timeoutSeconds);
  const limit = AbortSignal.timeout(seconds * 1000);
  const both = AbortSignal.any([signal, limit]);
  try {
    return { kind: "done", value: await untilAborted(work(both), both) };
  } catch (error) {
    if (signal.aborted) throw new WalkEnded();
    return limit.aborted ? { kind: "timedOut", seconds } : { kind: "failed", error };
  }
}

/** Name, connection, TLS, web server, clock. Returns what the web server says to a stranger. */
async function reach(url: URL, options: WalkOptions): Promise<StrangerAnswer> {
  const { settings, sessions, now } = options;
  const host = hostOf(url);
  if (isIP(host) !== 0) tellAll([judgeAddress(host, settings.authentication)], options);
  else {
    const found = await limited(REACH_SECONDS, options, () => lookUp(host));
    const finding =
      found.kind === "done"
        ? judgeName(host, found.value)
        : judgeNameFailure(host, found.kind === "failed" ? codeOf(found.error) : "EAI_AGAIN");
    tellAll([finding], options);
  }

  const address = `${url.hostname}:${portOf(url)}`;
  const started = now().getTime();
  const tcp = await limited(REACH_SECONDS, options, (signal) => connectTcp(url, signal));
  if (tcp.kind !== "done") {
    const result = tcp.kind === "failed" ? { kind: tcp.kind, code: codeOf(tcp.error) } : tcp;
    return stop([judgeConnection(address, result)], options);
  }
  tellAll([judgeConnection(address, { kind: "connected", milliseconds: now().getTime() - started })], options);
  let socket = tcp.value;
  if (url.protocol === "https:") {
    socket.destroy();
    const tls = await limited(REACH_SECONDS, options, (signal) => connectVerified(url, sessions.tls, signal));
    if (tls.kind === "timedOut") return stop([judgeTlsFailure(tls)], options);
    if (tls.kind === "failed" && isRemotingError(tls.error)) return stop([judgeTlsFailure(tls.error)], options);
    if (tls.kind === "failed") throw tls.error;
    socket = tls.value;
    const expected = { name: expectedName(url, sessions.tls), isVerified: !settings.dangerouslySkipTlsVerification };
    tellAll(socket instanceof TLSSocket ? judgeTls(peerOf(socket), expected, now()) : [], options);
  } else tellAll([{ step: "TLS", outcome: "skip", kind: "plainHttp" }], options);

  const asked = now().getTime();
  const answer = await limited(REACH_SECONDS, options, (signal) => askAsStranger(url, socket, signal));
  socket.destroy();
  if (answer.kind !== "done") {
    return stop(
      [judgeNoAnswer(answer.kind === "timedOut" ? answer : { code: codeOf(answer.error) }, url.protocol)],
      options,
    );
  }
  const { authentication } = settings;
  tellAll([judgeStranger(answer.value, authentication)], options);
  const { date } = answer.value;
  // The header was written somewhere between question and answer.
  const middle = (asked + now().getTime()) / 2;
  const clock: Finding =
    date === undefined
      ? { step: "clock", outcome: "skip", kind: "clockUntold" }
      : judgeClock((date.getTime() - middle) / 1000, authentication);
  tellAll([clock], options);
  return answer.value;
}

/** Authentication and session. */
async function open(
  url: URL,
  { server, offers }: { readonly server: ServerFqdn; readonly offers: readonly string[] },
  options: WalkOptions,
): Promise<Session> {
  const { settings, sessions, timeoutSeconds } = options;
  const events: TraceEvent[] = [];
  const trace: Trace = (event, scope) => {
    events.push(event);
    options.trace?.(event, scope);
  };
  const opened = await limited(timeoutSeconds, options, (signal) =>
    openSession(sessions.optionsFor(url, trace), sessionEnv, signal),
  );
  if (opened.kind === "failed" && !isRemotingError(opened.error)) throw opened.error;
  const failure =
    opened.kind === "timedOut"
      ? opened
      : opened.kind === "failed" && isRemotingError(opened.error)
        ? opened.error
        : undefined;
  const asked = {
    server,
    isByName: settings.endpoint.includes("{server}"),
    authentication: settings.authentication,
    username: settings.username,
    platform: process.platform,
    offers,
  };
  const findings = judgeOpening({ events, failure }, asked);
  try {
    tellAll(findings, options);
  } catch (error) {
    if (opened.kind === "done") await farewell(opened.value, options.signal);
    throw error;
  }
  if (opened.kind !== "done") throw new WalkEnded();
  return opened.value;
}

/** Cmdlets, reading, services. */
async function look(session: Session, server: ServerFqdn, options: WalkOptions): Promise<void> {
  const { timeoutSeconds } = options;
  const asking =
    (signal: AbortSignal): Ask =>
    (commands) =>
      session.run(commands, { signal });
  const names = NEEDED_CMDLETS.map(({ name }) => name);
  const listing = await limited(timeoutSeconds, options, (signal) => listCmdlets(names, asking(signal)));
  if (listing.kind === "done") tellAll(judgeCmdlets(listing.value), options);
  else stop([judgeReadingFailure("cmdlets", reasonOf(listing), undefined, server)], options);

  const memory: EndpointMemory = {};
  const read = await limited(timeoutSeconds, options, (signal) => readSnapshot(server, asking(signal), memory));
  if (read.kind !== "done") {
    return stop([judgeReadingFailure("reading", reasonOf(read), undefined, server)], options);
  }
  if (read.value.kind === "failed") {
    const { cmdlet, result } = read.value;
    const servers = await limited(timeoutSeconds, options, (signal) => serverNames(asking(signal)));
    const known = servers.kind === "done" ? servers.value : undefined;
    return stop([judgeReadingFailure("reading", { cmdlet, result }, known, server)], options);
  }
  const { snapshot } = read.value;
  tellAll(judgeReading(server, snapshot, { isByName: options.settings.endpoint.includes("{server}") }), options);
  tellAll([judgeServices(snapshot, memory.certificates)], options);
}

function reasonOf(
  failed: Exclude<Limited<unknown>, { readonly kind: "done" }>,
): { readonly seconds: number } | { readonly error: Error } {
  if (failed.kind === "timedOut") return failed;
  if (isRemotingError(failed.error)) return { error: failed.error };
  throw failed.error;
}

/** All servers of the organisation; `undefined` when they aren't told. */
async function serverNames(ask: Ask): Promise<readonly string[] | undefined> {
  const result = await ask([GET_SERVERS]);
  if (hasFailed(result)) return undefined;
  return result.output.flatMap((one) => shownObject(one).text("Fqdn")?.toLowerCase() ?? []);
}

/** Closing takes a request. Who has ended the walk doesn't wait long for it. */
async function farewell(session: Session, signal: AbortSignal): Promise<void> {
  const closed = session.close();
  if (!signal.aborted) return closed;
  await untilAborted(closed, AbortSignal.timeout(FAREWELL_MILLISECONDS)).catch(() => undefined);
}
