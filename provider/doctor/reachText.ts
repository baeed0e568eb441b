import type { TlsPeer } from "../remoting/http/tls";
import type { Finding } from "./finding";
import { type Texts, told } from "./texts";

type Kinds = Extract<Finding, { readonly step: "name" | "connection" | "TLS" | "web server" | "clock" }>["kind"];

export const REACH_TEXTS: Texts<Kinds> = {
  nameIsAddress: ({ host }) => told(`${host} is an address; there is nothing to look up`),
  nameIsAddressForKerberos: ({ host }) =>
    told(
      `${host} is an address; there is nothing to look up, and usually no Kerberos service of that name.`,
      "Name the server by its FQDN in exchange:endpoint (--endpoint).",
    ),
  nameFound: ({ host, addresses }) => told(`${host} is ${addresses.join(", ")}`),
  nameLeadsBack: ({ host, addresses }) =>
    told(
      `${host} leads back to this machine (${addresses.join(", ")}).`,
      "Unless a simulated server is meant, look into this machine's hosts file and DNS.",
    ),
  nameOfSeveral: ({ host, addresses }) =>
    told(
      `${host} is ${addresses.join(", ")}: several machines, or a load balancer.`,
      "Name each server by its own FQDN: a session, its cookies and its Kerberos name belong to one server. If only the " +
        "common name can be reached, make it the fixed host of exchange:endpoint.",
    ),
  nameNotFound: ({ host, code }) =>
    told(
      `${host}: ${NAME_FAILURES[code] ?? `the name can't be looked up (${code})`}.`,
      "Check the spelling, and that this machine asks a DNS server that knows the Active Directory domain.",
      "exchange:endpoint (--endpoint) can name another host, or an address, with exchange:tlsServerName beside it.",
    ),

  connected: ({ address, milliseconds }) => told(`${address} answers, after ${milliseconds} ms`),
  connectionTimedOut: ({ address, seconds }) =>
    told(
      `${address} didn't answer within ${seconds} seconds.`,
      "A firewall that drops packets looks like this: let TCP through from here to that port.",
      "Check that the server is up.",
    ),
  nobodyListens: ({ address }) =>
    told(
      `${address} refuses connections: the machine is there, but nobody listens on that port.`,
      "Check the port in exchange:endpoint (--endpoint): Exchange's PowerShell is on 80 (http) and 443 (https).",
      "Check that the World Wide Web Publishing Service (W3SVC) runs on the server.",
    ),
  unreachable: ({ address, code }) =>
    told(
      `${address} can't be reached (${code}).`,
      "Check the network between here and the server, and that the server is up.",
    ),

  plainHttp: () => told("plain http: Kerberos encrypts what is said"),
  peerTrusted: ({ peer, days, expected }) => told(`${describePeer(peer, days)}; trusted, and made out to ${expected}`),
  peerNotVerified: ({ peer, days }) =>
    told(
      `${describePeer(peer, days)}; not verified: whoever is in between can read and change everything, the password included.`,
      "Take exchange:dangerouslySkipTlsVerification away; exchange:caFile and exchange:tlsServerName do without it.",
    ),
  peerEndsSoon: ({ notAfter }) =>
    told(
      `The front end's certificate ends on ${notAfter.toISOString().slice(0, 10)}.`,
      "Enable a new one for IIS on that server in time: when it has expired, nobody gets in this way any more.",
    ),
  tlsTimedOut: ({ seconds }) =>
    told(
      `The port is open, but TLS wasn't agreed on within ${seconds} seconds.`,
      "Check that this port speaks TLS, and that no proxy is in between.",
    ),
  noTls: () =>
    told(
      "The port is open, but it doesn't speak TLS.",
      "Check scheme and port in exchange:endpoint (--endpoint): https is usually 443, plain http is 80.",
    ),
  peerRefused: ({ wrong, says }) => told(upperFirst(says), ...PEER_REMEDIES[wrong]),
  tlsRefused: ({ says }) => told(upperFirst(says), "Check that this port speaks TLS 1.2 or later."),

  offersUntold: ({ frontEnd }) => told(`${from(frontEnd)}HTTP 401, and not a word about what it takes`),
  offersFit: ({ frontEnd, offers }) => told(`${from(frontEnd)}it takes ${offers.join(", ")}`),
  offersOthers: ({ frontEnd, offers, authentication }) =>
    told(
      `${from(frontEnd)}it says that it takes ${offers.join(", ")}, but exchange:authentication is ${authentication}.`,
      "That is tried all the same. If it fails, this is why.",
    ),
  nothingThere: ({ frontEnd, path }) =>
    told(
      `${from(frontEnd)}HTTP 404: there is nothing at ${path}.`,
      "Exchange's remote PowerShell is at /PowerShell/ on port 80 or 443 (not on 5985): correct exchange:endpoint " +
        "(--endpoint).",
      "Check with Get-PowerShellVirtualDirectory that the server has the directory at all.",
    ),
  nobodyLetIn: ({ frontEnd }) =>
    told(
      `${from(frontEnd)}HTTP 403: nobody is let in from here, or not over this protocol.`,
      "The directory may require SSL: use https:// in exchange:endpoint. Or IIS limits the addresses to call from.",
    ),
  notRunning: ({ frontEnd }) =>
    told(`${from(frontEnd)}HTTP 503: the application behind the directory doesn't run.`, LOOK_AT_POOLS),
  pointsElsewhere: ({ frontEnd, status }) =>
    told(
      `${from(frontEnd)}HTTP ${status}: it points elsewhere, which isn't followed.`,
      "Name the URL that it points to in exchange:endpoint (--endpoint), with its path /PowerShell/.",
    ),
  strangerLetIn: ({ frontEnd, status }) =>
    told(
      `${from(frontEnd)}HTTP ${status}: it doesn't ask who we are, which Exchange always does.`,
      "Check that the URL is that of Exchange's remote PowerShell, and that no proxy answers in its place.",
    ),
  noAnswerInTime: ({ seconds, scheme }) =>
    told(`Nothing was answered within ${seconds} seconds.`, silenceRemedy(scheme)),
  noAnswer: ({ code, scheme }) => told(`The connection ended without an answer (${code}).`, silenceRemedy(scheme)),

  clockUntold: () => told("the web server doesn't say what time it is"),
  clocksAgree: () => told("the server's clock and ours agree"),
  clocksDiffer: (difference) => told(describeDifference(difference)),
  clocksFarApart: (difference) =>
    told(`${describeDifference(difference)}: certificates may seem expired, or not yet valid.`, SYNCHRONISE),
  clocksTooFarForKerberos: (difference) =>
    told(`${describeDifference(difference)}; Kerberos takes five minutes at most.`, SYNCHRONISE),
};

const NAME_FAILURES: Readonly<Record<string, string>> = {
  ENOTFOUND: "DNS knows no such host (ENOTFOUND)",
  ENODATA: "DNS knows the name, but no address for it (ENODATA)",
  EAI_AGAIN: "no DNS server answered (EAI_AGAIN)",
};

const PEER_REMEDIES: Readonly<Record<"name" | "trust" | "dates", readonly string[]>> = {
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

/** What to do about HTTP 503. */
export const LOOK_AT_POOLS =
  "Look at the application pools MSExchangePowerShellAppPool and MSExchangePowerShellFrontEndAppPool on the server, and " +
  "at the certificate of the site Exchange Back End (port 444).";

const SYNCHRONISE = "Let both take the time from the domain (w32tm, chrony).";

function describePeer({ version, thumbprint, subject, names, issuer }: TlsPeer, days: number): string {
  return (
    `${version}; certificate ${thumbprint} "${subject}" for ${shownNames(names)}, issued by "${issuer}", ` +
    `${days} ${days === 1 ? "day" : "days"} left`
  );
}

function shownNames(names: readonly string[]): string {
  if (names.length === 0) return "no name";
  return names.length <= 6 ? names.join(", ") : `${names.slice(0, 6).join(", ")} and ${names.length - 6} more`;
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The begin of a sentence. */
function from(frontEnd: string | undefined): string {
  return frontEnd === undefined ? "" : `front end ${frontEnd}, `;
}

function silenceRemedy(scheme: string): string {
  return scheme === "http:"
    ? "Check that this port speaks plain http: a port that wants TLS (443) behaves like this."
    : "Check that a web server answers there, and that no proxy is in between.";
}

function describeDifference({
  seconds,
  isServerBehind,
}: {
  readonly seconds: number;
  readonly isServerBehind: boolean;
}): string {
  return `The server's clock is ${seconds} seconds ${isServerBehind ? "behind" : "ahead of"} ours`;
}
