import { messageOf } from "../../errors";
import { isRemotingError, RemotingError, type RemotingErrorCode, type RemotingErrorFacts, type Said } from "../errors";

/** Where a connection leads, for messages: never with a user name or a password in it. */
export function describeUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

const NOT_FOUND = new Set(["ENOTFOUND", "EAI_AGAIN", "EAI_NODATA", "EAI_NONAME", "EAI_FAIL"]);
const REFUSED = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "EHOSTDOWN", "EACCES", "EPERM"]);

function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  return error instanceof AggregateError ? codeOf(error.errors[0]) : "";
}

/** A connection that hasn't come about. */
export function notConnected(
  code: RemotingErrorCode,
  url: URL,
  said: Said,
  options: { readonly cause?: unknown; readonly facts?: RemotingErrorFacts } = {},
): RemotingError {
  const { what, remedy } = said;
  const text = remedy === undefined ? what : `${what} ${remedy}`;
  return new RemotingError(code, `Connecting to ${describeUrl(url)}: ${text}`, { ...options, said });
}

/** What to do where nobody answers. */
export const IS_IT_UP = "Check that the server is up, and that no firewall is in between.";

/** What kept a connection from coming about. Nothing has been sent by then. */
export function connectFailure(url: URL, error: unknown): RemotingError {
  if (isRemotingError(error)) return error;
  const code = codeOf(error);
  const failed = (of: RemotingErrorCode, said: Said, facts: RemotingErrorFacts = {}): RemotingError =>
    notConnected(of, url, said, { cause: error, facts: { fate: "notDone", ...facts } });
  if (NOT_FOUND.has(code)) {
    return failed("HostUnknown", {
      what: `there is no host ${url.hostname} (${code}).`,
      remedy: "Check the name, and that this machine's DNS knows it.",
    });
  }
  if (REFUSED.has(code)) {
    return failed("ConnectionRefused", { what: `nobody answers there (${messageOf(error)}).`, remedy: IS_IT_UP });
  }
  if (code.startsWith("ERR_SSL_") || code === "EPROTO" || (code === "ECONNRESET" && url.protocol === "https:")) {
    const remedy = "Check that this port speaks TLS, version 1.2 or later.";
    return failed("TlsRefused", { what: `TLS could not be agreed on (${code}).`, remedy }, { tlsCode: code });
  }
  return failed("ConnectionRefused", { what: `${messageOf(error)}.` });
}

/** The same error, for a request of which nothing was sent. */
export function asNotDone(error: RemotingError): RemotingError {
  const { code, message, cause, facts, said } = error;
  return new RemotingError(code, message, { cause, facts: { ...facts, fate: "notDone" }, said });
}

/** What ended a connection between request and answer. Whether the server did what it was asked to, nobody knows. */
export function exchangeFailure(url: URL, error: unknown): RemotingError {
  if (isRemotingError(error)) return error;
  const what = `the connection ended before the answer was there (${messageOf(error)}).`;
  return new RemotingError("ConnectionLost", `Talking to ${describeUrl(url)}: ${what}`, {
    cause: error,
    said: { what },
  });
}

/** An answer of the web server, as far as it matters for telling failures apart. */
export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly location: string | undefined;
  /** Values of WWW-Authenticate. */
  readonly challenges: readonly string[];
  readonly frontEnd: string | undefined;
  /** The title of a page, or its first line: it tells one reason for 403 from another. */
  readonly title?: string | undefined;
}

/** Names of the methods that the server would take. Their parameters are left out: some are tokens. */
export function offeredSchemes(challenges: readonly string[]): readonly string[] {
  const schemes = challenges.flatMap((one) => /^\s*([A-Za-z][A-Za-z0-9-]*)(?:\s|,|$)/.exec(one)?.[1] ?? []);
  return [...new Set(schemes)];
}

/** What a server may not have liked that takes the method as such. */
const REFUSED_REMEDIES: Readonly<Record<string, string>> = {
  basic: "check the user name and the password, and that the account isn't locked.",
  kerberos:
    "the server doesn't believe the ticket. Check that its clock is right, that the service principal name HTTP/ and " +
    "this host belongs to the account that the web server runs as, and to no other (setspn -Q), and that Extended " +
    "Protection of the directory PowerShell isn't Required (extendedProtection tokenChecking None is what Exchange has).",
};

/** An answer that isn't SOAP, made into an error that says what to do. */
export function statusFailure(url: URL, scheme: string, answer: HttpAnswer): RemotingError {
  const { status, frontEnd } = answer;
  const by = frontEnd === undefined ? "" : ` (front end ${frontEnd})`;
  const fail = (code: RemotingErrorCode, what: string, facts: RemotingErrorFacts = {}): RemotingError =>
    new RemotingError(code, `${describeUrl(url)}${by} answered ${what}`, {
      facts: { httpStatus: status, frontEnd, ...facts },
      said: { what: `It${by} answered ${what}` },
    });
  const refused = { fate: "notDone" } as const;
  switch (status) {
    case 401: {
      const offered = offeredSchemes(answer.challenges);
      const takes = offered.length === 0 ? "It names no method that it takes" : `It takes ${offered.join(", ")}`;
      const remedy = offered.some((one) => one.toLowerCase() === scheme.toLowerCase())
        ? `${takes}: ${REFUSED_REMEDIES[scheme.toLowerCase()] ?? "check who we say we are."}`
        : `${takes}; we offered ${scheme}. Switch ${scheme} on for this virtual directory, or use what it takes.`;
      return fail("AuthenticationRefused", `401 (not authenticated). ${remedy}`, refused);
    }
    case 403:
      return fail(
        "Forbidden",
        `403 (forbidden${answer.title === undefined ? "" : `, "${answer.title}"`}). ` +
          "The virtual directory may require SSL or another address to call from, " +
          "or the account may not use remote PowerShell.",
        refused,
      );
    case 404:
      return fail(
        "EndpointNotFound",
        "404 (not found). Exchange's remote PowerShell is at /PowerShell/ on port 80 or 443, not on 5985.",
        refused,
      );
    default:
  }
  if (status >= 300 && status < 400) {
    const target = targetOf(url, answer.location);
    return fail(
      "HttpUnexpected",
      `${status} and points to ${target}, which isn't followed. Name that URL instead.`,
      refused,
    );
  }
  if (status === 503) {
    // No fate: a front end may answer so although the back end has done what it was asked to.
    return fail(
      "HttpUnexpected",
      "503 (unavailable): the application pool may be stopped or restarting. Run again in a moment; when it stays, " +
        "look on the server whether the application pools MSExchangePowerShellFrontEndAppPool and " +
        "MSExchangePowerShellAppPool run.",
    );
  }
  const type = answer.contentType === "" ? "nothing" : answer.contentType.split(";", 1)[0];
  return fail(
    "HttpUnexpected",
    `${status} with ${type ?? ""} instead of SOAP. Look into the web server's log, and check that the URL is that of remote PowerShell.`,
  );
}

/** Host and path only: what comes after may be a token. */
function targetOf(url: URL, location: string | undefined): string {
  if (location === undefined) return "nowhere";
  return URL.canParse(location, url.href) ? describeUrl(new URL(location, url)) : "something that isn't a URL";
}
