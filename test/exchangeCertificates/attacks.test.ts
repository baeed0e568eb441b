import { createPublicKey } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildCertificate } from "../../provider/certificate/buildCertificate";
import { COMMON_NAME } from "../../provider/certificate/distinguishedName";
import { runCommandLine as runSimulator } from "../../provider/backends/simulator/commandLine";
import type { Organisation } from "../../provider/backends/simulator/organisation";
import { memoryState } from "../../provider/backends/simulator/stateFile";
import { Secret } from "../../provider/secret";
import { stored } from "../backends/simulator/lab";
import { defaultOrganisation, EX01, withServer } from "../backends/simulatedServer";
import { testKey } from "../certificate/testCertificates";
import { endpointIdentity, PASSWORD, SERVER_NAME, startTestEndpoint, USER } from "../remoting/endpoint";
import { runCommand } from "./commandRun";

/* Names that are attacks on whoever reads them in a terminal or in the log of a pipeline. */

const ATTACK =
  "\u001b[31mred\u001b]8;;https://evil.example\u0007link\n::error file=a::owned\r\n##vso[task.complete result=Failed]x" +
  " ##[command]y ##teamcity[z]\u202Edetrever\u200B\u0000\u009b\u2028::set-output name=a::b";
/** Only what is kept as JSON can hold half of a pair. */
const LONE = `${ATTACK}\ud800`;

const certificate = buildCertificate(
  {
    subject: [[{ oid: COMMON_NAME, value: ATTACK }]],
    publicKey: createPublicKey(testKey("rsa2048")),
    dnsNames: ["mail.contoso.com"],
    notBefore: new Date("2025-01-01T00:00:00Z"),
    notAfter: new Date(Date.now() + 5 * 86_400_000),
    serialNumber: new Uint8Array([1, 2, 3, 4]),
    isAuthority: false,
  },
  { privateKey: testKey("rsa2048"), certificate: undefined },
);

let directory: string;
let organisation: Organisation;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "attacks-"));
  const tlsName = `<I>CN=${LONE}<S>CN=${LONE}`;
  organisation = {
    ...withServer(await defaultOrganisation(), EX01, (state) => ({
      certificates: [
        ...state.certificates,
        stored({ der: certificate }, { friendlyName: LONE, privateKey: { networkServiceRead: true } }),
      ],
      imap: { x509CertificateName: ATTACK },
      receiveConnectors: [{ name: LONE, fqdn: ATTACK, tlsCertificateName: tlsName }],
    })),
    sendConnectors: [{ name: LONE, fqdn: null, tlsCertificateName: tlsName, sourceServers: ["EX01", ATTACK] }],
  };
  writeFileSync(join(directory, "organisation.json"), JSON.stringify(organisation));
  writeFileSync(join(directory, "ca.pem"), endpointIdentity().ca);
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function expectHarmless(raw: string): void {
  // eslint-disable-next-line no-control-regex -- they are what must not be there
  expect(raw).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]|\p{Cf}|\p{Cs}/u);
  expect(raw).not.toMatch(/^\s*::|##\w*\[/m);
  expect(raw).toContain("red");
}

describe("names that are attacks do no harm", () => {
  const simulator = async (...argv: string[]): Promise<string> => {
    const raw: string[] = [];
    await runSimulator([...argv, "--file", "organisation.json"], {
      workingDirectory: directory,
      environment: {},
      out: (text) => raw.push(text),
      error: (text) => raw.push(text),
      isInteractive: false,
      ask: () => Promise.resolve(undefined),
      readStandardInput: () => Promise.resolve(""),
      interrupted: () => Promise.resolve(),
    });
    return raw.join("\n");
  };

  it.each([
    ["show"],
    ["Get-ExchangeCertificate", "-Server", "ex01"],
    ["Get-ExchangeCertificate", "-Server", "ex01", "--json"],
    ["Get-ReceiveConnector", "-Server", "ex01"],
    ["Get-SendConnector", "--json"],
    ["Get-ImapSettings", "-Server", "ex01"],
    ["Set-ImapSettings", "-Server", "ex01", "-X509CertificateName", `${ATTACK} other`],
    ["Get-SendConnector", LONE],
    ["Get-SendConnector", "red\u001b[31m"],
    ["red\u001b[31m"],
    ["fault", "ex01", "answersAs", `red${ATTACK}`],
  ])("in exchange-simulator: %j", async (...argv) => {
    expectHarmless(`${await simulator(...argv)} red`);
  });

  it.each([["--json"], ["--ends-within", "30"]])("in an inventory: %j", async (...argv) => {
    const { out, errors } = await runCommand(["inventory", "--server", EX01, ...argv], {
      workingDirectory: directory,
      environment: { EXCHANGE_BACKEND: "simulator", EXCHANGE_SIMULATOR_FILE: "organisation.json" },
    });
    expectHarmless(out + errors);
  });

  it.each([["--json"], ["--timeout", "30"]])(
    "in the doctor's report, where the server itself is named so: %j",
    async (...argv) => {
      const key = testKey("rsa2048").export({ format: "pem", type: "pkcs8" }) as string;
      const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(certificate).toString("base64")}\n-----END CERTIFICATE-----\n`;
      const endpoint = await startTestEndpoint({
        store: memoryState(organisation),
        tls: { certificate: pem, privateKey: new Secret(key) },
      });
      writeFileSync(join(directory, "attack-ca.pem"), pem);
      const environment = (changes: Readonly<Record<string, string>>) => ({
        EXCHANGE_ENDPOINT: endpoint.url,
        EXCHANGE_AUTHENTICATION: "basic",
        EXCHANGE_USERNAME: USER,
        EXCHANGE_PASSWORD: PASSWORD,
        EXCHANGE_TLS_SERVER_NAME: SERVER_NAME,
        EXCHANGE_CA_FILE: "attack-ca.pem",
        ...changes,
      });
      try {
        for (const changes of [{}, { EXCHANGE_CA_FILE: "ca.pem" }, { EXCHANGE_TLS_SERVER_NAME: "other.contoso.com" }]) {
          const { out, errors } = await runCommand(["doctor", "--server", EX01, ...argv], {
            workingDirectory: directory,
            environment: environment(changes),
          });
          expectHarmless(out + errors);
        }
      } finally {
        await endpoint.close();
      }
    },
  );
});
