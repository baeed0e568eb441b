import { formatDistinguishedName, parseDistinguishedName } from "../../provider/certificate/distinguishedName";
import type { Organisation } from "../../provider/backends/simulator/organisation";
import { valueOf } from "../powershellReader";
import {
  EX01,
  STATE_FILE,
  enableByHand,
  makeBindings,
  makePfx,
  pfxText,
  programOf,
  type TestPfx,
} from "../engine/bindingProgram";
import { mustSucceed } from "../engine/engine";
import { HOSTS, PASSWORD, USER, remoteConfig, serve } from "../engine/served";

/** Parts of a name that are attacks on a terminal, on a reader, on a pipeline and on PowerShell. */
const TERMINAL = "\u001b[31mred\u001b]8;;https://evil.example\u0007link\u009b1m";
const PIPELINE = "\n::error file=a::owned\r\n##vso[task.complete]x ##[command]y";
const READER = "\u202Edetrever\u200B\u2066\u0000\uFEFF ##teamcity[z]";
const QUOTES = "O'Brien \u2018a\u2019 \u201Ab\u201B; calc $(x) `y`";
const NAME = `CN="${TERMINAL}", O="${PIPELINE}", OU="${READER}", L="${QUOTES}"`;
const CONNECTORS = [QUOTES, `${TERMINAL}${PIPELINE}${READER}`];

/** As a certificate's subject is shown. */
function shownName(text: string): string {
  const parsed = parseDistinguishedName(text);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return formatDistinguishedName(parsed.name);
}

const bring = (subject: string): TestPfx => makePfx({ subject, dnsNames: ["mail.contoso.com"] });
const declare = (certificate: string, more = '["IIS", "SMTP"]'): string =>
  programOf({ mail: `{ server: "${EX01}", certificate: ${certificate}, services: ${more} }` });

function expectHarmless(raw: string): void {
  // eslint-disable-next-line no-control-regex -- they are what must not be there
  expect(raw.match(/.*(?:[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]|\p{Cf}|\p{Cs}).*/gu) ?? []).toEqual([]);
  expect(raw.match(/^\s*::.*|.*##\w*\[.*/gm) ?? []).toEqual([]);
}

describe("certificates and connectors named like an attack, in the real engine", () => {
  it("leave nothing in any output that steers a terminal or a pipeline, and commands that mean them exactly", async () => {
    const [old, next] = [bring(NAME), bring(`CN="${QUOTES}"`)];
    const project = await makeBindings(
      {},
      { program: declare(pfxText(old)), env: { ...HOSTS, EXCHANGE_TRACE: "1", EXCHANGE_PASSWORD: PASSWORD } },
    );
    const served = await serve(project);
    const url = `https://localhost:${String(served.port)}/PowerShell/`;
    const config = remoteConfig(url, { "exchange:caFile": "exchange-simulator-ca.pem" });
    project.writeFile("Pulumi.test.yaml", JSON.stringify({ config }));
    mustSucceed(await project.preview());
    mustSucceed(await project.up("--skip-preview"));

    const organisation = JSON.parse(project.readFile(STATE_FILE)) as Organisation;
    const tlsCertificateName = `<I>${shownName(NAME)}<S>${shownName(NAME)}`;
    const sendConnectors = CONNECTORS.map((name) => ({
      name,
      fqdn: null,
      tlsCertificateName,
      sourceServers: ["EX01"],
    }));
    project.writeFile(STATE_FILE, JSON.stringify({ ...organisation, sendConnectors }));
    project.setProgram(declare(pfxText(next)));
    mustSucceed(await project.preview("--diff"));
    const replaced = mustSucceed(await project.up("--skip-preview", "--diff"));
    // With --diff the engine also shows the outputs, in its own way of quoting.
    const own = /^[^"]*still to do: send connector .*: Set-SendConnector (.*)$/gm;
    const commands = Array.from(replaced.combined.matchAll(own), ([, command = ""]) => command);
    const meant = commands.map((command) => {
      const identity = valueOf(command);
      return [identity.value, valueOf(identity.rest.replace(" -TlsCertificateName ", "")).value];
    });
    const value = `<I>${shownName(`CN="${QUOTES}"`)}<S>${shownName(`CN="${QUOTES}"`)}`;
    for (const connector of CONNECTORS) expect(meant).toContainEqual([connector, value]);

    await enableByHand(project, EX01, old.thumbprint, "IIS");
    const drifted = mustSucceed(await project.preview());
    expect(drifted.combined).toContain(`DRIFT: IIS is now held by ${old.thumbprint.slice(0, 8)}`);
    for (const [certificate, more] of [
      [`{ thumbprint: "${old.thumbprint}" }`, `["IMAP"], imapCertificateName: "imap.contoso.com"`],
      [pfxText(next), `["SMTP"], friendlyName: ${JSON.stringify(TERMINAL + PIPELINE)}`],
      [pfxText(next), `["SMTP"], onServiceRemoved: "##vso[task.complete]x"`],
      [`{ selfSigned: { dnsNames: ["::error::x"], subject: ${JSON.stringify(READER)} } }`, '["SMTP"]'],
    ] as const) {
      project.setProgram(declare(certificate, more));
      expect((await project.preview()).exitCode).not.toBe(0);
    }

    mustSucceed(await project.simulator("show"));
    mustSucceed(await project.simulator("Get-SendConnector"));
    const way = ["--server", EX01, "--endpoint", url, "--authentication", "basic", "--username", USER];
    const trusting = [...way, "--ca-file", "exchange-simulator-ca.pem"];
    mustSucceed(await project.exchangeCertificates("inventory", ...trusting));
    mustSucceed(await project.exchangeCertificates("inventory", ...trusting, "--json"));
    mustSucceed(await project.exchangeCertificates("doctor", ...trusting));
    expectHarmless(project.transcriptText());
  });
});
