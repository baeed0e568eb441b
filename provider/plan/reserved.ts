import type { Thumbprint } from "../certificate/thumbprint";
import { isWebManagementSubject, valueOr } from "../model";
import type { ObservedCertificate, ObservedServer } from "./observedServer";

/* Certificates with a role of Exchange's or Windows' own, which no binding may take from them. */

/** Roles that Exchange's configuration gives: what has one of these is never bound. */
export type BoundElsewhere = "auth" | "federation";

/** All such roles. That of the Web Management Service is the machine's doing: it isn't chosen, imported or removed. */
export type Reserved = BoundElsewhere | "webManagement";

/** Which special role a certificate has that forbids binding it. */
export function reservedAs(server: ObservedServer, thumbprint: Thumbprint): BoundElsewhere | undefined {
  const auth = valueOr(server.authCertificates, undefined);
  if (auth !== undefined && [auth.current, auth.next, auth.previous].includes(thumbprint)) return "auth";
  const federation = server.federationThumbprints;
  if (federation.kind === "known" && federation.value.includes(thumbprint)) return "federation";
  const certificate = server.certificates.find(({ facts }) => facts.thumbprint === thumbprint);
  if (certificate === undefined) return undefined;
  const displayed = certificate.displayedServices;
  if (displayed.kind === "known" && displayed.value.includes("Federation")) return "federation";
  // Without the organisation's configuration the name is all there is to go by; Exchange gives it to no other one.
  const isNamedAuth = certificate.facts.subject === "CN=Microsoft Exchange Server Auth Certificate";
  return server.authCertificates.kind === "unknown" && isNamedAuth ? "auth" : undefined;
}

/** The role of Exchange's or Windows' own that a certificate has. */
export function reservedFor(server: ObservedServer, certificate: ObservedCertificate): Reserved | undefined {
  const { facts, friendlyName } = certificate;
  const reserved = reservedAs(server, facts.thumbprint);
  if (reserved !== undefined) return reserved;
  const isWebManagement = facts.isSelfSigned && isWebManagementSubject(facts.subject);
  return isWebManagement || /^WMSVC/i.test(valueOr(friendlyName, "")) ? "webManagement" : undefined;
}
