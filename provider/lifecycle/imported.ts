import { ExchangeBindingError } from "../errors";
import { asFound } from "../plan/asFound";
import { describeBlocker } from "../plan/blockerText";
import type { ObservedCertificate, ObservedServer } from "../plan/observedServer";
import type { Bag } from "./requests";

/**
 * Inputs for a certificate as it is, by which nothing is planned. Throws `Refused` for one that no binding may have, and
 * `ServicesUnknown` where the server doesn't say what it holds.
 */
export function declaredAsFound(server: ObservedServer, certificate: ObservedCertificate): Bag {
  const { thumbprint } = certificate.facts;
  const doing = `Reading ${server.server}/${thumbprint} as a binding`;
  const facts = { server: server.server, thumbprint };
  const found = asFound(server, certificate);
  switch (found.kind) {
    case "declared":
      return { certificate: { thumbprint }, services: found.services, ...found.names };
    case "reserved": {
      const context = { server: server.server, now: new Date(0) };
      const { what } = found;
      const reason = describeBlocker(
        { kind: "reservedCertificate", property: "certificate", what, thumbprint },
        context,
      );
      throw new ExchangeBindingError("Refused", `${doing}: ${reason}`, { facts });
    }
    case "servicesUnknown":
      throw new ExchangeBindingError(
        "ServicesUnknown",
        `${doing}: the server didn't say which services it holds (${found.reason}). Often the Auth certificate is expired or missing.`,
        { facts },
      );
    case "withoutServices":
      throw new ExchangeBindingError(
        "Refused",
        `${doing}: it holds no service, and a binding has at least one. Declare a binding with certificate { thumbprint } and the services that it is to get.`,
        { facts },
      );
  }
}
