import type { Finding, FindingKind, Identity } from "../../provider/doctor/finding";
import { describeFinding } from "../../provider/doctor/findingText";
import type { TlsPeer } from "../../provider/remoting/http/tls";

const peer: TlsPeer = {
  version: "TLSv1.2",
  subject: "mail.contoso.com",
  issuer: "Contoso CA",
  names: ["mail.contoso.com"],
  thumbprint: "AB12",
  notBefore: new Date(0),
  notAfter: new Date(0),
};
const identity: Identity = {
  scheme: "Kerberos",
  who: "EX$@CONTOSO.COM",
  isAssumed: true,
  service: "HTTP/ex01",
  isEncrypted: true,
};
const version = { major: 15, minor: 1, build: 2507, revision: 6 };

/** A finding of each kind, what is said of it, and what to do. */
const SAMPLES: {
  readonly [Kind in FindingKind]: readonly [
    finding: Extract<Finding, { readonly kind: Kind }>,
    text: string,
    remedies: readonly string[],
  ];
} = {
  settingsUsable: [
    {
      step: "settings",
      outcome: "ok",
      kind: "settingsUsable",
      authentication: "kerberos",
      username: undefined,
      hasPassword: false,
      endpoint: "http://{server}/PowerShell/?a=b",
      tlsServerName: "mail.contoso.com",
      caFile: "/ca.pem",
      ticketCache: "/tmp/cc",
      platform: "linux",
    },
    "Kerberos as whoever the tickets or the keytab belong to, ticket cache /tmp/cc, http://{server}/PowerShell/, expecting mail.contoso.com, trusting /ca.pem",
    [],
  ],
  settingsUnusable: [
    { step: "settings", outcome: "fail", kind: "settingsUnusable", problem: "exchange:endpoint is missing." },
    "exchange:endpoint is missing.",
    ["Settings come from options and from EXCHANGE_*: exchange-certificates --help"],
  ],
  backendIsSimulator: [
    { step: "settings", outcome: "fail", kind: "backendIsSimulator" },
    'EXCHANGE_BACKEND is "simulator": there are no real servers to look at. "exchange-simulator show" tells about the simulated ones; to look at one over the wire, run "exchange-simulator serve" and set EXCHANGE_BACKEND to "remote".',
    ["Settings come from options and from EXCHANGE_*: exchange-certificates --help"],
  ],
  backendIsAdapter: [
    { step: "settings", outcome: "fail", kind: "backendIsAdapter" },
    'EXCHANGE_BACKEND names an adapter, whose way to its servers isn\'t known here. Unset it, or set it to "remote".',
    ["Settings come from options and from EXCHANGE_*: exchange-certificates --help"],
  ],
  nameIsAddress: [
    { step: "name", outcome: "ok", kind: "nameIsAddress", host: "10.0.0.5" },
    "10.0.0.5 is an address; there is nothing to look up",
    [],
  ],
  nameIsAddressForKerberos: [
    { step: "name", outcome: "warn", kind: "nameIsAddressForKerberos", host: "10.0.0.5" },
    "10.0.0.5 is an address; there is nothing to look up, and usually no Kerberos service of that name.",
    ["Name the server by its FQDN in exchange:endpoint (--endpoint)."],
  ],
  nameFound: [
    { step: "name", outcome: "ok", kind: "nameFound", host: "ex01", addresses: ["10.0.0.5", "fd00::5"] },
    "ex01 is 10.0.0.5, fd00::5",
    [],
  ],
  nameLeadsBack: [
    { step: "name", outcome: "warn", kind: "nameLeadsBack", host: "ex01", addresses: ["127.0.1.1"] },
    "ex01 leads back to this machine (127.0.1.1).",
    ["Unless a simulated server is meant, look into this machine's hosts file and DNS."],
  ],
  nameOfSeveral: [
    { step: "name", outcome: "warn", kind: "nameOfSeveral", host: "mail", addresses: ["10.0.0.5", "10.0.0.6"] },
    "mail is 10.0.0.5, 10.0.0.6: several machines, or a load balancer.",
    [
      "Name each server by its own FQDN: a session, its cookies and its Kerberos name belong to one server. If only the common name can be reached, make it the fixed host of exchange:endpoint.",
    ],
  ],
  nameNotFound: [
    { step: "name", outcome: "fail", kind: "nameNotFound", host: "ex01", code: "ENOTFOUND" },
    "ex01: DNS knows no such host (ENOTFOUND).",
    [
      "Check the spelling, and that this machine asks a DNS server that knows the Active Directory domain.",
      "exchange:endpoint (--endpoint) can name another host, or an address, with exchange:tlsServerName beside it.",
    ],
  ],
  connected: [
    { step: "connection", outcome: "ok", kind: "connected", address: "10.0.0.5:443", milliseconds: 3 },
    "10.0.0.5:443 answers, after 3 ms",
    [],
  ],
  connectionTimedOut: [
    { step: "connection", outcome: "fail", kind: "connectionTimedOut", address: "10.0.0.5:443", seconds: 15 },
    "10.0.0.5:443 didn't answer within 15 seconds.",
    [
      "A firewall that drops packets looks like this: let TCP through from here to that port.",
      "Check that the server is up.",
    ],
  ],
  nobodyListens: [
    { step: "connection", outcome: "fail", kind: "nobodyListens", address: "10.0.0.5:443" },
    "10.0.0.5:443 refuses connections: the machine is there, but nobody listens on that port.",
    [
      "Check the port in exchange:endpoint (--endpoint): Exchange's PowerShell is on 80 (http) and 443 (https).",
      "Check that the World Wide Web Publishing Service (W3SVC) runs on the server.",
    ],
  ],
  unreachable: [
    { step: "connection", outcome: "fail", kind: "unreachable", address: "10.0.0.5:443", code: "EHOSTUNREACH" },
    "10.0.0.5:443 can't be reached (EHOSTUNREACH).",
    ["Check the network between here and the server, and that the server is up."],
  ],
  plainHttp: [{ step: "TLS", outcome: "skip", kind: "plainHttp" }, "plain http: Kerberos encrypts what is said", []],
  peerTrusted: [
    { step: "TLS", outcome: "ok", kind: "peerTrusted", peer, days: 1, expected: "mail.contoso.com" },
    'TLSv1.2; certificate AB12 "mail.contoso.com" for mail.contoso.com, issued by "Contoso CA", 1 day left; trusted, and made out to mail.contoso.com',
    [],
  ],
  peerNotVerified: [
    { step: "TLS", outcome: "warn", kind: "peerNotVerified", peer: { ...peer, names: [] }, days: 2 },
    'TLSv1.2; certificate AB12 "mail.contoso.com" for no name, issued by "Contoso CA", 2 days left; not verified: whoever is in between can read and change everything, the password included.',
    ["Take exchange:dangerouslySkipTlsVerification away; exchange:caFile and exchange:tlsServerName do without it."],
  ],
  peerEndsSoon: [
    { step: "TLS", outcome: "warn", kind: "peerEndsSoon", notAfter: new Date("2026-12-01T00:00:00Z") },
    "The front end's certificate ends on 2026-12-01.",
    ["Enable a new one for IIS on that server in time: when it has expired, nobody gets in this way any more."],
  ],
  tlsTimedOut: [
    { step: "TLS", outcome: "fail", kind: "tlsTimedOut", seconds: 15 },
    "The port is open, but TLS wasn't agreed on within 15 seconds.",
    ["Check that this port speaks TLS, and that no proxy is in between."],
  ],
  noTls: [
    { step: "TLS", outcome: "fail", kind: "noTls" },
    "The port is open, but it doesn't speak TLS.",
    ["Check scheme and port in exchange:endpoint (--endpoint): https is usually 443, plain http is 80."],
  ],
  peerRefused: [
    { step: "TLS", outcome: "fail", kind: "peerRefused", wrong: "dates", says: "the server's certificate is refused." },
    "The server's certificate is refused.",
    [
      "Compare this machine's clock with the server's.",
      "If it has expired, enable another one for IIS, on the server itself: nobody gets in this way before.",
    ],
  ],
  tlsRefused: [
    { step: "TLS", outcome: "fail", kind: "tlsRefused", says: "TLS could not be agreed on (ECONNRESET)." },
    "TLS could not be agreed on (ECONNRESET).",
    ["Check that this port speaks TLS 1.2 or later."],
  ],
  offersFit: [
    { step: "web server", outcome: "ok", kind: "offersFit", frontEnd: "EX01", offers: ["Kerberos", "Basic"] },
    "front end EX01, it takes Kerberos, Basic",
    [],
  ],
  offersUntold: [
    { step: "web server", outcome: "ok", kind: "offersUntold", frontEnd: undefined },
    "HTTP 401, and not a word about what it takes",
    [],
  ],
  offersOthers: [
    {
      step: "web server",
      outcome: "warn",
      kind: "offersOthers",
      frontEnd: undefined,
      offers: ["Kerberos"],
      authentication: "basic",
    },
    "it says that it takes Kerberos, but exchange:authentication is basic.",
    ["That is tried all the same. If it fails, this is why."],
  ],
  nothingThere: [
    { step: "web server", outcome: "fail", kind: "nothingThere", frontEnd: undefined, path: "/ecp/" },
    "HTTP 404: there is nothing at /ecp/.",
    [
      "Exchange's remote PowerShell is at /PowerShell/ on port 80 or 443 (not on 5985): correct exchange:endpoint (--endpoint).",
      "Check with Get-PowerShellVirtualDirectory that the server has the directory at all.",
    ],
  ],
  nobodyLetIn: [
    { step: "web server", outcome: "fail", kind: "nobodyLetIn", frontEnd: undefined },
    "HTTP 403: nobody is let in from here, or not over this protocol.",
    ["The directory may require SSL: use https:// in exchange:endpoint. Or IIS limits the addresses to call from."],
  ],
  notRunning: [
    { step: "web server", outcome: "fail", kind: "notRunning", frontEnd: "EX01" },
    "front end EX01, HTTP 503: the application behind the directory doesn't run.",
    [
      "Look at the application pools MSExchangePowerShellAppPool and MSExchangePowerShellFrontEndAppPool on the server, and at the certificate of the site Exchange Back End (port 444).",
    ],
  ],
  pointsElsewhere: [
    { step: "web server", outcome: "fail", kind: "pointsElsewhere", frontEnd: undefined, status: 302 },
    "HTTP 302: it points elsewhere, which isn't followed.",
    ["Name the URL that it points to in exchange:endpoint (--endpoint), with its path /PowerShell/."],
  ],
  strangerLetIn: [
    { step: "web server", outcome: "warn", kind: "strangerLetIn", frontEnd: undefined, status: 200 },
    "HTTP 200: it doesn't ask who we are, which Exchange always does.",
    ["Check that the URL is that of Exchange's remote PowerShell, and that no proxy answers in its place."],
  ],
  noAnswerInTime: [
    { step: "web server", outcome: "fail", kind: "noAnswerInTime", seconds: 15, scheme: "https:" },
    "Nothing was answered within 15 seconds.",
    ["Check that a web server answers there, and that no proxy is in between."],
  ],
  noAnswer: [
    { step: "web server", outcome: "fail", kind: "noAnswer", code: "ECONNRESET", scheme: "http:" },
    "The connection ended without an answer (ECONNRESET).",
    ["Check that this port speaks plain http: a port that wants TLS (443) behaves like this."],
  ],
  clockUntold: [
    { step: "clock", outcome: "skip", kind: "clockUntold" },
    "the web server doesn't say what time it is",
    [],
  ],
  clocksAgree: [{ step: "clock", outcome: "ok", kind: "clocksAgree" }, "the server's clock and ours agree", []],
  clocksDiffer: [
    { step: "clock", outcome: "ok", kind: "clocksDiffer", seconds: 200, isServerBehind: true },
    "The server's clock is 200 seconds behind ours",
    [],
  ],
  clocksFarApart: [
    { step: "clock", outcome: "warn", kind: "clocksFarApart", seconds: 3600, isServerBehind: false },
    "The server's clock is 3600 seconds ahead of ours: certificates may seem expired, or not yet valid.",
    ["Let both take the time from the domain (w32tm, chrony)."],
  ],
  clocksTooFarForKerberos: [
    { step: "clock", outcome: "fail", kind: "clocksTooFarForKerberos", seconds: 301, isServerBehind: false },
    "The server's clock is 301 seconds ahead of ours; Kerberos takes five minutes at most.",
    ["Let both take the time from the domain (w32tm, chrony)."],
  ],
  signedIn: [
    { step: "authentication", outcome: "ok", kind: "signedIn", identity },
    "Kerberos as EX$@CONTOSO.COM (a machine account, or a group managed service account (gMSA); by the credentials that were asked for; the context doesn't tell), to HTTP/ex01, bodies encrypted, accepted",
    [],
  ],
  notAsked: [
    { step: "authentication", outcome: "warn", kind: "notAsked" },
    "The server didn't ask who we are.",
    ["Check the endpoint's URL."],
  ],
  undecided: [
    { step: "authentication", outcome: "skip", kind: "undecided" },
    "it wasn't decided before the session failed",
    [],
  ],
  undecidedInTime: [
    {
      step: "authentication",
      outcome: "fail",
      kind: "undecidedInTime",
      seconds: 60,
      begun: { ...identity, isEncrypted: false },
      authentication: "kerberos",
      platform: "linux",
    },
    "Nothing was decided within 60 seconds; Kerberos as EX$@CONTOSO.COM (a machine account, or a group managed service account (gMSA); by the credentials that were asked for; the context doesn't tell), to HTTP/ex01 had begun.",
    ["The KDC may be out of reach (port 88): KRB5_TRACE=/dev/stderr shows whom the library asks."],
  ],
  methodNotTaken: [
    { step: "authentication", outcome: "fail", kind: "methodNotTaken", offers: ["Basic"], authentication: "kerberos" },
    "HTTP 401: the server takes Basic, and we said Kerberos.",
    [
      "Look for a proxy in between that takes Exchange's own challenge away, and whether the directory PowerShell was changed: Exchange takes Kerberos there by itself.",
      "For a lab there is Basic over https: exchange:authentication = basic (--authentication basic).",
    ],
  ],
  kerberosRefused: [
    {
      step: "authentication",
      outcome: "fail",
      kind: "kerberosRefused",
      says: "It answered 401.",
      identity: { ...identity, isEncrypted: false },
      platform: "win32",
    },
    "It answered 401. (Kerberos as EX$@CONTOSO.COM (a machine account, or a group managed service account (gMSA); by the credentials that were asked for; the context doesn't tell), to HTTP/ex01)",
    [
      "docs/connecting-to-real-servers.md tells what Kerberos needs; klist shows the tickets, whoami /upn who has logged on.",
    ],
  ],
  passwordRefused: [
    { step: "authentication", outcome: "fail", kind: "passwordRefused", username: undefined },
    "HTTP 401: user name or password is wrong, or the account may not log on (no user name).",
    [
      "Check exchange:username (--username) and the password; a name like user@contoso.com is surest. Don't repeat it often: each try counts as a failed logon.",
      "Check that the account is enabled and not locked, and that its password hasn't expired.",
    ],
  ],
  sessionOpen: [
    {
      step: "session",
      outcome: "ok",
      kind: "sessionOpen",
      protocolVersion: "2.3",
      powerShell: "5.1",
      frontEnd: "EX01",
    },
    "open, protocol 2.3, PowerShell 5.1, front end EX01",
    [],
  ],
  sessionOfAnother: [
    {
      step: "session",
      outcome: "warn",
      kind: "sessionOfAnother",
      protocolVersion: undefined,
      powerShell: undefined,
      frontEnd: "EX02",
    },
    "open, front end EX02: another server than the one that was asked for answers, as behind a load balancer.",
    ["Name each server by a host name of its own, or make the common name the fixed host of exchange:endpoint."],
  ],
  sessionTimedOut: [
    { step: "session", outcome: "fail", kind: "sessionTimedOut", seconds: 60 },
    "No session was open within 60 seconds.",
    ["A server that has just started needs minutes for its first session: run it again, or allow more (--timeout)."],
  ],
  sessionRefused: [
    {
      step: "session",
      outcome: "fail",
      kind: "sessionRefused",
      code: "HttpUnexpected",
      says: "It answered 503.",
      httpStatus: 503,
    },
    "It answered 503.",
    [
      "Look at the application pools MSExchangePowerShellAppPool and MSExchangePowerShellFrontEndAppPool on the server, and at the certificate of the site Exchange Back End (port 444).",
    ],
  ],
  cmdletsNotListed: [
    { step: "cmdlets", outcome: "skip", kind: "cmdletsNotListed", why: "no Get-Command" },
    "this endpoint doesn't list its cmdlets (no Get-Command); what is missing shows in what follows",
    [],
  ],
  cmdletsAllSeen: [
    { step: "cmdlets", outcome: "ok", kind: "cmdletsAllSeen", count: 17, areParametersTold: true },
    "all 17 that are used can be seen",
    [],
  ],
  cmdletsSeen: [
    { step: "cmdlets", outcome: "ok", kind: "cmdletsSeen", count: 17, areParametersTold: false, seen: 15 },
    "15 of 17 that are used can be seen; their parameters aren't told",
    [],
  ],
  roleLacking: [
    {
      step: "cmdlets",
      outcome: "warn",
      kind: "roleLacking",
      role: "Some Role",
      lacks: [
        { cmdlet: "Get-One", parameters: undefined, without: "one is unknown" },
        { cmdlet: "Get-Two", parameters: ["Server", "Name"], without: "two is unknown" },
      ],
    },
    "Get-One can't be seen: one is unknown. Get-Two can be seen, but not its -Server, -Name: two is unknown.",
    [
      'Give the account the role "Some Role" (Get-ManagementRole -Cmdlet Get-One lists all that hold this one); it counts in a new session.',
    ],
  ],
  vitalLacking: [
    {
      step: "cmdlets",
      outcome: "fail",
      kind: "vitalLacking",
      role: "Some Role",
      lack: { cmdlet: "Get-One", parameters: undefined, without: "nothing works" },
    },
    "Get-One can't be seen: nothing works.",
    [
      'Give the account the role "Some Role" (Get-ManagementRole -Cmdlet Get-One lists all that hold this one); it counts in a new session.',
    ],
  ],
  read: [
    { step: "reading", outcome: "ok", kind: "read", server: "ex01", certificates: 1, version },
    "1 certificate on ex01, Exchange 15.1.2507.6",
    [],
  ],
  otherAnswered: [
    { step: "reading", outcome: "fail", kind: "otherAnswered", server: "ex01", asked: "ex02" },
    "ex01 answered instead of ex02.",
    ["Name the server by its own FQDN, as Get-ExchangeServer | Format-List Fqdn shows it."],
  ],
  partsUnknown: [
    {
      step: "reading",
      outcome: "warn",
      kind: "partsUnknown",
      parts: ["umStartupMode", "authCertificates"],
      reason: "no\n role",
      endpointFor: version,
    },
    "Unknown: the startup mode of unified messaging, the Auth certificate, because: no role",
    [
      "What is unknown is never taken for none: what depends on it is refused, or not told.",
      "The server that exchange:endpoint leads to may be of a version without these cmdlets, as Exchange 2019 is: name a server of this version (15.1) as exchange:endpoint (--endpoint), or {server} in it.",
    ],
  ],
  noCertificate: [
    { step: "services", outcome: "skip", kind: "noCertificate" },
    "there is no certificate to tell them by",
    [],
  ],
  servicesUntold: [
    { step: "services", outcome: "warn", kind: "servicesUntold", unknown: 1, certificates: 3, reason: "hidden" },
    "What 1 of 3 certificates serve isn't told (hidden).",
    [
      "Changed bindings are refused on this server, unchanged ones stay as they are. Ask with serializationLevel=Full: leave the query out of exchange:endpoint, or write it there.",
    ],
  ],
  servicesTold: [
    { step: "services", outcome: "ok", kind: "servicesTold", by: "projection" },
    "told by a projection at the server (Select-Object)",
    [],
  ],
  askingTimedOut: [
    { step: "reading", outcome: "fail", kind: "askingTimedOut", seconds: 60 },
    "No answer within 60 seconds.",
    [
      "The server may be overloaded, or may wait for another one that is down: run it again, or allow more (--timeout).",
    ],
  ],
  askingBroke: [
    { step: "cmdlets", outcome: "fail", kind: "askingBroke", says: "The session was closed." },
    "The session was closed.",
    ["Run it again; EXCHANGE_TRACE=1 shows the conversation."],
  ],
  serverNameless: [
    { step: "reading", outcome: "fail", kind: "serverNameless", cmdlet: "Get-ExchangeServer" },
    "The server doesn't say its fully qualified name.",
    ["Look at what Get-ExchangeServer shows there; without a name nobody knows which server answered."],
  ],
  noSuchServer: [
    { step: "reading", outcome: "fail", kind: "noSuchServer", server: "ex09", known: ["ex01", "ex02"] },
    "There is no server ex09 in this organisation; it has ex01, ex02.",
    ["Name one of them, as Get-ExchangeServer | Format-List Fqdn shows it."],
  ],
  cmdletFailed: [
    {
      step: "reading",
      outcome: "fail",
      kind: "cmdletFailed",
      cmdlet: "Get-ExchangeServer",
      says: undefined,
      state: "Failed",
      code: "Throttled",
    },
    "Get-ExchangeServer: it ended as Failed without saying why",
    ["Close other sessions of this account, or run it again later."],
  ],
};

it.each(Object.entries(SAMPLES))("%s is told in full", (_kind, [finding, text, remedies]) => {
  expect(describeFinding(finding)).toEqual({ text, remedies });
});

it.each(Object.values(SAMPLES))(
  "a way out stands beside what is to be mended, and nothing beside what is well: $kind",
  ({ outcome }, _text, remedies) => {
    expect(remedies.length > 0).toBe(outcome === "warn" || outcome === "fail");
  },
);
