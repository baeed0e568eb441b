import { EX01, certificatesOf, defaultSmtpOf, frontEndOf, makeBindings, programOf } from "./bindingProgram";
import { mustSucceed, type EngineProject } from "./engine";
import { startBreakingFrontEnd, type BreakingFrontEnd, type Mishap } from "./mishaps";
import { PASSWORD, remoteConfig } from "./served";

const IMPORT = "Import-ExchangeCertificate";
const ENABLE = "Enable-ExchangeCertificate";

let project: EngineProject;
let frontEnd: BreakingFrontEnd;
let builtIn: string;
beforeAll(async () => {
  project = await makeBindings({}, { env: { EXCHANGE_PASSWORD: PASSWORD } });
  mustSucceed(await project.simulator("init"));
  frontEnd = await startBreakingFrontEnd(project);
  project.writeFile("front-ca.pem", frontEnd.authority);
  const config = remoteConfig(frontEnd.url, { "exchange:caFile": "front-ca.pem" });
  project.writeFile("Pulumi.test.yaml", JSON.stringify({ config }));
  builtIn = await defaultSmtpOf(project, EX01);
});
afterAll(() => frontEnd.close());

/** Ways in which a certificate is made, imported and enabled, one after the other, each by its own binding. */
let made = 0;

/** A program with another binding than the last one, whose certificate is made by the program. */
function declareAnother(timeoutSeconds = 60): string {
  made += 1;
  const name = `mail${String(made)}`;
  const certificate = `{ selfSigned: { dnsNames: ["${name}.contoso.com"] } }`;
  project.setProgram(
    programOf({
      [name]: `{ server: "${EX01}", certificate: ${certificate}, services: ["IIS", "SMTP"], timeoutSeconds: ${String(timeoutSeconds)} }`,
    }),
  );
  return name;
}

/** It is there once, holds what was declared and nothing else, and the default SMTP certificate is what it was. */
async function mustHaveConverged(name: string): Promise<void> {
  mustSucceed(await project.preview("--expect-no-changes"));
  const made = (await certificatesOf(project, EX01)).filter(({ Subject }) => Subject === `CN=${name}.contoso.com`);
  expect(made).toEqual([expect.objectContaining({ Services: "IIS, SMTP" })]);
  expect(await frontEndOf(project, EX01)).toBe(made[0]?.Thumbprint);
  expect(await defaultSmtpOf(project, EX01)).toBe(builtIn);
}

describe("an up", () => {
  it.each<[string, readonly Mishap[]]>([
    [
      "the connection ends before the result's first byte, in its head, and before its last byte",
      [
        { cmdlet: IMPORT, operation: "Receive", what: 0 },
        { cmdlet: ENABLE, operation: "Receive", what: 30 },
        { cmdlet: ENABLE, operation: "Receive", what: -1, after: 2 },
      ],
    ],
    [
      "the connection ends while it is confirmed that a cmdlet has begun",
      [
        { cmdlet: IMPORT, operation: "Command", what: 0 },
        { cmdlet: ENABLE, operation: "Command", what: -40 },
        { cmdlet: ENABLE, operation: "Command", what: 100, after: 1 },
      ],
    ],
    [
      "requests never arrive, the answer to the question about the default SMTP certificate among them",
      [
        { cmdlet: IMPORT, operation: "Command", what: "lost" },
        { cmdlet: ENABLE, operation: "Command", what: "lost" },
        { cmdlet: ENABLE, operation: "Send", what: "lost" },
      ],
    ],
    [
      "the shell expires, and the server is busy",
      [
        { cmdlet: IMPORT, operation: "Receive", what: "shellExpired" },
        { cmdlet: ENABLE, operation: "Receive", what: "shellExpired" },
        { cmdlet: IMPORT, operation: "Command", what: "throttled" },
        { cmdlet: ENABLE, operation: "Command", what: "throttled" },
        { cmdlet: ENABLE, operation: "Receive", what: "throttled", after: 2 },
      ],
    ],
    [
      "the server is started anew while it imports, and while it enables",
      [
        { cmdlet: IMPORT, operation: "Command", what: "restart" },
        { cmdlet: ENABLE, operation: "Receive", what: "restart" },
      ],
    ],
  ])("ends well when %s", async (_what, mishaps) => {
    const name = declareAnother();
    frontEnd.expect(...mishaps);
    mustSucceed(await project.up("--skip-preview"));
    expect(frontEnd.outstanding()).toEqual([]);
    await mustHaveConverged(name);
  });

  it.each<[string, number, readonly Mishap[], readonly string[]]>([
    [
      "the connection ends whenever a result is to come",
      60,
      [{ cmdlet: ENABLE, operation: "Receive", what: 200, times: 1000 }],
      ["Enabling SMTP", "the connection ended before the answer was there"],
    ],
    [
      "the connection ends during an import, and the server can't be read afterwards",
      12,
      [
        { cmdlet: IMPORT, operation: "Receive", what: 0 },
        { cmdlet: "Get-ExchangeCertificate", operation: "Command", what: "lost", after: 2, times: 1000 },
      ],
      [
        "no end after 12 seconds",
        "Importing certificate",
        "Whether Import-ExchangeCertificate was carried out isn't known",
      ],
    ],
  ])("fails, and says where it is, when %s; the next one goes on", async (_what, limit, mishaps, says) => {
    const name = declareAnother(limit);
    frontEnd.expect(...mishaps);
    const failed = await project.up("--skip-preview");
    expect(failed.exitCode).not.toBe(0);
    for (const text of says) expect(failed.combined).toContain(text);
    expect(failed.combined).not.toMatch(/\n\s+at \S+ \(/);
    expect(await defaultSmtpOf(project, EX01)).toBe(builtIn);

    frontEnd.expect();
    mustSucceed(await project.up("--skip-preview"));
    await mustHaveConverged(name);
  });
});
