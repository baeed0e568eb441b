import type { CmdletDefinition } from "../cmdletDefinition";
import type { ParameterDefinition, ParameterKind } from "../parameterDefinition";
import { CMDLETS } from "../cmdletDefinitions";
import { FAULTS, faultUsage } from "./faultCommand";
import { REQUEST_FAULTS } from "./requestFaults";

const VALUES: Readonly<Record<ParameterKind, string>> = {
  text: " <text>",
  list: " <a>,<b>",
  number: " <number>",
  boolean: " $true|$false",
  switch: "",
  bytes: " <bytes>",
  secret: " <secret>",
};

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd());
}

function parameterRow(parameter: ParameterDefinition): readonly [string, string] {
  const marks = [
    parameter.mandatory === true ? "required" : "",
    parameter.position === undefined ? "" : "the name may be left out",
  ].filter((mark) => mark !== "");
  const { help } = parameter;
  return [`-${parameter.name}${VALUES[parameter.kind]}`, marks.length === 0 ? help : `${help} (${marks.join("; ")})`];
}

const IMPORT_NOTES = [
  "",
  "Reading the file is the client's work, so it is given to this command and not to the cmdlet:",
  ...columns([
    ["--pfx <path>", "the PFX to send as -FileData"],
    ["--password-env NAME", "its password is the value of this environment variable"],
    ["--password-stdin", "its password is read from standard input"],
  ]),
  "With neither, the password is asked for on the terminal. A password is never an argument.",
];

const OVERWRITE_NOTES = [
  "",
  "When SMTP is enabled for a certificate that isn't the default SMTP certificate, Exchange asks whether it shall",
  "become that. Without a terminal to ask on: -Force says Yes; Exchange has no parameter for No, here it is --answer No.",
];

/** Help for one cmdlet. */
export function cmdletHelp(cmdlet: CmdletDefinition): string {
  const asks = cmdlet.parameters.some(({ name }) => name === "Services");
  return [
    `${cmdlet.name}: ${cmdlet.synopsis}`,
    ...(cmdlet.unifiedMessaging ? ["Only on Exchange 2013 and 2016."] : []),
    "",
    ...columns(cmdlet.parameters.map(parameterRow)),
    ...(cmdlet.parameters.some(({ kind }) => kind === "bytes") ? IMPORT_NOTES : []),
    ...(asks ? OVERWRITE_NOTES : []),
  ].join("\n");
}

const FAULT_NUMBERS: Readonly<Record<string, string>> = {
  responseCut: "responseCut=<bytes>",
  slow: "slow=<milliseconds>",
};

/** Words with commas, in lines of at most 115 characters. */
function inLines(words: readonly string[]): string[] {
  const lines = [""];
  for (const [index, word] of words.entries()) {
    const piece = `${word}${index === words.length - 1 ? "." : ","}`;
    const line = lines.at(-1) ?? "";
    if (line.length + piece.length > 115) lines.push(`  ${piece}`);
    else lines[lines.length - 1] = line === "" ? `  ${piece}` : `${line} ${piece}`;
  }
  return lines;
}

/** Help for the command that serves the organisation. */
export function serveHelp(): string {
  return [
    "serve: the simulated organisation behind a /PowerShell/ endpoint, for any client that speaks to Exchange over",
    "WS-Management and PowerShell Remoting (configuration Microsoft.Exchange, Basic authentication). What clients",
    "change is in the organisation's file. It runs until Ctrl-C; the endpoint's URL is the line on standard output.",
    "",
    "  exchange-simulator serve --tls --user administrator@contoso.com",
    "  exchange-simulator serve --tls --cert server.pem --key server.key --port 443 --host 0.0.0.0 --user admin",
    "",
    ...columns([
      ["--port <number>", "where to listen; 8443 with --tls, otherwise 8080; 0 takes any that is free"],
      ["--host <address>", "on which address; 127.0.0.1"],
      ["--tls", "https; without --cert with a certificate made on the spot"],
      ["--cert <path> --key <path>", "PEM of the server's certificate (with its chain) and its private key"],
      ["--ca-file <path>", "where the authority of the certificate made on the spot is written (PEM);"],
      ["", "exchange-simulator-ca.pem beside the organisation's file"],
      ["--follow-iis", "show new connections the certificate that IIS holds, once it has been imported through this"],
      ["", "endpoint (its key is nowhere else), as a server does. Otherwise the endpoint's own one stays,"],
      ["", "as behind a load balancer that ends TLS"],
      ["--basic-over-http", "take passwords without TLS; on this machine's own addresses only"],
      ["--user <name>", "who may come; the password is asked for, or comes with --password-env NAME or"],
      ["", "--password-stdin"],
      ["--server <name>", "the server that sessions are on; otherwise the one that the URL names, or the first"],
    ]),
    "",
    "What real endpoints do differently, or may do",
    ...columns([
      ["--projection allowed|refused|absent", "whether Select-Object may pick properties on the server"],
      ["--cookie demanded|set|none", "whether a session is lost with its cookie"],
      ["--signing byVersion|none|valid|invalid", "the framing of SerializationData"],
      ["--max-shells <number>", "sessions of a user at a time; 18"],
      ["--idle-timeout <seconds>", "when an idle session is gone; 900"],
    ]),
    "",
    "The faults of the servers (exchange-simulator fault) take effect here too, at once. Faults of single requests:",
    "--fail throttled@Receive+1x3,responseCut=100 refuses three Receives after the first, and cuts the first response",
    "of any kind after 100 bytes. @ names an operation (Create, Command, Send, Receive, Signal, Delete), + says how many",
    "are spared first, x how many are hit. Faults:",
    ...inLines(REQUEST_FAULTS.map((fault) => FAULT_NUMBERS[fault] ?? fault)),
  ].join("\n");
}

/** What `exchange-simulator --help` says. */
export function generalHelp(): string {
  return [
    "exchange-simulator: a simulated Exchange organisation in a file, with the cmdlets that concern certificates.",
    "No Exchange server is touched. The simulator backend of pulumi-exchange-certificates works on the same file, so",
    "what you change here by hand is drift to Pulumi.",
    "",
    "  exchange-simulator show",
    "  exchange-simulator Get-ExchangeCertificate -Server ex01.contoso.com",
    "  exchange-simulator Enable-ExchangeCertificate -Server ex01.contoso.com -Thumbprint <thumbprint> -Services IIS,SMTP",
    "",
    "Commands",
    ...columns([
      ["show", "who holds what, on every server, at a glance"],
      ["init", "make the organisation when there is none yet"],
      [
        "init --from <inventory.json>",
        "make a twin of real servers, from what exchange-certificates inventory --json read",
      ],
      ["reset", "make it anew; what was there is lost"],
      ["add-server <fqdn> [2013|2016|2019|SE]", "another server, as setup leaves it"],
      ["add-certificate <server> <file>", "a certificate (PEM or DER) whose key is said to be on the server"],
      ["connector <server>|send <name> [<certificate>|off]", "a connector, and the certificate that it names"],
      ["fault <server>", "what goes wrong on a server by design"],
      ["fault <server> <fault> <value>|off", "let something go wrong, or stop it"],
      ["fault <server> off", "stop everything that goes wrong"],
      ["serve", "be a PowerShell endpoint for clients of Exchange; see: serve --help"],
      ["help <cmdlet>", "parameters of a cmdlet; also: <cmdlet> --help"],
    ]),
    "",
    "Cmdlets",
    ...columns(CMDLETS.map(({ name, synopsis }) => [name, synopsis] as const)),
    "",
    "Faults",
    ...columns(
      (Object.keys(FAULTS) as (keyof typeof FAULTS)[]).map((name) => [faultUsage(name), FAULTS[name].help] as const),
    ),
    "",
    "Options",
    ...columns([
      ["--file <path>", "the organisation's file; else EXCHANGE_SIMULATOR_FILE; else .exchange-simulator.json"],
      ["", "in the directory of the Pulumi program (that of Pulumi.yaml, or its main)"],
      ["--json", "an array of objects, dates as ISO 8601, bytes as base64"],
      ["--answer Yes|No", "the answer to a question of the cmdlet"],
      ["--yes", "reset without asking"],
      ["--version", "version of the package"],
    ]),
    "",
    "A whole line may stand in one argument, with one view behind it (Format-List, Format-Table, Select-Object, or fl,",
    'ft, select): exchange-simulator "Get-ExchangeCertificate -Server ex01 | fl Subject,Services"',
    "Parameters are written as in PowerShell. A Unix shell eats $true, $false and $null: write '$null' and",
    "'-Confirm:$false'. The command ends with 0, with 1 when a cmdlet failed, with 2 when it couldn't be understood.",
  ].join("\n");
}
