import { signsByDefault } from "../../builds";
import type { CertificateFacts } from "../../certificate/facts";
import { looksLikeDnsName } from "../../certificate/names";
import { type DisplayedService, SERVICES_BY_FLAG } from "../../model";
import { findCertificate, type ReadStoredCertificate } from "./certificateStore";
import { shownValue } from "./directoryDelay";
import type { Organisation, ServerState, UmState } from "./organisation";

/** `IMAP, POP, IIS, SMTP`, or `None`. */
export function formatServices(services: readonly DisplayedService[]): string {
  const names = SERVICES_BY_FLAG.filter((name) => services.includes(name));
  return names.length === 0 ? "None" : names.join(", ");
}

/**
 * What Get-ExchangeCertificate displays as Services, worked out from the state of the server at this moment, as
 * Exchange does it. Nobody has to have "enabled" anything: a certificate that is imported with the right name shows
 * IMAP at once, and one that was enabled for IMAP loses it when the name changes.
 */
export function displayedServices(
  organisation: Organisation,
  server: ServerState,
  certificate: ReadStoredCertificate,
  now: Date,
): DisplayedService[] {
  const { stored, facts } = certificate;
  const shown: DisplayedService[] = [];
  if (isNamed(facts, shownValue(server, "imapCertificateName", now))) shown.push("IMAP");
  if (isNamed(facts, shownValue(server, "popCertificateName", now))) shown.push("POP");
  if (isAssigned(server.um, facts)) shown.push("UM");
  if (iisSitesOf(server, facts).length > 0) shown.push("IIS");
  if (stored.privateKey.present && stored.privateKey.networkServiceRead) shown.push("SMTP");
  if (organisation.federationTrust?.currentCertificate === facts.thumbprint) shown.push("Federation");
  if (isAssigned(server.umCallRouter, facts)) shown.push("UMCallRouter");
  return shown;
}

/** Numbers of the sites that it is bound to: 1 is the front end, 2 the back end. Either shows as IIS. */
export function iisSitesOf(server: ServerState, facts: CertificateFacts): number[] {
  const sites: number[] = [];
  if (server.iis.frontEnd === facts.thumbprint) sites.push(1);
  if (server.iis.backEnd === facts.thumbprint) sites.push(2);
  return sites;
}

/**
 * Whether the remote shell of the server works. Exchange's PowerShell endpoint lives behind the back-end site, so
 * when the certificate of that binding is gone, so is the way to repair it. A server without the binding (a Client
 * Access server of 2013) has its shell elsewhere.
 */
export function hasRemoteShell(server: ServerState): boolean {
  return server.iis.backEnd === null || findCertificate(server, server.iis.backEnd) !== undefined;
}

/**
 * Since the security updates of November 2023 the details of a certificate travel signed with the Auth certificate.
 * When that is missing or has expired, a client is left with RawData, so the services are unknown.
 */
export function sendsDetails(organisation: Organisation, server: ServerState, now: Date): boolean {
  if (server.faults.servicesUnknown === true) return false;
  const auth = organisation.authConfig.currentCertificate;
  if (auth === null || !signsByDefault(server.version)) return true;
  const held = findCertificate(server, auth);
  return held !== undefined && now.getTime() <= Date.parse(held.facts.notAfter);
}

/**
 * Exchange looks for the exact name among the subject's and the alternative ones: a wildcard certificate never shows,
 * although TLS with it works.
 */
export function isNamed({ commonName, dnsNames }: CertificateFacts, name: string | null): boolean {
  if (name === null || name.includes("*")) return false;
  const wanted = name.toLowerCase();
  if (dnsNames.includes(wanted)) return true;
  return commonName?.toLowerCase() === wanted && looksLikeDnsName(commonName);
}

function isAssigned(um: UmState | null, facts: CertificateFacts): boolean {
  return um?.certificate === facts.thumbprint;
}
