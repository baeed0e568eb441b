import type { CertificateFacts } from "../../certificate/facts";
import type {
  DirectoryAttribute,
  HeldBackValue,
  NameServiceState,
  PublishedCertificate,
  ServerState,
} from "./organisation";

/*
 * Active Directory replicates: what one domain controller has been told, another says later. A server with the fault
 * `directoryDelay` keeps showing the old value for a number of reads, or for a time, or both.
 */

/** What reads get now. */
export function shownValue(server: ServerState, attribute: DirectoryAttribute, now: Date): string | null {
  const held = server.notYetReplicated[attribute];
  return held !== undefined && isHeldBack(held, now) ? held.shown : actualValue(server, attribute);
}

/** To be called for a cmdlet that showed the attribute: counts down the reads that still get the old value. */
export function countRead(server: ServerState, attribute: DirectoryAttribute, now: Date): ServerState {
  const held = server.notYetReplicated[attribute];
  if (held === undefined) return server;
  const left = held.reads === undefined ? undefined : Math.max(0, held.reads - 1);
  const next = { ...held, ...(left === undefined ? {} : { reads: left }) };
  if (left === held.reads && isHeldBack(held, now)) return server;
  return withHeldBack(server, attribute, isHeldBack(next, now) ? next : undefined);
}

/** Writes X509CertificateName of a protocol. Returns the same server when it is that already. */
export function writeCertificateName(
  server: ServerState,
  protocol: "imap" | "pop",
  name: string | null,
  now: Date,
): ServerState {
  if (server[protocol].x509CertificateName === name) return server;
  const held = holdBack(server, protocol === "imap" ? "imapCertificateName" : "popCertificateName", now);
  const state: NameServiceState = { x509CertificateName: name };
  return protocol === "imap" ? { ...held, imap: state } : { ...held, pop: state };
}

/** Publishes the certificate as the server's internal transport certificate. */
export function publishInternalTransportCertificate(
  server: ServerState,
  certificate: { readonly facts: CertificateFacts; readonly der: string },
  now: Date,
): ServerState {
  if (server.internalTransportCertificate?.thumbprint === certificate.facts.thumbprint) return server;
  const published: PublishedCertificate = { thumbprint: certificate.facts.thumbprint, der: certificate.der };
  return { ...holdBack(server, "internalTransportCertificate", now), internalTransportCertificate: published };
}

function actualValue(server: ServerState, attribute: DirectoryAttribute): string | null {
  switch (attribute) {
    case "internalTransportCertificate":
      return server.internalTransportCertificate?.thumbprint ?? null;
    case "imapCertificateName":
      return server.imap.x509CertificateName;
    case "popCertificateName":
      return server.pop.x509CertificateName;
  }
}

function isHeldBack(held: HeldBackValue, now: Date): boolean {
  return (held.reads ?? 0) > 0 || (held.until !== undefined && now.getTime() < Date.parse(held.until));
}

function holdBack(server: ServerState, attribute: DirectoryAttribute, now: Date): ServerState {
  const delay = server.faults.directoryDelay;
  if (delay === undefined) return withHeldBack(server, attribute, undefined);
  return withHeldBack(server, attribute, {
    shown: shownValue(server, attribute, now),
    ...(delay.reads === undefined ? {} : { reads: delay.reads }),
    ...(delay.milliseconds === undefined ? {} : { until: new Date(now.getTime() + delay.milliseconds).toISOString() }),
  });
}

function withHeldBack(
  server: ServerState,
  attribute: DirectoryAttribute,
  held: HeldBackValue | undefined,
): ServerState {
  if (held === undefined && server.notYetReplicated[attribute] === undefined) return server;
  const others = Object.fromEntries(Object.entries(server.notYetReplicated).filter(([key]) => key !== attribute));
  return { ...server, notYetReplicated: held === undefined ? others : { ...others, [attribute]: held } };
}
