import type { Backend } from "../../../provider/backends/backend";
import { memoryState, type StateStore } from "../../../provider/backends/simulator/stateFile";
import { messageOf } from "../../../provider/errors";
import { makeTestAuthority } from "../../certificate/testCertificates";
import { EX01, farm } from "../../lifecycle/bench";
import { givenPfx, makeMiniEngine, type MiniEngine } from "../../miniEngine";
import { remoteOver } from "./remoteOver";

/* Connectors, removals, gaps and roll-backs over the wire, in the order in which the engine calls the provider. */

const authority = makeTestAuthority();
const first = givenPfx({ issuer: authority });
const second = givenPfx({ issuer: authority });
const owa = givenPfx({ dnsNames: ["owa.contoso.com"], issuer: authority });
const NAME = "<I>CN=Contoso Issuing CA, O=Contoso<S>CN=mail.contoso.com";
const bound = (certificate: unknown, more: object = {}) => ({
  server: EX01,
  certificate,
  services: ["SMTP"],
  connectors: { send: ["Outbound"], receive: ["Relay"] },
  onDelete: "remove",
  allowConnectorGap: true,
  ...more,
});

interface Wire {
  readonly engine: MiniEngine;
  readonly store: StateStore;
  readonly connectors: () => Promise<readonly (string | null | undefined)[]>;
  readonly thumbprints: () => Promise<readonly string[]>;
}

const opened: Backend[] = [];
afterAll(async () => {
  await Promise.all(opened.map((backend) => backend.close()));
});

async function begin(): Promise<Wire> {
  const organisation = farm({ receiveConnectors: [{ name: "Relay", fqdn: null, tlsCertificateName: null }] });
  const sendConnectors = [{ name: "Outbound", fqdn: null, tlsCertificateName: null, sourceServers: ["EX01"] }];
  const store = memoryState({ ...organisation, sendConnectors });
  const { backend: remote } = await remoteOver(store);
  // The mini engine's configuration names the simulator, and each of its runs closes after some seconds what all share.
  const backend = { ...remote, kind: "simulator", close: () => Promise.resolve() };
  opened.push(remote);
  const engine = await makeMiniEngine(undefined, () => new Date(), { backend, store });
  return {
    engine,
    store,
    connectors: async () => {
      const { sendConnectors: send, servers } = await store.read();
      return [send[0]?.tlsCertificateName, servers[EX01]?.receiveConnectors[0]?.tlsCertificateName];
    },
    thumbprints: async () => (await engine.observe(EX01)).certificates.map(({ facts }) => facts.thumbprint),
  };
}

it("an old certificate goes in a gap; one that is cut off there is gone on with, and the binding takes the last with it", async () => {
  const { engine, connectors, thumbprints } = await begin();
  await engine.up({ mail: bound(first.source) });
  expect(await connectors()).toEqual([NAME, NAME]);
  // import, SMTP, and then the gap: cleared, removed.
  const calls = await engine.killed({ mail: bound(second.source) }, { call: 3, when: "after" });
  expect(calls).toEqual(["importCertificate", "enableServices", "setSendConnectorCertificate", "removeCertificate"]);
  expect([await connectors(), (await thumbprints()).includes(first.thumbprint)]).toEqual([[null, NAME], false]);
  await engine.up({ mail: bound(second.source) });
  expect(await connectors()).toEqual([NAME, NAME]);
  expect((await engine.preview({ mail: bound(second.source) })).done).toEqual({ mail: "same" });
  await expect(engine.up({})).rejects.toThrow(/send connector "Outbound" names, so Exchange doesn't let it go/);
  expect(await thumbprints()).toContain(second.thumbprint);
});

it("a change that fails is put back", async () => {
  const { engine, store } = await begin();
  const before = await store.read();
  const services = { services: ["IIS", "POP", "SMTP"], popCertificateName: "owa.contoso.com", requireSsl: false };
  const more = { ...services, replaceDefaultSmtpCertificate: true, onFailure: "rollback", onDelete: "retain" };
  const failed = engine.up({ owa: bound(owa.source, { ...more, allowConnectorGap: false }) }, (backend) => ({
    ...backend,
    enableServices: async (server, request, options) => {
      const outcome = await backend.enableServices(server, request, options);
      if (request.thumbprint === owa.thumbprint && request.services.includes("IIS"))
        throw new Error("The line is dead.");
      return outcome;
    },
  }));
  expect(messageOf(await failed.catch((error: unknown) => error))).toMatch(/The line is dead\. It was rolled back/);
  expect(await store.read()).toEqual(before);
});
