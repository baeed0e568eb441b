import { coversName } from "../certificate/names";
import { type ExchangeService, type NameService, isNameService, valueOr } from "../model";
import { certificateNameOf, holdersOf, isPending } from "./holdings";
import type { ObservedServer, UnreadableCertificate } from "./observedServer";
import type { CertificateRef, NamedCertificate, TakeOver } from "./planTypes";
import { named, namedUnreadable } from "./target";

/** What the server says of a certificate that can't be read. Which names it has, and so IMAP and POP, can't be told. */
function showsService(certificate: UnreadableCertificate, service: ExchangeService): boolean {
  if (isNameService(service)) return false;
  const { iisSites, displayedServices } = certificate;
  if (service === "IIS") return iisSites.kind === "known" && iisSites.value.includes(1);
  return displayedServices.kind === "known" && displayedServices.value.includes(service);
}

/** Who holds a service, by names that people recognise; also certificates that can't be read. */
export function namedHoldersOf(server: ObservedServer, service: ExchangeService): readonly NamedCertificate[] {
  return [
    ...holdersOf(server, service)
      .filter((certificate) => !isNameService(service) || !isPending(certificate))
      .map(({ facts }) => named(facts)),
    ...server.unreadable
      .filter((certificate) => showsService(certificate, service))
      .map(({ thumbprint }) => namedUnreadable(thumbprint)),
  ];
}

/** Certificates that lose a service that exactly one may hold. */
export function exclusiveTakeOvers(server: ObservedServer, service: ExchangeService, to: CertificateRef): TakeOver[] {
  return namedHoldersOf(server, service)
    .filter(({ thumbprint }) => to.kind !== "known" || thumbprint !== to.thumbprint)
    .map((from) => ({ service, from }));
}

/** Certificates that lose IMAP or POP because another name is written; the binding's own may be among them. */
export function nameTakeOvers(server: ObservedServer, service: NameService, name: string | undefined): TakeOver[] {
  return holdersOf(server, service)
    .filter(({ facts }) => name === undefined || !coversName(facts, name))
    .map(({ facts }) => ({
      service,
      from: named(facts),
      formerName: valueOr(certificateNameOf(server, service), undefined),
    }));
}
