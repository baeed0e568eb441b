import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Endpoint } from "../../provider/backends/simulator/endpoint/endpoint";
import { memoryState, type StateStore } from "../../provider/backends/simulator/stateFile";
import { runCommandLine } from "../../provider/exchangeCertificates/commandLine";
import type { Outcome, Step } from "../../provider/doctor/finding";
import type { FindingText } from "../../provider/doctor/texts";
import { defaultOrganisation, EX01, EX02, withFaults } from "../backends/simulatedServer";
import { makeTestCertificate } from "../certificate/testCertificates";
import { endpointIdentity, PASSWORD, SERVER_NAME, startTestEndpoint, USER } from "../remoting/endpoint";
import { pem } from "../remoting/http/webServer";

let directory: string;
let endpoint: Endpoint;
let store: StateStore;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "doctor-"));
  writeFileSync(join(directory, "ca.pem"), endpointIdentity().ca);
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});
beforeEach(async () => {
  store = memoryState(await defaultOrganisation());
  endpoint = await startTestEndpoint({ store });
});
afterEach(() => endpoint.close());

interface Surroundings {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly typed?: string;
  readonly standardInput?: string;
  readonly interrupted?: Promise<void>;
  /** Hears each line of standard error. */
  readonly heard?: (line: string) => void;
}

async function run(args: readonly string[], surroundings: Surroundings = {}) {
  const out: string[] = [];
  const errors: string[] = [];
  const { typed, standardInput = "", interrupted = new Promise<void>(() => undefined) } = surroundings;
  const environment = { EXCHANGE_PASSWORD: PASSWORD, ...surroundings.environment };
  const code = await runCommandLine(args, {
    workingDirectory: directory,
    environment,
    out: (text) => out.push(text),
    error: (text) => {
      errors.push(text);
      surroundings.heard?.(text);
    },
    isInteractive: typed !== undefined,
    ask: () => Promise.resolve(typed),
    readStandardInput: () => Promise.resolve(standardInput),
    interrupted: () => interrupted,
  });
  return { code, out: out.join("\n"), errors: errors.join("\n") };
}

/** A walk to the endpoint; options may be changed or, with `undefined`, left out. */
const walking = (changes: Readonly<Record<string, string | undefined>> = {}): string[] => [
  "doctor",
  ...Object.entries({
    server: EX01,
    endpoint: endpoint.url,
    authentication: "basic",
    username: USER,
    "tls-server-name": SERVER_NAME,
    "ca-file": "ca.pem",
    ...changes,
  }).flatMap(([name, value]: [string, string | undefined]) => (value === undefined ? [] : [`--${name}`, value])),
];

/** As it is shown to machines. */
interface Finding extends FindingText {
  readonly step: Step;
  readonly outcome: Outcome;
}

interface Walked {
  readonly code: number;
  /** Of the first server, and before it of the settings. */
  readonly findings: readonly Finding[];
  readonly summary: string;
}

async function walked(args: readonly string[], surroundings?: Surroundings): Promise<Walked> {
  const { code, out } = await run([...args, "--json"], surroundings);
  const { settings, servers, summary } = JSON.parse(out) as {
    readonly settings: readonly Finding[];
    readonly servers: readonly { readonly findings: readonly Finding[] }[];
    readonly summary: string;
  };
  return { code, findings: [...settings, ...(servers[0]?.findings ?? [])], summary };
}

/** The steps with their outcomes, and the last finding, at which the walk ended. */
function stepsOf({ findings }: Walked): readonly string[] {
  return findings.map(({ step, outcome }) => `${outcome} ${step}`);
}
const lastOf = ({ findings }: Walked): Finding | undefined => findings.at(-1);

const UP_TO_TLS = ["ok settings", "ok name", "ok connection"];
const UP_TO_SIGN_IN = [...UP_TO_TLS, "ok TLS", "ok web server", "ok clock"];
const UP_TO_SESSION = [...UP_TO_SIGN_IN, "ok authentication", "ok session"];

describe("a walk to a server where everything is well", () => {
  it("says so step by step, and leaves nothing behind there", async () => {
    const before = await store.read();
    const { code, out, errors } = await run(walking());
    expect(
      out
        .replace(/exchange-certificates \S+ doctor/, "exchange-certificates VERSION doctor")
        .replaceAll(endpoint.url, "URL")
        .replaceAll(String(endpoint.port), "PORT")
        .replaceAll(directory, "DIRECTORY")
        .replaceAll("DIRECTORY\\", "DIRECTORY/")
        // A long path of the directory for temporary files goes to a line of its own.
        .replace(/trusting\s+DIRECTORY/, "trusting DIRECTORY")
        .replace(/after \d+ ms/, "after N ms")
        .replace(/certificate [0-9A-F]{40}/, "certificate THUMBPRINT")
        .replace(/\d+ days left/, "N days left"),
    ).toBe(
      `exchange-certificates VERSION doctor. It only reads: nothing on any server is changed.
  ok    settings       Basic as administrator@contoso.com, URL, expecting
                       mail.contoso.com, trusting DIRECTORY/ca.pem

ex01.contoso.com
  ok    name           127.0.0.1 is an address; there is nothing to look up
  ok    connection     127.0.0.1:PORT answers, after N ms
  ok    TLS            TLSv1.3; certificate THUMBPRINT "mail.contoso.com" for
                       mail.contoso.com, issued by "mail.contoso.com", N days left; trusted, and made out to
                       mail.contoso.com
  ok    web server     it takes Basic
  ok    clock          the server's clock and ours agree
  ok    authentication Basic as administrator@contoso.com, accepted
  ok    session        open, protocol 2.3, PowerShell 5.1.17763.1, front end EX01
  ok    cmdlets        all 17 that are used can be seen
  ok    reading        3 certificates on ex01.contoso.com, Exchange 15.2.1748.10
  ok    services       told by a projection at the server (Select-Object)

It can be used.`,
    );
    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    expect(await store.read()).toEqual(before);
    expect(endpoint.shellCount()).toBe(0);
  });

  it("is the same for machines, and holds no password", async () => {
    const { code, out } = await run([...walking(), "--json"], { environment: { EXCHANGE_TRACE: "1" } });
    const report = JSON.parse(out) as Record<string, unknown>;
    expect(code).toBe(0);
    expect(report).toMatchObject({ readOnly: true, interrupted: false, exitCode: 0, summary: "It can be used." });
    expect(stepsOf(await walked(walking()))).toEqual([...UP_TO_SESSION, "ok cmdlets", "ok reading", "ok services"]);
    expect(out).not.toContain(PASSWORD);
  });

  it("takes the settings from the environment too, and the password from where it is said", async () => {
    const environment = {
      EXCHANGE_PASSWORD: undefined,
      EXCHANGE_BACKEND: "remote",
      EXCHANGE_SERVERS: `["${EX01}"]`,
      EXCHANGE_ENDPOINT: endpoint.url,
      EXCHANGE_AUTHENTICATION: "basic",
      EXCHANGE_USERNAME: USER,
      EXCHANGE_TLS_SERVER_NAME: SERVER_NAME,
      EXCHANGE_CA_FILE: "ca.pem",
      OTHER_NAME: PASSWORD,
    };
    expect((await run(["doctor", "--password-env", "OTHER_NAME"], { environment })).code).toBe(0);
    expect((await run(["doctor", "--password-stdin"], { environment, standardInput: `${PASSWORD}\n` })).code).toBe(0);
    expect((await run(["doctor"], { environment, typed: PASSWORD })).code).toBe(0);
    // Options go first.
    const complete = { environment: { ...environment, EXCHANGE_PASSWORD: PASSWORD } };
    expect(lastOf(await walked(["doctor", "--tls-server-name", "owa.fabrikam.com"], complete))).toMatchObject({
      step: "TLS",
      outcome: "fail",
    });
  });

  it("shows the conversation with EXCHANGE_TRACE=1", async () => {
    const { errors } = await run(walking(), { environment: { EXCHANGE_TRACE: "1" } });
    expect(errors).toMatch(/^trace \d+\.\d{3} s1 c1 connecting to 127\.0\.0\.1:/);
    expect(errors).toContain("p1 Get-Command -Name Get-ExchangeCertificate,");
    expect(errors).not.toContain(PASSWORD);
  });

  it("goes on with the next server after one that can't be used", async () => {
    await setFaults(EX02, { unreachable: true });
    const { code, out } = await run([...walking({ server: undefined }), "--server", `${EX02}, ${EX01}`]);
    expect(code).toBe(1);
    expect(out).toMatch(/\nex02\.contoso\.com\n[^]*FAIL[^]*\n\nex01\.contoso\.com\n/);
    expect(out).toMatch(/\n1 of 2 servers can be used\. Not: ex02\.contoso\.com \(reading\)\.$/);
  });
});

describe("a walk ends where going on makes no sense, and says what to do", () => {
  it("without a host of that name", async () => {
    const walk = await walked(walking({ endpoint: "https://no-such-host.invalid/PowerShell/" }));
    expect(stepsOf(walk)).toEqual(["ok settings", "fail name"]);
    expect(lastOf(walk)?.text).toMatch(/^no-such-host\.invalid: .*\((?:ENOTFOUND|EAI_AGAIN)\)\.$/);
    expect(lastOf(walk)?.remedies.length).toBeGreaterThan(0);
    expect(walk).toMatchObject({ code: 1, summary: "It can't be used: ex01.contoso.com (name)." });
  });

  it("where nobody listens", async () => {
    const server = await listening(createServer());
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const walk = await walked(walking({ endpoint: `https://127.0.0.1:${port}/PowerShell/` }));
    expect(stepsOf(walk)).toEqual(["ok settings", "ok name", "fail connection"]);
    expect(lastOf(walk)?.text).toContain("nobody listens on that port");
  });

  it("where the CA isn't trusted", async () => {
    const other = makeTestCertificate({ dnsNames: ["ca.fabrikam.com"], key: "rsa2048b", isAuthority: true });
    writeFileSync(join(directory, "other.pem"), pem("CERTIFICATE", other.der));
    const walk = await walked(walking({ "ca-file": "other.pem" }));
    expect(stepsOf(walk)).toEqual([...UP_TO_TLS, "fail TLS"]);
    expect(lastOf(walk)?.text).toMatch(/isn't among the certificates that are trusted\. It is that of "mail/);
    expect(lastOf(walk)?.remedies.join(" ")).toMatch(/exchange:caFile \(--ca-file\)/);
  });

  it("where the certificate is made out to another name", async () => {
    const walk = await walked(walking({ "tls-server-name": "owa.fabrikam.com" }));
    expect(stepsOf(walk)).toEqual([...UP_TO_TLS, "fail TLS"]);
    expect(lastOf(walk)?.text).toMatch(/isn't made out to owa\.fabrikam\.com.* for mail\.contoso\.com/);
    expect(lastOf(walk)?.remedies[0]).toContain("--tls-server-name");
  });

  it("where the port doesn't speak TLS", async () => {
    const plain = await startTestEndpoint({ store, tls: undefined as never });
    try {
      const walk = await walked(walking({ endpoint: plain.url.replace("http:", "https:") }));
      expect(stepsOf(walk)).toEqual([...UP_TO_TLS, "fail TLS"]);
      expect(lastOf(walk)?.text).toBe("The port is open, but it doesn't speak TLS.");
    } finally {
      await plain.close();
    }
  });

  it("where somebody listens but says nothing, in time", async () => {
    const silent = await listening(createServer(() => undefined));
    try {
      const { port } = silent.address() as AddressInfo;
      const walk = await walked([...walking({ endpoint: `https://127.0.0.1:${port}/PowerShell/` }), "--timeout", "1"]);
      expect(stepsOf(walk)).toEqual([...UP_TO_TLS, "fail TLS"]);
      expect(lastOf(walk)?.text).toContain("within 1 seconds");
    } finally {
      silent.close();
    }
  });

  it("where the path is wrong", async () => {
    const walk = await walked(walking({ endpoint: endpoint.url.replace("PowerShell", "ecp") }));
    expect(stepsOf(walk)).toEqual([...UP_TO_TLS, "ok TLS", "fail web server"]);
    expect(lastOf(walk)?.text).toContain("HTTP 404: there is nothing at /ecp/");
  });

  it("where the password is wrong, and says it once", async () => {
    const { errors, code } = await run(walking(), {
      environment: { EXCHANGE_PASSWORD: "wrong", EXCHANGE_TRACE: "1" },
    });
    expect(code).toBe(1);
    expect(errors.match(/Basic refused/g)).toHaveLength(1);
    const walk = await walked(walking(), { environment: { EXCHANGE_PASSWORD: "wrong" } });
    expect(stepsOf(walk)).toEqual([...UP_TO_SIGN_IN, "fail authentication"]);
    expect(lastOf(walk)?.text).toContain(`user name or password is wrong, or the account may not log on (${USER})`);
  });

  it("where the account may not use remote PowerShell", async () => {
    endpoint.inject({ fault: { kind: "accessDenied" }, operation: "Create" });
    const walk = await walked(walking());
    expect(stepsOf(walk)).toEqual([...UP_TO_SIGN_IN, "ok authentication", "fail session"]);
    expect(lastOf(walk)?.remedies[0]).toContain("-RemotePowerShellEnabled $true");
  });

  it("where too many sessions are open", async () => {
    endpoint.inject({ fault: { kind: "throttled" }, operation: "Create" });
    const walk = await walked(walking());
    expect(stepsOf(walk)).toEqual([...UP_TO_SIGN_IN, "ok authentication", "fail session"]);
    expect(lastOf(walk)?.remedies[0]).toContain("18 by default");
    expect(lastOf(walk)?.remedies[0]).toContain("Ours do so a minute after");
  });

  it("where the application behind the directory doesn't run", async () => {
    await setFaults(EX01, { unreachable: true });
    const fromEx01 = await walked(walking({ server: EX01 }));
    expect(stepsOf(fromEx01)).toEqual([...UP_TO_SIGN_IN, "ok authentication", "fail session"]);
    expect(lastOf(fromEx01)?.text).toContain("503");
  });

  it("where the server that is meant can't be reached by the one that answers", async () => {
    await setFaults(EX02, { unreachable: true });
    const walk = await walked(walking({ server: EX02 }));
    expect(stepsOf(walk)).toEqual([...UP_TO_SESSION, "ok cmdlets", "fail reading"]);
    expect(lastOf(walk)?.remedies[0]).toContain("RPC");
  });

  it("where there is no such server in the organisation", async () => {
    const walk = await walked(walking({ server: "ex09.contoso.com" }));
    expect(stepsOf(walk)).toEqual([...UP_TO_SESSION, "ok cmdlets", "fail reading"]);
    expect(lastOf(walk)?.text).toBe(
      "There is no server ex09.contoso.com in this organisation; it has ex01.contoso.com, ex02.contoso.com.",
    );
  });
});

describe("a walk goes on where only something is missing, and warns", () => {
  it("of cmdlets that the account sees no role for", async () => {
    await setFaults(EX01, { hiddenCmdlets: ["Set-ImapSettings", "Get-AuthConfig"] });
    const walk = await walked(walking());
    expect(walk.code).toBe(0);
    const cmdlets = walk.findings.filter(({ step }) => step === "cmdlets");
    expect(cmdlets.map(({ outcome, text }) => `${outcome} ${text}`)).toEqual([
      "ok 15 of 17 that are used can be seen",
      "warn Get-AuthConfig can't be seen: it isn't known which certificate is the Auth certificate.",
      "warn Set-ImapSettings can't be seen: imapCertificateName can't be set; needed only where it is declared.",
    ]);
    expect(cmdlets[2]?.remedies).toEqual([expect.stringContaining('the role "POP3 And IMAP4 Protocols"')]);
    const reading = walk.findings.filter(({ step }) => step === "reading");
    expect(reading.map(({ outcome }) => outcome)).toEqual(["ok", "warn"]);
    expect(reading[1]?.text).toContain("Unknown: the Auth certificate, because: The term 'Get-AuthConfig'");
    expect(walk.summary).toBe("It can be used, with 3 warnings.");
  });

  it("of cmdlets that the fixed endpoint's version lacks, and names a server of that version as endpoint", async () => {
    const walk = await walked(walking({ server: EX02 }));
    expect(walk.code).toBe(0);
    const remedies = walk.findings.filter(({ step }) => step === "reading").flatMap((one) => one.remedies);
    expect(remedies.join("\n")).toContain("name a server of this version (15.1) as exchange:endpoint (--endpoint)");
    const onEx01 = await walked(walking());
    expect(JSON.stringify(onEx01.findings)).not.toContain("of this version");
  });

  it("and fails where certificates can't be seen at all", async () => {
    await setFaults(EX01, { hiddenCmdlets: ["Get-ExchangeCertificate"] });
    const walk = await walked(walking());
    expect(walk.code).toBe(1);
    expect(stepsOf(walk)).toEqual([...UP_TO_SESSION, "fail cmdlets"]);
    expect(lastOf(walk)?.remedies).toEqual([expect.stringContaining('the role "Exchange Server Certificates"')]);
  });

  it("of services that aren't told", async () => {
    await setFaults(EX01, { servicesUnknown: true });
    const walk = await walked(walking());
    expect(walk.code).toBe(0);
    expect(stepsOf(walk)).toEqual([...UP_TO_SESSION, "ok cmdlets", "ok reading", "warn services"]);
    expect(lastOf(walk)?.text).toMatch(/^What 3 of 3 certificates serve isn't told/);
  });

  it.each(["refused", "absent"] as const)(
    "and says how services are told where a projection is %s",
    async (projection) => {
      endpoint.behave({ projection });
      const walk = await walked(walking());
      expect(walk.code).toBe(0);
      expect(lastOf(walk)).toMatchObject({
        step: "services",
        outcome: "ok",
        text: "told by whole objects (SerializationData)",
      });
      const [cmdlets] = walk.findings.filter(({ step }) => step === "cmdlets");
      expect(cmdlets?.text).toBe(
        `all 17 that are used can be seen${projection === "absent" ? "; their parameters aren't told" : ""}`,
      );
    },
  );

  it("of a certificate that nobody verifies", async () => {
    const environment = { EXCHANGE_DANGEROUSLY_SKIP_TLS_VERIFICATION: "true" };
    const walk = await walked(walking(), { environment });
    expect(walk.findings.find(({ step }) => step === "TLS")).toMatchObject({ outcome: "warn" });
  });
});

describe("a walk that somebody ends", () => {
  it("ends at once, and leaves no session behind", async () => {
    const silent = await listening(createServer(() => undefined));
    try {
      const { port } = silent.address() as AddressInfo;
      const interrupted = new Promise<void>((resolve) =>
        silent.once("connection", () => {
          resolve();
        }),
      );
      const walk = await walked(walking({ endpoint: `https://127.0.0.1:${port}/PowerShell/` }), { interrupted });
      expect(walk).toMatchObject({ code: 1, summary: "It was interrupted before it was through." });
      expect(stepsOf(walk)).not.toContain("fail TLS");
    } finally {
      silent.close();
    }
    endpoint.inject({ fault: { kind: "slow", milliseconds: 60_000 }, operation: "Command" });
    let interrupt: () => void = () => undefined;
    const ended = await walked(walking(), {
      environment: { EXCHANGE_TRACE: "1" },
      interrupted: new Promise<void>((resolve) => (interrupt = resolve)),
      heard: (line) => {
        if (line.includes("p1 Get-Command")) interrupt();
      },
    });
    expect(ended).toMatchObject({ code: 1, summary: "It was interrupted before it was through." });
    while (endpoint.shellCount() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });
});

describe("settings that can't be used", () => {
  it.each([
    [
      { authentication: "ntlm" },
      {},
      /--authentication takes kerberos or basic, and holds something else \(a word, 4 characters\)/,
    ],
    [{ endpoint: "http://{server}/PowerShell/", "tls-server-name": undefined, "ca-file": undefined }, {}, /clear text/],
    [{ username: undefined }, { EXCHANGE_PASSWORD: undefined }, /Basic authentication needs exchange:username/],
    [{ username: undefined }, {}, /EXCHANGE_PASSWORD is set, but exchange:username isn't/],
    [{ "ca-file": "nowhere.pem" }, {}, /exchange:caFile \(.*nowhere\.pem\) can't be read/],
    [{}, { EXCHANGE_BACKEND: "simulator" }, /there are no real servers to look at\. "exchange-simulator show"/],
    [{}, { EXCHANGE_BACKEND: "./adapter.js" }, /whose way to its servers isn't known here/],
  ])("are a failure before any server is asked: %j %j", async (changes, environment, message) => {
    const walk = await walked(walking(changes), { environment });
    expect(stepsOf(walk)).toEqual(["fail settings"]);
    expect(lastOf(walk)?.text).toMatch(message);
    expect(walk).toMatchObject({ code: 1, summary: "The settings can't be used; no server was asked." });
  });
});

describe("a command that can't be understood", () => {
  it.each([
    [[], /Say what to do: exchange-certificates doctor/],
    [["docter"], /The first word \(a word, 6 characters\) is no command.* Did you mean doctor/],
    [["doctor"], /Name a server/],
    [["doctor", "ex01.contoso.com"], /Servers are named with --server/],
    [
      ["doctor", "--server", "ex01"],
      /--server names something \(a word, 4 characters\) that isn't a fully qualified server name/,
    ],
    [["doctor", "--sever", "ex01.contoso.com"], /no option --sever\. Did you mean --server/],
    [["doctor", "--server", "--json"], /--server needs a value/],
    [["doctor", "--json=yes"], /--json takes no value/],
    [["doctor", "--password", "x"], /can't be given on the command line/],
    [["doctor", "--timeout", "0"], /--timeout is a number of seconds/],
    [["doctor", "--username", "a", "--username", "b"], /--username may be given once only/],
    [
      ["doctor", "--server", EX01, "--username", "a", "--password-env", "NOT_SET"],
      /--password-env takes the name of an environment variable/,
    ],
  ])("ends with 2 and one sentence: %j", async (args, message) => {
    const { code, out, errors } = await run(args);
    expect({ code, lines: errors.split("\n").length }).toEqual({ code: 2, lines: 1 });
    expect(errors).toMatch(message);
    expect(out).not.toMatch(/ok|FAIL/);
  });

  const SECRET = "Tr0ub4dor&3";
  const PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n-----END PRIVATE KEY-----";

  it.each([
    [["doctor", "--server", EX01, "--username", "a", "--password-env", SECRET], {}],
    [["doctor", "--server", EX01, "--username", "a", "--password-env", PEM], {}],
    [["doctor", SECRET], {}],
    [["doctor", PEM, "--server", EX01], {}],
    [[SECRET], {}],
    [["doctor", "--server", SECRET], {}],
    [["doctor", "--server", EX01, "--timeout", SECRET], {}],
    [["doctor", `--${SECRET}`], {}],
    [["doctor", `--pasword=${SECRET}`], {}],
    [["doctor"], { EXCHANGE_SERVERS: SECRET }],
    [["doctor"], { EXCHANGE_SERVERS: `["${SECRET}"]` }],
    [["doctor", "--server", EX01], { EXCHANGE_CA_FILE: PEM }],
    [["doctor", "--server", EX01], { EXCHANGE_AUTHENTICATION: SECRET }],
    [["doctor", "--server", EX01], { EXCHANGE_TLS_SERVER_NAME: SECRET }],
    [["doctor", "--server", EX01], { EXCHANGE_USERNAME: PEM }],
    [["doctor", "--server", EX01], { EXCHANGE_ENDPOINT: SECRET }],
    [["doctor", "--server", EX01], { EXCHANGE_BACKEND: SECRET }],
    [["doctor", "--server", EX01], { EXCHANGE_DANGEROUSLY_SKIP_TLS_VERIFICATION: SECRET }],
    [["doctor", "--server", EX01], { EXCHANGE_OPERATION_TIMEOUT_SECONDS: SECRET }],
    [["doctor", "--server", EX01], { EXCHANGE_MAX_CONNECTIONS_PER_SERVER: SECRET }],
  ])("isn't repeated where it may be a secret in the wrong place: %j %j", async (args, environment) => {
    for (const json of [[], ["--json"]]) {
      const { code, out, errors } = await run([...args, ...json], {
        environment: { EXCHANGE_USERNAME: USER, ...environment },
      });
      expect(code).toBeGreaterThan(0);
      expect(out + errors).not.toMatch(/tr0ub4dor|MIIEvQ|BEGIN/i);
      expect((out + errors).replace(/\s+/g, " ")).toMatch(
        /\d+ characters|names an adapter|no such option|isn't a URL|no option|needs a value/,
      );
    }
  });

  it("is told what there is by --help", async () => {
    const { code, out } = await run(["doctor", "--help"]);
    expect(code).toBe(0);
    expect(out).toContain("It only reads");
    for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(120);
  });
});

async function setFaults(server: string, faults: Parameters<typeof withFaults>[2]): Promise<void> {
  await store.update((organisation) => ({ organisation: withFaults(organisation, server, faults), result: undefined }));
}

async function listening(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
