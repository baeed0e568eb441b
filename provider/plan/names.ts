import { coversName, isWildcard, looksLikeDnsName } from "../certificate/names";
import { type NameService, SERVICES } from "../model";
import type { DeclaredName } from "./desired";
import type { Blocker } from "./planTypes";

/** The names a certificate can be recognised by, whether it exists yet or not. */
export interface CertificateNames {
  readonly commonName: string | undefined;
  readonly dnsNames: readonly string[];
}

/** The property of a binding that declares the name: it is called like the part of a snapshot. */
export function namePropertyOf(service: NameService): NameProperty {
  return SERVICES[service].nameIn;
}

export type NameProperty = (typeof SERVICES)[NameService]["nameIn"];

export function sameName(one: string | undefined, other: string | undefined): boolean {
  return one?.toLowerCase() === other?.toLowerCase();
}

/**
 * What Enable-ExchangeCertificate writes into X509CertificateName: the subject's common name. Undefined when that isn't
 * a host name: then Exchange warns ("the subject is not a Fully Qualified Domain Name") and changes nothing. Without a
 * common name nobody knows what it does, and that counts as the same. A short name will do: setup itself writes that of
 * the server.
 */
export function nameWrittenByEnable(names: CertificateNames): string | undefined {
  if (isWildcard(names)) return undefined;
  const name = names.commonName;
  return name !== undefined && looksLikeDnsName(name) ? name : undefined;
}

export type NameFlaw = Blocker & { readonly kind: "nameNeeded" | "nameNotCovered" };

/**
 * What is wrong with IMAP or POP on a certificate, whatever the server looks like: a wildcard certificate without a
 * declared name, or a declared name that the certificate doesn't cover.
 */
export function nameFlaw(
  service: NameService,
  declared: DeclaredName,
  names: CertificateNames,
  subject: string,
): NameFlaw | undefined {
  const property = namePropertyOf(service);
  if (typeof declared !== "string") {
    return isWildcard(names) ? { kind: "nameNeeded", property, service, subject, why: "wildcard" } : undefined;
  }
  return coversName(names, declared)
    ? undefined
    : { kind: "nameNotCovered", property, service, name: declared, dnsNames: names.dnsNames };
}
