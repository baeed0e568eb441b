import type { RemotingError } from "../remoting/errors";
import type { StrangerAnswer } from "../remoting/http/stranger";
import type { TlsPeer } from "../remoting/http/tls";
import type { Authentication, Finding } from "./finding";

/* What the way to a server shows, judged on data: name, connection, TLS, the web server, its clock. */

export interface Address {
  readonly address: string;
  readonly family: number;
}

/** Of a host that is an address itself. */
export function judgeAddress(host: string, authentication: Authentication): Finding {
  return authentication === "basic"
    ? { step: "name", outcome: "ok", kind: "nameIsAddress", host }
    : { step: "name", outcome: "warn", kind: "nameIsAddressForKerberos", host };
}

export function judgeName(host: string, found: readonly Address[]): Finding {
  const loopback = found.filter(({ address }) => /^127\.|^::1$|^::ffff:127\./.test(address));
  if (loopback.length > 0) {
    return { step: "name", outcome: "warn", kind: "nameLeadsBack", host, addresses: textsOf(loopback) };
  }
  const addresses = textsOf(found);
  const isSeveral = [4, 6].some((family) => found.filter((one) => one.family === family).length > 1);
  return isSeveral
    ? { step: "name", outcome: "warn", kind: "nameOfSeveral", host, addresses }
    : { step: "name", outcome: "ok", kind: "nameFound", host, addresses };
}

function textsOf(addresses: readonly Address[]): readonly string[] {
  return addresses.map(({ address }) => address);
}

export function judgeNameFailure(host: string, code: string): Finding {
  return { step: "name", outcome: "fail", kind: "nameNotFound", host, code };
}

/** `seconds`: the time limit; `code` undefined: it was reached. */
export function judgeConnection(
  address: string,
  result:
    | { readonly kind: "connected"; readonly milliseconds: number }
    | { readonly kind: "failed"; readonly code: string }
    | { readonly kind: "timedOut"; readonly seconds: number },
): Finding {
  const step = "connection";
  switch (result.kind) {
    case "connected":
      return { step, outcome: "ok", kind: "connected", address, milliseconds: result.milliseconds };
    case "timedOut":
      return { step, outcome: "fail", kind: "connectionTimedOut", address, seconds: result.seconds };
    case "failed":
      return result.code === "ECONNREFUSED"
        ? { step, outcome: "fail", kind: "nobodyListens", address }
        : { step, outcome: "fail", kind: "unreachable", address, code: result.code };
  }
}

/** A certificate that ends sooner than that is worth a word. */
const SOON_DAYS = 14;

export function judgeTls(
  peer: TlsPeer,
  expected: { readonly name: string; readonly isVerified: boolean },
  now: Date,
): readonly Finding[] {
  const days = Math.floor((peer.notAfter.getTime() - now.getTime()) / 86_400_000);
  const step = "TLS";
  const seen: Finding = expected.isVerified
    ? { step, outcome: "ok", kind: "peerTrusted", peer, days, expected: expected.name }
    : { step, outcome: "warn", kind: "peerNotVerified", peer, days };
  return days < SOON_DAYS ? [seen, { step, outcome: "warn", kind: "peerEndsSoon", notAfter: peer.notAfter }] : [seen];
}

/** `seconds` is the time limit when it was reached. */
export function judgeTlsFailure(error: RemotingError | { readonly seconds: number }): Finding {
  const step = "TLS";
  const outcome = "fail";
  if ("seconds" in error) return { step, outcome, kind: "tlsTimedOut", seconds: error.seconds };
  const { certificate, tlsCode = "" } = error.facts;
  const { what } = error.said;
  if (certificate !== undefined) return { step, outcome, kind: "peerRefused", wrong: certificate, says: what };
  if (tlsCode.startsWith("ERR_SSL_") || tlsCode === "EPROTO") return { step, outcome, kind: "noTls" };
  return { step, outcome, kind: "tlsRefused", says: what };
}

/** What the web server says to a stranger: nobody has said a password yet. */
export function judgeStranger(
  { status, offers, frontEnd, path }: StrangerAnswer,
  authentication: Authentication,
): Finding {
  const step = "web server";
  if (status === 401) {
    if (offers.length === 0) return { step, outcome: "ok", kind: "offersUntold", frontEnd };
    return isOffered(offers, authentication)
      ? { step, outcome: "ok", kind: "offersFit", frontEnd, offers }
      : { step, outcome: "warn", kind: "offersOthers", frontEnd, offers, authentication };
  }
  if (status === 404) return { step, outcome: "fail", kind: "nothingThere", frontEnd, path };
  if (status === 403) return { step, outcome: "fail", kind: "nobodyLetIn", frontEnd };
  if (status === 503) return { step, outcome: "fail", kind: "notRunning", frontEnd };
  return status >= 300 && status < 400
    ? { step, outcome: "fail", kind: "pointsElsewhere", frontEnd, status }
    : { step, outcome: "warn", kind: "strangerLetIn", frontEnd, status };
}

/** No answer to the stranger. `code`: Node's name for it, or a sentence. */
export function judgeNoAnswer(why: { readonly seconds: number } | { readonly code: string }, scheme: string): Finding {
  return "seconds" in why
    ? { step: "web server", outcome: "fail", kind: "noAnswerInTime", scheme, seconds: why.seconds }
    : { step: "web server", outcome: "fail", kind: "noAnswer", scheme, code: why.code };
}

/** Whether what a server says it takes is what we are going to say. */
export function isOffered(offers: readonly string[], authentication: Authentication): boolean {
  const wanted = authentication === "basic" ? ["basic"] : ["kerberos", "negotiate"];
  return offers.some((one) => wanted.includes(one.toLowerCase()));
}

/** Active Directory's own limit for Kerberos. */
const MAX_SKEW_SECONDS = 300;

/** `aheadSeconds`: by which the server's clock is ahead of ours; negative: it is behind. */
export function judgeClock(aheadSeconds: number, authentication: Authentication): Finding {
  const difference = { seconds: Math.abs(Math.round(aheadSeconds)), isServerBehind: aheadSeconds < 0 };
  // The header has whole seconds.
  if (difference.seconds <= 2) return { step: "clock", outcome: "ok", kind: "clocksAgree" };
  if (difference.seconds <= MAX_SKEW_SECONDS)
    return { step: "clock", outcome: "ok", kind: "clocksDiffer", ...difference };
  return authentication === "kerberos"
    ? { step: "clock", outcome: "fail", kind: "clocksTooFarForKerberos", ...difference }
    : { step: "clock", outcome: "warn", kind: "clocksFarApart", ...difference };
}
