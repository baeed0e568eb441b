import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { simulatorBackend } from "../../provider/backends/simulator/simulatorBackend";
import { makeTestCertificate, type TestCertificate, type TestCertificateWish } from "../../provider/backends/contract";
import type { Backend } from "../../provider/backends/backend";
import { makeDefaultOrganisation } from "../../provider/backends/simulator/defaultOrganisation";
import type { SessionEnv } from "../../provider/backends/simulator/cmdletSession";
import type { Organisation, ServerFaults, ServerState } from "../../provider/backends/simulator/organisation";
import { memoryState, type StateStore } from "../../provider/backends/simulator/stateFile";
import { parseServerFqdn, type ServerFqdn } from "../../provider/model";

function fqdn(text: string): ServerFqdn {
  const name = parseServerFqdn(text);
  if (name === undefined) throw new Error(`"${text}" is no FQDN`);
  return name;
}

/** The servers of the default organisation. */
export const EX01 = fqdn("ex01.contoso.com");
export const EX02 = fqdn("ex02.contoso.com");

let made: Promise<Organisation> | undefined;

/** The default organisation. Its keys are made once per test file. */
export function defaultOrganisation(): Promise<Organisation> {
  made ??= makeDefaultOrganisation({ now: new Date(), randomBytes });
  return made;
}

export const sessionEnv: SessionEnv = {
  now: () => new Date(),
  newGuid: randomUUID,
  pause: (milliseconds, signal) => wait(milliseconds, undefined, { signal }),
};

/** The organisation with one of its servers changed. */
export function withServer(
  organisation: Organisation,
  server: string,
  change: (state: ServerState) => Partial<ServerState>,
): Organisation {
  const state = organisation.servers[server];
  if (state === undefined) throw new Error(`there is no server ${server}`);
  return { ...organisation, servers: { ...organisation.servers, [server]: { ...state, ...change(state) } } };
}

export function withFaults(organisation: Organisation, server: string, faults: ServerFaults): Organisation {
  return withServer(organisation, server, () => ({ faults }));
}

/** A backend over an organisation in memory, and the store behind it. */
export function backendOver(organisation: Organisation): { readonly backend: Backend; readonly store: StateStore } {
  const store = memoryState(organisation);
  return { backend: simulatorBackend(store, sessionEnv), store };
}

const certificates = new Map<string, Promise<TestCertificate>>();

/**
 * One certificate per purpose (the first label of its name) and test file: keys are slow to make, and a name that was
 * used before doesn't matter where every case has a server of its own.
 */
export function makeCertificate(wish: TestCertificateWish): Promise<TestCertificate> {
  const purpose = wish.dnsNames[0]?.split(".", 1)[0] ?? "";
  const certificate = certificates.get(purpose) ?? makeTestCertificate(wish);
  certificates.set(purpose, certificate);
  return certificate;
}
