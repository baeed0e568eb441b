import fs from "node:fs";
import path from "node:path";
import { startEndpoint, type Endpoint } from "../../../provider/backends/simulator/endpoint/endpoint";
import { memoryState } from "../../../provider/backends/simulator/stateFile";
import { Secret } from "../../../provider/secret";
import { defaultOrganisation, EX01 } from "../../backends/simulatedServer";
import { makeTestCertificate } from "../../certificate/testCertificates";
import { pem, tlsIdentity } from "../http/webServer";
import { type Acceptor, type AcceptorBehaviour, type AcceptorOptions, startAcceptor } from "./acceptor";
import { pypsrp, type ClientJob, type ClientOutcome } from "./client";
import { describeKerberos } from "./machine";
import { type Realm, startRealm } from "./realm";

const USER = { user: "administrator@contoso.com", password: new Secret("correct horse battery staple") };
const CMDLETS = ["Get-ExchangeServer", "Get-ExchangeCertificate"];

describeKerberos("pypsrp with Kerberos, through the acceptor, on the simulated endpoint", () => {
  let realm: Realm;
  let endpoint: Endpoint;
  let keytab: string;
  let caFile: string;
  let certificates: number;
  const acceptors: Acceptor[] = [];
  const material = makeTestCertificate({ dnsNames: ["localhost"] });
  const identity = tlsIdentity(material);
  const tls = { certificate: identity.cert, privateKey: new Secret(identity.key) };

  beforeAll(async () => {
    realm = await startRealm({ services: ["HTTP/localhost", "HTTP/elsewhere.contoso.test"] });
    keytab = await realm.keytab("HTTP/localhost");
    caFile = path.join(realm.directory, "ca.pem");
    fs.writeFileSync(caFile, pem("CERTIFICATE", material.der));
    const organisation = await defaultOrganisation();
    certificates = organisation.servers[EX01]?.certificates.length ?? 0;
    const user = { name: USER.user, password: USER.password };
    endpoint = await startEndpoint({ store: memoryState(organisation), user });
    await realm.kinit({ user: "operator", password: realm.password("operator") });
  });
  afterEach(async () => {
    for (const acceptor of acceptors.splice(0)) await acceptor.stop();
  });
  afterAll(async () => {
    await endpoint.close();
    await realm.stop();
  });

  async function start(options: Partial<AcceptorOptions> = {}): Promise<Acceptor> {
    const started = { target: endpoint.url, credentials: USER, env: realm.env, keytab, ...options };
    const acceptor = await startAcceptor(started);
    acceptors.push(acceptor);
    return acceptor;
  }

  function drive(front: Acceptor, job: Omit<ClientJob, "port" | "cmdlets">, env = realm.env): Promise<ClientOutcome> {
    const https = front.url.startsWith("https:") ? { caFile } : {};
    return pypsrp({ port: front.port, cmdlets: CMDLETS, ...https, ...job }, env);
  }

  const done = (): ClientOutcome => ({ outputs: [2, certificates] });

  it.each(["winrm", "exchange"] as const)(
    "talks encrypted over http, answered with the boundary of %s",
    async (boundary) => {
      const front = await start({ behaviour: { bodies: "encrypted", boundary } });
      expect(await drive(front, { encryption: "always" })).toEqual(done());
      expect(front.events("request").filter(({ bytes, encrypted }) => bytes > 0 && !encrypted)).toEqual([]);
      expect(front.events("opened")).toContainEqual(expect.objectContaining({ tokenId: "0504", signature: 60 }));
      expect(front.events("authenticated")[0]).toMatchObject({ user: "operator@CONTOSO.TEST", scheme: "kerberos" });
    },
  );

  it("talks in clear over https", async () => {
    const front = await start({ tls, behaviour: { bodies: "plain" } });
    expect(await drive(front, { encryption: "never" })).toEqual(done());
    expect(front.events("opened")).toEqual([]);
  });

  it("talks encrypted over https", async () => {
    const front = await start({ tls, behaviour: { bodies: "encrypted" } });
    expect(await drive(front, { encryption: "always" })).toEqual(done());
    expect(front.events("opened")).not.toEqual([]);
  });

  it("talks by Negotiate, too", async () => {
    const front = await start({ behaviour: { bodies: "encrypted", challenges: ["Negotiate"] } });
    expect(await drive(front, { encryption: "always", auth: "negotiate" })).toEqual(done());
    expect(front.events("authenticated")[0]).toMatchObject({ scheme: "negotiate" });
  });

  it("gets in with a password instead of a ticket", async () => {
    const front = await start();
    const credentials = { user: "operator@CONTOSO.TEST", password: realm.password("operator") };
    const env = { ...realm.env, KRB5CCNAME: `FILE:${realm.directory}/none` };
    expect(await drive(front, { encryption: "always", ...credentials }, env)).toEqual(done());
  });

  it("is refused clear bodies over http", async () => {
    const front = await start({ behaviour: { bodies: "encrypted" } });
    expect(await drive(front, { encryption: "never" })).toEqual({ error: "http", status: 400 });
    expect(front.events("refused")).toContainEqual({ event: "refused", why: "a clear body", status: 400 });
    expect(front.events("opened")).toEqual([]);
  });

  it("is refused encrypted bodies where only clear ones are taken", async () => {
    const front = await start({ tls, behaviour: { bodies: "plain" } });
    expect(await drive(front, { encryption: "always" })).toEqual({ error: "http", status: 400 });
  });

  it("isn't let in for a service whose key the server hasn't", async () => {
    const front = await start();
    const outcome = await drive(front, { encryption: "always", serviceHost: "elsewhere.contoso.test" });
    expect(outcome).not.toHaveProperty("outputs");
    expect(front.events("refused")[0]).toMatchObject({ status: 401 });
    expect(front.events("authenticated")).toEqual([]);
  });

  it("isn't let in without a ticket", async () => {
    const front = await start();
    const env = { ...realm.env, KRB5CCNAME: `FILE:${realm.directory}/none` };
    expect(await drive(front, { encryption: "always" }, env)).not.toHaveProperty("outputs");
    expect(front.events("authenticated")).toEqual([]);
  });

  it.each<[what: string, behaviour: Partial<AcceptorBehaviour>, error: string]>([
    ["proves nothing about itself", { mutual: "none" }, "No context has been established"],
    ["proves itself with something else", { mutual: "wrong" }, "Invalid token was supplied"],
    ["sends what nobody can open", { answers: "corrupt" }, "invalid Message Integrity Check"],
    ["sends what is shorter than it says", { answers: "wrongLength" }, "does not match the expected length"],
    ["doesn't offer Kerberos", { challenges: ['Basic realm="contoso"'] }, "authentication methods"],
  ])("doesn't go on with a server that %s", async (_what, behaviour, error) => {
    const { outputs, text } = await drive(await start({ behaviour }), { encryption: "always" });
    expect({ outputs, text }).toEqual({ outputs: undefined, text: expect.stringContaining(error) });
  });

  it("gets its own answers in clear, or twice, where the acceptor is told so", async () => {
    const front = await start({ behaviour: { answers: "clear" } });
    await drive(front, { encryption: "always" });
    expect(front.events("opened")).not.toEqual([]);
    expect(front.events("answer").filter(({ encrypted }) => encrypted)).toEqual([]);
    await front.behave({ answers: "replayed" });
    expect(await drive(front, { encryption: "always" })).not.toHaveProperty("outputs");
  });

  it("is asked to prove itself again when the acceptor forgets it", async () => {
    const front = await start({ tls, behaviour: { bodies: "plain", forgetAfter: 2 } });
    expect(await drive(front, { encryption: "never" })).toEqual(done());
    expect(front.events("authenticated").length).toBeGreaterThan(1);
  });

  it("must be bound to the certificate that it saw, where the acceptor looks", async () => {
    const front = await start({ tls: { ...tls, channelBinding: true } });
    expect(await drive(front, { encryption: "never" })).toEqual(done());
    const other = tlsIdentity(makeTestCertificate({ dnsNames: ["localhost"], key: "rsa2048b" }));
    const middle = await start({ tls: { ...tls, channelBinding: true, boundTo: other.cert } });
    expect(await drive(middle, { encryption: "never" })).not.toHaveProperty("outputs");
    expect(middle.events("refused")[0]?.why).toContain("channel bindings");
  });
});
