import { randomBytes, randomUUID } from "node:crypto";
import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { setTimeout as wait } from "node:timers/promises";
import type { SecureContext } from "node:tls";
import type { CertificateMaterial } from "../../../certificate/material";
import { makeSelfSigned } from "../../../certificate/selfSigned";
import { ExchangeBindingError } from "../../../errors";
import { openPfx, type SessionEnv } from "../cmdletSession";
import { hasRemoteShell } from "../displayedServices";
import type { Organisation, ServerState } from "../organisation";
import type { StateStore } from "../stateFile";
import { DEFAULT_BEHAVIOUR, FaultPlan, type EndpointBehaviour, type InjectedFault } from "./behaviour";
import { FrontEndIdentity, type TlsIdentity } from "./frontEndIdentity";
import { requestListener, type EndpointUser } from "./httpEndpoint";
import type { MakeCertificate } from "./pipelines";
import { Shells } from "./shells";

export interface EndpointOptions {
  /** The organisation that is served. */
  readonly store: StateStore;
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any that is free. */
  readonly port?: number;
  /**
   * FQDN or short name of the server that all sessions are on. Default: the one that the request's Host names, and the
   * organisation's first when it names none. `-Server` reaches the others in any case.
   */
  readonly server?: string;
  /**
   * Without it: plain http. `followsIis`: as on a real front end, a new connection sees the certificate that IIS holds,
   * as soon as its key has come through this endpoint; otherwise it always sees this one, as behind a load balancer
   * that ends TLS.
   */
  readonly tls?: TlsIdentity & { readonly followsIis?: boolean };
  /** Basic authentication. Without it everybody is let in, with or without credentials: for tests. */
  readonly user?: EndpointUser;
  readonly behaviour?: Partial<EndpointBehaviour>;
  /** Default: the real clock, random identifiers, and pauses that last. */
  readonly env?: Partial<SessionEnv> & { readonly randomBytes?: (count: number) => Buffer };
}

/** A running endpoint. */
export interface Endpoint {
  /** `http://127.0.0.1:PORT/PowerShell/`. */
  readonly url: string;
  readonly port: number;
  /** Shells that are open now. */
  shellCount(): number;
  /** Lets something go wrong with a coming request. */
  inject(fault: InjectedFault): void;
  /** Forgets the faults that haven't happened. */
  clearFaults(): void;
  /** Changes how it behaves from now on. */
  behave(behaviour: Partial<EndpointBehaviour>): void;
  /** Ends all shells and connections, and stops listening. */
  close(): Promise<void>;
}

/**
 * Puts a simulated organisation behind a real `/PowerShell/` endpoint: WS-Management and PowerShell Remoting over HTTP,
 * configuration Microsoft.Exchange, as any client speaks them. Errors: `ServerUnknown` when `server` names none of the
 * organisation's, and whatever Node says when it can't listen.
 */
export async function startEndpoint(options: EndpointOptions): Promise<Endpoint> {
  const { store, host = "127.0.0.1", tls } = options;
  const random = options.env?.randomBytes ?? randomBytes;
  const env: SessionEnv = {
    now: () => new Date(),
    newGuid: randomUUID,
    pause: (milliseconds, signal) => wait(milliseconds, undefined, { signal }),
    ...options.env,
  };
  const fixed = options.server === undefined ? undefined : requireServer(await store.read(), options.server).fqdn;
  let behaviour: EndpointBehaviour = { ...DEFAULT_BEHAVIOUR, ...options.behaviour };
  const faults = new FaultPlan();
  const identity = tls === undefined ? undefined : new FrontEndIdentity(tls);
  const remember = (material: CertificateMaterial): void => {
    if (tls?.followsIis === true) identity?.remember(material);
  };
  const makeCertificate: MakeCertificate = async (wish) => {
    const validityDays = FIVE_YEARS_IN_DAYS;
    const made = await makeSelfSigned({ ...wish, validityDays }, { now: env.now(), randomBytes: random });
    remember(made);
    return made.der;
  };
  const remembering: SessionEnv = { ...env, openPfx: (data, password) => openPfx(data, password, remember) };
  const shells = new Shells({
    store,
    env: remembering,
    makeCertificate,
    randomBytes: random,
    behaviour: () => behaviour,
  });

  const listener = requestListener({
    shells,
    faults,
    behaviour: () => behaviour,
    newGuid: env.newGuid,
    user: options.user,
    isTls: tls !== undefined,
    serverFor: async (host, named) => {
      const organisation = await store.read();
      const fqdn = named ?? fixed ?? serverOfHost(organisation, host);
      return fqdn !== undefined && isAlive(organisation, fqdn) ? fqdn : undefined;
    },
  });
  const shownFor = async (named: string | undefined): Promise<SecureContext | undefined> => {
    const organisation = await store.read();
    const frontEnd = organisation.servers[fixed ?? serverOfHost(organisation, named) ?? ""]?.iis.frontEnd;
    return identity?.shown(frontEnd ?? "");
  };
  const server = tls === undefined ? createHttpServer(LIMITS, listener) : createTlsServer(tls, shownFor, listener);
  // As IIS does; Node's own five seconds would close connections that clients take to be open.
  server.keepAliveTimeout = 120_000;
  server.maxConnections = MAX_CONNECTIONS;
  const port = await listen(server, options.port ?? 0, host);

  return {
    url: `${tls === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${port}/PowerShell/`,
    port,
    shellCount: () => shells.count,
    inject: (fault) => {
      faults.add(fault);
    },
    clearFaults: () => {
      faults.clear();
    },
    behave: (changed) => {
      behaviour = { ...behaviour, ...changed };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        shells.close();
        server.closeAllConnections();
      }),
  };
}

/** Of the headers of a request, in bytes, and until they and the whole request have to be there. */
const LIMITS = { maxHeaderSize: 16 * 1024, headersTimeout: 20_000, requestTimeout: 60_000 };
/** Those of a deployment over a farm of two hundred servers, and some more. */
const MAX_CONNECTIONS = 500;

/** What New-ExchangeCertificate's certificates last. */
const FIVE_YEARS_IN_DAYS = 1826;

/**
 * Every connection is shown what the server that it names in SNI has at that moment. One without a name, which is one
 * to an address, sees the certificate of the beginning.
 */
function createTlsServer(
  first: TlsIdentity,
  shownFor: (name: string) => Promise<SecureContext | undefined>,
  listener: RequestListener,
): Server {
  const SNICallback = (name: string, done: (error: Error | null, context?: SecureContext) => void): void => {
    shownFor(name).then(
      (context) => {
        done(null, context);
      },
      (error: unknown) => {
        done(error instanceof Error ? error : new Error("The organisation can't be read."));
      },
    );
  };
  const identity = { cert: first.certificate, key: first.privateKey.reveal(), SNICallback };
  return createHttpsServer({ ...LIMITS, minVersion: "TLSv1.2", ...identity }, listener);
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

function find(organisation: Organisation, name: string): ServerState | undefined {
  const wanted = name.trim().toLowerCase();
  return Object.values(organisation.servers).find((one) => one.fqdn === wanted || one.name.toLowerCase() === wanted);
}

function requireServer(organisation: Organisation, name: string): ServerState {
  const server = find(organisation, name);
  if (server !== undefined) return server;
  const known = Object.keys(organisation.servers).join(", ");
  throw new ExchangeBindingError(
    "ServerUnknown",
    `Serving the simulated organisation as ${name}: it has no such server. It has: ${known}.`,
  );
}

function serverOfHost(organisation: Organisation, host: string | undefined): string | undefined {
  const named = find(organisation, (host ?? "").replace(/:\d+$/, ""));
  return (named ?? Object.values(organisation.servers)[0])?.fqdn;
}

/** A server that can't be reached, or whose back-end site has lost its certificate, has no endpoint any more. */
function isAlive(organisation: Organisation, fqdn: string): boolean {
  const server = organisation.servers[fqdn];
  const answering = organisation.servers[server?.faults.answersAs ?? fqdn] ?? server;
  return answering !== undefined && answering.faults.unreachable !== true && hasRemoteShell(answering);
}
