import type { RemotingError } from "../remoting/errors";
import type { TraceEvent } from "../remoting/trace";
import type { Authentication, Finding, Identity } from "./finding";
import { isOffered } from "./reachFindings";

/* Whether we are let in, and what session we get, judged on what the trace of it tells. */

type AuthenticationEvent = Extract<TraceEvent, { readonly kind: "authentication" }>;

/** The attempt to open a session. */
export interface Opening {
  readonly events: readonly TraceEvent[];
  /** Undefined: it is open. */
  readonly failure: RemotingError | { readonly seconds: number } | undefined;
}

export interface Asked {
  /** The server that is meant. */
  readonly server: string;
  /** Whether the endpoint's URL has the server's name in it. */
  readonly isByName: boolean;
  readonly authentication: Authentication;
  readonly username: string | undefined;
  /** Node's name of the system that doctor runs on. */
  readonly platform: string;
  /** What the server says it takes; empty when it says nothing. */
  readonly offers: readonly string[];
}

/** Findings about authentication and session; the last one says whether there is a session. */
export function judgeOpening({ events, failure }: Opening, asked: Asked): readonly Finding[] {
  const last = events.filter((event): event is AuthenticationEvent => event.kind === "authentication").at(-1);
  if (failure === undefined) return [judgeSignIn(last, asked), judgeSession(events, asked)];
  if (!("seconds" in failure) && failure.code === "AuthenticationRefused") return [judgeRefusal(failure, last, asked)];
  if (last?.outcome === "accepted") return [judgeSignIn(last, asked), judgeNoSession(failure)];
  if ("seconds" in failure) {
    const { authentication, platform } = asked;
    const begun = last && identityOf(last, asked);
    return [
      {
        step: "authentication",
        outcome: "fail",
        kind: "undecidedInTime",
        seconds: failure.seconds,
        begun,
        authentication,
        platform,
      },
    ];
  }
  return [{ step: "authentication", outcome: "skip", kind: "undecided" }, judgeNoSession(failure)];
}

function judgeSignIn(last: AuthenticationEvent | undefined, asked: Asked): Finding {
  return last === undefined
    ? { step: "authentication", outcome: "warn", kind: "notAsked" }
    : { step: "authentication", outcome: "ok", kind: "signedIn", identity: identityOf(last, asked) };
}

function identityOf(event: AuthenticationEvent, { username }: Asked): Identity {
  const { scheme, outcome, service, principal, isPrincipalAgreed, isEncrypted } = event;
  return {
    scheme,
    who: principal ?? username,
    isAssumed: isPrincipalAgreed === false,
    service,
    isEncrypted: isEncrypted === true && outcome === "accepted",
  };
}

function judgeRefusal(failure: RemotingError, last: AuthenticationEvent | undefined, asked: Asked): Finding {
  const { authentication, offers, platform, username } = asked;
  const step = "authentication";
  const outcome = "fail";
  if (offers.length > 0 && !isOffered(offers, authentication)) {
    return { step, outcome, kind: "methodNotTaken", offers, authentication };
  }
  if (authentication === "basic") return { step, outcome, kind: "passwordRefused", username };
  // Failures of the library name the service already.
  const isNamed = failure.facts.kerberos !== undefined || last?.service === undefined;
  const identity = isNamed ? undefined : identityOf(last, asked);
  return { step, outcome, kind: "kerberosRefused", says: wholeOf(failure), identity, platform };
}

function judgeSession(events: readonly TraceEvent[], { server, isByName }: Asked): Finding {
  const opened = events.find((event) => event.kind === "opened");
  const answered = events.find((event) => event.kind === "request" && event.frontEnd !== undefined);
  const frontEnd = answered?.kind === "request" ? answered.frontEnd : undefined;
  const { protocolVersion, powerShell } =
    opened?.kind === "opened" ? opened : { protocolVersion: undefined, powerShell: undefined };
  const session = { protocolVersion, powerShell, frontEnd };
  const label = (name: string): string => name.split(".", 1)[0]?.toLowerCase() ?? "";
  return frontEnd === undefined || !isByName || label(frontEnd) === label(server)
    ? { step: "session", outcome: "ok", kind: "sessionOpen", ...session }
    : { step: "session", outcome: "warn", kind: "sessionOfAnother", ...session };
}

function judgeNoSession(failure: RemotingError | { readonly seconds: number }): Finding {
  const step = "session";
  if ("seconds" in failure) return { step, outcome: "fail", kind: "sessionTimedOut", seconds: failure.seconds };
  const { code, facts } = failure;
  return {
    step,
    outcome: "fail",
    kind: "sessionRefused",
    code,
    says: wholeOf(failure),
    httpStatus: facts.httpStatus,
  };
}

/** All that it says to somebody who knows which URL is meant. */
function wholeOf({ said: { what, remedy } }: RemotingError): string {
  return remedy === undefined ? what : `${what} ${remedy}`;
}
