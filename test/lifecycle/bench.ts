import { randomBytes, randomUUID } from "node:crypto";

import type { Backend } from "../../provider/backends/backend";
import type { Organisation, ServerFaults, ServerState } from "../../provider/backends/simulator/organisation";
import { simulatorBackend } from "../../provider/backends/simulator/simulatorBackend";
import { memoryState, type StateStore } from "../../provider/backends/simulator/stateFile";
import type { CertificateMaterial } from "../../provider/certificate/material";
import { packPfx } from "../../provider/certificate/packPfx";
import { Deployment } from "../../provider/lifecycle/deployment";
import { dynamicProviderOver, type DynamicProvider } from "../../provider/frontends/dynamic/dynamicProvider";
import { EngineError } from "../../provider/frontends/dynamic/engineError";
import { lineForConsole } from "../../provider/frontends/engine/lineText";
import type { ToldLine } from "../../provider/lifecycle/requests";
import { sleep, type Timer } from "../../provider/lifecycle/timeLimit";
import { Secret } from "../../provider/secret";
import { EXCHANGE_2016, NOW, organisation, published, server, stored } from "../backends/simulator/lab";
import { makeTestCertificate } from "../certificate/testCertificates";
import { EX01, EX02, fqdn } from "../plan/servers";
import { called } from "../identities";

export { EX01, EX02, NOW, fqdn };

export type Bag = Readonly<Record<string, unknown>>;

export const PASSWORD = "Pa55-word-of-the-PFX";
export const PROVIDER = "the provider's text";

/** The certificates of the servers themselves, as setup makes them. */
export const BUILT_IN = makeTestCertificate({ dnsNames: ["EX01", "ex01.contoso.com"] });
const BUILT_IN_2016 = makeTestCertificate({ dnsNames: ["EX02", "ex02.contoso.com"] });
/** One to bind, with a year left and names of its own. */
export const MAIL = makeTestCertificate({
  dnsNames: ["mail.contoso.com", "imap.contoso.com"],
  notAfter: new Date(NOW.getTime() + 365 * 24 * 60 * 60 * 1000),
});
/** {@link MAIL} renewed: the same names, another certificate. */
export const RENEWED = makeTestCertificate({ dnsNames: ["mail.contoso.com", "imap.contoso.com"] });

/** The `certificate` input that brings it. */
export function pfxOf(material: CertificateMaterial): { readonly pfx: string; readonly password: string } {
  return {
    pfx: Buffer.from(packPfx(material, new Secret(PASSWORD)).reveal()).toString("base64"),
    password: PASSWORD,
  };
}

export const MAIL_PFX = pfxOf(MAIL);
export const RENEWED_PFX = pfxOf(RENEWED);

function builtInServer(name: string, own: CertificateMaterial, changes: Partial<ServerState> = {}): ServerState {
  return server({
    name,
    certificates: [stored(own, { privateKey: { networkServiceRead: true }, rootStore: "trusted" })],
    iis: { frontEnd: own.facts.thumbprint, backEnd: own.facts.thumbprint, requireSsl: true },
    imap: { x509CertificateName: name },
    pop: { x509CertificateName: name },
    internalTransportCertificate: published(own),
    ...changes,
  });
}

/** An Exchange 2019 and an Exchange 2016 server with UM, as setup leaves them. */
export function farm(changes: Partial<ServerState> = {}): Organisation {
  return organisation([
    builtInServer("EX01", BUILT_IN, changes),
    builtInServer("EX02", BUILT_IN_2016, {
      version: EXCHANGE_2016,
      um: { startupMode: "Dual", certificate: null },
      umCallRouter: { startupMode: "TCP", certificate: null },
    }),
  ]);
}

/** Servers of those short names, all of one build and with one certificate of setup. */
export function farmOf(names: readonly string[]): Organisation {
  return organisation(names.map((name) => builtInServer(name, BUILT_IN)));
}

export interface BenchOptions {
  readonly config?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, Uint8Array>>;
  readonly now?: Date;
  readonly timer?: Timer;
  readonly limitTimer?: Timer;
  /** Puts something in the place of the backend, or around it. */
  readonly backend?: (real: Backend) => Backend;
}

export interface Bench {
  readonly store: StateStore;
  readonly deployment: Deployment;
  readonly lifecycle: DynamicProvider;
  /** What was said, and the same as data. */
  readonly lines: string[];
  readonly told: ToldLine[];
  /** Calls of the backend: `readSnapshot ex01.contoso.com`. */
  readonly calls: string[];
  /** Checks as the engine does: what was refused is thrown; `__provider` is put back. */
  checked(news: Bag, olds?: Bag): Promise<Bag>;
  /** Checks and creates. */
  make(news: Bag): Promise<Made>;
  /** Changes a server behind the provider's back. */
  touch(server: string, change: (state: ServerState) => Partial<ServerState>): Promise<void>;
  break(server: string, faults: ServerFaults): Promise<void>;
  state(server?: string): Promise<ServerState>;
  /** A provider process of its own on the same servers. */
  again(options?: BenchOptions): Bench;
}

export interface Made {
  readonly id: string;
  readonly inputs: Bag;
  readonly outs: Bag;
}

/** A provider over simulated servers in memory. */
export function openBench(initial: Organisation | StateStore = farm(), options: BenchOptions = {}): Bench {
  const store = "read" in initial ? initial : memoryState(initial);
  const now = (): Date => options.now ?? NOW;
  const lines: string[] = [];
  const told: ToldLine[] = [];
  const calls: string[] = [];
  const real = simulatorBackend(store, { now, newGuid: randomUUID, pause: sleep });
  const deployment = new Deployment({
    directory: "/program",
    environment: { EXCHANGE_BACKEND: "simulator", ...options.environment },
    readFile: (path) => {
      const content = options.files?.[path];
      return content === undefined
        ? Promise.reject(new Error(`ENOENT: no such file or directory, open '${path}'`))
        : Promise.resolve(content);
    },
    now,
    randomBytes,
    sleep: (_milliseconds, signal) => sleep(0, signal),
    // Quick: a key that is there already, in a certificate as wished.
    makeCertificate: ({ subject, dnsNames, validityDays }) =>
      Promise.resolve(
        makeTestCertificate({
          ...(subject === undefined ? {} : { subject }),
          dnsNames,
          notBefore: now(),
          notAfter: new Date(now().getTime() + validityDays * 24 * 60 * 60 * 1000),
        }),
      ),
    say: (line) => {
      told.push(line);
      lines.push(lineForConsole(line, now()));
    },
    note: (text) => lines.push(text),
    timer: options.timer,
    limitTimer: options.limitTimer,
    open: () => Promise.resolve(counted(options.backend?.(real) ?? real, calls)),
  });
  deployment.configure((key) => options.config?.[key]);
  const lifecycle = dynamicProviderOver(deployment);
  const touch: Bench["touch"] = (name, change) =>
    store.update((organisation) => {
      const before = organisation.servers[name];
      if (before === undefined) throw new Error(`there is no server ${name}`);
      const servers = { ...organisation.servers, [name]: { ...before, ...change(before) } };
      return { organisation: { ...organisation, servers }, result: undefined };
    });
  const checked: Bench["checked"] = async (news, olds = {}) => {
    const { inputs, failures } = await lifecycle.check(olds, news);
    if (failures.length > 0) throw new Error(failures.map((one) => `${one.property}: ${one.reason}`).join("\n"));
    return { ...inputs, __provider: PROVIDER };
  };
  return {
    store,
    deployment,
    lifecycle,
    lines,
    told,
    calls,
    checked,
    make: async (news) => {
      const inputs = await checked(news);
      const { id, outs } = await lifecycle.create(inputs);
      return { id, inputs, outs: { ...outs, __provider: PROVIDER } };
    },
    touch,
    break: (name, faults) => touch(name, () => ({ faults })),
    state: async (name = EX01) => {
      const found = (await store.read()).servers[name];
      if (found === undefined) throw new Error(`there is no server ${name}`);
      return found;
    },
    again: (more = {}) => openBench(store, { ...options, ...more }),
  };
}

function counted(backend: Backend, calls: string[]): Backend {
  return {
    kind: backend.kind,
    readSnapshot: (server, options) => {
      calls.push(`readSnapshot ${server}`);
      return backend.readSnapshot(server, options);
    },
    importCertificate: (server, request, options) => {
      calls.push(`importCertificate ${server}`);
      return backend.importCertificate(server, request, options);
    },
    enableServices: (server, request, options) => {
      calls.push(`enableServices ${server} ${request.services.join()}`);
      return backend.enableServices(server, request, options);
    },
    setCertificateName: (server, service, name, options) => {
      calls.push(`setCertificateName ${server} ${service} ${name ?? "-"}`);
      return backend.setCertificateName(server, service, name, options);
    },
    setSendConnectorCertificate: (server, connector, name, options) => {
      calls.push(`setSendConnectorCertificate ${connector} ${name ?? "-"}`);
      return backend.setSendConnectorCertificate(server, connector, name, options);
    },
    setReceiveConnectorCertificate: (server, connector, name, options) => {
      calls.push(`setReceiveConnectorCertificate ${server} ${connector} ${name ?? "-"}`);
      return backend.setReceiveConnectorCertificate(server, connector, name, options);
    },
    removeCertificate: (server, thumbprint, options) => {
      calls.push(`removeCertificate ${server}`);
      return backend.removeCertificate(server, thumbprint, options);
    },
    close: () => backend.close(),
  };
}

/** The inputs of a binding of {@link MAIL} on EX01, as a program gives them. */
export function binding(changes: Bag = {}): Bag {
  return {
    ...called("mail"),
    server: EX01,
    certificate: MAIL_PFX,
    services: ["SMTP"],
    ...changes,
  };
}

export const SELF_SIGNED = { selfSigned: { dnsNames: ["mail.contoso.com"] } };

/** The error in which an operation of the provider ends. */
export async function failure(operation: Promise<unknown>): Promise<EngineError> {
  const outcome = await operation.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof EngineError) return outcome;
  throw new Error("it didn't fail", { cause: outcome });
}
