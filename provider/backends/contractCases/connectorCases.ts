import assert from "node:assert/strict";
import type { Backend, ConnectorCertificateName, ServerSnapshot } from "../backend";
import { failsWith, knownValue, snapshotOf, unlimited, type CaseDefinition, type Workbench } from "./workbench";

const NAMES: readonly (ConnectorCertificateName | undefined)[] = [
  "<I>CN=Contract CA, O=Contoso<S>CN=one.contract.example",
  "<I>CN=Contract CA, O=Contoso<S>CN=two.contract.example",
  "<I>CN=Contract CA, O=Contoso<S>CN=two.contract.example",
  undefined,
  undefined,
];

interface Named {
  readonly name: string;
  readonly certificateName: string | undefined;
}

function sendConnectors(snapshot: ServerSnapshot): readonly Named[] {
  return knownValue(snapshot.sendConnectors, "send connectors").map(({ name, tlsCertificateName }) => ({
    name,
    certificateName: tlsCertificateName,
  }));
}

function receiveConnectors(snapshot: ServerSnapshot): readonly Named[] {
  return knownValue(snapshot.receiveConnectors, "receive connectors").map(({ identity, tlsCertificateName }) => ({
    name: identity.slice(identity.indexOf("\\") + 1),
    certificateName: tlsCertificateName,
  }));
}

type Set = (backend: Backend, connector: string, name: ConnectorCertificateName | undefined) => Promise<void>;

const setters = (bench: Workbench): Readonly<Record<"send" | "receive", Set>> => ({
  send: (backend, connector, name) => backend.setSendConnectorCertificate(bench.server, connector, name, unlimited),
  receive: (backend, connector, name) =>
    backend.setReceiveConnectorCertificate(bench.server, connector, name, unlimited),
});

/** Sets the names one after the other; nothing but that one connector may change. */
async function setsAndClears(bench: Workbench, kind: "send" | "receive"): Promise<void> {
  const { backend, ...connectors } = await bench.situations.connectors();
  const connector = connectors[kind];
  const before = await snapshotOf(bench, backend);
  const withName = (named: readonly Named[], certificateName: string | undefined): readonly Named[] =>
    named.map((one) => (one.name.toLowerCase() === connector.toLowerCase() ? { ...one, certificateName } : one));
  for (const name of NAMES) {
    await setters(bench)[kind](backend, connector.toUpperCase(), name);
    const after = await snapshotOf(bench, backend);
    const [send, receive] = [sendConnectors(before), receiveConnectors(before)];
    assert.deepEqual(sendConnectors(after), kind === "send" ? withName(send, name) : send);
    assert.deepEqual(receiveConnectors(after), kind === "receive" ? withName(receive, name) : receive);
    assert.deepEqual(after.certificates, before.certificates);
  }
}

/** How connectors get to name a certificate. */
export const connectorCases: readonly CaseDefinition[] = [
  {
    title: "sets and clears the certificate name of one send connector, as often as one likes",
    needs: "connectors",
    run: (bench) => setsAndClears(bench, "send"),
  },
  {
    title: "sets and clears the certificate name of one receive connector, as often as one likes",
    needs: "connectors",
    run: (bench) => setsAndClears(bench, "receive"),
  },
  {
    title: "says by its code that there is no connector of that name, and names it",
    run: async (bench) => {
      for (const set of Object.values(setters(bench))) {
        const error = await failsWith(["ConnectorNotFound"], () => set(bench.backend, "No such connector", undefined));
        assert.ok(error.message.includes("No such connector"), error.message);
      }
    },
  },
];
