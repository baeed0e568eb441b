import fs from "node:fs";
import path from "node:path";
import { startEndpoint, type Endpoint } from "../../../provider/backends/simulator/endpoint/endpoint";
import { memoryState } from "../../../provider/backends/simulator/stateFile";
import { Secret } from "../../../provider/secret";
import { run } from "../../../tools/process.cjs";
import { defaultOrganisation, EX01 } from "../../backends/simulatedServer";
import { makeTestCertificate } from "../../certificate/testCertificates";
import { pem, tlsIdentity } from "../http/webServer";
import { type Acceptor, type AcceptorOptions, startAcceptor } from "./acceptor";
import { describeKerberos, kerberos, libraryPath } from "./machine";
import { type Realm, startRealm } from "./realm";

const USER = { user: "administrator@contoso.com", password: new Secret("correct horse battery staple") };
const CMDLETS = ["Get-ExchangeServer", "Get-ExchangeCertificate"];

interface Outcome {
  readonly outputs?: readonly number[];
  readonly error?: string;
  readonly text?: string;
  readonly status?: number;
}

describeKerberos("pypsrp with Kerberos, through the acceptor, on the simulated endpoint", () => {
  let realm: Realm;
  let endpoint: Endpoint;
  let keytab: string;
  let caFile: string;
  let certificates: number;
  let acceptor: Acceptor | undefined;
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
    await acceptor?.stop();
    acceptor = undefined;
  });
  afterAll(async () => {
    await endpoint.close();
    await realm.stop();
  });

  async function start(options: Partial<AcceptorOptions> = {}): Promise<Acceptor> {
    acceptor = await startAcceptor({ target: endpoint.url, credentials: USER, env: realm.env, keytab, ...options });
    return acceptor;
  }

  async function pypsrp(
    { port, url }: Acceptor,
    job: Readonly<Record<string, unknown>>,
    env: Readonly<Record<string, string>> = { ...realm.env },
  ): Promise<Outcome> {
    const whole = { port, cmdlets: CMDLETS, ...(url.startsWith("https:") ? { caFile } : {}), ...job };
    const { exitCode, stdout, stderr } = await run(kerberos().python, ["-B", path.join(__dirname, "client.py")], {
      env: { ...process.env, ...libraryPath(), ...env },
      input: JSON.stringify(whole),
      timeLimitSeconds: 60,
    });
    if (exitCode !== 0) throw new Error(`client.py failed:\n${stderr}`);
    return JSON.parse(stdout) as Outcome;
  }

  const done = (): Outcome => ({ outputs: [2, certificates] });

  it.each(["winrm", "exchange"] as const)(
    "talks encrypted over http, answered with the boundary of %s",
    async (boundary) => {
      const front = await start({ behaviour: { bodies: "encrypted", boundary } });
      expect(await pypsrp(front, { encryption: "always" })).toEqual(done());
      expect(front.events("request").filter(({ bytes, encrypted }) => bytes > 0 && !encrypted)).toEqual([]);
      expect(front.events("opened")).toContainEqual(expect.objectContaining({ tokenId: "0504", signature: 60 }));
      expect(front.events("authenticated")[0]).toMatchObject({ user: "operator@CONTOSO.TEST", scheme: "kerberos" });
    },
  );

  it("talks in clear over https", async () => {
    const front = await start({ tls, behaviour: { bodies: "plain" } });
    expect(await pypsrp(front, { encryption: "never" })).toEqual(done());
    expect(front.events("opened")).toEqual([]);
  });

  it("talks encrypted over https", async () => {
    const front = await start({ tls, behaviour: { bodies: "encrypted" } });
    expect(await pypsrp(front, { encryption: "always" })).toEqual(done());
    expect(front.events("opened")).not.toEqual([]);
  });

  it("talks by Negotiate, too", async () => {
    const front = await start({ behaviour: { bodies: "encrypted", challenges: ["Negotiate"] } });
    expect(await pypsrp(front, { encryption: "always", auth: "negotiate" })).toEqual(done());
    expect(front.events("authenticated")[0]).toMatchObject({ scheme: "negotiate" });
  });

  it("gets in with a password instead of a ticket", async () => {
    const front = await start();
    const credentials = { user: "operator@CONTOSO.TEST", password: realm.password("operator") };
    const env = { ...realm.env, KRB5CCNAME: `FILE:${realm.directory}/none` };
    expect(await pypsrp(front, { encryption: "always", ...credentials }, env)).toEqual(done());
  });

  it("is refused clear bodies over http", async () => {
    const front = await start({ behaviour: { bodies: "encrypted" } });
    expect(await pypsrp(front, { encryption: "never" })).toEqual({ error: "http", status: 400 });
    expect(front.events("refused")).toContainEqual({ event: "refused", why: "a clear body", status: 400 });
    expect(front.events("opened")).toEqual([]);
  });

  it("is refused encrypted bodies where only clear ones are taken", async () => {
    const front = await start({ tls, behaviour: { bodies: "plain" } });
    expect(await pypsrp(front, { encryption: "always" })).toEqual({ error: "http", status: 400 });
  });

  it("isn't let in for a service whose key the server hasn't", async () => {
    const front = await start();
    const outcome = await pypsrp(front, { encryption: "always", serviceHost: "elsewhere.contoso.test" });
    expect(outcome).not.toHaveProperty("outputs");
    expect(front.events("refused")[0]).toMatchObject({ status: 401 });
    expect(front.events("authenticated")).toEqual([]);
  });

  it("isn't let in without a ticket", async () => {
    const front = await start();
    const env = { ...realm.env, KRB5CCNAME: `FILE:${realm.directory}/none` };
    expect(await pypsrp(front, { encryption: "always" }, env)).not.toHaveProperty("outputs");
    expect(front.events("authenticated")).toEqual([]);
  });
});
