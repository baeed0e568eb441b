import type { ErrorCode } from "../../errors";
import type { CmdletError } from "./cmdlet";
import type { NameService } from "../../model";

/*
 * What the cmdlets say. Everything a real server is known to print stands in VERIFIED_TEXTS, word for word, with its
 * slips ("cannot used"), from support articles and outputs that operators posted. Where no source could be found the
 * simulator has to say something of its own: that stands in UNVERIFIED_TEXTS, and no program may look for it.
 */
export const VERIFIED_TEXTS = {
  /** In front of every error of the certificate cmdlets, even for the local server. */
  rpcPrefix: (server: string) => `A special Rpc error occurs on server ${server}: `,
  certificateNotFound: (thumbprint: string) => `The certificate with thumbprint ${thumbprint} was not found.`,
  privateKeyMissing: (thumbprint: string) =>
    `The certificate with thumbprint ${thumbprint} was found but is not valid for use with Exchange Server (reason: PrivateKeyMissing).`,
  removeInternalTransport:
    "The internal transport certificate cannot be removed because that would cause the Microsoft Exchange Transport service to stop. To replace the internal transport certificate, create a new certificate. The new certificate will automatically become the internal transport certificate. You can then remove the existing certificate.",
  removeNamedBySendConnector: (connectors: readonly string[]) =>
    `These certificates are tagged with following Send Connectors : ${connectors.join(", ")}. Removing and replacing certificates from Send Connector would break the mail flow. If you still want to proceed then replace or remove these certificates from Send Connector and then try this command.`,
  importUnreadable: "The source data cannot be imported or the wrong password was specified.",
  importAlreadyThere: (thumbprint: string) =>
    `Cannot import certificate. A certificate with the thumbprint ${thumbprint} already exists.`,
  keyAccessRefused: (thumbprint: string) =>
    `Insufficient rights to grant Network Service access to the certificate with thumbprint ${thumbprint}`,
  operationFailed:
    "The Exchange Certificate operation has failed with an exception.  The error message is: Unknown error (0xe0434f4d)",
  /** A cmdlet that doesn't exist, and one that the account has no role for, look the same. */
  notRecognised: (cmdlet: string) =>
    `The term '${cmdlet}' is not recognized as the name of a cmdlet, function, script file, or operable program. Check the spelling of the name, or if a path was included, verify that the path is correct and try again.`,
  /** Opening a remote shell on a server whose back-end site has lost its certificate. */
  shellHandle: (server: string) =>
    `[${server}] Processing data from remote server ${server} failed with the following error message: The WinRM Shell client cannot process the request. The shell handle passed to the WSMan Shell function is not valid. The shell handle is valid only when WSManCreateShell function completes successfully. Change the request including a valid shell handle and try again. For more information, see the about_Remote_Troubleshooting Help topic.`,
  nameIsNoFqdn: (thumbprint: string, subject: string, protocol: NameService) =>
    `This certificate with thumbprint ${thumbprint} and subject '${subject}' cannot used for ${protocol} SSL/TLS connections because the subject is not a Fully Qualified Domain Name (FQDN). Use command Set-${protocol}Settings to set X509CertificateName to the FQDN of the service.`,
  confirmCaption: "Confirm",
  overwriteQuestion: (current: DatedThumbprint, replacement: DatedThumbprint) =>
    `Overwrite the existing default SMTP certificate?\n\nCurrent certificate: ${dated(current)}\nReplace it with certificate: ${dated(replacement)}`,
  removeQuestion: (thumbprint: string) =>
    `Are you sure you want to perform this action?\nRemove certificate with thumbprint ${thumbprint} from the computer's certificate store?`,
  /** Of PowerShell itself. */
  parameterNotFound: (parameter: string) => `A parameter cannot be found that matches parameter name '${parameter}'.`,
  parametersMissing: (parameters: readonly string[]) =>
    `Cannot process command because of one or more missing mandatory parameters: ${parameters.join(" ")}.`,
} as const;

/** The simulator's own words, for want of a source. */
export const UNVERIFIED_TEXTS = {
  serverUnknown: (server: string) => `There is no Exchange server "${server}" in this organisation.`,
  serverUnreachable: (server: string) => `The Exchange server "${server}" can't be reached.`,
  umNotOnThisVersion: (service: string, server: string) => `There is no ${service} service on server ${server}.`,
  umNeedsTls: (service: string, thumbprint: string) =>
    `The certificate with thumbprint ${thumbprint} can't be enabled for ${service} while UMStartupMode is TCP. Set it to TLS or Dual first.`,
  federationRefused: "A certificate can't be enabled for Federation with this cmdlet. Use Set-FederationTrust.",
  valueRefused: (parameter: string, wanted: string) =>
    `The value of parameter '${parameter}' can't be used: ${wanted}.`,
  notFoundInDirectory: (what: string, identity: string) => `There is no ${what} "${identity}".`,
  restartProtocol: (protocol: string, server: string) =>
    `The ${protocol} services on server ${server} have to be restarted before the change takes effect.`,
  restartUm: (service: string, server: string) =>
    `The ${service} service on server ${server} has to be restarted before the change takes effect.`,
} as const;

export interface DatedThumbprint {
  readonly thumbprint: string;
  readonly notAfter: Date;
}

function dated({ thumbprint, notAfter }: DatedThumbprint): string {
  return `'${thumbprint}' (expires ${formatDate(notAfter)})`;
}

/** `11/1/2025 5:59:11 PM`, as a server with an American locale prints it. Here always in UTC. */
export function formatDate(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = date.getUTCHours();
  const day = `${date.getUTCMonth() + 1}/${date.getUTCDate()}/${date.getUTCFullYear()}`;
  const time = `${hours % 12 === 0 ? 12 : hours % 12}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  return `${day} ${time} ${hours < 12 ? "AM" : "PM"}`;
}

/** What goes into the bracket in front of an Exchange error id. */
export interface ErrorOrigin {
  readonly cmdlet: string;
  /** Short name of the server that the session runs on. */
  readonly session: string;
  readonly now: Date;
  readonly requestId: string;
}

/**
 * The eight hexadecimal digits in an error id tell the places in Exchange's code apart. They were seen for these
 * errors; for others the digits are zero. Nothing may be read from them.
 */
const SEEN_SITES: Readonly<Record<string, string>> = {
  "Get-ExchangeCertificate/CertificateNotFound": "71D7F7B0",
  "Enable-ExchangeCertificate/PrivateKeyMissing": "DA6D9EA1",
  "Remove-ExchangeCertificate/RemovalRefused": "DCA528C3",
  "Import-ExchangeCertificate/ImportRefused": "A39CF339",
  "Enable-ExchangeCertificate/CmdletFailed": "AA21DCE6",
};

export interface ErrorKind {
  readonly category?: "NotSpecified" | "InvalidArgument" | "ReadError" | "InvalidOperation" | undefined;
  /** Its class. */
  readonly exception?: string;
}

/** An error record of an Exchange cmdlet. */
export function exchangeError(
  origin: ErrorOrigin,
  code: ErrorCode,
  message: string,
  { category = "NotSpecified", exception = "InvalidOperationException" }: ErrorKind = {},
): CmdletError {
  const site = SEEN_SITES[`${origin.cmdlet}/${code}`] ?? "00000000";
  const type = `Microsoft.Exchange.Management.SystemConfigurationTasks.${origin.cmdlet.replace("-", "")}`;
  const bracket = `[Server=${origin.session},RequestId=${origin.requestId},TimeStamp=${formatDate(origin.now)}]`;
  return {
    code,
    message,
    categoryInfo: `${category}: (:) [${origin.cmdlet}], ${exception}`,
    fullyQualifiedErrorId: `${bracket} [FailureCategory=Cmdlet-${exception}] ${site},${type}`,
  };
}

export function notRecognised(cmdlet: string): CmdletError {
  return {
    code: "CmdletNotAvailable",
    message: VERIFIED_TEXTS.notRecognised(cmdlet),
    categoryInfo: `ObjectNotFound: (${cmdlet}:String) [], CommandNotFoundException`,
    fullyQualifiedErrorId: "CommandNotFoundException",
  };
}

/** An error of PowerShell's parameter binder, before the cmdlet itself runs. */
export function bindingError(cmdlet: string, id: string, message: string): CmdletError {
  return {
    code: "CmdletFailed",
    message,
    categoryInfo: `InvalidArgument: (:) [${cmdlet}], ParameterBindingException`,
    fullyQualifiedErrorId: `${id},${cmdlet}`,
  };
}

/** The remote shell doesn't open: nothing answers. */
export function sessionUnreachable(server: string): CmdletError {
  return {
    code: "ServerUnreachable",
    message: UNVERIFIED_TEXTS.serverUnreachable(server),
    categoryInfo: SESSION_CATEGORY,
    fullyQualifiedErrorId: "PSSessionOpenFailed",
  };
}

/** The remote shell doesn't open: the back-end site has no certificate. */
export function shellGone(server: string): CmdletError {
  return {
    code: "ServerUnreachable",
    message: VERIFIED_TEXTS.shellHandle(server),
    categoryInfo: SESSION_CATEGORY,
    fullyQualifiedErrorId: "-2144108212,PSSessionOpenFailed",
  };
}

const SESSION_CATEGORY =
  "OpenError: (System.Manageme....RemoteRunspace:RemoteRunspace) [New-PSSession], PSRemotingTransportException";
