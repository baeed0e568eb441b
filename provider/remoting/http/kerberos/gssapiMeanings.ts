import type { GssError } from "./gssapi";
import { BODY_MEANINGS, NO_PROOF, SKEW, UNREACHABLE } from "./kerberosErrors";
import { KerberosCallError, type Meaning, type Operation } from "./kerberosLibrary";

/* What the numbers of MIT's library mean. */

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

type Numbers = Pick<GssError, "major" | "minor">;

const UNKNOWN: Meaning = [
  "AuthenticationRefused",
  "it failed",
  "Try kinit and kvno on this machine; KRB5_TRACE=/dev/stderr shows what the library does.",
];

/** What the server's own answer may say besides that it doesn't hold the key. */
const SAID_BY_SERVER: ReadonlySet<Meaning> = new Set([SKEW, EXPIRED, ENCRYPTION]);

function meaningOf(operation: Operation, { major, minor }: Numbers): Meaning | undefined {
  if (operation === "wrap" || operation === "unwrap") return BODY_MEANINGS[operation];
  const found = MEANINGS.get(minor - KRB5) ?? GSSAPI_MEANINGS.get(minor - GSSAPI_KRB5);
  // What the server returned isn't the KDC's: whatever is wrong with it, it proves nothing.
  if (operation === "prove") return found !== undefined && SAID_BY_SERVER.has(found) ? found : NO_PROOF;
  return found ?? MAJOR_MEANINGS.get((major & ROUTINE_ERROR) >>> 16);
}

/**
 * A failed call: by its numbers, never by the library's words, which are in any language. `operation`: what the call
 * was for, which the library doesn't always know.
 */
export function gssapiFailure(error: GssError, operation: Operation = error.operation): KerberosCallError {
  const { major, minor, message } = error;
  return new KerberosCallError(isStandIn(minor) ? "" : message, {
    operation,
    meaning: meaningOf(operation, error) ?? UNKNOWN,
    numbers: `status ${major.toString(16)}/${signed(minor)}`,
    facts: { major, minor },
    cause: error,
  });
}

/** MIT's library gives numbers of its own to what it has no others for, zero included: a text would be misleading. */
function isStandIn(minor: number): boolean {
  return minor === 0 || (minor > 100_000 && minor < 200_000);
}

/** As everybody else writes these numbers. */
function signed(number: number): number {
  return number | 0;
}
