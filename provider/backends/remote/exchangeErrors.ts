import { roleFor } from "../usedCmdlets";
import { ExchangeBindingError, type ErrorCode, type ErrorFacts } from "../../errors";
import type { KerberosFacts, RemotingError, RemotingErrorCode } from "../../remoting/errors";
import type { ErrorRecord } from "../../remoting/psrp/errorRecord";
import { oneLine } from "../../remoting/oneLine";
import type { PipelineResult } from "../../remoting/session";
import { type FaultName, isFault } from "../../remoting/wsman/fault";

/** Where an error belongs. */
export interface Attempt {
  /** What we were doing, as the beginning of a sentence. */
  readonly doing: string;
  readonly server: string;
  readonly cmdlet: string;
}

/** Whether a pipeline failed: its error records decide, even when it "completed". */
export function hasFailed(result: PipelineResult): boolean {
  return result.state !== "Completed" || result.errors.length > 0;
}

/** The name of the exception, as the identifier or the category has it: both are the same in every language. */
function exceptionOf(record: ErrorRecord): string {
  const category = /\[FailureCategory=[A-Za-z]+-([A-Za-z0-9]+)\]/.exec(record.fullyQualifiedErrorId)?.[1];
  return category ?? record.category.reason;
}

/**
 * What an error record means, as far as it can be told from identifiers, exception names and the words in it that are
 * no one's language. `CmdletFailed` is what Exchange leaves open: an InvalidOperationException may be anything, and the
 * server's state has to tell.
 */
export function codeOfRecord(record: ErrorRecord): ErrorCode {
  const { fullyQualifiedErrorId: id, message } = record;
  const exception = exceptionOf(record);
  // Roles hide cmdlets and parameters from an account: what it may not do doesn't exist for it.
  if (/^(?:CommandNotFoundException|NamedParameterNotFound)\b/.test(id)) return "CmdletNotAvailable";
  if (exception === "CommandNotFoundException") return "CmdletNotAvailable";
  if (/PrivateKeyMissing/.test(message)) return "PrivateKeyMissing";
  if (/^AddAccessRule/.test(exception) || /grant Network Service access/i.test(message)) return "PrivateKeyAccess";
  if (/AccessDenied|UnauthorizedAccess|Authorization/.test(exception)) return "AccessDenied";
  if (/OverBudget|Throttl/i.test(exception)) return "Throttled";
  if (exception === "ManagementObjectNotFoundException") return "ServerUnknown";
  if (/Rpc|EndpointNotRegistered|ServerUnavailable|PSRemotingTransport/.test(exception)) return "ServerUnreachable";
  return "CmdletFailed";
}

/** Errors about the server itself, or about ourselves: no other cmdlet would fare better. */
export const ABOUT_THE_SERVER: ReadonlySet<ErrorCode> = new Set([
  "ServerUnknown",
  "ServerUnreachable",
  "ServerMismatch",
  "TimedOut",
  "AccessDenied",
  "Throttled",
]);

/** The error that counts among those of a failed pipeline: what is known best. */
function tellingError(errors: readonly ErrorRecord[]): ErrorRecord | undefined {
  return errors.find((record) => codeOfRecord(record) !== "CmdletFailed") ?? errors[0];
}

export function codeOfResult(result: PipelineResult): ErrorCode {
  const record = tellingError(result.errors);
  return record === undefined ? "CmdletFailed" : codeOfRecord(record);
}

/** What to do, where there is something to say beyond the server's own text. */
const REMEDIES: Readonly<Partial<Record<ErrorCode, string>>> = {
  ServerUnknown: "Check the server's name: it has to be the FQDN of an Exchange server of this organisation.",
  ServerUnreachable: "Check that the server is up and that its Exchange services run.",
  AccessDenied:
    "Check that the account may use remote PowerShell (Set-User -RemotePowerShellEnabled $true) and has a management role.",
  Throttled: "Close other remote sessions of this account, or run again later.",
  CertificateNotFound: "Import the certificate first.",
  PrivateKeyMissing: "Import the certificate with its private key.",
  PrivateKeyAccess: "Let the server's administrators change who may read the private key.",
  ImportRefused: "Check the password, and that the file is a PFX with a private key.",
};

function remedyFor(code: ErrorCode, cmdlet: string): string | undefined {
  if (code !== "CmdletNotAvailable") return REMEDIES[code];
  return `The account's roles don't hold this cmdlet or one of its parameters: give it ${roleFor(cmdlet)}.`;
}

/** A failed cmdlet as an error: the server's words, its identifiers, and what to do. */
export function cmdletFailure(
  attempt: Attempt,
  result: PipelineResult,
  code: ErrorCode = codeOfResult(result),
): ExchangeBindingError {
  const record = tellingError(result.errors);
  const said = [...new Set(result.errors.map(({ message }) => message.trim()))].join(" ");
  const text = said === "" ? `${attempt.cmdlet} ended as ${result.state} without saying why.` : said;
  const facts: ErrorFacts = {
    server: attempt.server,
    cmdlet: attempt.cmdlet,
    ...(record === undefined
      ? {}
      : {
          categoryInfo: record.category.message,
          fullyQualifiedErrorId: record.fullyQualifiedErrorId,
          requestId: requestIdOf(record.fullyQualifiedErrorId),
        }),
    ...(result.warnings.length === 0 ? {} : { warnings: result.warnings }),
  };
  return new ExchangeBindingError(code, sentence(attempt.doing, text, remedyFor(code, attempt.cmdlet)), { facts });
}

/** By which Exchange's own logs can be searched. */
function requestIdOf(text: string): string | undefined {
  return /RequestId=([0-9a-fA-F-]{36})/.exec(text)?.[1];
}

const CODES: Readonly<Partial<Record<RemotingErrorCode, ErrorCode>>> = {
  SettingsRefused: "ConfigurationInvalid",
  AuthenticationRefused: "AccessDenied",
  Forbidden: "AccessDenied",
  AccessDenied: "AccessDenied",
  Throttled: "Throttled",
  TimedOut: "TimedOut",
  Aborted: "TimedOut",
};

const TRANSPORT_REMEDIES: Readonly<Partial<Record<RemotingErrorCode, string>>> = {
  TlsRefused:
    "exchange:tlsServerName sets the name to expect, exchange:caFile the CA to trust (a PEM file); neither turns the check off.",
  SettingsRefused: "exchange:endpoint and exchange:authentication say how servers are reached.",
  AuthenticationRefused: "exchange:username, exchange:password and exchange:authentication say who we are.",
  EndpointNotFound: "exchange:endpoint names the URL.",
  HostUnknown: "exchange:endpoint can name another host.",
  ConnectionLost: "Look whether the server was restarted, or whether something in between cuts connections.",
  AccessDenied: REMEDIES.AccessDenied ?? "",
  Throttled: REMEDIES.Throttled ?? "",
  Aborted: "Look whether the server is slow, or allow more time (timeoutSeconds).",
  TimedOut:
    "Look whether the server is slow, or allow more time: exchange:operationTimeoutSeconds for one request, timeoutSeconds for all.",
  ShellGone:
    "Sessions end when they are idle, when the web server restarts, or when a load balancer changes the server: run again, and when it happens again name one server in exchange:endpoint.",
  PoolBroken: "Look into the server's event log for why its PowerShell ended, then run again.",
  FaultReceived:
    "Look into the server's event logs (Windows Remote Management, MSExchange) for what it has against the request.",
};

/** What to do about single faults, where the kind of error is too coarse for it. */
const FAULT_REMEDIES: readonly (readonly [FaultName, string])[] = [
  [
    "TooManyShells",
    "Close the other remote sessions of this account (Remove-PSSession), or wait until they have been idle for long enough.",
  ],
  ["TooManyOperations", "Lower exchange:maxConnectionsPerServer, or end what else this account runs there."],
  ["TooManyCommandsInShell", "Run again: a new session begins with none."],
  [
    "QuotaLimit",
    "Run again later or with fewer resources at a time (pulumi up --parallel), or give the account another throttling policy.",
  ],
  [
    "RequestTooLarge",
    "A smaller PFX helps: leave out the certificates of its chain. Otherwise raise MaxEnvelopeSizekb (winrm/config) on the server.",
  ],
  ["ResponseTooLarge", "Raise MaxEnvelopeSizekb (winrm/config) on the server."],
  [
    "InvalidRequest",
    "Look whether a proxy changes requests. If there is none it is a mistake of this client: report it, with the output of EXCHANGE_TRACE=1.",
  ],
  [
    "InvalidResourceUri",
    "exchange:endpoint names the URL: Exchange's remote PowerShell is at /PowerShell/ on port 80 or 443, not at /wsman on 5985.",
  ],
];

function remedyOf({ code, facts: { fault } }: RemotingError): string | undefined {
  const special = fault === undefined ? undefined : FAULT_REMEDIES.find(([name]) => isFault(fault, name))?.[1];
  return special ?? TRANSPORT_REMEDIES[code];
}

function categoryOf(error: RemotingError): string {
  return /\[FailureCategory=([A-Za-z]+-[A-Za-z0-9]+)\]/.exec(error.message)?.[1] ?? "";
}

function isRoleMissing(error: RemotingError): boolean {
  return /AccessDenied|AuthZ/.test(categoryOf(error));
}

/** The role check of Exchange speaks through a fault: the category in it is no one's language. */
function codeOfTransport(error: RemotingError): ErrorCode {
  if (isRoleMissing(error)) return "AccessDenied";
  if (/OverBudget/.test(categoryOf(error))) return "Throttled";
  return CODES[error.code] ?? "ServerUnreachable";
}

/** A session that failed, as an error about the server. */
export function transportFailure(attempt: Attempt, error: RemotingError, isFateUnknown = false): ExchangeBindingError {
  const { httpStatus, frontEnd, fault, record, kerberos } = error.facts;
  const unclear = isFateUnknown
    ? `Whether ${attempt.cmdlet} was carried out isn't known; the next run reads the server first, and goes on from there.`
    : undefined;
  const remedy = [isRoleMissing(error) ? REMEDIES.AccessDenied : remedyOf(error), unclear]
    .filter((one) => one !== undefined)
    .join(" ");
  return new ExchangeBindingError(codeOfTransport(error), sentence(attempt.doing, error.message, remedy), {
    cause: error,
    facts: {
      server: attempt.server,
      cmdlet: attempt.cmdlet,
      transport: error.code,
      httpStatus,
      frontEnd,
      faultCode: fault?.code,
      fullyQualifiedErrorId: record?.fullyQualifiedErrorId,
      requestId: requestIdOf(error.message),
      ...(kerberos === undefined ? {} : kerberosFacts(kerberos)),
    },
  });
}

function kerberosFacts({ service, principal, cache, keytab, major, minor, status }: KerberosFacts): ErrorFacts {
  const numbers = { gssMajor: major, gssMinor: minor, sspiStatus: status };
  return { service, principal, ticketCache: cache, clientKeytab: keytab, ...numbers };
}

function sentence(doing: string, text: string, remedy = ""): string {
  const said = oneLine(text);
  const end = /[.!?]$/.test(said) ? "" : ".";
  return `${doing}: ${said}${end}${remedy === "" ? "" : ` ${remedy}`}`;
}
