import { coversName } from "../certificate/names";
import type { ExchangeService, NameService } from "../model";
import { holdersOf } from "./holdings";
import type { ObservedServer } from "./observedServer";
import type { CertificateRef, TakeOver } from "./planTypes";
import { named } from "./target";

/** Certificates that lose a service that exactly one may hold. */
export function exclusiveTakeOvers(server: ObservedServer, service: ExchangeService, to: CertificateRef): TakeOver[] {
  return holdersOf(server, service)
    .filter(({ facts }) => to.kind === "made" || facts.thumbprint !== to.thumbprint)
    .map(({ facts }) => ({ service, from: named(facts) }));
}

/** Certificates that lose IMAP or POP because another name is written; the binding's own may be among them. */
export function nameTakeOvers(server: ObservedServer, service: NameService, name: string | undefined): TakeOver[] {
  return holdersOf(server, service)
    .filter(({ facts }) => name === undefined || !coversName(facts, name))
    .map(({ facts }) => ({ service, from: named(facts) }));
}
