import type { RemotingError, RemotingErrorCode } from "../remoting/errors";
import type { TraceEvent } from "../remoting/trace";
import { type Finding, fail, ok, skip, warn } from "./finding";
import { isOffered, NOT_RUNNING } from "./reachFindings";

/* Whether we are let in, and what session we get, judged on what the trace of it tells. */

type Authentication = Extract<TraceEvent, { readonly kind: "authentication" }>;

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
  readonly authentication: "kerberos" | "basic";
  readonly username: string | undefined;
  /** Node's name of the system that doctor runs on. */
  readonly platform: string;
  /** What the server says it takes; empty when it says nothing. */
  readonly offers: readonly string[];
}

/** Findings about authentication and session; the last one says whether there is a session. */
export function judgeOpening(opening: Opening, asked: Asked): readonly Finding[] {
  const { events, failure } = opening;
  const said = events.filter((event): event is Authentication => event.kind === "authentication");
  const last = said.at(-1);
  if (failure === undefined) return [...judgeSignIn(last, asked), ...judgeSession(events, asked)];
  if (!("seconds" in failure) && failure.code === "AuthenticationRefused") return [refused(failure, last, asked)];
  if (last?.outcome === "accepted") return [...judgeSignIn(last, asked), noSession(failure)];
  if ("seconds" in failure) {
    return [
      fail(
        "authentication",
        `Nothing was decided within ${failure.seconds} seconds${last === undefined ? "" : `; ${describe(last, asked)} had begun`}.`,
        asked.authentication === "kerberos"
          ? `The KDC may be out of reach (port 88): ${asked.platform === "win32" ? "klist get with the service's name asks it by hand" : "KRB5_TRACE=/dev/stderr shows whom the library asks"}.`
          : "The server's front end, or the domain controller that it asks, may be overloaded.",
      ),
    ];
  }
  return [skip("authentication", "it wasn't decided before the session failed"), noSession(failure)];
}

function judgeSignIn(last: Authentication | undefined, asked: Asked): readonly Finding[] {
  if (last === undefined)
    return [warn("authentication", "The server didn't ask who we are.", "Check the endpoint's URL.")];
  return [ok("authentication", `${describe(last, asked)}, accepted`)];
}

function describe(event: Authentication, { username }: Asked): string {
  const { scheme, outcome, service, principal, isPrincipalAgreed, isEncrypted } = event;
  const who = principal ?? username;
  const about = [
    ...(who === undefined ? [] : kindOf(who)),
    ...(isPrincipalAgreed === false ? ["by the credentials that were asked for; the context doesn't tell"] : []),
  ];
  return [
    `${scheme}${who === undefined ? "" : ` as ${who}`}${about.length === 0 ? "" : ` (${about.join("; ")})`}`,
    ...(service === undefined ? [] : [`to ${service}`]),
    ...(isEncrypted === true && outcome === "accepted" ? ["bodies encrypted"] : []),
  ].join(", ");
}

/** Accounts that no person has: they need the role group like any other, and people forget that they run as them. */
function kindOf(name: string): readonly string[] {
  if (/^NT AUTHORITY\\/i.test(name)) return ["an account of the system; others see this machine's account"];
  return /\$(?:@|$)/.test(name) ? ["a machine account, or a group managed service account (gMSA)"] : [];
}

function refused(failure: RemotingError, last: Authentication | undefined, asked: Asked): Finding {
  const { authentication, offers } = asked;
  if (offers.length > 0 && !isOffered(offers, authentication)) {
    return fail(
      "authentication",
      `HTTP 401: the server takes ${offers.join(", ")}, and we said ${authentication === "basic" ? "Basic" : "Kerberos"}.`,
      ...(authentication === "basic"
        ? [
            "Use Kerberos, which Exchange takes by itself: exchange:authentication = kerberos (--authentication kerberos).",
            "For a lab, Basic can be switched on, on that server: Set-PowerShellVirtualDirectory -BasicAuthentication $true.",
          ]
        : [
            "Look for a proxy in between that takes Exchange's own challenge away, and whether the directory PowerShell was " +
              "changed: Exchange takes Kerberos there by itself.",
            "For a lab there is Basic over https: exchange:authentication = basic (--authentication basic).",
          ]),
    );
  }
  if (authentication === "kerberos") {
    // The library's own failures name the service already.
    const isNamed = last?.service === undefined || failure.message.includes(last.service);
    const who = last === undefined || isNamed ? "" : ` (${describe(last, asked)})`;
    return fail(
      "authentication",
      `${withoutUrl(failure.message)}${who}`,
      `docs/connecting-to-real-servers.md tells what Kerberos needs; klist shows the tickets, ${
        asked.platform === "win32" ? "whoami /upn who has logged on" : "KRB5_TRACE=/dev/stderr what the library does"
      }.`,
    );
  }
  return fail(
    "authentication",
    `HTTP 401: user name or password is wrong, or the account may not log on (${asked.username ?? "no user name"}).`,
    "Check exchange:username (--username) and the password; a name like user@contoso.com is surest. Don't repeat it often: " +
      "each try counts as a failed logon.",
    "Check that the account is enabled and not locked, and that its password hasn't expired.",
  );
}

function judgeSession(events: readonly TraceEvent[], { server, isByName }: Asked): readonly Finding[] {
  const opened = events.find((event) => event.kind === "opened");
  const frontEnd = events.find((event) => event.kind === "request" && event.frontEnd !== undefined);
  const name = frontEnd?.kind === "request" ? frontEnd.frontEnd : undefined;
  const facts =
    opened?.kind === "opened"
      ? [
          `protocol ${opened.protocolVersion}`,
          ...(opened.powerShell === undefined ? [] : [`PowerShell ${opened.powerShell}`]),
        ]
      : [];
  const text = ["open", ...facts, ...(name === undefined ? [] : [`front end ${name}`])].join(", ");
  const label = (one: string): string => one.split(".", 1)[0]?.toLowerCase() ?? "";
  if (name === undefined || !isByName || label(name) === label(server)) return [ok("session", text)];
  return [
    warn(
      "session",
      `${text}: another server than the one that was asked for answers, as behind a load balancer.`,
      "Name each server by a host name of its own, or make the common name the fixed host of exchange:endpoint.",
    ),
  ];
}

/** `[Server=…,RequestId=…] text` and the URL in front say nothing to whoever reads this. */
function withoutUrl(message: string): string {
  return message.replace(/^(?:Connecting to|Talking to) \S+: /, "").replace(/^\S+ answered /, "It answered ");
}

function noSession(failure: RemotingError | { readonly seconds: number }): Finding {
  if ("seconds" in failure) {
    return fail(
      "session",
      `No session was open within ${failure.seconds} seconds.`,
      "A server that has just started needs minutes for its first session: run it again, or allow more (--timeout).",
    );
  }
  const remedies = (failure.facts.httpStatus === 503 ? [NOT_RUNNING] : SESSION_REMEDIES[failure.code]) ?? [
    "Send this with the output of EXCHANGE_TRACE=1.",
  ];
  return fail("session", withoutUrl(failure.message), ...remedies);
}

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
