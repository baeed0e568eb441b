import { domainToASCII } from "node:url";

/** The domain's own words: services, servers, statuses, and values that may be unknown. */

/** Whether a certificate of that subject is the one that setup makes for the Web Management Service (WMSvc-SHA2-EX01). */
export function isWebManagementSubject(subject: string): boolean {
  return /^CN=WMSvc(?:-|$)/i.test(subject);
}

export const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * The services that can be declared, in the one canonical order used everywhere. Names as Exchange spells them
 * (AllowedServices of Enable-ExchangeCertificate).
 */
export const EXCHANGE_SERVICES = ["IIS", "IMAP", "POP", "SMTP", "UM", "UMCallRouter"] as const;
export type ExchangeService = (typeof EXCHANGE_SERVICES)[number];

/** What Get-ExchangeCertificate may display: the declarable services, and Federation, which nobody may declare. */
export const DISPLAYED_SERVICES = [...EXCHANGE_SERVICES, "Federation"] as const;
export type DisplayedService = (typeof DISPLAYED_SERVICES)[number];

/** Enabling one of these takes it from another certificate of the server. */
export const EXCLUSIVE_SERVICES = ["IIS", "UM", "UMCallRouter"] as const satisfies readonly ExchangeService[];

/** Services that follow a name (X509CertificateName of Set-ImapSettings and Set-PopSettings), not a certificate. */
export const NAME_SERVICES = ["IMAP", "POP"] as const satisfies readonly ExchangeService[];
export type NameService = (typeof NAME_SERVICES)[number];

/** `Status` of Get-ExchangeCertificate. */
export const CERTIFICATE_STATUSES = [
  "Unknown",
  "Valid",
  "Revoked",
  "DateInvalid",
  "Untrusted",
  "Invalid",
  "RevocationCheckFailure",
  "PendingRequest",
] as const;
export type CertificateStatus = (typeof CERTIFICATE_STATUSES)[number];

/** UMStartupMode of Set-UMService and Set-UMCallRouterSettings. */
export const UM_STARTUP_MODES = ["TCP", "TLS", "Dual"] as const;
export type UmStartupMode = (typeof UM_STARTUP_MODES)[number];

/** A value that the server may not have said. `unknown` is never the same as "none". */
export type Observed<T> =
  { readonly kind: "known"; readonly value: T } | { readonly kind: "unknown"; readonly reason: string };

export function known<T>(value: T): Observed<T> {
  return { kind: "known", value };
}

export function unknown(reason: string): { readonly kind: "unknown"; readonly reason: string } {
  return { kind: "unknown", reason };
}

/** The value when it is known, otherwise the given fallback. Only for places where "unknown" has been dealt with. */
export function valueOr<T, F>(observed: Observed<T>, fallback: F): T | F {
  return observed.kind === "known" ? observed.value : fallback;
}

declare const serverFqdnBrand: unique symbol;
/** Fully qualified name of an Exchange server, lower case, no trailing dot. Made by {@link parseServerFqdn}. */
export type ServerFqdn = string & { readonly [serverFqdnBrand]: never };

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const FQDN = new RegExp(`^(?:${LABEL}\\.)+${LABEL}$`);

/** Reads a fully qualified domain name; `undefined` for a short name, a distinguished name, an address, a trailing dot. */
export function parseServerFqdn(text: string): ServerFqdn | undefined {
  const lower = text.trim().toLowerCase();
  if (lower.length > 253 || /^[0-9.]+$/.test(lower)) return undefined;
  return FQDN.test(lower) ? (lower as ServerFqdn) : undefined;
}

/**
 * What breaks a name that isn't a fully qualified one, to complete "… is refused: it": the character that no host name
 * may have, with the form that names of other scripts have in DNS. `undefined` where it isn't one character.
 */
export function flawOfName(text: string): string | undefined {
  const name = text.trim();
  const other = /[^A-Za-z0-9.-]/u.exec(name)?.[0];
  if (other === undefined) return undefined;
  if (/[\p{L}\p{M}\p{N}]/u.test(other)) {
    const ascii = domainToASCII(name);
    if (parseServerFqdn(ascii) !== undefined) return `holds "${other}"; in DNS and in certificates it is ${ascii}`;
  }
  return `holds "${other}", which no host name may have: only letters, digits, hyphens and dots`;
}

/** The service of that name, whatever its case; `undefined` when there is none. */
export function parseService(text: string): ExchangeService | undefined {
  const wanted = text.trim().toLowerCase();
  return EXCHANGE_SERVICES.find((service) => service.toLowerCase() === wanted);
}

/** Canonical order, no duplicates. */
export function sortServices<S extends DisplayedService>(services: Iterable<S>): S[] {
  const wanted = new Set<string>(services);
  return DISPLAYED_SERVICES.filter((service): service is S => wanted.has(service));
}

/** Exchange's version, `15.2.1748.10`: Exchange 2019 and Subscription Edition are both 15.2 and differ by build. */
export interface ExchangeVersion {
  readonly major: number;
  readonly minor: number;
  readonly build: number;
  readonly revision: number;
}

export function formatVersion(version: ExchangeVersion): string {
  return `${version.major}.${version.minor}.${version.build}.${version.revision}`;
}
