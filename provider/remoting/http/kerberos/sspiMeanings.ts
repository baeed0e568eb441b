import { BODY_MEANINGS, NO_PROOF, SKEW, UNREACHABLE } from "./kerberosErrors";
import { KerberosCallError, type Meaning, type Operation } from "./kerberosLibrary";
import type { SspiError } from "./sspi";

/*
 * What the numbers of Windows' SSPI mean: winerror.h, Microsoft's pages "InitializeSecurityContext (Kerberos)",
 * "AcquireCredentialsHandle (Kerberos)" and "SSPI Status Codes", and a few NTSTATUS values ([MS-ERREF] 2.3.1) that come
 * through from below.
 */

const refused = (what: string, remedy: string): Meaning => ["AuthenticationRefused", what, remedy];

const NO_CREDENTIALS = refused(
  "there are no credentials: the account that runs this isn't one of a domain, or there is no ticket",
  "Run it as an account of the domain (whoami), or give exchange:username and exchange:password. On a machine that has " +
    "lost touch with its domain, klist shows no ticket.",
);
const LOGON_DENIED = refused(
  "the user name or the password is wrong, or the account is disabled, locked or expired",
  "Check them, and the account. Don't repeat it often: each try counts as a failed logon.",
);
const TARGET = refused(
  "the domain doesn't know this service",
  "Use the name that the server is registered with: its full name, or one that setspn -Q HTTP/name finds. A server of " +
    "another domain is found where its domain is trusted.",
);
const ENCRYPTION = refused(
  "there is no encryption type that both sides take",
  "Let both accounts support AES (msDS-SupportedEncryptionTypes), change their passwords once, and look at the policy " +
    '"Configure encryption types allowed for Kerberos".',
);
const EXPIRED = refused(
  "the ticket, or what was agreed on by it, has expired",
  "Log on again (klist purge drops the old tickets), and run it again.",
);
const RESOURCES = refused("Windows has no memory, or no other resources, left for it", "Run it again when there are.");
const OURS = refused("Windows calls the way it was asked wrong", "Please report it, with the output of doctor --json.");
const PACKAGE: Meaning = [
  "SettingsRefused",
  "this Windows has no Kerberos",
  "Check that the security package Kerberos isn't removed, and that the Local Security Authority runs.",
];
const BINDINGS = refused(
  "the server demands Extended Protection (channel bindings), which isn't offered",
  'Set Extended Protection of the directory PowerShell to "Off" (extendedProtection tokenChecking None), as Exchange has ' +
    "it by itself.",
);
const CERTIFICATE = refused(
  "the account is one that logs on with a smart card or a certificate, and that failed",
  "Use an account that may log on with a password, or run it as the account that has logged on.",
);
const PASSWORD_OVER = refused("the account's password has expired, or has to be changed", "Change it.");
const POLICY = refused(
  "a policy of this machine or of the domain forbids it",
  "Look at the account's logon hours and workstations, at authentication policy silos, and at Protected Users.",
);
const DOWNGRADE = refused(
  "Windows suspects that somebody in between weakens the logon: no domain controller proves itself",
  "Check the way to the domain controllers (port 88), and this machine's clock.",
);
const TRUST = refused(
  "no domain controller knows the way to the server's domain",
  "Check the trust between the domains, and the server's full name.",
);
/** Nothing behind it tells more. Wine says it for whatever its Kerberos fails with. */
const INTERNAL = refused(
  "the Local Security Authority failed, and doesn't say why",
  "It may be an unknown service (setspn -Q HTTP/name), a domain controller out of reach (port 88), or an expired ticket " +
    "(klist).",
);
const UNSUCCESSFUL = refused(
  "it failed, and Windows doesn't say why",
  "Check the user name and the password first, if they were given; then klist, and the System event log of this machine.",
);
const UNKNOWN = refused(
  "it failed",
  "Look the number up among the SSPI status codes; klist and the System event log of this machine may tell more.",
);

const CODES: readonly (readonly [status: number, name: string, meaning: Meaning])[] = [
  [0x80090300, "SEC_E_INSUFFICIENT_MEMORY", RESOURCES],
  [0x80090301, "SEC_E_INVALID_HANDLE", OURS],
  [0x80090302, "SEC_E_UNSUPPORTED_FUNCTION", OURS],
  [0x80090303, "SEC_E_TARGET_UNKNOWN", TARGET],
  [0x80090304, "SEC_E_INTERNAL_ERROR", INTERNAL],
  [0x80090305, "SEC_E_SECPKG_NOT_FOUND", PACKAGE],
  [0x80090306, "SEC_E_NOT_OWNER", NO_CREDENTIALS],
  [0x80090308, "SEC_E_INVALID_TOKEN", UNKNOWN],
  [0x80090309, "SEC_E_CANNOT_PACK", OURS],
  [0x8009030a, "SEC_E_QOP_NOT_SUPPORTED", OURS],
  [0x8009030b, "SEC_E_NO_IMPERSONATION", NO_CREDENTIALS],
  [0x8009030c, "SEC_E_LOGON_DENIED", LOGON_DENIED],
  [0x8009030d, "SEC_E_UNKNOWN_CREDENTIALS", NO_CREDENTIALS],
  [0x8009030e, "SEC_E_NO_CREDENTIALS", NO_CREDENTIALS],
  [0x8009030f, "SEC_E_MESSAGE_ALTERED", UNKNOWN],
  [0x80090310, "SEC_E_OUT_OF_SEQUENCE", UNKNOWN],
  [0x80090311, "SEC_E_NO_AUTHENTICATING_AUTHORITY", UNREACHABLE],
  [0x80090316, "SEC_E_BAD_PKGID", PACKAGE],
  [0x80090317, "SEC_E_CONTEXT_EXPIRED", EXPIRED],
  [0x80090318, "SEC_E_INCOMPLETE_MESSAGE", UNKNOWN],
  [0x80090320, "SEC_E_INCOMPLETE_CREDENTIALS", NO_CREDENTIALS],
  [0x80090321, "SEC_E_BUFFER_TOO_SMALL", OURS],
  [
    0x80090322,
    "SEC_E_WRONG_PRINCIPAL",
    refused(
      "the service principal name belongs to another account than the one that the web server runs as",
      "setspn -X finds names that two accounts have, setspn -Q HTTP/name whose this one is. Behind a load balancer all " +
        "servers need the same account.",
    ),
  ],
  [0x80090324, "SEC_E_TIME_SKEW", SKEW],
  [0x80090325, "SEC_E_UNTRUSTED_ROOT", CERTIFICATE],
  [0x80090326, "SEC_E_ILLEGAL_MESSAGE", UNKNOWN],
  [0x80090327, "SEC_E_CERT_UNKNOWN", CERTIFICATE],
  [0x80090328, "SEC_E_CERT_EXPIRED", CERTIFICATE],
  [0x80090329, "SEC_E_ENCRYPT_FAILURE", ENCRYPTION],
  [0x80090330, "SEC_E_DECRYPT_FAILURE", UNKNOWN],
  [0x80090331, "SEC_E_ALGORITHM_MISMATCH", ENCRYPTION],
  [0x80090332, "SEC_E_SECURITY_QOS_FAILED", POLICY],
  [0x80090333, "SEC_E_UNFINISHED_CONTEXT_DELETED", OURS],
  [0x80090334, "SEC_E_NO_TGT_REPLY", UNKNOWN],
  [0x80090335, "SEC_E_NO_IP_ADDRESSES", UNREACHABLE],
  [0x80090336, "SEC_E_WRONG_CREDENTIAL_HANDLE", OURS],
  [0x80090337, "SEC_E_CRYPTO_SYSTEM_INVALID", ENCRYPTION],
  [0x80090338, "SEC_E_MAX_REFERRALS_EXCEEDED", TRUST],
  [0x80090339, "SEC_E_MUST_BE_KDC", OURS],
  [0x8009033a, "SEC_E_STRONG_CRYPTO_NOT_SUPPORTED", ENCRYPTION],
  [0x8009033b, "SEC_E_TOO_MANY_PRINCIPALS", TARGET],
  [0x8009033c, "SEC_E_NO_PA_DATA", ENCRYPTION],
  [0x8009033d, "SEC_E_PKINIT_NAME_MISMATCH", CERTIFICATE],
  [0x8009033e, "SEC_E_SMARTCARD_LOGON_REQUIRED", CERTIFICATE],
  [0x8009033f, "SEC_E_SHUTDOWN_IN_PROGRESS", refused("Windows is shutting down", "Run it again afterwards.")],
  [0x80090340, "SEC_E_KDC_INVALID_REQUEST", POLICY],
  [0x80090341, "SEC_E_KDC_UNABLE_TO_REFER", TRUST],
  [0x80090342, "SEC_E_KDC_UNKNOWN_ETYPE", ENCRYPTION],
  [0x80090343, "SEC_E_UNSUPPORTED_PREAUTH", POLICY],
  [
    0x80090345,
    "SEC_E_DELEGATION_REQUIRED",
    refused(
      "delegation is demanded, which isn't asked for",
      "Nothing here needs it: look for a policy or a proxy that does.",
    ),
  ],
  [0x80090346, "SEC_E_BAD_BINDINGS", BINDINGS],
  [0x80090347, "SEC_E_MULTIPLE_ACCOUNTS", CERTIFICATE],
  [0x80090348, "SEC_E_NO_KERB_KEY", ENCRYPTION],
  [0x80090349, "SEC_E_CERT_WRONG_USAGE", CERTIFICATE],
  [0x80090350, "SEC_E_DOWNGRADE_DETECTED", DOWNGRADE],
  [0x80090351, "SEC_E_SMARTCARD_CERT_REVOKED", CERTIFICATE],
  [0x80090352, "SEC_E_ISSUING_CA_UNTRUSTED", CERTIFICATE],
  [0x80090353, "SEC_E_REVOCATION_OFFLINE_C", CERTIFICATE],
  [0x80090354, "SEC_E_PKINIT_CLIENT_FAILURE", CERTIFICATE],
  [0x80090355, "SEC_E_SMARTCARD_CERT_EXPIRED", CERTIFICATE],
  [0x80090356, "SEC_E_NO_S4U_PROT_SUPPORT", POLICY],
  [0x80090357, "SEC_E_CROSSREALM_DELEGATION_FAILURE", TRUST],
  [0x80090358, "SEC_E_REVOCATION_OFFLINE_KDC", DOWNGRADE],
  [0x80090359, "SEC_E_ISSUING_CA_UNTRUSTED_KDC", DOWNGRADE],
  [0x8009035a, "SEC_E_KDC_CERT_EXPIRED", DOWNGRADE],
  [0x8009035b, "SEC_E_KDC_CERT_REVOKED", DOWNGRADE],
  [0x8009035d, "SEC_E_INVALID_PARAMETER", OURS],
  [0x8009035e, "SEC_E_DELEGATION_POLICY", POLICY],
  [
    0x8009035f,
    "SEC_E_POLICY_NLTM_ONLY",
    refused(
      "a policy lets this account use NTLM only, which isn't spoken here",
      "Use an account that may use Kerberos. NTLM isn't taken by Exchange's front end either.",
    ),
  ],
  [0x80090361, "SEC_E_NO_CONTEXT", OURS],
  [0x80090363, "SEC_E_MUTUAL_AUTH_FAILED", UNKNOWN],
  [0xc0000001, "STATUS_UNSUCCESSFUL", UNSUCCESSFUL],
  [0xc0000017, "STATUS_NO_MEMORY", RESOURCES],
  [0xc000005e, "STATUS_NO_LOGON_SERVERS", UNREACHABLE],
  [0xc000005f, "STATUS_NO_SUCH_LOGON_SESSION", NO_CREDENTIALS],
  [0xc0000064, "STATUS_NO_SUCH_USER", LOGON_DENIED],
  [0xc000006a, "STATUS_WRONG_PASSWORD", LOGON_DENIED],
  [0xc000006d, "STATUS_LOGON_FAILURE", LOGON_DENIED],
  [0xc000006e, "STATUS_ACCOUNT_RESTRICTION", POLICY],
  [0xc000006f, "STATUS_INVALID_LOGON_HOURS", POLICY],
  [0xc0000070, "STATUS_INVALID_WORKSTATION", POLICY],
  [0xc0000071, "STATUS_PASSWORD_EXPIRED", PASSWORD_OVER],
  [0xc0000072, "STATUS_ACCOUNT_DISABLED", LOGON_DENIED],
  [0xc0000133, "STATUS_TIME_DIFFERENCE_AT_DC", SKEW],
  [0xc000018b, "STATUS_NO_TRUST_SAM_ACCOUNT", TRUST],
  [0xc0000193, "STATUS_ACCOUNT_EXPIRED", LOGON_DENIED],
  [0xc0000224, "STATUS_PASSWORD_MUST_CHANGE", PASSWORD_OVER],
  [0xc0000234, "STATUS_ACCOUNT_LOCKED_OUT", LOGON_DENIED],
];
const BY_STATUS = new Map(CODES.map(([status, name, meaning]) => [status, { name, meaning }]));

/** What the server's own answer may say besides that it doesn't hold the key. */
const SAID_BY_SERVER: ReadonlySet<Meaning> = new Set([SKEW, EXPIRED, ENCRYPTION, BINDINGS]);
const WRONG_PRINCIPAL = 0x80090322;

function meaningOf(operation: Operation, status: number): Meaning {
  if (operation === "wrap" || operation === "unwrap") return BODY_MEANINGS[operation];
  const { meaning } = BY_STATUS.get(status) ?? {};
  // What the server returned isn't the domain's: whatever is wrong with it, it proves nothing.
  if (operation === "prove") {
    const isTold = meaning !== undefined && (SAID_BY_SERVER.has(meaning) || status === WRONG_PRINCIPAL);
    return isTold ? meaning : NO_PROOF;
  }
  return meaning ?? UNKNOWN;
}

/** A failed call: by its number. `operation`: what the call was for, which the library doesn't always know. */
export function sspiFailure(error: SspiError, operation: Operation = error.operation): KerberosCallError {
  const { status, message } = error;
  return new KerberosCallError("", {
    operation,
    meaning: meaningOf(operation, status),
    numbers: [BY_STATUS.get(status)?.name ?? "status", message].join(" "),
    facts: { status },
    cause: error,
  });
}
