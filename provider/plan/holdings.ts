import { coversName } from "../certificate/names";
import type { Thumbprint } from "../certificate/thumbprint";
import { EXCHANGE_SERVICES, isNameService, known, SERVICES, unknown, valueOr } from "../model";
import type { ExchangeService, NameService, Observed } from "../model";
import type { ObservedCertificate, ObservedServer } from "./observedServer";

/** X509CertificateName of the protocol's settings. */
export function certificateNameOf(server: ObservedServer, service: NameService): Observed<string | undefined> {
  return server[SERVICES[service].nameIn];
}

export function findCertificate(server: ObservedServer, thumbprint: Thumbprint): ObservedCertificate | undefined {
  return server.certificates.find(({ facts }) => facts.thumbprint === thumbprint);
}

/** One that can't be read is there all the same. */
export function isOnServer(server: ObservedServer, thumbprint: Thumbprint): boolean {
  const isUnreadable = server.unreadable.some((one) => one.thumbprint === thumbprint);
  return isUnreadable || findCertificate(server, thumbprint) !== undefined;
}

/**
 * Whether a certificate holds a service, in the sense of the contract: IIS is the front-end site and not the flag
 * (which the back end alone may cause); IMAP and POP follow the name in the protocol's settings, so that a wildcard
 * certificate holds them although Exchange doesn't display it; the others are the displayed flag.
 */
export function holds(
  server: ObservedServer,
  certificate: ObservedCertificate,
  service: ExchangeService,
): Observed<boolean> {
  if (service === "IIS") {
    const sites = certificate.iisSites;
    return sites.kind === "unknown" ? sites : known(sites.value.includes(1));
  }
  if (isNameService(service)) {
    const name = certificateNameOf(server, service);
    if (name.kind === "unknown") return name;
    return known(name.value !== undefined && coversName(certificate.facts, name.value));
  }
  const displayed = certificate.displayedServices;
  return displayed.kind === "unknown" ? displayed : known(displayed.value.includes(service));
}

/** Everything the certificate holds; unknown when one of the services can't be told. */
export function heldServices(
  server: ObservedServer,
  certificate: ObservedCertificate,
): Observed<readonly ExchangeService[]> {
  const held: ExchangeService[] = [];
  for (const service of EXCHANGE_SERVICES) {
    const answer = holds(server, certificate, service);
    if (answer.kind === "unknown") return unknown(answer.reason);
    if (answer.value) held.push(service);
  }
  return known(held);
}

/** Certificates of the server that are known to hold the service. */
export function holdersOf(server: ObservedServer, service: ExchangeService): readonly ObservedCertificate[] {
  return server.certificates.filter((certificate) => valueOr(holds(server, certificate, service), false));
}

/** Whether somebody may hold the service without our knowing it. */
export function someHolderUnknown(server: ObservedServer, service: ExchangeService): boolean {
  return server.certificates.some((certificate) => holds(server, certificate, service).kind === "unknown");
}

/** A request that waits for its certificate. Exchange lists it among the certificates, and no client is shown it. */
export function isPending({ status }: ObservedCertificate): boolean {
  return valueOr(status, undefined) === "PendingRequest";
}
