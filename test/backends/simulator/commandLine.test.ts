import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeTestCertificate, type TestCertificate } from "../../../provider/backends/contract";
import { CMDLETS } from "../../../provider/backends/simulator/cmdletDefinitions";
import { runCommandLine } from "../../../provider/backends/simulator/commandLine";
import { cmdletHelp } from "../../../provider/backends/simulator/console/helpText";
import type { Organisation } from "../../../provider/backends/simulator/organisation";
import { makeTestCertificate as makeMaterial } from "../../certificate/testCertificates";
import { defaultOrganisation, EX01, withFaults } from "../simulatedServer";

let directory: string;
let certificate: TestCertificate;
let organisation: Organisation;

beforeAll(async () => {
  organisation = await defaultOrganisation();
  certificate = await makeTestCertificate({ dnsNames: ["mail.contoso.com"] });
});
beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), "command-line-")));
  await keep(organisation);
  await writeFile(join(directory, "mail.pfx"), certificate.pfx.reveal());
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const FILE = ".exchange-simulator.json";
const keep = (state: Organisation, name = FILE) => writeFile(join(directory, name), JSON.stringify(state));
const kept = async (name = FILE) => JSON.parse(await readFile(join(directory, name), "utf8")) as Organisation;

interface Surroundings {
  readonly environment?: Record<string, string>;
  readonly workingDirectory?: string;
  /** What is typed; somebody sits at the terminal when this is given. */
  readonly typed?: string[];
  readonly standardInput?: string;
}

async function run(argv: string | readonly string[], surroundings: Surroundings = {}) {
  const { typed, environment = {}, workingDirectory = directory, standardInput = "" } = surroundings;
  const out: string[] = [];
  const errors: string[] = [];
  const prompts: string[] = [];
  const code = await runCommandLine(typeof argv === "string" ? argv.split(" ") : argv, {
    workingDirectory,
    environment,
    out: (text) => out.push(text),
    error: (text) => errors.push(text),
    isInteractive: typed !== undefined,
    ask: (prompt, { hidden } = { hidden: false }) => {
      prompts.push(hidden ? `[hidden] ${prompt}` : prompt);
      return Promise.resolve(typed?.shift());
    },
    readStandardInput: () => Promise.resolve(standardInput),
    interrupted: () => Promise.resolve(),
  });
  return { code, out: out.join("\n"), errors: errors.join("\n"), prompts };
}

/** Puts the test's certificate on EX01. */
async function importMail() {
  const result = await run("Import-ExchangeCertificate -Server ex01 --pfx mail.pfx --password-env PW", {
    environment: { PW: certificate.password.reveal() },
  });
  expect(result).toMatchObject({ code: 0, errors: "" });
  return result;
}
const enableSmtp = () => ["Enable-ExchangeCertificate", certificate.thumbprint, "-Server", "ex01", "-Services", "SMTP"];
const defaultSmtp = async () => (await kept()).servers[EX01]?.internalTransportCertificate?.thumbprint;

describe("a cmdlet on the command line", () => {
  it("prints its objects as Format-List does", async () => {
    const { code, out } = await run("Get-ImapSettings -Server ex01.contoso.com");
    expect(code).toBe(0);
    expect(out).toMatch(/^ProtocolName {8}: IMAP4$/m);
    expect(out).toMatch(/^X509CertificateName : EX01$/m);
  });

  it("shows certificates as the shell's table, or as a pipeline asks, in one argument or several", async () => {
    const { out } = await run("Get-ExchangeCertificate -Server ex01");
    expect(out).toMatch(/^Thumbprint +Services +Subject\n-+ +-+ +-+\n/);
    expect(out).toMatch(/^[0-9A-F]{40} {2}IP\.WS\.\. +CN=EX01$/m);
    const one = await run(["Get-ExchangeCertificate -Server ex01 | fl Subject,Services"]);
    expect(one.out).toContain("Subject  : CN=EX01\nServices : IMAP, POP, IIS, SMTP");
    expect((await run(["Get-ExchangeCertificate", "-Server", "ex01", "| fl Subject,Services"])).out).toBe(one.out);
    const json = await run(["Get-ExchangeCertificate -Server ex01 | select Subject", "--json"]);
    expect(JSON.parse(json.out)).toContainEqual({ Subject: "CN=EX01" });
    expect(await run(["Get-ExchangeCertificate -Server ex01 | fl *"])).toMatchObject({
      code: 2,
      errors: expect.stringContaining("serve --help") as string,
    });
  });

  it("prints JSON when asked to, wherever the option stands", async () => {
    for (const argv of ["--json get-exchangeserver ex02", "get-exchangeserver ex02 --json"]) {
      expect(JSON.parse((await run(argv)).out)).toEqual([expect.objectContaining({ Fqdn: "ex02.contoso.com" })]);
    }
  });

  it("prints an empty array in JSON when it returns nothing", async () => {
    expect((await run("Set-PopSettings -Server ex01 -X509CertificateName pop.contoso.com --json")).out).toBe("[]");
  });

  it("changes the file, and warns on standard error", async () => {
    const { code, out, errors } = await run("Set-ImapSettings -Server ex01 -X509CertificateName mail.contoso.com");
    expect({ code, out }).toEqual({ code: 0, out: "" });
    expect(errors).toMatch(/^WARNING: .*IMAP4/);
    expect((await kept()).servers[EX01]?.imap.x509CertificateName).toBe("mail.contoso.com");
  });

  it("prints an error as PowerShell does, and ends with 1", async () => {
    const { code, out, errors } = await run(enableSmtp());
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(errors.split("\n")).toEqual([
      `Enable-ExchangeCertificate : A special Rpc error occurs on server EX01: The certificate with thumbprint ${certificate.thumbprint} was not found.`,
      "    + CategoryInfo          : NotSpecified: (:) [Enable-ExchangeCertificate], InvalidOperationException",
      expect.stringMatching(/^ {4}\+ FullyQualifiedErrorId : \[Server=EX01,.*EnableExchangeCertificate$/),
    ]);
  });

  it("ends with 2 when it wasn't understood", async () => {
    expect(await run("Get-ImapSettings -Sever ex01")).toMatchObject({
      code: 2,
      errors: expect.stringContaining("Did you mean -Server?"),
    });
  });

  it("changes nothing with -WhatIf, and says so", async () => {
    await importMail();
    const before = await kept();
    const { code, errors } = await run([...enableSmtp(), "-WhatIf"]);
    expect({ code, errors }).toEqual({ code: 0, errors: "What if: nothing was changed." });
    expect(await kept()).toEqual(before);
  });

  it("makes a certificate for New-ExchangeCertificate", async () => {
    const argv = "New-ExchangeCertificate -Server ex01 -DomainName new.contoso.com -Services None --json";
    const [made] = JSON.parse((await run(argv)).out) as [{ Thumbprint: string; CertificateDomains: string[] }];
    expect(made.CertificateDomains).toEqual(["new.contoso.com"]);
    expect((await kept()).servers[EX01]?.certificates).toHaveLength(4);
  });

  it("waits for a server that was told to be slow", async () => {
    await keep(withFaults(organisation, EX01, { slowMilliseconds: 20 }));
    expect((await run("Get-ImapSettings -Server ex01")).code).toBe(0);
  });
});

describe("an import on the command line", () => {
  it("reads the PFX here and returns the certificate", async () => {
    expect((await importMail()).out).toContain(`Thumbprint           : ${certificate.thumbprint}`);
  });

  it("takes the password from standard input, without its line break", async () => {
    const argv = "Import-ExchangeCertificate -Server ex01 --pfx mail.pfx --password-stdin";
    const standardInput = `${certificate.password.reveal()}\r\n`;
    expect((await run(argv, { standardInput })).code).toBe(0);
  });

  it("asks for the password, hidden, where somebody is there", async () => {
    const argv = "Import-ExchangeCertificate -Server ex01 --pfx mail.pfx";
    const { code, prompts } = await run(argv, { typed: [certificate.password.reveal()] });
    expect({ code, prompts }).toEqual({
      code: 0,
      prompts: [`[hidden] Password of ${join(directory, "mail.pfx")}: `],
    });
  });

  it("imports nothing when the question for the password is left alone", async () => {
    const { code, errors } = await run("Import-ExchangeCertificate -Server ex01 --pfx mail.pfx", { typed: [] });
    expect({ code, errors }).toEqual({ code: 2, errors: "No password was given; nothing was imported." });
  });

  it.each([
    ["Import-ExchangeCertificate -Server ex01", /--pfx <path>/],
    ["Import-ExchangeCertificate --pfx gone.pfx --password-stdin", /gone\.pfx can't be read/],
    [
      "Import-ExchangeCertificate --pfx mail.pfx --password-env NOT_THERE",
      /the name that was given \(9 characters\) none is set/,
    ],
    ["Import-ExchangeCertificate --pfx mail.pfx --password-env A --password-stdin", /not with both/],
    ["Import-ExchangeCertificate --pfx mail.pfx --password hush", /every user of this machine/],
    ["Import-ExchangeCertificate --pfx mail.pfx -Password hush", /every user of this machine/],
    ["Get-ExchangeCertificate --pfx mail.pfx", /takes no file/],
  ])("refuses %s", async (argv, message) => {
    const { code, errors } = await run(argv);
    expect(code).toBe(2);
    expect(errors).toMatch(message);
    expect(errors).not.toMatch(/hush|NOT_THERE/);
  });

  it("never shows the password, not even when it is wrong", async () => {
    const argv = "Import-ExchangeCertificate -Server ex01 --pfx mail.pfx --password-env PW";
    const { code, out, errors } = await run(argv, { environment: { PW: "wrong-password-1" } });
    expect(code).toBe(1);
    expect(errors).toContain("wrong password was specified");
    expect(out + errors).not.toContain("wrong-password-1");
  });
});

describe("the question of a cmdlet", () => {
  it("is asked on a terminal with Exchange's text, and No keeps the default SMTP certificate", async () => {
    await importMail();
    const before = await defaultSmtp();
    const { code, prompts } = await run(enableSmtp(), { typed: ["n"] });
    expect(code).toBe(0);
    expect(prompts).toEqual([
      expect.stringContaining(
        `Overwrite the existing default SMTP certificate?\n\nCurrent certificate: '${String(before)}'`,
      ),
    ]);
    expect(await defaultSmtp()).toBe(before);
  });

  it("replaces the default SMTP certificate on Yes", async () => {
    await importMail();
    await run(enableSmtp(), { typed: [""] });
    expect(await defaultSmtp()).toBe(certificate.thumbprint);
  });

  it("is an error without a terminal that says how to answer, and changes nothing", async () => {
    await importMail();
    const before = await kept();
    const { code, errors } = await run(enableSmtp());
    expect(code).toBe(2);
    expect(errors).toMatch(/Overwrite the existing[^]*-Force[^]*--answer No/);
    expect(await kept()).toEqual(before);
  });

  it("may be answered beforehand", async () => {
    await importMail();
    const before = await defaultSmtp();
    expect((await run([...enableSmtp(), "--answer", "No"])).code).toBe(0);
    expect(await defaultSmtp()).toBe(before);
    expect((await run([...enableSmtp(), "--answer=yes"])).code).toBe(0);
    expect(await defaultSmtp()).toBe(certificate.thumbprint);
  });

  it("isn't asked with -Force", async () => {
    await importMail();
    expect((await run([...enableSmtp(), "-Force"])).code).toBe(0);
    expect(await defaultSmtp()).toBe(certificate.thumbprint);
  });

  it("before a removal is left out with -Confirm:$false only", async () => {
    await importMail();
    const remove = ["Remove-ExchangeCertificate", certificate.thumbprint, "-Server", "ex01"];
    expect(await run(remove)).toMatchObject({ code: 2, errors: expect.stringContaining("'-Confirm:$false'") });
    expect(await run(remove, { typed: ["n"] })).toMatchObject({ code: 0 });
    expect((await kept()).servers[EX01]?.certificates).toHaveLength(4);
    expect((await run([...remove, "-Confirm:$false"])).code).toBe(0);
    expect((await kept()).servers[EX01]?.certificates).toHaveLength(3);
  });

  it("without an answer leaves everything as it is", async () => {
    await importMail();
    const { code, errors } = await run(enableSmtp(), { typed: [] });
    expect({ code, errors }).toEqual({ code: 2, errors: "There was no answer; nothing was changed." });
  });
});

describe("the organisation's file", () => {
  it("is the one that --file names, from the working directory", async () => {
    await mkdir(join(directory, "sub"));
    await keep(organisation, "other.json");
    await run("Set-ImapSettings -Server ex01 -X509CertificateName a.example --file ../other.json", {
      workingDirectory: join(directory, "sub"),
    });
    expect((await kept("other.json")).servers[EX01]?.imap.x509CertificateName).toBe("a.example");
  });

  it.each(["show", "Get-ExchangeCertificate -Server ex01", "Set-PopSettings -X509CertificateName a", "fault ex01"])(
    "isn't invented by %s where there is none",
    async (command) => {
      const { code, errors } = await run(`${command} --file none.json`);
      expect(code).toBe(1);
      expect(errors).toContain("there is no such file. Make one with exchange-simulator init");
      expect(await readdir(directory)).not.toContain("none.json");
    },
  );

  it("is the one that EXCHANGE_SIMULATOR_FILE names, from the program's directory", async () => {
    await mkdir(join(directory, "sub"));
    await writeFile(join(directory, "Pulumi.yaml"), "name: a\n");
    await keep(withFaults(organisation, EX01, { unreachable: true }), "env.json");
    const surroundings = {
      environment: { EXCHANGE_SIMULATOR_FILE: "env.json" },
      workingDirectory: join(directory, "sub"),
    };
    expect((await run("fault ex01", surroundings)).out).toBe("ex01.contoso.com: unreachable");
  });

  it("is else the one in the directory of the Pulumi program", async () => {
    await mkdir(join(directory, "infra", "deep"), { recursive: true });
    await writeFile(join(directory, "Pulumi.yaml"), "name: a\nmain: infra\n");
    await keep(withFaults(organisation, EX01, { servicesUnknown: true }), join("infra", FILE));
    const workingDirectory = join(directory, "infra", "deep");
    expect((await run("fault ex01", { workingDirectory })).out).toBe("ex01.contoso.com: servicesUnknown");
  });

  it("is told when it is no organisation, and left as it is", async () => {
    await writeFile(join(directory, FILE), "{}");
    const { code, errors } = await run("show");
    expect(code).toBe(1);
    expect(errors).toContain(join(directory, FILE));
    expect(errors).not.toMatch(/^ +at /m);
    expect(await readFile(join(directory, FILE), "utf8")).toBe("{}");
  });
});

describe("init and reset", () => {
  it("make the default organisation", async () => {
    expect(await run("init --file new.json")).toMatchObject({
      code: 0,
      errors: expect.stringMatching(/^Made .*new\.json/),
    });
    expect(Object.keys((await kept("new.json")).servers)).toEqual(["ex01.contoso.com", "ex02.contoso.com"]);
  });

  it("init leaves what is there", async () => {
    expect(await run("init")).toMatchObject({ code: 0, errors: expect.stringContaining("stays as it is") });
    expect(await kept()).toEqual(organisation);
  });

  it("reset wants to be told twice", async () => {
    expect(await run("reset")).toMatchObject({ code: 2, errors: expect.stringContaining("--yes") });
    expect(await run("reset", { typed: [""] })).toMatchObject({ code: 0, errors: "Nothing was changed." });
    expect(await kept()).toEqual(organisation);
  });

  it("reset makes the organisation anew, even from a file that can't be read", async () => {
    await writeFile(join(directory, FILE), "rubbish");
    expect((await run("reset", { typed: ["y"] })).code).toBe(0);
    expect((await kept()).servers[EX01]?.certificates).toHaveLength(3);
    expect((await run("reset --yes")).code).toBe(0);
  });
});

describe("show", () => {
  it("shows per server who holds what, and for how long still", async () => {
    await importMail();
    await run([...enableSmtp(), "--answer", "no"]);
    const { code, out } = await run("show");
    expect(code).toBe(0);
    expect(out).toContain("no Exchange server is touched");
    expect(out).toMatch(/^ex01\.contoso\.com {2}\(EX01, Version 15\.2 \(Build 1748\.10\)\)$/m);
    const row = out.split("\n").find((line) => line.includes(certificate.thumbprint));
    expect(row).toMatch(/ SMTP +- +36[45] +CN=mail\.contoso\.com$/);
    expect(out).toMatch(/IIS, IMAP, POP, SMTP {2}front end, back end {2}18\d\d {2}CN=EX01 +default SMTP$/m);
  });

  it("shows the faults, and what points into nothing", async () => {
    const server = organisation.servers[EX01];
    if (server === undefined) throw new Error("no EX01");
    const iis = { ...server.iis, frontEnd: "AB".repeat(20) };
    const broken = { ...organisation, servers: { [EX01]: { ...server, iis, faults: { slowMilliseconds: 5 } } } };
    await keep(broken);
    const { out } = await run("show");
    expect(out).toContain("faults: slowMilliseconds=5");
    expect(out).toContain(`! the front-end site is ${"AB".repeat(20)}, which is not in the store`);
  });
});

describe("a farm without editing its file", () => {
  it("gets servers of every version, as setup leaves them", async () => {
    for (const [fqdn, kind, version] of [
      ["ex13.contoso.com", "2013", "15.0"],
      ["ex-se.contoso.com", "se", "15.2"],
    ] as const) {
      expect(await run(`add-server ${fqdn} ${kind}`)).toMatchObject({ code: 0, errors: "" });
      const { out } = await run(`Get-ExchangeServer ${fqdn} --json`);
      expect(out).toContain(`Version ${version}`);
      const certificates = JSON.parse((await run(`Get-ExchangeCertificate -Server ${fqdn} --json`)).out) as unknown[];
      expect(certificates).toHaveLength(3);
    }
    expect(await run("add-server ex01.fabrikam.com")).toMatchObject({
      code: 2,
      errors: expect.stringContaining("There is a server ex01.contoso.com (EX01) already") as string,
    });
    expect((await run("add-server ex03")).code).toBe(2);
    expect((await run("add-server ex03.contoso.com 2010")).code).toBe(2);
  });

  it("gets certificates from PEM and DER, once, and no PFX", async () => {
    const material = makeMaterial({ dnsNames: ["farm.contoso.com"] });
    const der = Buffer.from(material.der);
    await writeFile(join(directory, "mail.der"), der);
    const pem = `Bag attributes\n-----BEGIN CERTIFICATE-----\n${der.toString("base64")}\n-----END CERTIFICATE-----\n`;
    await writeFile(join(directory, "mail.pem"), pem);
    expect(await run("add-certificate ex01 mail.pem")).toMatchObject({ code: 0, errors: "" });
    expect((await run("add-certificate ex02 mail.der")).out).toContain(
      `Added certificate ${material.facts.thumbprint}`,
    );
    expect((await run("add-certificate ex01 mail.der")).errors).toContain("already");
    expect((await run("add-certificate ex01 mail.pfx")).errors).toContain("Import-ExchangeCertificate");
    expect((await run("add-certificate ex01 nowhere.pem")).code).toBe(2);
    expect((await run("add-certificate ex09 mail.der")).errors).toContain("There is no server");
    expect((await run(`Get-ExchangeCertificate -Server ex01 -Thumbprint ${material.facts.thumbprint}`)).code).toBe(0);
  });

  it("gets connectors that name a certificate, another one, or none", async () => {
    const thumbprint = (await kept()).servers[EX01]?.iis.frontEnd ?? "";
    const receive = async () =>
      (await kept()).servers[EX01]?.receiveConnectors.find(({ name }) => name === "Partner EX01")?.tlsCertificateName;
    expect((await run(["connector", "ex01", "Partner EX01", thumbprint])).code).toBe(0);
    expect(await receive()).toBe("<I>CN=EX01<S>CN=EX01");
    await run(["connector", "EX01", "partner ex01", "<I>CN=a<S>CN=b"]);
    expect(await receive()).toBe("<I>CN=a<S>CN=b");
    await run(["connector", "EX01", "partner ex01", "off"]);
    expect(await receive()).toBeNull();
    expect((await run(["connector", "send", "Partners", thumbprint])).out).toContain("Send connector Partners");
    expect((await kept()).sendConnectors.map(({ name, sourceServers }) => [name, ...sourceServers])).toContainEqual([
      "Partners",
      "EX01",
      "EX02",
    ]);
    expect((await run(["connector", "send", "Partners", "F".repeat(40)])).code).toBe(2);
  });
});

describe("faults", () => {
  it("are switched by name, and the cmdlets feel them", async () => {
    expect(await run("fault ex01 unreachable on")).toMatchObject({ code: 0, out: "ex01.contoso.com: unreachable" });
    expect(await run("Get-ImapSettings -Server ex01")).toMatchObject({ code: 1 });
    expect(await run("fault ex01 off")).toMatchObject({ code: 0, out: "ex01.contoso.com: no faults" });
    expect(await run("Get-ImapSettings -Server ex01")).toMatchObject({ code: 0 });
  });

  it("end with 2 when there is no such fault or server", async () => {
    expect(await run("fault ex01 unreechable on")).toMatchObject({ code: 2 });
    expect(await run("fault")).toMatchObject({ code: 2, errors: expect.stringContaining("fault <server> <fault>") });
  });
});

describe("help", () => {
  it("is printed on demand, and with 2 when nothing was asked for", async () => {
    expect(await run("--help")).toMatchObject({
      code: 0,
      out: expect.stringContaining("No Exchange server is touched"),
    });
    expect(await run([])).toMatchObject({ code: 2, out: expect.stringContaining("Cmdlets") });
  });

  it.each(["Enable-ExchangeCertificate --help", "help enable-exchangecertificate", "Enable-ExchangeCertificate -?"])(
    "shows the parameters of a cmdlet: %s",
    async (argv) => {
      const { code, out } = await run(argv);
      expect(code).toBe(0);
      expect(out).toMatch(/-Services <a>,<b> .*\(required\)/);
      expect(out).toContain("--answer No");
    },
  );

  it("has a line for every cmdlet and every parameter", () => {
    for (const cmdlet of CMDLETS) {
      const help = cmdletHelp(cmdlet);
      expect(help).toMatch(new RegExp(`^${cmdlet.name}: [a-z]`));
      for (const { name } of cmdlet.parameters) expect(help).toMatch(new RegExp(`\\n {2}-${name}\\b.* {2}\\S`));
    }
  });

  it("suggests the cmdlet or command that was meant", async () => {
    expect(await run("Enabel-ExchangeCertificate -Server ex01")).toMatchObject({
      code: 2,
      errors: expect.stringContaining("Did you mean Enable-ExchangeCertificate?"),
    });
    expect((await run("shwo")).errors).toContain("Did you mean show?");
  });

  it("tells the version of the package", async () => {
    const { version } = JSON.parse(await readFile(join(__dirname, "../../../package.json"), "utf8")) as {
      version: string;
    };
    expect((await run("--version")).out).toBe(version);
  });

  it.each([
    ["--frobnicate", /no option --frobnicate/],
    ["--file", /--file needs a value/],
    ["--json=1 show", /--json takes no value/],
    ["--answer perhaps show", /Yes or No/],
    ["show me", /nothing behind it/],
  ])("refuses %s", async (argv, message) => {
    const { code, errors } = await run(argv);
    expect(code).toBe(2);
    expect(errors).toMatch(message);
  });
});
