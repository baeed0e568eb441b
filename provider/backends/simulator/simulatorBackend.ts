import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { ExchangeBindingError, isBindingError, type ErrorCode } from "../../errors";
import { type ServerFqdn } from "../../model";
import type { Backend, CallOptions, ConnectorCertificateName } from "../backend";
import type { CmdletCall, CmdletError, CmdletQuestion } from "./cmdlet";
import {
  contextOf,
  runOnStore,
  waitForServer,
  withOrganisation,
  type EndedCmdlet,
  type SessionEnv,
} from "./cmdletSession";
import { storeNotices } from "./certificateStore";
import { openDefaultStore } from "./defaultStore";
import { runCmdlet } from "./exchangeModel";
import {
  enableCertificate,
  importCertificate,
  question,
  removeCertificate,
  setCertificateName,
  setConnectorCertificate,
} from "../cmdlets";
import { roleFor } from "../usedCmdlets";
import type { Organisation } from "./organisation";
import { readSnapshot } from "./snapshotReader";
import type { StateStore } from "./stateFile";

/** The kind that is stored with resources made on a simulated organisation. */
export const SIMULATOR_KIND = "simulator";

export interface SimulatorSettings {
  /** Path of the organisation's JSON file. Made on first use. */
  readonly file: string;
  /** Shows a line to whoever runs Pulumi. */
  readonly say: (line: string) => void;
}

/** The files that this process has told its user about. */
const announced = new Set<string>();

/**
 * The backend over a simulated organisation in a file. Tells, once per process and file, that this is a simulation. The
 * file itself is read with the first call, which may throw `SimulatorFileInvalid` or `SimulatorFileLocked`.
 */
export function openSimulator({ file, say }: SimulatorSettings): Backend {
  if (!announced.has(file)) {
    announced.add(file);
    say(`This is a simulation: the Exchange organisation is the file ${file}. No Exchange server is touched.`);
  }
  const store = openDefaultStore(file, () => {
    say(`There was no organisation in ${file} yet: a new one was made.`);
  });
  return simulatorBackend(withNotices(store, file, say), {
    now: () => new Date(),
    newGuid: randomUUID,
    pause: (milliseconds, signal) => wait(milliseconds, undefined, { signal }),
  });
}

/** Notices that this process has shown, by file. */
const noticed = new Map<string, Set<string>>();

/** The same store; whoever reads it is told, once, what is odd about it. */
function withNotices(store: StateStore, file: string, say: (line: string) => void): StateStore {
  const said = noticed.get(file) ?? new Set();
  noticed.set(file, said);
  let looked: Organisation | undefined;
  return {
    ...store,
    read: async () => {
      const organisation = await store.read();
      if (organisation === looked) return organisation;
      looked = organisation;
      for (const notice of storeNotices(organisation)) {
        if (!said.has(notice)) say(notice);
        said.add(notice);
      }
      return organisation;
    },
  };
}

/**
 * The backend over a kept organisation. It does what a client of a real server does: it knows the cmdlets and their
 * answers, and nothing else. However many cmdlets a call takes, a slow server is waited for once: a client would have
 * put the questions side by side.
 */
export function simulatorBackend(store: StateStore, env: SessionEnv): Backend {
  let closed = new AbortController();

  /** Runs one cmdlet in a session with the server; every question gets the same answer. */
  const run = async (
    doing: string,
    server: ServerFqdn,
    call: CmdletCall,
    answer: (question: CmdletQuestion) => "yes" | "no",
  ): Promise<EndedCmdlet> => {
    const result = await runOnStore(store, call, env, {
      session: server,
      answer: (question) => Promise.resolve(answer(question)),
    });
    if (result.kind !== "unanswered") return result;
    throw new ExchangeBindingError("Internal", `${doing}: the question of ${call.name} stayed without an answer.`);
  };

  /** A call of the backend: begins while there is time, waits for a slow server, and ends when the time is up. */
  const within = async <T>(
    { doing, server, first }: { readonly doing: string; readonly server: ServerFqdn; readonly first: CmdletCall },
    { signal }: CallOptions,
    work: () => Promise<T>,
  ): Promise<T> => {
    const ended = AbortSignal.any([signal, closed.signal]);
    return untilAborted(doing, ended, async () => {
      await waitForServer(store, first, env, { session: server, signal: ended });
      // The wait may have ended at the very moment at which the time was up: nothing is begun any more.
      if (ended.aborted) throw timeIsUp(doing, ended);
      return work();
    });
  };

  const setConnector = (
    server: ServerFqdn,
    { kind, shown, identity }: { readonly kind: "send" | "receive"; readonly shown: string; readonly identity: string },
    name: ConnectorCertificateName | undefined,
    options: CallOptions,
  ): Promise<void> => {
    const doing = doingToConnector(shown, name);
    const call = setConnectorCertificate(kind, identity, name);
    return within({ doing, server, first: call }, options, async () => {
      const ended = await run(doing, server, call, always("yes"));
      if (ended.kind === "failed") throw cmdletFailure(doing, server, call.name, ended);
    });
  };

  return {
    kind: SIMULATOR_KIND,

    readSnapshot: (server, options) => {
      const doing = `Reading ${server}`;
      const first = question("Get-ExchangeCertificate", server);
      return within({ doing, server, first }, options, async () => {
        const result = await withOrganisation(
          store,
          (before) => {
            let organisation = before;
            const read = readSnapshot(server, (call) => {
              const outcome = runCmdlet(organisation, call, contextOf(env, server));
              if (outcome.kind === "question") {
                throw new ExchangeBindingError("Internal", `${doing}: ${call.name} asked a question.`);
              }
              organisation = outcome.organisation;
              return outcome;
            });
            return { organisation, result: read };
          },
          { isRead: true },
        );
        if (result.kind === "failed") throw cmdletFailure(doing, server, result.cmdlet, result);
        return result.snapshot;
      });
    },

    importCertificate: (server, request, options) => {
      const { thumbprint } = request;
      const doing = `Importing certificate ${thumbprint} on ${server}`;
      const call = importCertificate(server, request);
      return within({ doing, server, first: call }, options, async () => {
        const ended = await run(doing, server, call, always("yes"));
        if (ended.kind === "completed") return { outcome: "imported" };
        if (ended.error.code === "ImportRefused") {
          // The text that says so differs with the server's language; that it is there doesn't.
          const there = await run(doing, server, getCertificate(server, thumbprint), always("yes"));
          if (there.kind === "completed" && there.output.some((object) => object["HasPrivateKey"] !== false)) {
            return { outcome: "alreadyThere" };
          }
        }
        throw cmdletFailure(doing, server, call.name, ended);
      });
    },

    enableServices: (server, request, options) => {
      const doing = `Enabling ${request.services.join(", ")} for certificate ${request.thumbprint} on ${server}`;
      const call = enableCertificate(server, request);
      const answer = always(request.replaceDefaultSmtpCertificate ? "yes" : "no");
      return within({ doing, server, first: call }, options, async () => {
        const ended = await run(doing, server, call, answer);
        if (ended.kind === "completed") return { warnings: ended.warnings };
        throw cmdletFailure(doing, server, call.name, ended);
      });
    },

    setCertificateName: (server, service, name, options) => {
      const doing =
        name === undefined
          ? `Clearing the certificate name of ${service} on ${server}`
          : `Setting the certificate name of ${service} on ${server} to ${name}`;
      const call = setCertificateName(server, service, name);
      return within({ doing, server, first: call }, options, async () => {
        const ended = await run(doing, server, call, always("yes"));
        if (ended.kind === "failed") throw cmdletFailure(doing, server, call.name, ended);
      });
    },

    setSendConnectorCertificate: (server, connector, name, options) =>
      setConnector(server, { kind: "send", shown: connector, identity: connector }, name, options),

    setReceiveConnectorCertificate: async (server, connector, name, options) => {
      // Its identity has the server's short name in front, which nobody but the server can say.
      const shown = `${server}\\${connector}`;
      const doing = doingToConnector(shown, name);
      const list = question("Get-ReceiveConnector", server);
      const identity = await within({ doing, server, first: list }, options, async () => {
        const ended = await run(doing, server, list, always("yes"));
        if (ended.kind === "failed") throw cmdletFailure(doing, server, list.name, ended);
        const identities = ended.output.flatMap(({ Identity: one }) => (typeof one === "string" ? [one] : []));
        return identities.find((one) => isConnector(one, connector));
      });
      if (identity === undefined) throw connectorNotFound(doing, server, connector);
      await setConnector(server, { kind: "receive", shown, identity }, name, options);
    },

    removeCertificate: (server, thumbprint, options) => {
      const doing = `Removing certificate ${thumbprint} from ${server}`;
      const call = removeCertificate(server, thumbprint);
      return within({ doing, server, first: call }, options, async () => {
        const ended = await run(doing, server, call, always("yes"));
        if (ended.kind === "completed") return { outcome: "removed" };
        if (ended.error.code === "CertificateNotFound") return { outcome: "alreadyGone" };
        throw cmdletFailure(doing, server, call.name, ended);
      });
    },

    close: () => {
      closed.abort(
        new ExchangeBindingError("Internal", "A call of the simulator's backend ended because it was closed."),
      );
      closed = new AbortController();
      return Promise.resolve();
    },
  };
}

function always(answer: "yes" | "no"): () => "yes" | "no" {
  return () => answer;
}

function doingToConnector(connector: string, name: ConnectorCertificateName | undefined): string {
  return name === undefined
    ? `Clearing the certificate name of connector "${connector}"`
    : `Setting the certificate name of connector "${connector}" to ${name}`;
}

/** Whether `EX01\Default Frontend EX01` is the connector of that name. */
function isConnector(identity: string, name: string): boolean {
  return identity.slice(identity.indexOf("\\") + 1).toLowerCase() === name.trim().toLowerCase();
}

function connectorNotFound(doing: string, server: ServerFqdn, connector: string): ExchangeBindingError {
  return new ExchangeBindingError(
    "ConnectorNotFound",
    `${doing}: ${server} has no receive connector of that name. Get-ReceiveConnector -Server ${server} lists them.`,
    { facts: { server, connector } },
  );
}

function getCertificate(server: ServerFqdn, thumbprint: string): CmdletCall {
  return { name: "Get-ExchangeCertificate", parameters: { Server: server, Thumbprint: thumbprint } };
}

/** What to do about an error, where there is something to say beyond the server's own text. */
const REMEDIES: Readonly<Partial<Record<ErrorCode, string>>> = {
  ServerUnknown:
    "Name a server of the simulated organisation; exchange-simulator show lists them, and reset makes the default ones.",
  ServerUnreachable: "If that is a rehearsed fault, end it with: exchange-simulator fault <server> unreachable off",
  ConnectorNotFound: "Get-SendConnector lists the connectors of the organisation.",
  CertificateNotFound: "Import the certificate first.",
  PrivateKeyMissing: "Import the certificate with its private key.",
  PrivateKeyAccess: "Let the server's administrators change who may read the private key.",
  ImportRefused: "Check the password, and that the file is a PFX with a private key.",
};

function cmdletFailure(
  doing: string,
  server: ServerFqdn,
  cmdlet: string,
  { error, warnings = [] }: { readonly error: CmdletError; readonly warnings?: readonly string[] },
): ExchangeBindingError {
  const remedy =
    error.code === "CmdletNotAvailable"
      ? `The account has no role for this cmdlet: give it ${roleFor(cmdlet)}.`
      : REMEDIES[error.code];
  return new ExchangeBindingError(error.code, `${doing}: ${error.message}${remedy === undefined ? "" : ` ${remedy}`}`, {
    facts: {
      server,
      cmdlet,
      categoryInfo: error.categoryInfo,
      fullyQualifiedErrorId: error.fullyQualifiedErrorId,
      ...(warnings.length === 0 ? {} : { warnings }),
    },
  });
}

function timeIsUp(doing: string, signal: AbortSignal): ExchangeBindingError {
  const reason: unknown = signal.reason;
  if (isBindingError(reason)) return reason;
  return new ExchangeBindingError(
    "TimedOut",
    `${doing}: the time was up before the server had answered. Look whether it is slow, or allow more time.`,
    { cause: reason },
  );
}

/** The work's result, or an error as soon as the signal fires, whatever the work does then. */
async function untilAborted<T>(doing: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const isOver = (): boolean => signal.aborted;
  if (isOver()) throw timeIsUp(doing, signal);
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      reject(timeIsUp(doing, signal));
    };
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work(), aborted]);
  } catch (error) {
    if (isOver() && !isBindingError(error)) throw timeIsUp(doing, signal);
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
