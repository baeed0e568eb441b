import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { openRemote } from "../../../provider/backends/remote/remoteBackend";
import type { RemoteSettings } from "../../../provider/backends/remote/settings";
import type { Endpoint } from "../../../provider/backends/simulator/endpoint/endpoint";
import { memoryState } from "../../../provider/backends/simulator/stateFile";
import { packPfx } from "../../../provider/certificate/packPfx";
import { Secret } from "../../../provider/secret";
import { makeTestAuthority, makeTestCertificate } from "../../certificate/testCertificates";
import { formsOfPassword, leaksIn, secretsOf } from "../../engine/leaks";
import { endpointIdentity, PASSWORD, SERVER_NAME, startTestEndpoint, USER } from "../../remoting/endpoint";
import { defaultOrganisation, EX01 } from "../simulatedServer";

const pfxPassword = "the-password-of-this-pfx";
const material = makeTestCertificate({ dnsNames: ["mail.contoso.com"], issuer: makeTestAuthority() });
const pfx = packPfx(material, new Secret(pfxPassword));
const { thumbprint } = material.facts;
const options = { signal: AbortSignal.timeout(60_000) };

let directory: string;
let endpoint: Endpoint;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "trace-"));
  writeFileSync(join(directory, "ca.pem"), endpointIdentity().ca);
  endpoint = await startTestEndpoint({ store: memoryState(await defaultOrganisation()) });
});
afterAll(async () => {
  await endpoint.close();
  rmSync(directory, { recursive: true });
});

function settings(changes: Partial<RemoteSettings> = {}): RemoteSettings {
  return {
    endpoint: endpoint.url,
    authentication: "basic",
    username: USER,
    password: new Secret(PASSWORD),
    tlsServerName: SERVER_NAME,
    caFile: join(directory, "ca.pem"),
    // One lane: what comes after what is certain then.
    maxConnectionsPerServer: 1,
    operationTimeoutSeconds: 5,
    dangerouslySkipTlsVerification: false,
    ...changes,
  };
}

/** What differs from run to run, in words. */
function normalised(lines: readonly string[]): readonly string[] {
  return lines.map((line) =>
    line
      .replace(/^trace \d+\.\d{3} /, "")
      .replace(new RegExp(`127\\.0\\.0\\.1:${endpoint.port}`), "ADDRESS")
      .replace(thumbprint, "NEW")
      .replace(/\b[0-9A-F]{40}\b/g, "THUMBPRINT")
      .replace(/<\d+ bytes>/, "<BYTES>")
      .replace(/\(expires [^)]*\)/g, "(expires …)")
      .replace(/\d+ bytes out, \d+ bytes in, \d+ ms/, "…"),
  );
}

const [CREATE, COMMAND, SEND, RECEIVE, SIGNAL, DELETE] = (
  ["Create", "Command", "Send", "Receive", "Signal", "Delete"] as const
).map((operation) => `${operation}: HTTP 200, …, front end EX01`);

const thumbprintOfNothing = makeTestCertificate({ dnsNames: ["nothing.contoso.com"] }).facts.thumbprint;

describe("the trace of a conversation with a server", () => {
  it("tells what was asked and answered in an import and a change with a question, and no secret in any form", async () => {
    const lines: string[] = [];
    const backend = await openRemote(
      settings(),
      () => undefined,
      (line) => lines.push(line),
    );
    const friendlyName = "it's mail";
    const password = new Secret(pfxPassword);
    await backend.importCertificate(
      EX01,
      { thumbprint, pfx, password, friendlyName, privateKeyExportable: false },
      options,
    );
    await backend.enableServices(
      EX01,
      { thumbprint, services: ["SMTP", "IMAP"], replaceDefaultSmtpCertificate: false, requireSsl: true },
      options,
    );
    // The last command is put away while nobody waits for it; closing would cut that short.
    while (!lines.some((line) => line.includes("p4 Signal"))) await wait(5);
    await backend.close();

    expect(normalised(lines)).toEqual([
      "s1 c1 connecting to ADDRESS with TLS",
      's1 c1 connected, TLSv1.3, certificate THUMBPRINT of "mail.contoso.com" for mail.contoso.com, issued by "mail.contoso.com", until 2045-01-01',
      "s1 c1 the server set the cookie MS-WSMAN",
      "s1 c1 Basic accepted, HTTP 200",
      `s1 c1 ${CREATE}`,
      `s1 c1 ${RECEIVE}`,
      "s1 session open, protocol 2.3, PowerShell 5.1.17763.1",
      "s1 agreeing on a key for secure strings",
      `s1 c1 ${SEND}`,
      `s1 c1 ${RECEIVE}`,
      "s1 the key for secure strings is there",
      "s1 c1 p1 Import-ExchangeCertificate -Server ex01.contoso.com -FileData <BYTES> -Password [redacted] " +
        "-PrivateKeyExportable $false -FriendlyName 'it''s mail'",
      `s1 c1 p1 ${COMMAND}`,
      `s1 c1 p1 ${RECEIVE}`,
      "s1 c1 p1 Completed, 1 object, 0 errors",
      `s1 c1 p1 ${SIGNAL}`,
      "s1 c1 p2 Get-TransportService -Identity ex01.contoso.com",
      `s1 c1 p2 ${COMMAND}`,
      `s1 c1 p2 ${RECEIVE}`,
      "s1 c1 p2 Completed, 1 object, 0 errors",
      `s1 c1 p2 ${SIGNAL}`,
      "s1 c1 p3 Enable-ExchangeCertificate -Server ex01.contoso.com -Thumbprint NEW -Services SMTP,IMAP",
      `s1 c1 p3 ${COMMAND}`,
      `s1 c1 p3 ${RECEIVE}`,
      's1 c1 p3 asked by PromptForChoice: "Overwrite the existing default SMTP certificate? Current certificate: ' +
        "'THUMBPRINT' (expires …) Replace it with certificate: 'NEW' (expires …)\": No",
      `s1 c1 p3 ${SEND}`,
      `s1 c1 p3 ${RECEIVE}`,
      "s1 c1 p3 Completed, 0 objects, 0 errors",
      `s1 c1 p3 ${SIGNAL}`,
      "s1 c1 p4 Get-TransportService -Identity ex01.contoso.com",
      `s1 c1 p4 ${COMMAND}`,
      `s1 c1 p4 ${RECEIVE}`,
      "s1 c1 p4 Completed, 1 object, 0 errors",
      `s1 c1 p4 ${SIGNAL}`,
      "s1 closing the session",
      `s1 c1 ${DELETE}`,
    ]);
    const bytes = pfx.reveal();
    const secrets = [
      ...formsOfPassword("our password", PASSWORD),
      ...formsOfPassword("what Basic sends", `${USER}:${PASSWORD}`),
      ...secretsOf({
        thumbprint,
        bytes,
        base64: Buffer.from(bytes).toString("base64"),
        password: pfxPassword,
        privateKeyPem: material.privateKey.reveal().export({ type: "pkcs8", format: "pem" }).toString(),
        certificatePem: "",
      }),
    ];
    expect(leaksIn(lines.join("\n"), secrets)).toEqual([]);
  });

  it("tells errors by their identifiers", async () => {
    const lines: string[] = [];
    const backend = await openRemote(
      settings(),
      () => undefined,
      (line) => lines.push(line),
    );
    const removal = backend.removeCertificate(EX01, thumbprintOfNothing, options);
    await expect(removal).resolves.toEqual({ outcome: "alreadyGone" });
    await backend.close();
    expect(lines.join("\n")).toMatch(
      /p1 error \[Server=EX01,RequestId=[^\n]*\.RemoveExchangeCertificate \([^\n]*\): [^\n]*not found\.\n[^\n]*p1 Completed, 0 objects, 1 error/,
    );
  });

  it("tells why something was tried again, and what became of a change of unknown fate", async () => {
    const lines: string[] = [];
    const backend = await openRemote(
      settings(),
      () => undefined,
      (line) => lines.push(line),
    );
    await backend.setCertificateName(EX01, "IMAP", "mail.contoso.com", options);
    endpoint.inject({ fault: { kind: "shellExpired" }, operation: "Command" });
    await backend.setCertificateName(EX01, "IMAP", "imap.contoso.com", options);
    endpoint.inject({ fault: { kind: "responseCut", atByte: 0 }, operation: "Receive" });
    await backend.setCertificateName(EX01, "IMAP", "mail.contoso.com", options);
    await backend.close();
    const said = normalised(lines);
    expect(said).toContain("s1 c1 p2 Command: HTTP 500, …, fault 2150858843 InvalidSelectors, ShellGone");
    expect(said).toContain("s1 c1 p2 no answer: ShellGone; it did not run");
    expect(said).toContainEqual(
      expect.stringMatching(
        /^- Set-ImapSettings: again in a new session, because of ShellGone: The server refused Command/,
      ),
    );
    expect(said).toContain("s2 session open, protocol 2.3, PowerShell 5.1.17763.1");
    expect(said).toContain("s2 c1 p4 no answer: ConnectionLost; it may have run");
    expect(said).toContain(
      "- Set-ImapSettings: its fate was unknown (ConnectionLost); the server shows that it is done",
    );
  });

  it("tells why there is no connection, or that a wrong password was said, once", async () => {
    const failing = async (changes: Partial<RemoteSettings>): Promise<readonly string[]> => {
      const lines: string[] = [];
      const backend = await openRemote(
        settings(changes),
        () => undefined,
        (line) => lines.push(line),
      );
      await expect(backend.readSnapshot(EX01, options)).rejects.toThrow();
      await backend.close();
      expect(leaksIn(lines.join("\n"), formsOfPassword("the wrong password", "not-the-password-at-all"))).toEqual([]);
      return normalised(lines);
    };
    expect(await failing({ tlsServerName: "owa.fabrikam.com" })).toEqual([
      "s1 c1 connecting to ADDRESS with TLS",
      expect.stringMatching(/^s1 c1 not connected: TlsRefused: .* isn't made out to owa\.fabrikam\.com/),
      "s1 c1 Create: no answer, …, TlsRefused",
    ]);
    expect(await failing({ password: new Secret("not-the-password-at-all") })).toEqual([
      "s1 c1 connecting to ADDRESS with TLS",
      expect.stringMatching(/^s1 c1 connected, /),
      "s1 c1 Basic refused, HTTP 401",
      "s1 c1 Create: HTTP 401, …, AuthenticationRefused",
    ]);
  });
});
