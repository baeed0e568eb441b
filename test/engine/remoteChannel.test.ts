import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";

import { makeTestAuthority, makeTestCertificate } from "../certificate/testCertificates";
import { pem, tlsIdentity } from "../remoting/http/webServer";
import {
  EX01,
  defaultSmtpOf,
  frontEndOf,
  makeBindings,
  makePfx,
  pfxText,
  programOf,
  type TestPfx,
} from "./bindingProgram";
import { mustSucceed, type EngineProject } from "./engine";
import { formsOfPassword, leaksIn, leftBehind, secretsOf } from "./leaks";
import { HOSTS, PASSWORD, remoteConfig, serve, type Served } from "./served";

const NAME = "mail.contoso.com";
const authority = makeTestAuthority();
const ROOT = pem("CERTIFICATE", authority.chain[0] ?? new Uint8Array());
/** What the front end has before anything is changed: of a CA of the house, for the name of the load balancer. */
const present = makeTestCertificate({ dnsNames: [NAME], issuer: authority });

const brought: TestPfx[] = [];
/** A PFX, of which nothing may be found afterwards. */
function makeSecretPfx(wish: Parameters<typeof makePfx>[0]): TestPfx {
  const pfx = makePfx(wish);
  brought.push(pfx);
  return pfx;
}

const mail = (pfx: TestPfx, services = '["IIS"]'): string =>
  programOf({ mail: `{ server: "${EX01}", certificate: ${pfxText(pfx)}, services: ${services} }` });

let project: EngineProject;
let served: Served;
beforeAll(async () => {
  const { cert, key } = tlsIdentity(present);
  project = await makeBindings(
    {},
    {
      env: { ...HOSTS, EXCHANGE_PASSWORD: PASSWORD, EXCHANGE_TRACE: "1" },
      files: { "front.pem": cert, "front.key": key, "house-ca.pem": ROOT },
    },
  );
  mustSucceed(await project.simulator("init"));
  served = await serve(project, "--cert", "front.pem", "--key", "front.key", "--follow-iis");
});

/** Settings of the stack: the endpoint's URL with that host, and whatever else. */
function configure(host: string, more: Readonly<Record<string, string>> = {}): void {
  const url = `https://${host}:${String(served.port)}/PowerShell/`;
  project.writeFile("Pulumi.test.yaml", JSON.stringify({ config: remoteConfig(url, more) }));
}

const EXPECTED = { "exchange:tlsServerName": NAME, "exchange:caFile": "house-ca.pem" };

/** Thumbprint of what a new connection that trusts the CA of the house is shown. */
function shownToNewConnections(): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: served.port, servername: NAME, ca: ROOT }, () => {
      const { raw } = socket.getPeerCertificate();
      socket.destroy();
      resolve(new X509Certificate(raw).fingerprint.replaceAll(":", ""));
    });
    socket.once("error", reject);
  });
}

describe("a front end whose certificate says another name than the URL", () => {
  const pfx = makeSecretPfx({ issuer: authority });

  it.each([
    [
      "the name isn't told",
      { "exchange:caFile": "house-ca.pem" },
      ["isn't made out to localhost", "exchange:tlsServerName"],
    ],
    ["its CA isn't told", { "exchange:tlsServerName": NAME }, ["the CA", "isn't trusted", "exchange:caFile"]],
  ])("is refused in the preview when %s, naming the setting", async (_what, config, says) => {
    configure("localhost", config);
    project.setProgram(mail(pfx));
    const refused = await project.preview();
    expect(refused.exitCode).not.toBe(0);
    for (const text of says) expect(refused.combined).toContain(text);
    expect(refused.combined).not.toMatch(/\n\s+at \S+ \(/);
  });

  it("is talked to when both are told", async () => {
    configure("localhost", EXPECTED);
    const preview = mustSucceed(await project.preview());
    expect(preview.combined).toContain(`enables IIS for ${pfx.thumbprint.slice(0, 8)}`);
  });
});

describe("a certificate for IIS, through which our own connection goes,", () => {
  beforeAll(() => {
    configure("{server}", EXPECTED);
  });

  it.each([
    [
      "it isn't for the name that we expect",
      makeSecretPfx({ dnsNames: ["owa.contoso.com"], issuer: authority }),
      "expects the name mail.contoso.com",
    ],
    ["nobody but itself has signed it", makeSecretPfx({ dnsNames: [NAME] }), "trusts no self-signed certificate"],
    [
      "it is of a CA that we don't trust",
      makeSecretPfx({
        dnsNames: [NAME],
        issuer: makeTestCertificate({ subject: "CN=Fabrikam CA", isAuthority: true, key: "rsa2048b" }),
      }),
      "trusts no CA by the name of its issuer, CN=Fabrikam CA",
    ],
  ])("is refused in the preview when %s, naming both settings", async (_what, pfx, says) => {
    const before = await frontEndOf(project, EX01);
    project.setProgram(mail(pfx, '["IIS", "SMTP"]'));
    const refused = await project.preview();
    expect(refused.exitCode).not.toBe(0);
    expect(refused.combined).toContain("the certificate would lock this program out");
    for (const text of [says, "exchange:tlsServerName", "exchange:caFile"]) expect(refused.combined).toContain(text);
    expect(await frontEndOf(project, EX01)).toBe(before);
  });

  it("may lock out nobody when IIS isn't among the services", async () => {
    project.setProgram(mail(makeSecretPfx({ dnsNames: ["owa.contoso.com"] }), '["SMTP"]'));
    mustSucceed(await project.preview());
  });

  it("goes through when new connections will take it, and they do", async () => {
    const pfx = makeSecretPfx({ dnsNames: [NAME], issuer: authority });
    const builtIn = await frontEndOf(project, EX01);
    expect(await shownToNewConnections()).toBe(present.facts.thumbprint);
    project.setProgram(mail(pfx, '["IIS", "SMTP"]'));
    mustSucceed(await project.up("--skip-preview"));
    expect(await frontEndOf(project, EX01)).toBe(pfx.thumbprint);
    expect(await shownToNewConnections()).toBe(pfx.thumbprint);
    expect(await defaultSmtpOf(project, EX01)).toBe(builtIn);
    mustSucceed(await project.preview("--expect-no-changes"));
  });
});

it("tells in the up itself when new connections don't take what IIS has got, where no preview could know it", async () => {
  // The URL's host isn't the server's name: a load balancer may be in between, with a certificate of its own.
  configure("localhost", EXPECTED);
  const pfx = makeSecretPfx({ dnsNames: [NAME] });
  project.setProgram(mail(pfx));
  const failed = await project.up("--skip-preview");
  expect(failed.exitCode).not.toBe(0);
  for (const text of ["it is self-signed", "exchange:tlsServerName", "exchange:caFile", "run again to continue"]) {
    expect(failed.combined).toContain(text);
  }
  expect(await frontEndOf(project, EX01)).toBe(pfx.thumbprint);

  project.writeFile("house-ca.pem", ROOT + pfx.certificatePem);
  mustSucceed(await project.up("--skip-preview"));
  mustSucceed(await project.preview("--expect-no-changes"));
});

it("leaves no secret behind in what was printed and stored, tracing included", async () => {
  mustSucceed(await project.pulumi("stack", "export"));
  const secrets = [...brought.flatMap(secretsOf), ...formsOfPassword("the endpoint's password", PASSWORD)];
  for (const [where, text] of Object.entries({
    ...leftBehind(project),
    "the endpoint's output": served.outputText(),
  })) {
    expect({ where, leaks: leaksIn(text, secrets) }).toEqual({ where, leaks: [] });
  }
});
