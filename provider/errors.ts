import { types } from "node:util";

import { cleanedMessage } from "./sentence";

/**
 * Every code an error of this package can carry. Codes are stable: programs and pipelines may switch on them.
 * The text may change, the code and the facts beside it may not.
 */
export const ERROR_CODES = [
  // certificate material
  "PfxUnreadable",
  "PfxWrongPassword",
  "PfxWithoutCertificate",
  "PfxWithoutKey",
  "PfxKeyDoesNotFit",
  "PfxAmbiguous",
  "PemUnreadable",
  "PemWithoutKey",
  "PemKeyDoesNotFit",
  "PemAmbiguous",
  "CertificateUnreadable",
  "SelfSignedInvalid",
  // configuration and state
  "ConfigurationInvalid",
  "BackendMismatch",
  "StateUnreadable",
  "Offline",
  // what a backend can answer
  "ServerUnknown",
  "ServerUnreachable",
  "ServerMismatch",
  "TimedOut",
  "AccessDenied",
  "CmdletNotAvailable",
  "Throttled",
  "CertificateNotFound",
  "ConnectorNotFound",
  "PrivateKeyMissing",
  "PrivateKeyAccess",
  "ImportRefused",
  "RemovalRefused",
  "CmdletFailed",
  "SimulatorFileInvalid",
  "SimulatorFileLocked",
  "Cancelled",
  // decisions
  "Refused",
  "ServerChanged",
  "ChangeDidNotComeAbout",
  "ServicesUnknown",
  "Internal",
] as const;

/** One of {@link ERROR_CODES}. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Facts of an error: plain data without secrets, for programs that want more than the sentence. */
export type ErrorFacts = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/**
 * The base of every error this package throws on purpose. The message says what we were doing, what we got and what
 * to do: in one line, and so that it may be shown anywhere. `cause` keeps the original error.
 */
export class ExchangeBindingError extends Error {
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, message: string, options: { facts?: ErrorFacts; cause?: unknown } = {}) {
    super(cleanedMessage(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "ExchangeBindingError";
    this.code = code;
    this.facts = options.facts ?? {};
  }
}

/** Whether a caught value is an {@link ExchangeBindingError}, optionally with a certain code. */
export function isBindingError(error: unknown, code?: ErrorCode): error is ExchangeBindingError {
  return error instanceof ExchangeBindingError && (code === undefined || error.code === code);
}

/**
 * A sentence for anything that can be thrown. `AggregateError` (what Node throws when every address of a host refuses)
 * has an empty message of its own, and a thrown string has none at all; neither may reach a user as an empty line.
 */
export function messageOf(error: unknown): string {
  // Not `instanceof`: an error may come from another realm (a worker, a test runner), and is one all the same.
  if (types.isNativeError(error)) {
    const parts: unknown = (error as { readonly errors?: unknown }).errors;
    if (error.message === "" && Array.isArray(parts)) return [...new Set(parts.map(messageOf))].join("; ");
    return error.message === "" ? error.name : error.message;
  }
  if (typeof error === "string" && error !== "") return error;
  return "an unknown error";
}

/** The text with a full stop, so that another sentence may follow: servers and libraries often leave it out. */
export function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
