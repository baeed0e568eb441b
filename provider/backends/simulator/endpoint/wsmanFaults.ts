import { FAULT_CODES, type FaultParts } from "../../../remoting/wsman/fault";

/** Ends a request with a fault. */
export class WsmanFaultError extends Error {
  readonly parts: FaultParts;

  constructor(parts: FaultParts) {
    super(parts.message);
    this.name = "WsmanFaultError";
    this.parts = parts;
  }
}

/*
 * The texts are what Windows prints in English; a client decides by the codes. Which subcode belongs to which code:
 * DSP0226 14.6 and recordings of Windows.
 */

/** Nothing to say within OperationTimeout. */
export function timedOut(): FaultParts {
  return {
    role: "Receiver",
    subcode: "w:TimedOut",
    code: FAULT_CODES.TimedOut,
    message: "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.",
  };
}

export function shellNotFound(shellId: string): FaultParts {
  const message =
    `The request for the Windows Remote Shell with ShellId ${shellId} failed because the shell was not found on the ` +
    "server. Possible causes are: the specified ShellId is incorrect or the shell no longer exists on the server. " +
    "Provide the correct ShellId or create a new shell and retry the operation.";
  return { ...selectors(message), message: `[FailureCategory=WSMan-InvalidShellID] ${message}` };
}

export function commandNotFound(): FaultParts {
  return selectors(
    "The Windows Remote Shell received a request to perform an operation on a command identifier that does not exist. " +
      "Either the command has completed execution or the client specified an invalid command identifier.",
  );
}

function selectors(message: string): FaultParts {
  return {
    role: "Sender",
    subcode: "w:InvalidSelectors",
    code: FAULT_CODES.InvalidSelectors,
    message,
    detail: "UnexpectedSelectors",
  };
}

/** Any configuration but Microsoft.Exchange. */
export function resourceUriInvalid(resourceUri: string): FaultParts {
  return {
    role: "Sender",
    subcode: "a:DestinationUnreachable",
    code: FAULT_CODES.InvalidResourceUri,
    message:
      `The WS-Management service cannot process the request. The resource URI (${resourceUri}) was not found in the ` +
      "WS-Management catalog. The catalog contains the metadata that describes resources, or logical endpoints.",
    detail: "InvalidResourceURI",
  };
}

export function tooManyShells(user: string, most: number): FaultParts {
  return {
    role: "Receiver",
    subcode: "w:QuotaLimit",
    code: FAULT_CODES.TooManyShells,
    message:
      `The WS-Management service cannot process the request. The user ${user} is allowed a maximum number of ${most} ` +
      "concurrent shells, which has been exceeded. Close existing shells or raise the quota for this user.",
  };
}

export function tooManyCommands(most: number): FaultParts {
  return {
    role: "Receiver",
    subcode: "w:InternalError",
    code: FAULT_CODES.TooManyCommandsInShell,
    message:
      "The WS-Management service cannot process the request. The maximum number of concurrent commands per shell, " +
      `${most}, has been exceeded. Retry your request later or raise the Maximum Commands per Shell quota.`,
  };
}

function throttled(): FaultParts {
  return {
    role: "Receiver",
    subcode: "w:QuotaLimit",
    code: FAULT_CODES.QuotaLimit,
    message:
      "The WS-Management service cannot process the request. The system load quota of 1000 requests per 2 seconds has " +
      "been exceeded. Send future requests at a slower rate or raise the system quota.",
  };
}

function accessDenied(): FaultParts {
  return { role: "Sender", subcode: "w:AccessDenied", code: FAULT_CODES.AccessDenied, message: "Access is denied." };
}

/** A Receive whose shell or command was closed meanwhile. */
export function aborted(): FaultParts {
  return {
    role: "Receiver",
    subcode: "w:InternalError",
    code: FAULT_CODES.OperationAborted,
    message: "The I/O operation has been aborted because of either a thread exit or an application request.",
  };
}

/** `why` says what is wrong with it. */
export function requestInvalid(why: string): FaultParts {
  return {
    role: "Sender",
    subcode: "w:SchemaValidationError",
    code: FAULT_CODES.InvalidRequest,
    message: `The WS-Management service cannot process the request. ${why}`,
  };
}

/** ERROR_WSMAN_INVALID_ACTIONURI of wsmerror.h. Connect, Disconnect and Reconnect are among what Exchange refuses. */
export function actionNotSupported(action: string): FaultParts {
  return {
    role: "Sender",
    subcode: "a:ActionNotSupported",
    code: 0x80338001,
    message: `The WS-Management service cannot process the request. The action ${action} is not supported here.`,
  };
}

export function requestTooLarge(most: number): FaultParts {
  return {
    role: "Sender",
    subcode: "w:EncodingLimit",
    code: FAULT_CODES.EncodingLimit,
    message: `The WS-Management service cannot process the request. The request is larger than ${most} bytes.`,
    detail: "MaxEnvelopeSizeExceeded",
  };
}

/** The PowerShell plug-in's own refusal, behind an account that may not use remote PowerShell. */
function accessDeniedByPlugin(): FaultParts {
  const message = `${exchangeTags("AuthZ-SetupAuthZException")} Access is denied.`;
  return { role: "Sender", subcode: "w:AccessDenied", code: FAULT_CODES.AccessDeniedByPlugin, message };
}

function roleless(): FaultParts {
  const message =
    `${exchangeTags("AuthZ-CmdletAccessDeniedException")} The user "contoso.com/Users/Administrator" isn't assigned ` +
    "to any management roles.";
  return { role: "Sender", subcode: "w:AccessDenied", code: FAULT_CODES.AccessDenied, message };
}

/** What Exchange writes in front of a fault's text: who answered, and by what its logs can be searched. */
function exchangeTags(category: string): string {
  return (
    "[ClientAccessServer=EX01,BackEndServer=ex01.contoso.com,RequestId=7c1d3a52-6a3e-4a46-9f6e-0d3a8f0c2b11," +
    `TimeStamp=1/1/2026 12:00:00 AM] [FailureCategory=${category}]`
  );
}

function tooManyOperations(): FaultParts {
  return {
    role: "Receiver",
    subcode: "w:QuotaLimit",
    code: FAULT_CODES.TooManyOperations,
    message:
      "The WS-Management service cannot process the request. The maximum number of concurrent operations for this " +
      "user has been exceeded. Close existing operations for this user, or raise the quota for this user.",
  };
}

function envelopeTooLarge(code: "RequestTooLarge" | "ResponseTooLarge"): FaultParts {
  const what = code === "RequestTooLarge" ? "request" : "response";
  return {
    role: code === "RequestTooLarge" ? "Sender" : "Receiver",
    subcode: "w:EncodingLimit",
    code: FAULT_CODES[code],
    message: `The WS-Management service cannot process the request. The size of the ${what} exceeded the envelope limit.`,
    detail: "MaxEnvelopeSizeExceeded",
  };
}

function ended(code: "OperationCancelled" | "ShellClosed" | "OperationEnded", message: string): FaultParts {
  return { role: "Receiver", subcode: "w:InternalError", code: FAULT_CODES[code], message };
}

/** Faults that can be made to befall a request, by name. */
export const REFUSALS = {
  throttled,
  accessDenied,
  accessDeniedByPlugin,
  roleless,
  timedOut,
  commandGone: commandNotFound,
  invalidResourceUri: () => resourceUriInvalid("http://schemas.microsoft.com/powershell/Microsoft.Exchange"),
  malformedHeader: () => requestInvalid("The XML contains an invalid header."),
  tooManyShells: () => tooManyShells("contoso\\administrator", 18),
  tooManyOperations,
  tooManyCommands: () => tooManyCommands(1000),
  requestTooLarge: () => envelopeTooLarge("RequestTooLarge"),
  responseTooLarge: () => envelopeTooLarge("ResponseTooLarge"),
  operationAborted: aborted,
  operationCancelled: () => ended("OperationCancelled", "The operation was canceled by the user."),
  shellClosed: () => ended("ShellClosed", "The shell was closed while the operation was going on."),
  operationEnded: () => ended("OperationEnded", "The operation was ended, because its session was."),
} as const satisfies Readonly<Record<string, () => FaultParts>>;
export type Refusal = keyof typeof REFUSALS;

export function isRefusal(kind: string): kind is Refusal {
  return Object.hasOwn(REFUSALS, kind);
}
