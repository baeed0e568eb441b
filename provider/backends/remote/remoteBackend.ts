import { setTimeout as wait } from "node:timers/promises";
import type { Thumbprint } from "../../certificate/thumbprint";
import { ExchangeBindingError, type ErrorCode } from "../../errors";
import { type NameService, type ServerFqdn, SERVICES } from "../../model";
import { isRemotingError, type RemotingError } from "../../remoting/errors";
import { oneLine } from "../../remoting/oneLine";
import type { Command } from "../../remoting/psrp/pipelineMessages";
import { type HostRule, openSession, type PipelineResult, sessionEnv } from "../../remoting/session";
import { within } from "../../remoting/trace";
import { traceLines } from "../../remoting/traceText";
import type { Backend, CallOptions, ConnectorCertificateName, EnableRequest, ServerSnapshot } from "../backend";
import { type ChannelTrust, ownChannelOf, trustedOf } from "./channel";
import {
  enableCertificate,
  GET_SERVERS,
  importCertificate,
  question,
  removeCertificate,
  setCertificateName,
  setConnectorCertificate,
} from "../cmdlets";
import { EndpointSessions, type SessionsEnv } from "./endpointSessions";
import type { ExchangeCertificate } from "./exchangeCertificateObject";
import { type Attempt, cmdletFailure, codeOfResult, hasFailed, transportFailure } from "./exchangeErrors";
import { overwriteRule } from "./overwriteQuestion";
import { readSessionSettings } from "./sessionSettings";
import type { RemoteSettings } from "./settings";
import { type Ask, readCertificates, readSnapshot, shownObject } from "./snapshot";

/** The kind that is stored with resources made on real servers. */
export const REMOTE_KIND = "remote";

const RETRY_DELAYS_MILLISECONDS = [500, 1500, 4000, 8000];
/** How often a changing cmdlet of unknown fate, that has turned out not to have happened, is run again. */
const MAX_REPEATS = 2;

/**
 * The backend that talks to real servers. Nothing is asked of any server before the first call. `traceLine` gets a
 * line about everything that happens then, without secrets. Throws `ConfigurationInvalid`.
 */
export async function openRemote(
  settings: RemoteSettings,
  say: (line: string) => void,
  traceLine?: (line: string) => void,
): Promise<Backend> {
  const { ca, optionsFor } = await readSessionSettings(settings, say);
  const dangerouslySkipVerification = settings.dangerouslySkipTlsVerification;
  if (dangerouslySkipVerification) {
    say(
      "exchange:dangerouslySkipTlsVerification is set: whoever is between this machine and the servers can read and " +
        "change everything, the password included. Use exchange:caFile and exchange:tlsServerName instead.",
    );
  }
  const trust = { serverName: settings.tlsServerName, ...trustedOf(ca, process.env["NODE_EXTRA_CA_CERTS"]) };
  const trace = traceLine && traceLines(traceLine, sessionEnv.now);
  let opened = 0;
  const env: SessionsEnv = {
    trace,
    open: (url, signal) => openSession(optionsFor(url, within(trace, { session: ++opened })), sessionEnv, signal),
    pause: (milliseconds, signal) => wait(milliseconds, undefined, { signal }),
    retryDelaysMilliseconds: RETRY_DELAYS_MILLISECONDS,
  };
  return remoteBackend(settings.endpoint, env, dangerouslySkipVerification ? undefined : trust);
}

/**
 * The URL of a server's endpoint. Unless the template has a query of its own, whole objects are asked for: it is what
 * the Exchange Management Shell does, and the only way to learn about services where there is no projection.
 */
export function endpointUrl(template: string, server: string): URL {
  const url = new URL(template.replaceAll("{server}", server));
  if (url.search === "") url.search = "?serializationLevel=Full";
  return url;
}

/** The backend over sessions. `template`: URL with `{server}` in it, or a fixed one. */
export function remoteBackend(template: string, env: SessionsEnv, trust?: ChannelTrust): Backend {
  const sessions = new EndpointSessions(env);

  /** One server, for the length of one call. */
  const talk = (server: ServerFqdn, doing: string, { signal }: CallOptions): Conversation =>
    new Conversation(sessions, { url: endpointUrl(template, server), server, doing, signal });

  return {
    kind: REMOTE_KIND,

    readSnapshot: async (server, options) => {
      const snapshot = await talk(server, `Reading ${server}`, options).snapshot();
      const ownChannel = ownChannelOf(template, server, trust);
      return ownChannel === undefined ? snapshot : { ...snapshot, ownChannel };
    },

    importCertificate: async (server, request, options) => {
      const { thumbprint } = request;
      const there = talk(server, `Importing certificate ${thumbprint} on ${server}`, options);
      const command = importCertificate(server, request);
      const isThere = async (): Promise<boolean> => (await there.find(thumbprint)) !== undefined;
      const result = await there.change(command, { isDone: isThere });
      // Nobody can say who imported it: the cautious answer, because what we import we may remove again.
      if (result === "done") return { outcome: "alreadyThere" };
      if (!hasFailed(result)) return { outcome: "imported" };
      // The text that says so differs with the server's language; that it is there doesn't.
      const code = await there.meaningOf(result, "ImportRefused");
      if (code === "ImportRefused" && (await isThere())) return { outcome: "alreadyThere" };
      throw cmdletFailure(there.attempt(command.name), result, code);
    },

    enableServices: async (server, request, options) => {
      const { thumbprint, services } = request;
      const doing = `Enabling ${services.join(", ")} for certificate ${thumbprint} on ${server}`;
      const there = talk(server, doing, options);
      const command = enableCertificate(server, request);
      const isKept = services.includes("SMTP") && !request.replaceDefaultSmtpCertificate;
      const before = isKept ? await there.defaultSmtp() : undefined;
      const answer = overwriteRule(thumbprint, request.replaceDefaultSmtpCertificate);
      const result = await there.change(command, { answer, isDone: () => there.isEnabled(request) });
      if (result !== "done" && hasFailed(result)) {
        let code = await there.meaningOf(result, "CmdletFailed");
        if (code === "CmdletFailed" && (await there.find(thumbprint)) === undefined) code = "CertificateNotFound";
        throw cmdletFailure(there.attempt(command.name), result, code);
      }
      const after = before === undefined ? undefined : await there.defaultSmtp();
      if (after !== before) {
        throw new ExchangeBindingError(
          "ChangeDidNotComeAbout",
          `${doing}: the default SMTP certificate was to stay ${before ?? "none"}, but the server now says ${after ?? "none"}. ` +
            `Run Enable-ExchangeCertificate -Thumbprint ${before ?? ""} -Services SMTP there and answer Yes, to get it back.`,
          { facts: { server, before, after } },
        );
      }
      // Whether the front end's new certificate lets us in shows on a new connection only.
      if (services.includes("IIS")) await there.renewConnections();
      return { warnings: result === "done" ? [] : result.warnings.map(oneLine) };
    },

    setCertificateName: async (server, service, name, options) => {
      const doing =
        name === undefined
          ? `Clearing the certificate name of ${service} on ${server}`
          : `Setting the certificate name of ${service} on ${server} to ${name}`;
      const there = talk(server, doing, options);
      const command = setCertificateName(server, service, name);
      const isDone = async (): Promise<boolean> => (await there.certificateName(service)) === name;
      const result = await there.change(command, { isDone });
      if (result === "done" || !hasFailed(result)) return;
      throw cmdletFailure(there.attempt(command.name), result, await there.meaningOf(result, "CmdletFailed"));
    },

    setSendConnectorCertificate: (server, connector, name, options) =>
      talk(server, doingToConnector(connector, name), options).setConnector("send", connector, name),

    setReceiveConnectorCertificate: (server, connector, name, options) =>
      talk(server, doingToConnector(`${server}\\${connector}`, name), options).setConnector("receive", connector, name),

    removeCertificate: async (server, thumbprint, options) => {
      const there = talk(server, `Removing certificate ${thumbprint} from ${server}`, options);
      const command = removeCertificate(server, thumbprint);
      const isGone = async (): Promise<boolean> => (await there.find(thumbprint)) === undefined;
      const result = await there.change(command, { isDone: isGone });
      if (result === "done" || !hasFailed(result)) return { outcome: "removed" };
      const code = await there.meaningOf(result, "RemovalRefused");
      if (code === "RemovalRefused" && (await isGone())) return { outcome: "alreadyGone" };
      throw cmdletFailure(there.attempt(command.name), result, code);
    },

    close: () => sessions.close(),
  };
}

function doingToConnector(connector: string, name: ConnectorCertificateName | undefined): string {
  return name === undefined
    ? `Clearing the certificate name of connector "${connector}"`
    : `Setting the certificate name of connector "${connector}" to ${name}`;
}

/** What is said to and about one server in one call of the backend. */
class Conversation {
  readonly #sessions: EndpointSessions;
  readonly #url: URL;
  readonly #server: ServerFqdn;
  readonly #doing: string;
  readonly #signal: AbortSignal;

  constructor(
    sessions: EndpointSessions,
    about: { readonly url: URL; readonly server: ServerFqdn; readonly doing: string; readonly signal: AbortSignal },
  ) {
    this.#sessions = sessions;
    this.#url = about.url;
    this.#server = about.server;
    this.#doing = about.doing;
    this.#signal = about.signal;
  }

  attempt(cmdlet: string): Attempt {
    return { doing: this.#doing, server: this.#server, cmdlet };
  }

  /** Runs a pipeline that only reads. */
  readonly #ask: Ask = async (commands) => {
    try {
      return await this.#sessions.read(this.#url, commands, this.#signal);
    } catch (error) {
      throw this.#failure(error, commands[0]?.name ?? "", false);
    }
  };

  /**
   * Runs a cmdlet that changes something. When its fate is unknown the server is read: `done` when the change is there
   * after all; otherwise the cmdlet is run again, which changes nothing but what was asked for.
   */
  async change(
    command: Command,
    { answer, isDone }: { readonly answer?: HostRule; readonly isDone: () => Promise<boolean> },
  ): Promise<PipelineResult | "done"> {
    for (let repeats = 0; ; repeats++) {
      try {
        return await this.#sessions.change(this.#url, command, this.#signal, answer);
      } catch (error) {
        const isUnknown = isRemotingError(error) && error.facts.fate !== "notDone";
        if (!isUnknown || this.#signal.aborted) throw this.#failure(error, command.name, isUnknown);
        const done = await this.#look(isDone, error, command.name);
        this.#sessions.trace?.({ kind: "looked", cmdlet: command.name, code: error.code, isDone: done });
        if (!done) {
          if (repeats < MAX_REPEATS) continue;
          throw this.#failure(error, command.name, false);
        }
        return "done";
      }
    }
  }

  /** Whether a change of unknown fate came about. When not even that can be read, both are told. */
  async #look(isDone: () => Promise<boolean>, why: RemotingError, cmdlet: string): Promise<boolean> {
    try {
      return await isDone();
    } catch {
      throw this.#failure(why, cmdlet, true);
    }
  }

  async snapshot(): Promise<ServerSnapshot> {
    const read = await readSnapshot(this.#server, this.#ask, this.#sessions.memoryOf(this.#url));
    if (read.kind === "read") return read.snapshot;
    const { cmdlet, result } = read;
    if (result === undefined || !hasFailed(result)) {
      throw new ExchangeBindingError(
        "CmdletFailed",
        `${this.#doing}: the server doesn't say its fully qualified name. Check what ${cmdlet} shows there.`,
        { facts: { server: this.#server, cmdlet } },
      );
    }
    throw cmdletFailure(this.attempt(cmdlet), result, await this.meaningOf(result, "CmdletFailed"));
  }

  /** The certificate, if the server lists it. */
  async find(thumbprint: Thumbprint): Promise<ExchangeCertificate | undefined> {
    const read = await readCertificates(this.#server, this.#ask, this.#sessions.memoryOf(this.#url));
    if (read.kind === "read") return read.certificates.find((one) => one.thumbprint === thumbprint);
    throw cmdletFailure(this.attempt("Get-ExchangeCertificate"), read.result);
  }

  defaultSmtp(): Promise<string | undefined> {
    return this.#property(question("Get-TransportService", this.#server), "InternalTransportCertificateThumbprint");
  }

  certificateName(service: NameService): Promise<string | undefined> {
    return this.#property(question(`Get-${SERVICES[service].settings}`, this.#server), "X509CertificateName");
  }

  /**
   * Sets a connector's TlsCertificateName. The connector is looked up first: by its error alone, in whatever language,
   * Exchange doesn't say that there is none; and only the server knows the short name in front of a receive connector.
   */
  async setConnector(
    kind: "send" | "receive",
    name: string,
    certificateName: ConnectorCertificateName | undefined,
  ): Promise<void> {
    const { identity } = await this.#connector(kind, name);
    const command = setConnectorCertificate(kind, identity, certificateName);
    const isDone = async (): Promise<boolean> =>
      (await this.#connector(kind, name)).certificateName === certificateName;
    const result = await this.change(command, { isDone });
    if (result === "done" || !hasFailed(result)) return;
    throw cmdletFailure(this.attempt(command.name), result, await this.meaningOf(result, "CmdletFailed"));
  }

  async #connector(
    kind: "send" | "receive",
    name: string,
  ): Promise<{ readonly identity: string; readonly certificateName: string | undefined }> {
    const command = question(kind === "send" ? "Get-SendConnector" : "Get-ReceiveConnector", this.#server);
    const result = await this.#ask([command]);
    if (hasFailed(result)) {
      throw cmdletFailure(this.attempt(command.name), result, await this.meaningOf(result, "CmdletFailed"));
    }
    for (const object of result.output.map(shownObject)) {
      const identity = object.text("Identity") ?? object.text("Name") ?? "";
      const own = object.text("Name") ?? identity.slice(identity.indexOf("\\") + 1);
      if (own.toLowerCase() !== name.trim().toLowerCase()) continue;
      return { identity, certificateName: object.text("TlsCertificateName") };
    }
    const list = `Get-${kind === "send" ? "SendConnector" : `ReceiveConnector -Server ${this.#server}`}`;
    throw new ExchangeBindingError(
      "ConnectorNotFound",
      `${this.#doing}: there is no ${kind} connector of that name. ${list} lists them.`,
      { facts: { server: this.#server, connector: name } },
    );
  }

  async #property(command: Command, name: string): Promise<string | undefined> {
    const result = await this.#ask([command]);
    const [object] = result.output;
    if (!hasFailed(result) && object !== undefined) return shownObject(object).text(name);
    throw cmdletFailure(this.attempt(command.name), result, await this.meaningOf(result, "CmdletFailed"));
  }

  /** Whether everything that was to be enabled is: what can't be seen counts as not. */
  async isEnabled({ thumbprint, services, replaceDefaultSmtpCertificate }: EnableRequest): Promise<boolean> {
    const certificate = await this.find(thumbprint);
    if (certificate?.displayedServices.kind !== "known") return false;
    const shown = certificate.displayedServices.value;
    if (!services.every((service) => shown.includes(service))) return false;
    const { iisSites } = certificate;
    if (services.includes("IIS") && (iisSites.kind === "unknown" || !iisSites.value.includes(1))) return false;
    if (!services.includes("SMTP") || !replaceDefaultSmtpCertificate) return true;
    return (await this.defaultSmtp())?.toUpperCase() === thumbprint;
  }

  /** What is said from now on is said over new connections. */
  renewConnections(): Promise<void> {
    return this.#sessions.renewConnections(this.#url);
  }

  /**
   * What a failed cmdlet means. Where its error leaves it open, the list of servers tells whether there is such a
   * server at all, in whatever language; `otherwise` is what it means when there is.
   */
  async meaningOf(result: PipelineResult, otherwise: ErrorCode): Promise<ErrorCode> {
    const code = codeOfResult(result);
    if (code !== "CmdletFailed" && code !== "ServerUnknown") return code;
    const servers = await this.#ask([GET_SERVERS]).catch(() => undefined);
    const names = (hasFailed(servers ?? NOTHING) ? [] : (servers?.output ?? [])).flatMap(
      (one) => shownObject(one).text("Fqdn")?.toLowerCase() ?? [],
    );
    if (names.length > 0) return names.includes(this.#server) ? otherwise : "ServerUnknown";
    return code === "CmdletFailed" ? otherwise : code;
  }

  #failure(error: unknown, cmdlet: string, isFateUnknown: boolean): unknown {
    return isRemotingError(error) ? transportFailure(this.attempt(cmdlet), error, isFateUnknown) : error;
  }
}

const NOTHING: PipelineResult = { state: "Failed", output: [], errors: [], warnings: [] };
