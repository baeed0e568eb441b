import type { RemotingErrorCode } from "../remoting/errors";
import type { Finding, Identity } from "./finding";
import { LOOK_AT_POOLS } from "./reachText";
import { type Texts, told } from "./texts";

type Kinds = Extract<Finding, { readonly step: "authentication" | "session" }>["kind"];

export const SESSION_TEXTS: Texts<Kinds> = {
  signedIn: ({ identity }) => told(`${describeIdentity(identity)}, accepted`),
  notAsked: () => told("The server didn't ask who we are.", "Check the endpoint's URL."),
  undecided: () => told("it wasn't decided before the session failed"),
  undecidedInTime: ({ seconds, begun, authentication, platform }) =>
    told(
      `Nothing was decided within ${seconds} seconds${begun === undefined ? "" : `; ${describeIdentity(begun)} had begun`}.`,
      authentication === "kerberos"
        ? `The KDC may be out of reach (port 88): ${platform === "win32" ? "klist get with the service's name asks it by hand" : "KRB5_TRACE=/dev/stderr shows whom the library asks"}.`
        : "The server's front end, or the domain controller that it asks, may be overloaded.",
    ),
  methodNotTaken: ({ offers, authentication }) =>
    told(
      `HTTP 401: the server takes ${offers.join(", ")}, and we said ${authentication === "basic" ? "Basic" : "Kerberos"}.`,
      ...METHOD_REMEDIES[authentication],
    ),
  kerberosRefused: ({ says, identity, platform }) =>
    told(
      identity === undefined ? says : `${says} (${describeIdentity(identity)})`,
      `docs/connecting-to-real-servers.md tells what Kerberos needs; klist shows the tickets, ${
        platform === "win32" ? "whoami /upn who has logged on" : "KRB5_TRACE=/dev/stderr what the library does"
      }.`,
    ),
  passwordRefused: ({ username }) =>
    told(
      `HTTP 401: user name or password is wrong, or the account may not log on (${username ?? "no user name"}).`,
      "Check exchange:username (--username) and the password; a name like user@contoso.com is surest. Don't repeat it often: " +
        "each try counts as a failed logon.",
      "Check that the account is enabled and not locked, and that its password hasn't expired.",
    ),

  sessionOpen: (session) => told(describeSession(session)),
  sessionOfAnother: (session) =>
    told(
      `${describeSession(session)}: another server than the one that was asked for answers, as behind a load balancer.`,
      "Name each server by a host name of its own, or make the common name the fixed host of exchange:endpoint.",
    ),
  sessionTimedOut: ({ seconds }) =>
    told(
      `No session was open within ${seconds} seconds.`,
      "A server that has just started needs minutes for its first session: run it again, or allow more (--timeout).",
    ),
  sessionRefused: ({ says, httpStatus, code }) =>
    told(says, ...((httpStatus === 503 ? [LOOK_AT_POOLS] : SESSION_REMEDIES[code]) ?? [SEND_THIS])),
};

const METHOD_REMEDIES = {
  basic: [
    "Use Kerberos, which Exchange takes by itself: exchange:authentication = kerberos (--authentication kerberos).",
    "For a lab, Basic can be switched on, on that server: Set-PowerShellVirtualDirectory -BasicAuthentication $true.",
  ],
  kerberos: [
    "Look for a proxy in between that takes Exchange's own challenge away, and whether the directory PowerShell was " +
      "changed: Exchange takes Kerberos there by itself.",
    "For a lab there is Basic over https: exchange:authentication = basic (--authentication basic).",
  ],
} as const;

const SEND_THIS = "Send this with the output of EXCHANGE_TRACE=1.";

const SESSION_REMEDIES: Readonly<Partial<Record<RemotingErrorCode, readonly string[]>>> = {
  AccessDenied: [
    "Let the account use remote PowerShell: Set-User <account> -RemotePowerShellEnabled $true.",
    "Put it into a role group with the role Exchange Server Certificates; without any role nobody gets a session.",
  ],
  Throttled: [
    "Too many sessions of this account are open (18 by default): close them, or wait until they have ended. Ours do so a " +
      "minute after a process was killed; those of others after the server's own time, 15 minutes by default.",
  ],
  EndpointNotFound: ["Check the path in exchange:endpoint (--endpoint): it ends with /PowerShell/."],
  TimedOut: ["The server is slow, or a proxy holds the answer back: run it again, or allow more (--timeout)."],
  ConnectionLost: [
    "Something between here and the server cuts connections: look for proxies, firewalls and IIS recycling.",
  ],
  HttpUnexpected: ["Look into the web server's log (IIS) and Exchange's HttpProxy log of that minute."],
};

function describeIdentity({ scheme, who, isAssumed, service, isEncrypted }: Identity): string {
  const about = [
    ...(who === undefined ? [] : kindOf(who)),
    ...(isAssumed ? ["by the credentials that were asked for; the context doesn't tell"] : []),
  ];
  return [
    `${scheme}${who === undefined ? "" : ` as ${who}`}${about.length === 0 ? "" : ` (${about.join("; ")})`}`,
    ...(service === undefined ? [] : [`to ${service}`]),
    ...(isEncrypted ? ["bodies encrypted"] : []),
  ].join(", ");
}

/** Accounts that no person has: they need the role group like any other, and people forget that they run as them. */
function kindOf(name: string): readonly string[] {
  if (/^NT AUTHORITY\\/i.test(name)) return ["an account of the system; others see this machine's account"];
  return /\$(?:@|$)/.test(name) ? ["a machine account, or a group managed service account (gMSA)"] : [];
}

function describeSession({
  protocolVersion,
  powerShell,
  frontEnd,
}: Extract<Finding, { readonly kind: "sessionOpen" | "sessionOfAnother" }>): string {
  return [
    "open",
    ...(protocolVersion === undefined ? [] : [`protocol ${protocolVersion}`]),
    ...(powerShell === undefined ? [] : [`PowerShell ${powerShell}`]),
    ...(frontEnd === undefined ? [] : [`front end ${frontEnd}`]),
  ].join(", ");
}
