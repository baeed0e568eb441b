/**
 * What can go wrong below a remote session. Whoever uses this folder maps these codes to its own; none of the messages
 * carries a body, a parameter or a secret.
 */
export const REMOTING_ERROR_CODES = [
  /** Not well-formed, a DOCTYPE, or beyond a limit. */
  "XmlRefused",
  /** Well-formed XML that isn't CLIXML: MS-PSRP 2.2.5. */
  "ClixmlInvalid",
  /** A value that XML, or CLIXML, has no way to write. */
  "XmlUnwritable",
  /** A fragment that doesn't fit the ones before it, or is beyond a limit: MS-PSRP 2.2.4. */
  "FragmentInvalid",
  /** A PSRP message whose header or body isn't what its type says: MS-PSRP 2.2.1 and 2.2.2. */
  "MessageInvalid",
  /** Something was asked of a runspace pool or pipeline that its state doesn't allow. */
  "StateInvalid",
  /** The session key could not be agreed on, or a secure string doesn't fit it: MS-PSRP 2.2.2.4 and 2.2.5.1.24. */
  "KeyExchangeFailed",
  /** A SOAP envelope that isn't what WS-Management says: DSP0226, MS-WSMV 2.2.4. */
  "EnvelopeInvalid",
] as const;

export type RemotingErrorCode = (typeof REMOTING_ERROR_CODES)[number];

export class RemotingError extends Error {
  readonly code: RemotingErrorCode;

  constructor(code: RemotingErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "RemotingError";
    this.code = code;
  }
}

/** Whether a caught value is a {@link RemotingError}, optionally with a certain code. */
export function isRemotingError(error: unknown, code?: RemotingErrorCode): error is RemotingError {
  return error instanceof RemotingError && (code === undefined || error.code === code);
}
