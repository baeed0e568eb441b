import { type ExchangeService, type ExchangeVersion, isNameService } from "./model";

/* What a build of Exchange can do: the one place that knows. The next build is one line here. */

/** The first build of a line (a cumulative update) that can do something. */
interface FirstOfLine {
  readonly minor: number;
  readonly build: number;
  readonly revision: number;
}

/**
 * Whether the build is the first of its line, or later. Lines after the last of these can as well, and so can versions
 * that nobody knows yet: nothing is refused for being unknown.
 */
function isSince(first: readonly FirstOfLine[], { major, minor, build, revision }: ExchangeVersion): boolean {
  if (major !== 15 || minor > 2) return major >= 15;
  const line = first.find((one) => one.minor === minor && one.build === build);
  if (line !== undefined) return revision >= line.revision;
  return minor === 2 && first.every((one) => one.minor !== minor || build > one.build);
}

/**
 * First builds that accept ECC certificates: the hotfix updates of April 2024 (KB5037224) for Exchange 2016 CU23 and
 * 2019 CU13 and CU14; later lines all do. Sources: eightwone.com, "Hotfix for Exchange 2016 and 2019 (Apr2024)", and
 * jaapwesselius.com, "Hotfix Update for Exchange 2016 and Exchange 2019", both of April 2024.
 */
const ECC_SINCE = [
  { minor: 1, build: 2507, revision: 39 },
  { minor: 2, build: 1258, revision: 34 },
  { minor: 2, build: 1544, revision: 11 },
] as const;

/** POP and IMAP followed with Exchange 2019 CU15 (jaapwesselius.com, February 2025); 2016 got no such update. */
const ECC_FOR_NAMES_SINCE = [{ minor: 2, build: 1748, revision: 0 }] as const;

/** Whether the build can use ECC certificates for these services, once it is switched on. */
export function acceptsEcc(version: ExchangeVersion, services: readonly ExchangeService[]): boolean {
  return isSince(services.some(isNameService) ? ECC_FOR_NAMES_SINCE : ECC_SINCE, version);
}

/** UM and UMCallRouter exist up to Exchange 2016. Source: Microsoft, "What's discontinued in Exchange Server". */
export function hasUnifiedMessaging({ major, minor }: ExchangeVersion): boolean {
  return major < 15 || (major === 15 && minor < 2);
}

/**
 * Whether the cmdlets take the path of a file. The cumulative updates of 2022 H1 ended that: CU23 of 2016 and CU12 of
 * 2019; 2013 got none.
 */
export function hasFileName({ major, minor, build }: ExchangeVersion): boolean {
  if (major !== 15 || minor > 2) return major < 15;
  return minor === 0 || build < (minor === 1 ? 2507 : 1118);
}

/** The first builds that sign SerializationData without being told to, per line of builds. Later lines all do. */
const SIGNING_SINCE = [
  { minor: 1, build: 2507, revision: 35 },
  { minor: 2, build: 1118, revision: 40 },
  { minor: 2, build: 1258, revision: 28 },
] as const;

/** Whether the details of certificates travel signed by default, as since the security updates of November 2023. */
export function signsByDefault(version: ExchangeVersion): boolean {
  return isSince(SIGNING_SINCE, version);
}
