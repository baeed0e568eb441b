import { CMDLETS, type CmdletDefinition, type ParameterDefinition, type ParameterKind } from "../cmdletDefinitions";
import { FAULTS, faultUsage } from "./faultCommand";
import { REQUEST_FAULTS } from "./requestFaults";

/** What each cmdlet does, in a line. */
const SYNOPSES: Readonly<Record<string, string>> = {
  "Get-ExchangeCertificate": "the certificates of a server and the services they show",
  "Enable-ExchangeCertificate": "give a certificate services; none can be taken away from it",
  "Import-ExchangeCertificate": "put a certificate with its key into a server's store",
  "New-ExchangeCertificate": "make a self-signed certificate on a server",
  "Remove-ExchangeCertificate": "take a certificate out of a server's store",
  "Get-TransportService": "which certificate is the default SMTP certificate",
  "Get-ExchangeServer": "the servers, with version, roles and site",
  "Get-ImapSettings": "the certificate name of IMAP",
  "Set-ImapSettings": "set the certificate name of IMAP",
  "Get-PopSettings": "the certificate name of POP",
  "Set-PopSettings": "set the certificate name of POP",
  "Get-UMService": "the start-up mode of unified messaging",
  "Set-UMService": "set the start-up mode of unified messaging",
  "Get-UMCallRouterSettings": "the start-up mode of the UM call router",
  "Set-UMCallRouterSettings": "set the start-up mode of the UM call router",
  "Get-ReceiveConnector": "the receive connectors and the certificate names they use",
  "Set-ReceiveConnector": "set the certificate name of a receive connector",
  "Get-SendConnector": "the send connectors and the certificate names they use",
  "Set-SendConnector": "set the certificate name of a send connector",
  "Get-AuthConfig": "the certificates of the organisation's OAuth",
  "Get-FederationTrust": "the certificates of the federation trust",
  "Get-EdgeSubscription": "the subscribed Edge servers",
};

/** What each parameter is for. A parameter means the same in every cmdlet, save those in the second table. */
const PARAMETER_HELP: Readonly<Record<string, string>> = {
  Confirm: "read, without effect here",
  DoNotRequireSsl: "with IIS: leave the site's Require SSL as it is",
  DomainController: "read, without effect here",
  DomainName: "the names that the certificate is for",
  ErrorAction: "read, without effect here",
  FileData: "the bytes of the PFX: given with --pfx <path>",
  FileName: "path of the PFX as the server sees it; only before the cumulative updates of 2022 H1",
  Force: "no question: the default SMTP certificate is replaced when SMTP is among the services",
  FriendlyName: "a name for people, at most 63 characters",
  Identity: "name or FQDN",
  IncludeServerFQDN: "also for the server's FQDN",
  IncludeServerNetBIOSName: "also for the server's short name",
  KeySize: "bits of the RSA key: 1024, 2048 or 4096",
  NetworkServiceAllowed: "let Network Service read the key without enabling SMTP",
  Password: "of the PFX: asked for, or --password-env NAME, or --password-stdin",
  PrivateKeyExportable: "$true or $false",
  Server: "name or FQDN; left out: the server that the session is on",
  Services: "IIS, SMTP, IMAP, POP, UM, UMCallRouter, with commas",
  SubjectName: "the certificate's subject, such as CN=mail.contoso.com",
  Thumbprint: "40 hexadecimal digits",
  TlsCertificateName: "<I>issuer<S>subject; $null clears",
  UMStartupMode: "TCP, TLS or Dual",
  WhatIf: "change nothing",
  X509CertificateName: "the name that clients connect to; $null clears",
};

const SPECIAL_HELP: Readonly<Record<string, string>> = {
  "Get-ExchangeCertificate Identity": "Server\\Thumbprint; one that doesn't exist returns all, as in Exchange",
  "Get-ExchangeCertificate DomainName": "only certificates for one of these names",
  "Enable-ExchangeCertificate Identity": "Server\\Thumbprint, in place of the two",
  "Remove-ExchangeCertificate Confirm": "-Confirm:$false leaves out the question (quote it in a Unix shell)",
  "Remove-ExchangeCertificate Identity": "Server\\Thumbprint, in place of the two",
  "Get-SendConnector Identity": "name of the connector",
  "Set-SendConnector Identity": "name of the connector",
  "Get-ReceiveConnector Identity": "SERVER\\Name of the connector",
  "Set-ReceiveConnector Identity": "SERVER\\Name of the connector",
};

const VALUES: Readonly<Record<ParameterKind, string>> = {
  text: " <text>",
  list: " <a>,<b>",
  number: " <number>",
  boolean: " $true|$false",
  switch: "",
  bytes: " <bytes>",
  secret: " <secret>",
};

export function synopsisOf(cmdlet: string): string | undefined {
  return SYNOPSES[cmdlet];
}

export function parameterHelp(cmdlet: string, parameter: string): string | undefined {
  return SPECIAL_HELP[`${cmdlet} ${parameter}`] ?? PARAMETER_HELP[parameter];
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd());
}

function parameterRow(cmdlet: CmdletDefinition, parameter: ParameterDefinition): readonly [string, string] {
  const marks = [
    parameter.mandatory === true ? "required" : "",
    parameter.position === undefined ? "" : "the name may be left out",
  ].filter((mark) => mark !== "");
  const help = parameterHelp(cmdlet.name, parameter.name) ?? "";
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
    `${cmdlet.name}: ${synopsisOf(cmdlet.name) ?? ""}`,
    ...(cmdlet.unifiedMessaging === true ? ["Only on Exchange 2013 and 2016."] : []),
    "",
    ...columns(cmdlet.parameters.map((parameter) => parameterRow(cmdlet, parameter))),
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
    ...columns(CMDLETS.map(({ name }) => [name, synopsisOf(name) ?? ""] as const)),
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
