import { type ExchangeService, NAME_SERVICES, valueOr } from "../model";
import { certificateNameOf, heldServices } from "./holdings";
import { type NameProperty, namePropertyOf, sameName } from "./names";
import type { ObservedCertificate, ObservedServer } from "./observedServer";
import { type Reserved, reservedFor } from "./reserved";

/** What a binding of a certificate would declare, so that nothing is planned; or why there can be none. */
export type AsFound =
  | {
      readonly kind: "declared";
      readonly services: readonly ExchangeService[];
      /** Certificate names that Enable-ExchangeCertificate wouldn't write by itself. */
      readonly names: Readonly<Partial<Record<NameProperty, string>>>;
    }
  | { readonly kind: "reserved"; readonly what: Reserved }
  | { readonly kind: "servicesUnknown"; readonly reason: string }
  | { readonly kind: "withoutServices" };

export function asFound(server: ObservedServer, certificate: ObservedCertificate): AsFound {
  const what = reservedFor(server, certificate);
  if (what !== undefined) return { kind: "reserved", what };
  const held = heldServices(server, certificate);
  if (held.kind === "unknown") return { kind: "servicesUnknown", reason: held.reason };
  const { value: services } = held;
  if (services.length === 0) return { kind: "withoutServices" };
  const names = NAME_SERVICES.filter((service) => services.includes(service)).flatMap((service) => {
    const name = valueOr(certificateNameOf(server, service), undefined);
    return name === undefined || sameName(name, certificate.facts.commonName)
      ? []
      : [[namePropertyOf(service), name.toLowerCase()] as const];
  });
  return { kind: "declared", services, names: Object.fromEntries(names) };
}
