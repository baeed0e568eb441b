import { X509Certificate } from "node:crypto";
import type { Backend, CertificateSnapshot } from "../../../provider/backends/backend";
import { openRemote } from "../../../provider/backends/remote/remoteBackend";
import type { RemoteSettings } from "../../../provider/backends/remote/settings";
import { parseThumbprint, type Thumbprint } from "../../../provider/certificate/thumbprint";
import { Secret } from "../../../provider/secret";
import { EX01 } from "../../backends/simulatedServer";
import type { Acceptor } from "./acceptor";
import { describeKerberos } from "./machine";
import type { Realm } from "./realm";
import { type ServersBehindKerberos, startServersBehindKerberos } from "./serversBehindKerberos";

function thumbprintOf({ der }: CertificateSnapshot): Thumbprint {
  const thumbprint = parseThumbprint(new X509Certificate(der).fingerprint);
  if (thumbprint === undefined) throw new Error("no thumbprint");
  return thumbprint;
}

const unlimited = { signal: new AbortController().signal };

describeKerberos("the backend of real servers, with Kerberos over http", () => {
  let servers: ServersBehindKerberos;
  let realm: Realm;
  let front: Acceptor;
  let backend: Backend;
  const said: string[] = [];

  beforeAll(async () => {
    servers = await startServersBehindKerberos();
    ({ realm, front } = servers);
  });
  afterEach(async () => {
    await backend.close();
    front.forgetEvents();
  });
  afterAll(() => servers.stop());

  async function open(changes: Partial<RemoteSettings> = {}): Promise<Backend> {
    const settings: RemoteSettings = {
      endpoint: front.url,
      authentication: "kerberos",
      username: "operator@contoso.test",
      password: new Secret(realm.password("operator")),
      tlsServerName: undefined,
      caFile: undefined,
      maxConnectionsPerServer: 2,
      operationTimeoutSeconds: 1,
      dangerouslySkipTlsVerification: false,
      ...changes,
    };
    backend = await openRemote(settings, (line) => said.push(line));
    return backend;
  }

  it("reads a server and enables services, every body encrypted", async () => {
    const real = await open();
    const before = await real.readSnapshot(EX01, unlimited);
    const certificate = before.certificates.find(
      ({ displayedServices }) => displayedServices.kind === "known" && !displayedServices.value.includes("SMTP"),
    );
    if (certificate === undefined) throw new Error("no certificate without SMTP");
    const thumbprint = thumbprintOf(certificate);
    const request = { thumbprint, services: ["SMTP"], replaceDefaultSmtpCertificate: false, requireSsl: true } as const;
    await real.enableServices(EX01, request, unlimited);
    const after = await real.readSnapshot(EX01, unlimited);
    const enabled = after.certificates.find((one) => thumbprintOf(one) === thumbprint);
    expect(enabled?.displayedServices).toMatchObject({ kind: "known", value: expect.arrayContaining(["SMTP"]) });
    const users = front.events("authenticated").map(({ user }) => user);
    expect(new Set(users)).toEqual(new Set(["operator@CONTOSO.TEST"]));
    expect(front.events("request").filter(({ bytes, encrypted }) => bytes > 0 && !encrypted)).toEqual([]);
    expect(said).toEqual([]);
    await backend.close();
    expect(front.events("refused")).toEqual([]);
  });

  it("says AccessDenied, and what it tried, when the password is wrong", async () => {
    const real = await open({ password: new Secret("not-this-one") });
    const refusal = await real.readSnapshot(EX01, unlimited).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refusal).toMatchObject({
      code: "AccessDenied",
      message: expect.stringMatching(/operator@CONTOSO\.TEST.*the password is wrong.*exchange:password/),
      facts: { server: EX01, service: "HTTP/localhost", principal: "operator@CONTOSO.TEST", gssMajor: 0x70000 },
    });
  });
});
