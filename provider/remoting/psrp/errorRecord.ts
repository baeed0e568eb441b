import { displayOf, integerOf, propertyOf, stringOf } from "../clixml/reading";
import { boolean, type ClixmlObject, type ClixmlValue, int32, NIL, object, string } from "../clixml/types";

/** An exception as its properties tell it; `inner` to the depth that was sent, at most 32. */
export interface RemoteException {
  /** Most derived first, without `Deserialized.`. */
  readonly typeNames: readonly string[];
  readonly message: string;
  readonly hresult: number | undefined;
  readonly inner: RemoteException | undefined;
}

/** An error record: MS-PSRP 2.2.3.15. Texts are the server's own, in its language. */
export interface ErrorRecord {
  /** What PowerShell prints: the details' message where there is one, otherwise the exception's. */
  readonly message: string;
  /** Language-neutral identifier, `ADInvalidPassword,Microsoft.Exchange...`; empty when there is none. */
  readonly fullyQualifiedErrorId: string;
  readonly exception: RemoteException | undefined;
  readonly category: ErrorCategory;
  /** ToString of the object the error is about. */
  readonly target: string | undefined;
  readonly recommendedAction: string | undefined;
  readonly scriptStackTrace: string | undefined;
}

/** CategoryInfo: MS-PSRP 2.2.3.9 for the numbers. */
export interface ErrorCategory {
  readonly number: number;
  readonly activity: string;
  readonly reason: string;
  readonly targetName: string;
  readonly targetType: string;
  /** The line as PowerShell prints it: `InvalidArgument: (:) [Cmdlet], ExceptionType`. */
  readonly message: string;
}

/** Names of MS-PSRP 2.2.3.9; the index is the number. */
export const ERROR_CATEGORIES = [
  "NotSpecified",
  "OpenError",
  "CloseError",
  "DeviceError",
  "DeadlockDetected",
  "InvalidArgument",
  "InvalidData",
  "InvalidOperation",
  "InvalidResult",
  "InvalidType",
  "MetadataError",
  "NotImplemented",
  "NotInstalled",
  "ObjectNotFound",
  "OperationStopped",
  "OperationTimeout",
  "SyntaxError",
  "ParserError",
  "PermissionDenied",
  "ResourceBusy",
  "ResourceExists",
  "ResourceUnavailable",
  "ReadError",
  "WriteError",
  "FromStdErr",
  "SecurityError",
  "ProtocolError",
  "ConnectionError",
  "AuthenticationError",
  "LimitsExceeded",
  "QuotaExceeded",
  "NotEnabled",
] as const;

/** Reads an error record, whatever of it was sent: MS-PSRP 2.2.3.15. Total, because a failure must never hide another. */
export function decodeErrorRecord(value: ClixmlValue): ErrorRecord {
  const text = (name: string): string => displayOf(propertyOf(value, name)) ?? "";
  const optional = (name: string): string | undefined => {
    const found = displayOf(propertyOf(value, name));
    return found === undefined || found === "" ? undefined : found;
  };
  const exception = decodeException(propertyOf(value, "Exception"));
  const message = optional("ErrorDetails_Message") ?? exception?.message ?? displayOf(value) ?? "";
  return {
    message: message === "" ? "The server reported an error without a text." : message,
    fullyQualifiedErrorId: text("FullyQualifiedErrorId"),
    exception,
    category: {
      number: integerOf(propertyOf(value, "ErrorCategory_Category")) ?? 0,
      activity: text("ErrorCategory_Activity"),
      reason: text("ErrorCategory_Reason"),
      targetName: text("ErrorCategory_TargetName"),
      targetType: text("ErrorCategory_TargetType"),
      message: text("ErrorCategory_Message"),
    },
    target: optional("TargetObject"),
    recommendedAction: optional("ErrorDetails_RecommendedAction"),
    scriptStackTrace: optional("ErrorDetails_ScriptStackTrace"),
  };
}

/** Most exceptions inside each other: by references a chain of them may be longer than any document is deep. */
const MAX_INNER_EXCEPTIONS = 32;

/** An exception with its properties, or, beyond the serialisation depth, the text that is left of it. */
function decodeException(value: ClixmlValue | undefined, depth = 0): RemoteException | undefined {
  if (value === undefined || value.kind === "Nil" || depth > MAX_INNER_EXCEPTIONS) return undefined;
  const message = stringOf(propertyOf(value, "Message")) ?? displayOf(value);
  if (message === undefined) return undefined;
  return {
    typeNames: value.kind === "Obj" ? value.typeNames.map((name) => name.replace(/^Deserialized\./, "")) : [],
    message,
    hresult: integerOf(propertyOf(value, "HResult")),
    inner: decodeException(propertyOf(value, "InnerException"), depth + 1),
  };
}

/** Writes an error record in the form Windows sends: the server half's, and the client's refusal of a host call. */
export function encodeErrorRecord(record: ErrorRecord): ClixmlObject {
  const { category } = record;
  const isDetailed = record.exception !== undefined && record.exception.message !== record.message;
  const optional = (name: string, text: string | undefined): [string, ClixmlValue][] =>
    text === undefined ? [] : [[name, string(text)]];
  return object({
    typeNames: ["System.Management.Automation.ErrorRecord", "System.Object"],
    display: record.message,
    extended: new Map<string, ClixmlValue>([
      ["Exception", encodeException(record.exception ?? plainException(record.message))],
      ["TargetObject", record.target === undefined ? NIL : string(record.target)],
      ["FullyQualifiedErrorId", string(record.fullyQualifiedErrorId)],
      ["InvocationInfo", NIL],
      ["ErrorCategory_Category", int32(category.number)],
      ["ErrorCategory_Activity", string(category.activity)],
      ["ErrorCategory_Reason", string(category.reason)],
      ["ErrorCategory_TargetName", string(category.targetName)],
      ["ErrorCategory_TargetType", string(category.targetType)],
      ["ErrorCategory_Message", string(category.message)],
      ...optional("ErrorDetails_Message", isDetailed ? record.message : undefined),
      ...optional("ErrorDetails_RecommendedAction", record.recommendedAction),
      ["SerializeExtendedInfo", boolean(false)],
      ...optional("ErrorDetails_ScriptStackTrace", record.scriptStackTrace),
    ]),
  });
}

function encodeException(exception: RemoteException): ClixmlObject {
  return object({
    typeNames: exception.typeNames,
    display: `${exception.typeNames[0] ?? "System.Exception"}: ${exception.message}`,
    adapted: new Map<string, ClixmlValue>([
      ["Message", string(exception.message)],
      ["InnerException", exception.inner === undefined ? NIL : encodeException(exception.inner)],
      ["HResult", exception.hresult === undefined ? NIL : int32(exception.hresult)],
    ]),
  });
}

function plainException(message: string): RemoteException {
  return { typeNames: ["System.Exception", "System.Object"], message, hresult: undefined, inner: undefined };
}

/** An error record from a few words, for the server half and for refusing host calls. */
export function errorRecord(parts: {
  readonly message: string;
  readonly fullyQualifiedErrorId: string;
  readonly category: (typeof ERROR_CATEGORIES)[number];
  readonly activity?: string;
  readonly exceptionTypeNames?: readonly string[];
}): ErrorRecord {
  const typeNames = parts.exceptionTypeNames ?? ["System.Exception", "System.Object"];
  const reason = (typeNames[0] ?? "").split(".").at(-1) ?? "";
  const activity = parts.activity ?? "";
  return {
    message: parts.message,
    fullyQualifiedErrorId: parts.fullyQualifiedErrorId,
    exception: { typeNames, message: parts.message, hresult: undefined, inner: undefined },
    category: {
      number: ERROR_CATEGORIES.indexOf(parts.category),
      activity,
      reason,
      targetName: "",
      targetType: "",
      message: `${parts.category}: (:) [${activity}], ${reason}`,
    },
    target: undefined,
    recommendedAction: undefined,
    scriptStackTrace: undefined,
  };
}
