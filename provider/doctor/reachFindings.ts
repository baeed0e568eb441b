import { isIP } from "node:net";
import type { RemotingError } from "../remoting/errors";
import type { StrangerAnswer } from "../remoting/http/stranger";
import type { TlsPeer } from "../remoting/http/tls";
import { type Finding, fail, ok, warn } from "./finding";

/* What the way to a server shows, judged on data: name, connection, TLS, the web server, its clock. */

export interface Address {
  readonly address: string;
  readonly family: number;
}

export function judgeName(
  host: string,
  addresses: readonly Address[],
  authentication: "kerberos" | "basic",
): readonly Finding[] {
  if (isIP(host) !== 0) {
    const text = `${host} is an address; there is nothing to look up`;
    if (authentication === "basic") return [ok("name", text)];
    return [
      warn(
        "name",
        `${text}, and usually no Kerberos service of that name.`,
        "Name the server by its FQDN in exchange:endpoint (--endpoint).",
      ),
    ];
  }
  const found = ok("name", `${host} is ${addresses.map(({ address }) => address).join(", ")}`);
  const loopback = addresses.filter(({ address }) => /^127\.|^::1$|^::ffff:127\./.test(address));
  if (loopback.length > 0) {
    return [
      warn(
        "name",
        `${host} leads back to this machine (${loopback.map(({ address }) => address).join(", ")}).`,
        "Unless a simulated server is meant, look into this machine's hosts file and DNS.",
      ),
    ];
  }
  const several = [4, 6].some((family) => addresses.filter((one) => one.family === family).length > 1);
  if (!several) return [found];
  return [
    warn(
      "name",
      `${found.text}: several machines, or a load balancer.`,
      "Name each server by its own FQDN: a session, its cookies and its Kerberos name belong to one server. If only the " +
        "common name can be reached, make it the fixed host of exchange:endpoint.",
    ),
  ];
}

export function judgeNameFailure(host: string, code: string): Finding {
  const why = NAME_FAILURES[code] ?? `the name can't be looked up (${code})`;
  return fail(
    "name",
    `${host}: ${why}.`,
    "Check the spelling, and that this machine asks a DNS server that knows the Active Directory domain.",
    "exchange:endpoint (--endpoint) can name another host, or an address, with exchange:tlsServerName beside it.",
  );
}

const NAME_FAILURES: Readonly<Record<string, string>> = {
  ENOTFOUND: "DNS knows no such host (ENOTFOUND)",
  ENODATA: "DNS knows the name, but no address for it (ENODATA)",
  EAI_AGAIN: "no DNS server answered (EAI_AGAIN)",
};

/** `seconds`: the time limit; `code` undefined: it was reached. */
export function judgeConnection(
  address: string,
  result:
    | { readonly kind: "connected"; readonly milliseconds: number }
    | { readonly kind: "failed"; readonly code: string }
    | { readonly kind: "timedOut"; readonly seconds: number },
): Finding {
  switch (result.kind) {
    case "connected":
      return ok("connection", `${address} answers, after ${result.milliseconds} ms`);
    case "timedOut":
      return fail(
        "connection",
        `${address} didn't answer within ${result.seconds} seconds.`,
        "A firewall that drops packets looks like this: let TCP through from here to that port.",
        "Check that the server is up.",
      );
    case "failed":
      if (result.code === "ECONNREFUSED") {
        return fail(
          "connection",
          `${address} refuses connections: the machine is there, but nobody listens on that port.`,
          "Check the port in exchange:endpoint (--endpoint): Exchange's PowerShell is on 80 (http) and 443 (https).",
          "Check that the World Wide Web Publishing Service (W3SVC) runs on the server.",
        );
      }
      return fail(
        "connection",
        `${address} can't be reached (${result.code}).`,
        "Check the network between here and the server, and that the server is up.",
      );
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
  const who = `certificate ${peer.thumbprint} "${peer.subject}" for ${shownNames(peer.names)}, issued by "${peer.issuer}"`;
  const seen = `${peer.version}; ${who}, ${days} ${days === 1 ? "day" : "days"} left`;
  const findings: Finding[] = [];
  if (expected.isVerified) findings.push(ok("TLS", `${seen}; trusted, and made out to ${expected.name}`));
  else {
    findings.push(
      warn(
        "TLS",
        `${seen}; not verified: whoever is in between can read and change everything, the password included.`,
        "Take exchange:dangerouslySkipTlsVerification away; exchange:caFile and exchange:tlsServerName do without it.",
      ),
    );
  }
  if (days < SOON_DAYS) {
    findings.push(
      warn(
        "TLS",
        `The front end's certificate ends on ${peer.notAfter.toISOString().slice(0, 10)}.`,
        "Enable a new one for IIS on that server in time: when it has expired, nobody gets in this way any more.",
      ),
    );
  }
  return findings;
}

function shownNames(names: readonly string[]): string {
  if (names.length === 0) return "no name";
  return names.length <= 6 ? names.join(", ") : `${names.slice(0, 6).join(", ")} and ${names.length - 6} more`;
}

/** `seconds` is the time limit when it was reached. */
export function judgeTlsFailure(error: RemotingError | { readonly seconds: number }): Finding {
  if ("seconds" in error) {
    return fail(
      "TLS",
      `The port is open, but TLS wasn't agreed on within ${error.seconds} seconds.`,
      "Check that this port speaks TLS, and that no proxy is in between.",
    );
  }
  const text = error.message.replace(/^Connecting to \S+: /, "");
  if (/ERR_SSL_|EPROTO/.test(text)) {
    return fail(
      "TLS",
      "The port is open, but it doesn't speak TLS.",
      "Check scheme and port in exchange:endpoint (--endpoint): https is usually 443, plain http is 80.",
    );
  }
  const { certificate } = error.facts;
  if (certificate === undefined) return fail("TLS", upperFirst(text), "Check that this port speaks TLS 1.2 or later.");
  // The error ends with a remedy of its own, in fewer words.
  return fail("TLS", upperFirst(text.replace(/ (?:Expect|Trust) [^.]*\.$/, "")), ...TLS_REMEDIES[certificate]);
}

const TLS_REMEDIES: Readonly<Record<"name" | "trust" | "dates", readonly string[]>> = {
  name: [
    "Expect one of its names, if it is the right server: exchange:tlsServerName (--tls-server-name).",
    "Or enable a certificate for IIS there that holds the server's name.",
  ],
  trust: [
    "Trust the CA that issued it: exchange:caFile (--ca-file), a PEM file with the root and whatever is between. A " +
      "self-signed certificate is trusted by being in that file itself.",
    "Compare the thumbprint with Get-ExchangeCertificate on the server first: somebody in between looks like this too.",
  ],
  dates: [
    "Compare this machine's clock with the server's.",
    "If it has expired, enable another one for IIS, on the server itself: nobody gets in this way before.",
  ],
};

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What to do about HTTP 503. */
export const NOT_RUNNING =
  "Look at the application pools MSExchangePowerShellAppPool and MSExchangePowerShellFrontEndAppPool on the server, and " +
  "at the certificate of the site Exchange Back End (port 444).";

/** What the web server says to a stranger: nobody has said a password yet. */
export function judgeStranger(answer: StrangerAnswer, authentication: "kerberos" | "basic"): readonly Finding[] {
  const { status, offers, frontEnd } = answer;
  const from = frontEnd === undefined ? "" : `front end ${frontEnd}, `;
  switch (status) {
    case 401:
      return [judgeOffers(from, offers, authentication)];
    case 404:
      return [
        fail(
          "web server",
          `${from}HTTP 404: there is nothing at ${answer.path}.`,
          "Exchange's remote PowerShell is at /PowerShell/ on port 80 or 443 (not on 5985): correct exchange:endpoint " +
            "(--endpoint).",
          "Check with Get-PowerShellVirtualDirectory that the server has the directory at all.",
        ),
      ];
    case 403:
      return [
        fail(
          "web server",
          `${from}HTTP 403: nobody is let in from here, or not over this protocol.`,
          "The directory may require SSL: use https:// in exchange:endpoint. Or IIS limits the addresses to call from.",
        ),
      ];
    case 503:
      return [fail("web server", `${from}HTTP 503: the application behind the directory doesn't run.`, NOT_RUNNING)];
    default:
  }
  if (status >= 300 && status < 400) {
    return [
      fail(
        "web server",
        `${from}HTTP ${status}: it points elsewhere, which isn't followed.`,
        "Name the URL that it points to in exchange:endpoint (--endpoint), with its path /PowerShell/.",
      ),
    ];
  }
  return [
    warn(
      "web server",
      `${from}HTTP ${status}: it doesn't ask who we are, which Exchange always does.`,
      "Check that the URL is that of Exchange's remote PowerShell, and that no proxy answers in its place.",
    ),
  ];
}

/** No answer to the stranger. `code`: Node's name for it, or a sentence. */
export function judgeNoAnswer(why: { readonly seconds: number } | { readonly code: string }, scheme: string): Finding {
  const text =
    "seconds" in why
      ? `Nothing was answered within ${why.seconds} seconds.`
      : `The connection ended without an answer (${why.code}).`;
  const remedy =
    scheme === "http:"
      ? "Check that this port speaks plain http: a port that wants TLS (443) behaves like this."
      : "Check that a web server answers there, and that no proxy is in between.";
  return fail("web server", text, remedy);
}

function judgeOffers(from: string, offers: readonly string[], authentication: "kerberos" | "basic"): Finding {
  if (offers.length === 0) return ok("web server", `${from}HTTP 401, and not a word about what it takes`);
  const list = offers.join(", ");
  if (isOffered(offers, authentication)) return ok("web server", `${from}it takes ${list}`);
  return warn(
    "web server",
    `${from}it says that it takes ${list}, but exchange:authentication is ${authentication}.`,
    "That is tried all the same. If it fails, this is why.",
  );
}

/** Whether what a server says it takes is what we are going to say. */
export function isOffered(offers: readonly string[], authentication: "kerberos" | "basic"): boolean {
  const wanted = authentication === "basic" ? ["basic"] : ["kerberos", "negotiate"];
  return offers.some((one) => wanted.includes(one.toLowerCase()));
}

/** Active Directory's own limit for Kerberos. */
const MAX_SKEW_SECONDS = 300;

/** `aheadSeconds`: of our clock; negative: the server's is behind. */
export function judgeClock(aheadSeconds: number, authentication: "kerberos" | "basic"): Finding {
  const seconds = Math.abs(Math.round(aheadSeconds));
  const which = aheadSeconds < 0 ? "behind" : "ahead of";
  // The header has whole seconds.
  if (seconds <= 2) return ok("clock", "the server's clock and ours agree");
  const text = `The server's clock is ${seconds} seconds ${which} ours`;
  if (seconds <= MAX_SKEW_SECONDS) return ok("clock", text);
  const remedy = "Let both take the time from the domain (w32tm, chrony).";
  return authentication === "kerberos"
    ? fail("clock", `${text}; Kerberos takes five minutes at most.`, remedy)
    : warn("clock", `${text}: certificates may seem expired, or not yet valid.`, remedy);
}
