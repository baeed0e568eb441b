import { coversName } from "../certificate/names";
import type { ExchangeService, NameService } from "../model";
import { findCertificate, holdersOf } from "./holdings";
import type { ObservedServer } from "./observedServer";
import type { CertificateRef, TakeOver } from "./planTypes";
import { named } from "./target";

/** Certificates that lose a service that exactly one may hold. */
export function exclusiveTakeOvers(server: ObservedServer, service: ExchangeService, to: CertificateRef): TakeOver[] {
  return holdersOf(server, service)
    .filter(({ facts }) => to.kind === "made" || facts.thumbprint !== to.thumbprint)
    .map(({ facts }) => ({ service, from: named(facts) }));
}

/** Certificates that lose IMAP or POP because another name is written. */
export function nameTakeOvers(
  server: ObservedServer,
  service: NameService,
  name: string | undefined,
  to: CertificateRef,
): TakeOver[] {
  return exclusiveTakeOvers(server, service, to).filter(({ from }) => {
    const facts = findCertificate(server, from.thumbprint)?.facts;
    return name === undefined || facts === undefined || !coversName(facts, name);
  });
}
