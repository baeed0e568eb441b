import { randomBytes, X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import type { Thumbprint } from "../../../../provider/certificate/thumbprint";
import type { Endpoint } from "../../../../provider/backends/simulator/endpoint/endpoint";
import type { TlsIdentity } from "../../../../provider/backends/simulator/endpoint/frontEndIdentity";
import { makeEndpointCertificate } from "../../../../provider/backends/simulator/endpoint/tlsCertificate";
import { memoryState, type StateStore } from "../../../../provider/backends/simulator/stateFile";
import { packPfx } from "../../../../provider/certificate/packPfx";
import { openSession, sessionEnv, type SessionOptions } from "../../../../provider/remoting/session";
import { Secret } from "../../../../provider/secret";
import { makeTestAuthority, makeTestCertificate } from "../../../certificate/testCertificates";
import { endpointIdentity, sessionOptionsFor, startTestEndpoint } from "../../../remoting/endpoint";
import { pem } from "../../../remoting/http/webServer";
import { defaultOrganisation, EX01, EX02, withServer } from "../../simulatedServer";

const authority = makeTestAuthority();
const root = pem("CERTIFICATE", authority.chain[0] ?? new Uint8Array());
const material = makeTestCertificate({ dnsNames: ["mail.contoso.com", EX01, EX02], issuer: authority });
const { thumbprint } = material.facts;
const first = new X509Certificate(endpointIdentity().certificate).fingerprint.replaceAll(":", "");

let store: StateStore;
let endpoint: Endpoint;
async function serve(followsIis: boolean, identity = givenIdentity()): Promise<void> {
  store = memoryState(await defaultOrganisation());
  endpoint = await startTestEndpoint({ store, tls: { ...identity, followsIis } });
}
function givenIdentity(): TlsIdentity {
  const { certificate, key } = endpointIdentity();
  return { certificate, privateKey: new Secret(key) };
}
afterEach(() => endpoint.close());

/** Imports the certificate through the endpoint. */
async function bring(changes: Partial<SessionOptions> = {}): Promise<void> {
  const session = await openSession(sessionOptionsFor(endpoint.url, changes), sessionEnv, AbortSignal.timeout(30_000));
  const password = new Secret("pw");
  const parameters = { Server: EX01, FileData: packPfx(material, password).reveal(), Password: password };
  const command = { name: "Import-ExchangeCertificate", parameters };
  const { errors } = await session.run([command], { signal: AbortSignal.timeout(30_000) });
  expect(errors).toEqual([]);
  await session.close();
}

/** Gives a certificate to IIS, as somebody at the server would. */
function bind(server: string, frontEnd: Thumbprint): Promise<void> {
  return store.update((organisation) => ({
    organisation: withServer(organisation, server, ({ iis }) => ({ iis: { ...iis, frontEnd } })),
    result: undefined,
  }));
}

/** What a new connection is shown, and whether somebody who trusts the root believes it. */
function shown(name: string): Promise<{ readonly thumbprint: string; readonly isTrusted: boolean }> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: "127.0.0.1",
      port: endpoint.port,
      servername: name,
      ca: root,
      rejectUnauthorized: false,
    });
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      const { fingerprint } = socket.getPeerCertificate();
      resolve({ thumbprint: fingerprint.replaceAll(":", ""), isTrusted: socket.authorized });
      socket.destroy();
    });
  });
}

describe("an endpoint that follows IIS", () => {
  it("shows new connections the certificate that IIS holds, with its chain, from the moment on that it holds it", async () => {
    await serve(true);
    await bring();
    expect(await shown(EX01)).toEqual({ thumbprint: first, isTrusted: false });
    await bind(EX01, thumbprint);
    expect(await shown(EX01)).toEqual({ thumbprint, isTrusted: true });
  });

  it("shows each server's own, and its first one for a name that is none of the servers'", async () => {
    await serve(true);
    await bring();
    await bind(EX02, thumbprint);
    expect((await shown(EX02)).thumbprint).toBe(thumbprint);
    expect((await shown(EX01)).thumbprint).toBe(first);
    expect((await shown("mail.contoso.com")).thumbprint).toBe(first);
    await bind(EX01, thumbprint);
    expect((await shown("mail.contoso.com")).thumbprint).toBe(thumbprint);
  });

  it("lets go of a certificate that was made on the spot", async () => {
    const made = makeEndpointCertificate([EX01], { now: new Date(), randomBytes });
    await serve(true, made);
    await bring({ tls: { ca: made.authority, serverName: EX01 } });
    await bind(EX01, thumbprint);
    expect(await shown(EX01)).toEqual({ thumbprint, isTrusted: true });
  });

  it("shows the certificate that it was started with as long as the key of IIS' one hasn't come through it", async () => {
    await serve(true);
    await bind(EX01, thumbprint);
    expect((await shown(EX01)).thumbprint).toBe(first);
  });
});

it("doesn't follow IIS when it wasn't told to", async () => {
  await serve(false);
  await bring();
  await bind(EX01, thumbprint);
  expect((await shown(EX01)).thumbprint).toBe(first);
});
