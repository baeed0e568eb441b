import { isBindingError } from "../errors";
import type { ErrorRecord } from "./psrp/errorRecord";
import type { WsmanFault } from "./wsman/wsmanFault";

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

  /** The settings of a connection contradict each other, or would give a password away. */
  "SettingsRefused",
  /** The host's name leads nowhere. */
  "HostUnknown",
  /** Nobody listens there, or no way leads there. */
  "ConnectionRefused",
  /** The connection ended before the answer was there. */
  "ConnectionLost",
  /** The server's certificate isn't trusted, isn't made out to the expected name, or TLS couldn't be agreed on. */
  "TlsRefused",
  /** HTTP 401, or the server couldn't prove who it is. */
  "AuthenticationRefused",
  /** No Kerberos KDC (domain controller) answered, so that there is no ticket to show. */
  "KdcUnreachable",
  /** HTTP 403: SSL required, address not allowed. */
  "Forbidden",
  /** HTTP 404, or no such configuration behind the URL. */
  "EndpointNotFound",
  /** Any other answer that isn't SOAP. */
  "HttpUnexpected",
  /** No answer within the time limit. */
  "TimedOut",
  /** The caller's signal fired. */
  "Aborted",

  /** WS-Management or the plug-in behind it refused the account. */
  "AccessDenied",
  /** Too many shells, operations or requests: the same later may do. */
  "Throttled",
  /** The shell or the command isn't there any more: idle for too long, web server restarted, another back end. */
  "ShellGone",
  /** Any other fault. */
  "FaultReceived",
  /** The server broke the runspace pool. */
  "PoolBroken",
  /** The session was closed before this was asked of it. */
  "SessionClosed",
] as const;

export type RemotingErrorCode = (typeof REMOTING_ERROR_CODES)[number];

/** Facts beside the message. No secrets. */
export interface RemotingErrorFacts {
  /**
   * What has become of what was asked for. `notDone`: it certainly didn't happen, the same may be tried again. Anything
   * else, and when it isn't said: unknown, so look before trying again.
   */
  readonly fate?: "notDone" | undefined;
  readonly httpStatus?: number | undefined;
  /** The server that says it answered (X-FEServer): behind a load balancer, which one of many. */
  readonly frontEnd?: string | undefined;
  /** With `TlsRefused`: what is wrong with the server's certificate, where that is what is wrong. */
  readonly certificate?: "name" | "trust" | "dates" | undefined;
  /** With `TlsRefused`: Node's code for why TLS wasn't agreed on. */
  readonly tlsCode?: string | undefined;
  readonly fault?: WsmanFault | undefined;
  readonly record?: ErrorRecord | undefined;
  readonly kerberos?: KerberosFacts | undefined;
}

/** What Kerberos was asked for, and the numbers that it failed with. */
export interface KerberosFacts {
  /** `HTTP/host`. */
  readonly service: string;
  readonly principal: string | undefined;
  /** Names of the ticket cache and of the client keytab. */
  readonly cache?: string | undefined;
  readonly keytab?: string | undefined;
  /** Status of GSSAPI, and of MIT's library below it; unsigned. */
  readonly major?: number | undefined;
  readonly minor?: number | undefined;
  /** Status of SSPI; unsigned. */
  readonly status?: number | undefined;
}

/** What an error says to a reader who knows which URL is meant. */
export interface Said {
  readonly what: string;
  /** A way out, where the message has one that can be left away. */
  readonly remedy?: string | undefined;
}

export class RemotingError extends Error {
  readonly code: RemotingErrorCode;
  readonly facts: RemotingErrorFacts;
  readonly said: Said;

  constructor(
    code: RemotingErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly facts?: RemotingErrorFacts; readonly said?: Said } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: bareCause(options.cause) });
    this.name = "RemotingError";
    this.code = code;
    this.facts = options.facts ?? {};
    this.said = options.said ?? { what: message };
  }
}

/**
 * Errors of others may carry what they were at: Node's parser keeps the whole answer, cookies included (`rawPacket`).
 * Of such a cause, its name and code are kept.
 */
function bareCause(cause: unknown): Error {
  if (cause instanceof RemotingError || isBindingError(cause)) return cause;
  const isError = cause instanceof Error;
  const code = isError && "code" in cause ? cause.code : undefined;
  const bare = new Error(typeof code === "string" && /^[A-Z][A-Z0-9_]{0,63}$/.test(code) ? code : "of another kind");
  if (isError && /^[A-Za-z]{1,40}$/.test(cause.name)) bare.name = cause.name;
  return bare;
}

/** Whether a caught value is a {@link RemotingError}, optionally with a certain code. */
export function isRemotingError(error: unknown, code?: RemotingErrorCode): error is RemotingError {
  return error instanceof RemotingError && (code === undefined || error.code === code);
}
