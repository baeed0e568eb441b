import type { Backend, CallOptions, CertificateSnapshot, ServerSnapshot } from "./backends/backend";
import type { CertificateFacts } from "./certificate/facts";
import { readCertificate } from "./certificate/readCertificate";
import { thumbprintOf } from "./certificate/thumbprint";
import { ExchangeBindingError, isBindingError } from "./errors";
import type { ServerFqdn } from "./model";
import type { ObservedCertificate, ObservedServer, UnreadableCertificate } from "./plan/observedServer";

/**
 * Reads one snapshot of a server and the certificates in it. Reads only. Throws what the backend throws, and
 * `ServerMismatch` when another server answered than the one that was asked: behind a load-balanced name that is how
 * certificates end up on the wrong machine.
 */
export async function observeServer(
  backend: Backend,
  server: ServerFqdn,
  options: CallOptions,
): Promise<ObservedServer> {
  const snapshot = await backend.readSnapshot(server, options);
  if (snapshot.server !== server) {
    throw new ExchangeBindingError(
      "ServerMismatch",
      `Reading ${server}: ${snapshot.server} answered instead. Nothing was changed. ` +
        `Name the server itself, not a load-balanced or alias name.`,
      { facts: { server, answered: snapshot.server } },
    );
  }
  return observedFrom(snapshot);
}

/** A snapshot as decisions see it. A certificate that can't be read is carried by its thumbprint. */
export function observedFrom(
  snapshot: ServerSnapshot,
  read: (der: Uint8Array) => CertificateFacts = readCertificate,
): ObservedServer {
  const certificates: ObservedCertificate[] = [];
  const unreadable: UnreadableCertificate[] = [];
  for (const certificate of snapshot.certificates) {
    const { der, ...shown } = certificate;
    const facts = factsIn(certificate, read);
    if (facts === undefined) unreadable.push({ ...shown, thumbprint: thumbprintOf(der) });
    else certificates.push({ ...shown, facts });
  }
  return { ...snapshot, certificates, unreadable };
}

function factsIn(
  { der }: CertificateSnapshot,
  read: (der: Uint8Array) => CertificateFacts,
): CertificateFacts | undefined {
  try {
    return read(der);
  } catch (error) {
    if (isBindingError(error, "CertificateUnreadable")) return undefined;
    throw error;
  }
}
