import { domainToASCII } from "node:url";

/** The domain's own words: services, servers, statuses, and values that may be unknown. */

/** Whether a certificate of that subject is the one that setup makes for the Web Management Service (WMSvc-SHA2-EX01). */
export function isWebManagementSubject(subject: string): boolean {
  return /^CN=WMSvc(?:-|$)/i.test(subject);
}

export const DAY_MS = 24 * 60 * 60 * 1000;

/** What is to be known of a service, beside what it does. */
interface ServiceRow {
  /** Its number in Exchange's AllowedServices. 1, 2, 8 and 16 were measured, the others follow from older documentation. */
  readonly flag: number;
  /** Whether a program may declare it. */
  readonly isDeclarable: boolean;
  /** Enabling it takes it from another certificate of the server. */
  readonly isExclusive: boolean;
  /** Get- and Set- with this noun are the cmdlets of its settings. */
  readonly settings?: string;
  /** It follows a name (X509CertificateName of its settings), not a certificate: the part of a snapshot with that name. */
  readonly nameIn?: string;
  /** It takes a certificate in some start-up modes only: the part of a snapshot with the mode. */
  readonly startupModeIn?: string;
  /** Windows services that have to be restarted before it shows another certificate. */
  readonly windowsServices: readonly string[];
}

/**
 * Every service that Get-ExchangeCertificate may display, in the one canonical order used everywhere. Names as Exchange
 * spells them (AllowedServices of Enable-ExchangeCertificate).
 */
export const SERVICES = {
  IIS: { flag: 8, isDeclarable: true, isExclusive: true, windowsServices: [] },
  IMAP: {
    flag: 1,
    isDeclarable: true,
    isExclusive: false,
    settings: "ImapSettings",
    nameIn: "imapCertificateName",
    windowsServices: ["MSExchangeIMAP4", "MSExchangeIMAP4BE"],
  },
  POP: {
    flag: 2,
    isDeclarable: true,
    isExclusive: false,
    settings: "PopSettings",
    nameIn: "popCertificateName",
    windowsServices: ["MSExchangePOP3", "MSExchangePOP3BE"],
  },
  SMTP: { flag: 16, isDeclarable: true, isExclusive: false, windowsServices: [] },
  UM: {
    flag: 4,
    isDeclarable: true,
    isExclusive: true,
    settings: "UMService",
    startupModeIn: "umStartupMode",
    windowsServices: ["MSExchangeUM"],
  },
  UMCallRouter: {
    flag: 64,
    isDeclarable: true,
    isExclusive: true,
    settings: "UMCallRouterSettings",
    startupModeIn: "umCallRouterStartupMode",
    windowsServices: ["MSExchangeUMCR"],
  },
  // Nobody may declare it: it belongs to the federation trust.
  Federation: { flag: 32, isDeclarable: false, isExclusive: false, windowsServices: [] },
} as const satisfies Readonly<Record<string, ServiceRow>>;

type Services = typeof SERVICES;
type ServicesWith<Fact> = { [S in keyof Services]: Services[S] extends Fact ? S : never }[keyof Services];

/** What may be displayed. */
export type DisplayedService = keyof Services;
/** What can be declared. */
export type ExchangeService = ServicesWith<{ readonly isDeclarable: true }>;
export type ExclusiveService = ServicesWith<{ readonly isDeclarable: true; readonly isExclusive: true }>;
export type NameService = ServicesWith<{ readonly nameIn: string }>;
export type UmService = ServicesWith<{ readonly startupModeIn: string }>;

export const DISPLAYED_SERVICES = Object.keys(SERVICES) as readonly DisplayedService[];
export const EXCHANGE_SERVICES = DISPLAYED_SERVICES.filter(
  (service): service is ExchangeService => SERVICES[service].isDeclarable,
);
export const EXCLUSIVE_SERVICES = EXCHANGE_SERVICES.filter(
  (service): service is ExclusiveService => SERVICES[service].isExclusive,
);
export const NAME_SERVICES = EXCHANGE_SERVICES.filter(isNameService);
export const UM_SERVICES = EXCHANGE_SERVICES.filter(isUmService);
/** In the order in which .NET prints a combination of them. */
export const SERVICES_BY_FLAG = [...DISPLAYED_SERVICES].sort((one, other) => SERVICES[one].flag - SERVICES[other].flag);

export function isNameService(service: DisplayedService): service is NameService {
  return "nameIn" in SERVICES[service];
}

export function isUmService(service: DisplayedService): service is UmService {
  return "startupModeIn" in SERVICES[service];
}

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

/** The same for what Exchange may name. */
export function parseDisplayedService(text: string): DisplayedService | undefined {
  const wanted = text.trim().toLowerCase();
  return DISPLAYED_SERVICES.find((service) => service.toLowerCase() === wanted);
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
