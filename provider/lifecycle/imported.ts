import { ExchangeBindingError } from "../errors";
import { NAME_SERVICES, valueOr } from "../model";
import { describeBlocker } from "../plan/blockerText";
import { heldServices } from "../plan/holdings";
import { NAME_PROPERTY, sameName } from "../plan/names";
import type { ObservedCertificate, ObservedServer } from "../plan/observedServer";
import { reservedFor } from "../plan/removal";
import type { Bag } from "./requests";

/**
 * Inputs for a certificate as it is, by which nothing is planned. Throws `Refused` for one that no binding may have, and
 * `ServicesUnknown` where the server doesn't say what it holds.
 */
export function declaredAsFound(server: ObservedServer, certificate: ObservedCertificate): Bag {
  const { thumbprint, commonName } = certificate.facts;
  const doing = `Importing ${server.server}/${thumbprint}`;
  const facts = { server: server.server, thumbprint };
  const what = reservedFor(server, certificate);
  if (what !== undefined) {
    const context = { server: server.server, now: new Date(0) };
    const reason = describeBlocker({ kind: "reservedCertificate", property: "certificate", what, thumbprint }, context);
    throw new ExchangeBindingError("Refused", `${doing}: ${reason}`, { facts });
  }
  const held = heldServices(server, certificate);
  if (held.kind === "unknown") {
    throw new ExchangeBindingError(
      "ServicesUnknown",
      `${doing}: the server didn't say which services it holds (${held.reason}). Often the Auth certificate is expired or missing.`,
      { facts },
    );
  }
  if (held.value.length === 0) {
    throw new ExchangeBindingError(
      "Refused",
      `${doing}: it holds no service, and a binding has at least one. Declare a binding with certificate { thumbprint } and the services that it is to get.`,
      { facts },
    );
  }
  const names = { IMAP: server.imapCertificateName, POP: server.popCertificateName };
  const named = NAME_SERVICES.filter((service) => held.value.includes(service)).flatMap((service) => {
    const name = valueOr(names[service], undefined);
    // What Enable-ExchangeCertificate writes by itself needs no declaration.
    return name === undefined || sameName(name, commonName)
      ? []
      : [[NAME_PROPERTY[service], name.toLowerCase()] as const];
  });
  return { certificate: { thumbprint }, services: held.value, ...Object.fromEntries(named) };
}
