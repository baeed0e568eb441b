import { randomBytes } from "node:crypto";

import type { ApplyEnv, WithinLimit } from "../provider/applyRun";
import type { Backend, ServerSnapshot } from "../provider/backends/backend";
import { contextOf } from "../provider/backends/simulator/cmdletSession";
import type { SessionEnv } from "../provider/backends/simulator/cmdletSession";
import { runCmdlet } from "../provider/backends/simulator/exchangeModel";
import type { Organisation } from "../provider/backends/simulator/organisation";
import { simulatorBackend } from "../provider/backends/simulator/simulatorBackend";
import { memoryState } from "../provider/backends/simulator/stateFile";
import type { StateStore } from "../provider/backends/simulator/stateFile";
import type { CertificateFacts } from "../provider/certificate/facts";
import { readCertificate } from "../provider/certificate/readCertificate";
import { ExchangeBindingError } from "../provider/errors";
import { known } from "../provider/model";
import type { ServerFqdn } from "../provider/model";
import { observedFrom } from "../provider/observe";
import { decideSend } from "../provider/plan/connectors";
import type { SelfSignedWish } from "../provider/plan/desired";
import type { ObservedServer } from "../provider/plan/observedServer";
import { Secret } from "../provider/secret";
import { makeTestCertificate } from "./certificate/testCertificates";

/*
 * A simulated organisation in memory, and the real observation and application of plans over it. To be fast enough for
 * thousands of runs it differs from the real thing in three places: certificates are read once, a made certificate has
 * a key that is there already, and a "PFX" is the certificate's own bytes (packing and opening one takes half a second,
 * and has tests of its own).
 */

let guids = 0;

/** The environment of simulated cmdlets at a fixed moment. */
function sessionAt(now: Date): SessionEnv {
  return {
    now: () => now,
    newGuid: () => `487b16ef-0000-4000-8000-${String((guids += 1)).padStart(12, "0")}`,
    pause: () => Promise.resolve(),
  };
}

const read = new Map<string, CertificateFacts>();

/** {@link readCertificate} with a memory. */
function factsOf(der: Uint8Array): CertificateFacts {
  const key = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString("latin1");
  const facts = read.get(key) ?? readCertificate(der);
  read.set(key, facts);
  return facts;
}

function observed(snapshot: ServerSnapshot): ObservedServer {
  return observedFrom(snapshot, factsOf);
}

export interface Simulation {
  readonly store: StateStore;
  readonly backend: Backend;
  /** The server as a client gets to see it. */
  observe(server: ServerFqdn): Promise<ObservedServer>;
  /** The server as it is: nothing unknown, nothing still on its way through Active Directory. */
  truth(server: ServerFqdn): Promise<ObservedServer>;
  applyEnv(server: ServerFqdn, changes?: Partial<ApplyEnv>): ApplyEnv;
}

const unlimited = { signal: new AbortController().signal };

const nobody = (name: string) => ({ kind: "unreachable", name, reason: "not in this test" }) as const;

export function simulate(organisation: Organisation, now: Date): Simulation {
  const session = sessionAt(now);
  const store = memoryState(organisation);
  const backend: Backend = {
    ...simulatorBackend(store, session),
    importCertificate: (server, request) =>
      store.update((before) => {
        const parameters = {
          Server: server,
          FileData: request.pfx.reveal(),
          FriendlyName: request.friendlyName ?? "",
          PrivateKeyExportable: request.privateKeyExportable,
        };
        const context = {
          ...contextOf(session, server),
          openPfx: (der: Uint8Array) => ({ der, chain: [], keyProvider: "CSP" as const }),
        };
        const outcome = runCmdlet(before, { name: "Import-ExchangeCertificate", parameters }, context);
        if (outcome.kind !== "completed") throw new ExchangeBindingError("ImportRefused", JSON.stringify(outcome));
        return { organisation: outcome.organisation, result: { outcome: "imported" as const } };
      }),
  };
  const observe = async (server: ServerFqdn) => observed(await backend.readSnapshot(server, unlimited));
  const within = (server: ServerFqdn): WithinLimit => ({
    backend,
    observe: () => observe(server),
    options: unlimited,
    sleep: () => Promise.resolve(),
    sourcesOf: () => Promise.resolve(nobody),
    decideNaming: (seen, connector, facts) =>
      Promise.resolve(decideSend({ connector, facts, server: seen, sourceOf: nobody, now })),
  });
  return {
    store,
    backend,
    observe,
    truth: async (server) => {
      const seen = await store.read();
      const { [server]: state } = seen.servers;
      if (state === undefined) throw new Error(`there is no server ${server}`);
      const honest = { ...state, faults: {}, notYetReplicated: {} };
      const copy = memoryState({ ...seen, servers: { ...seen.servers, [server]: honest } });
      return observed(await simulatorBackend(copy, session).readSnapshot(server, unlimited));
    },
    applyEnv: (server, changes = {}) => ({
      ...within(server),
      anew: () => within(server),
      inGap: (_connectors, job) => job(),
      whileCleared: (job) => job(),
      now: () => now,
      randomBytes,
      makeCertificate: (wish) => Promise.resolve(makeAsWished(wish, now)),
      packPfx: ({ der }) => new Secret(der),
      onConnector: (_connector, job) => job(),
      declaredBy: () => known([]),
      removing: () => undefined,
      staying: () => undefined,
      say: () => undefined,
      ...changes,
    }),
  };
}

const HOUR_MS = 60 * 60 * 1000;

/** What `makeSelfSigned` would make, with a key of the tests. */
function makeAsWished({ subject, dnsNames, validityDays }: SelfSignedWish, now: Date) {
  return makeTestCertificate({
    ...(subject === undefined ? {} : { subject }),
    dnsNames,
    notBefore: new Date(now.getTime() - HOUR_MS),
    notAfter: new Date(now.getTime() + validityDays * 24 * HOUR_MS),
  });
}
