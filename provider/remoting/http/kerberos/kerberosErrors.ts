import { type KerberosFacts, RemotingError, type RemotingErrorCode } from "../../errors";
import type { Operation } from "./gssapi";

/** Where a conversation got to, and with what. No secrets. */
export interface KerberosAttempt {
  /** `HTTP/host`. */
  readonly service: string;
  /** Default: whatever the ticket cache or the client keytab holds. */
  readonly principal: string | undefined;
  readonly hasPassword: boolean;
  /** Names of the ticket cache and of the client keytab, as far as they are known. */
  readonly cache: string | undefined;
  readonly keytab: string | undefined;
  /** Of krb5.conf. */
  readonly configuration: string;
}

export interface KerberosStatus {
  readonly operation: Operation | "prove";
  /** Unsigned. */
  readonly major: number;
  /** Unsigned. */
  readonly minor: number;
  /** The library's own words. */
  readonly text: string;
}

type Meaning = readonly [code: RemotingErrorCode, what: string, remedy: string];

/** Where the numbers of MIT's krb5_err.et begin (-1765328384), and those of its gssapi_err_krb5.et. */
const KRB5 = 2529638912;
const GSSAPI_KRB5 = 39756032;
const ROUTINE_ERROR = 0xff0000;

const TICKET_REMEDY = "Get a ticket with kinit, name a client keytab in KRB5_CLIENT_KTNAME, or give a password.";
const NO_TICKET: Meaning = ["AuthenticationRefused", "there is no ticket", TICKET_REMEDY];
const EXPIRED: Meaning = [
  "AuthenticationRefused",
  "the ticket has expired",
  "Get a new one with kinit, or use a client keytab (KRB5_CLIENT_KTNAME) or a password, by which it is renewed by itself.",
];
const SKEW: Meaning = [
  "AuthenticationRefused",
  "the clocks differ by more than Kerberos allows (5 minutes by default)",
  "Set this machine's clock by the domain's, and look at the server's and the domain controller's.",
];
const NO_REALM: Meaning = [
  "SettingsRefused",
  "no domain controller (KDC) is known for that realm",
  "Check the realm's spelling, which is in capitals. It has to stand under [realms] in krb5.conf, or in DNS as " +
    "_kerberos._tcp, with dns_lookup_kdc switched on.",
];
const CONFIGURATION: Meaning = [
  "SettingsRefused",
  "krb5.conf can't be read",
  "Check that the file is there, may be read, and is well-formed.",
];
const NO_PROOF: Meaning = [
  "AuthenticationRefused",
  "the server doesn't hold the key that the ticket is made out for",
  "Check that the service principal name belongs to the account that the web server runs as, and to no other " +
    "(setspn -Q). Behind a load balancer all servers need the same account.",
];
const ENCRYPTION: Meaning = [
  "AuthenticationRefused",
  "there is no encryption type that both sides take",
  "Let both accounts support AES (msDS-SupportedEncryptionTypes), change their passwords once, and look at " +
    "permitted_enctypes in krb5.conf.",
];
const KEYTAB: Meaning = [
  "AuthenticationRefused",
  "the keytab holds no key for this principal",
  "Check with klist -k whose keys it holds.",
];
const CACHE: Meaning = [
  "AuthenticationRefused",
  "the ticket cache can't be read",
  "Check KRB5CCNAME, and that this user may read what it names.",
];
const UNREACHABLE: Meaning = [
  "KdcUnreachable",
  "no domain controller (KDC) answers",
  "Check that it is up and that nothing blocks port 88 (TCP and UDP).",
];
const WRONG_PASSWORD: Meaning = [
  "AuthenticationRefused",
  "the password is wrong",
  "Check it, and the account's exact name; with a keytab, make a new one after a change of the password.",
];

/** By what is said in krb5_err.et; up to 93 it is the KDC or the server that speaks, RFC 4120 7.5.9. */
const MEANINGS: ReadonlyMap<number, Meaning> = new Map<number, Meaning>([
  [1, ["AuthenticationRefused", "the account has expired", "Renew it in the directory."]],
  [
    6,
    [
      "AuthenticationRefused",
      "the KDC doesn't know this principal",
      "Use the account's logon name (sAMAccountName) and the domain's DNS name in capitals, such as anna@CONTOSO.COM; " +
        "another suffix of a UPN won't do.",
    ],
  ],
  [
    7,
    [
      "AuthenticationRefused",
      "the KDC doesn't know this service",
      "Use the name that the server is registered with: its full name, or one that setspn -Q HTTP/name finds. A server " +
        "of another domain is found where its domain's name is the realm's, or the domain controllers know the way.",
    ],
  ],
  [12, ["AuthenticationRefused", "the KDC's policy forbids it", "Look at the account's logon hours and workstations."]],
  [14, ENCRYPTION],
  [18, ["AuthenticationRefused", "the account is disabled or locked", "Unlock or enable it in the directory."]],
  [23, ["AuthenticationRefused", "the account's password has expired", "Change it."]],
  [24, WRONG_PASSWORD],
  [31, WRONG_PASSWORD],
  [32, EXPIRED],
  [33, SKEW],
  [37, SKEW],
  [68, NO_REALM],
  [134, ["SettingsRefused", "the principal's name is malformed", "Write it like anna@CONTOSO.COM."]],
  [135, CONFIGURATION],
  [136, CONFIGURATION],
  [141, NO_TICKET],
  [148, SKEW],
  [150, ENCRYPTION],
  [
    147,
    [
      "AuthenticationRefused",
      "the KDC answered for another name than it was asked for",
      "Write the realm in capitals, and the account's logon name as the directory has it.",
    ],
  ],
  [154, NO_REALM],
  [156, UNREACHABLE],
  [181, KEYTAB],
  [193, CACHE],
  [194, CACHE],
  [195, NO_TICKET],
  [199, CACHE],
  [200, ENCRYPTION],
  [210, WRONG_PASSWORD],
  [220, NO_REALM],
  [
    224,
    [
      "SettingsRefused",
      "the user name has no realm, and krb5.conf has no default one",
      "Write it with its realm, such as anna@CONTOSO.COM.",
    ],
  ],
  [236, ENCRYPTION],
  [237, ENCRYPTION],
]);

const GSSAPI_MEANINGS: ReadonlyMap<number, Meaning> = new Map([
  [0, NO_TICKET],
  [1, KEYTAB],
  [2, NO_TICKET],
  [12, NO_TICKET],
]);

/** The routine errors of RFC 2744 3.9.1, where `minor` says nothing. */
const MAJOR_MEANINGS: ReadonlyMap<number, Meaning> = new Map([
  [7, NO_TICKET],
  [10, CACHE],
  [11, EXPIRED],
  [12, EXPIRED],
]);

const BODY: Readonly<Record<"wrap" | "unwrap", Meaning>> = {
  wrap: ["AuthenticationRefused", "a message could not be encrypted", "Run it again."],
  unwrap: [
    "HttpUnexpected",
    "the server's answer is forged, came twice, or is out of order",
    "Look whether something between this machine and the server changes what they say.",
  ],
};

const DOING: Readonly<Record<KerberosStatus["operation"], string>> = {
  name: "Reading the names for Kerberos",
  acquire: "Getting Kerberos credentials",
  init: "Getting a Kerberos ticket",
  prove: "Checking by Kerberos who the server is",
  wrap: "Encrypting with Kerberos",
  unwrap: "Decrypting with Kerberos",
};

/** What the server's own answer may say besides that it doesn't hold the key. */
const SAID_BY_SERVER: ReadonlySet<Meaning> = new Set([SKEW, EXPIRED, ENCRYPTION]);

function meaningOf({ operation, major, minor }: KerberosStatus): Meaning | undefined {
  if (operation === "wrap" || operation === "unwrap") return BODY[operation];
  const found = MEANINGS.get(minor - KRB5) ?? GSSAPI_MEANINGS.get(minor - GSSAPI_KRB5);
  // What the server returned isn't the KDC's: whatever is wrong with it, it proves nothing.
  if (operation === "prove") return found !== undefined && SAID_BY_SERVER.has(found) ? found : NO_PROOF;
  return found ?? MAJOR_MEANINGS.get((major & ROUTINE_ERROR) >>> 16);
}

/** A failed call as an error: by its numbers, never by the library's words, which are in any language. */
export function kerberosFailure(status: KerberosStatus, attempt: KerberosAttempt, cause?: unknown): RemotingError {
  const [code, what, remedy] = meaningOf(status) ?? [
    "AuthenticationRefused",
    "it failed",
    "Try kinit and kvno on this machine; KRB5_TRACE=/dev/stderr shows what the library does.",
  ];
  const { operation, major, minor, text } = status;
  const numbers = `status ${major.toString(16)}/${signed(minor)}`;
  const said = text === "" || isStandIn(minor) ? numbers : `${text}, ${numbers}`;
  return failed(code, attempt, `${DOING[operation]} ${describeAttempt(attempt)}: ${what} (${said}). ${remedy}`, {
    status,
    cause,
  });
}

/** A message whose form is refused: the same error, saying whose it is. */
export function kerberosRefusal(
  error: RemotingError,
  operation: "wrap" | "unwrap",
  attempt: KerberosAttempt,
): RemotingError {
  const message = `${DOING[operation]} ${describeAttempt(attempt)}: ${error.message}`;
  return new RemotingError(error.code, message, {
    cause: error,
    facts: { ...error.facts, kerberos: factsOf(attempt) },
  });
}

/** Nobody answered within our own limit. */
export function kerberosTimeout(attempt: KerberosAttempt, seconds: number): RemotingError {
  const [code, , remedy] = UNREACHABLE;
  const what = `no domain controller (KDC) answered within ${seconds} seconds`;
  return failed(code, attempt, `${DOING.init} ${describeAttempt(attempt)}: ${what}. ${remedy}`);
}

/** The conversation came to an end without what was asked for. */
export function kerberosIncomplete(attempt: KerberosAttempt): RemotingError {
  const what = "mutual authentication and encryption were not agreed on";
  return failed("AuthenticationRefused", attempt, `${DOING.prove} ${describeAttempt(attempt)}: ${what}.`);
}

function failed(
  code: RemotingErrorCode,
  attempt: KerberosAttempt,
  message: string,
  { status, cause }: { readonly status?: KerberosStatus; readonly cause?: unknown } = {},
): RemotingError {
  return new RemotingError(code, message, {
    cause,
    // An answer that can't be read is one all the same: the server has done something.
    facts: {
      fate: status?.operation === "unwrap" ? undefined : "notDone",
      kerberos: factsOf(attempt, status),
    },
  });
}

function factsOf({ service, principal, cache, keytab }: KerberosAttempt, status?: KerberosStatus): KerberosFacts {
  return { service, principal, cache, keytab, major: status?.major, minor: status?.minor };
}

/** "for HTTP/ex01 as anna@CONTOSO.COM (ticket cache FILE:/tmp/krb5cc_1000, krb5.conf: /etc/krb5.conf)" */
function describeAttempt({ service, principal, hasPassword, cache, keytab, configuration }: KerberosAttempt): string {
  const who = principal === undefined ? "" : ` as ${principal}`;
  const from = hasPassword
    ? ["with the password given"]
    : [
        cache === undefined ? "default ticket cache" : `ticket cache ${cache}`,
        ...(keytab === undefined ? [] : [`client keytab ${keytab}`]),
      ];
  return `for ${service}${who} (${[...from, `configuration ${configuration}`].join(", ")})`;
}

/** MIT's library gives numbers of its own to what it has no others for, zero included: a text would be misleading. */
function isStandIn(minor: number): boolean {
  return minor === 0 || (minor > 100_000 && minor < 200_000);
}

/** As everybody else writes these numbers. */
function signed(number: number): number {
  return number | 0;
}
