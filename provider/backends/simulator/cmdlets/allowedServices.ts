import { type DisplayedService, type ExchangeService, EXCHANGE_SERVICES, parseDisplayedService } from "../../../model";

export type ParsedServices =
  | { readonly kind: "services"; readonly services: readonly DisplayedService[] }
  | { readonly kind: "unknown"; readonly name: string };

/** Reads -Services: a list (`IIS,SMTP`) or one text with commas (`'UM, UMCallRouter'`). `None` adds nothing. */
export function parseAllowedServices(given: readonly string[]): ParsedServices {
  const services = new Set<DisplayedService>();
  for (const name of given.flatMap((text) => text.split(",")).map((text) => text.trim())) {
    if (name.toLowerCase() === "none") continue;
    const service = parseDisplayedService(name);
    if (service === undefined) return { kind: "unknown", name };
    services.add(service);
  }
  return { kind: "services", services: [...services] };
}

/**
 * The order in which one call deals with its services: those that `first` names, then canonical order. Real servers'
 * order isn't known.
 */
export function inEnableOrder(
  services: readonly DisplayedService[],
  first: readonly ExchangeService[] = [],
): ExchangeService[] {
  const order = [...new Set([...first, ...EXCHANGE_SERVICES])];
  return order.filter((service) => services.includes(service));
}
