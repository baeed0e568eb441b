import type { Backend, CallOptions, CertificateSnapshot, ServerSnapshot } from "../backends/backend";
import type { CertificateFacts } from "../certificate/facts";
import { readCertificate } from "../certificate/readCertificate";
import { ExchangeBindingError } from "../errors";
import type { ServerFqdn } from "../model";

/** A certificate on a server: what the server shows of it, and what its own bytes say. */
export interface ObservedCertificate extends Omit<CertificateSnapshot, "der"> {
  readonly facts: CertificateFacts;
}

/** A server as decisions see it. */
export interface ObservedServer extends Omit<ServerSnapshot, "certificates"> {
  readonly certificates: readonly ObservedCertificate[];
}

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

/** The same without asking anybody: for tests and for callers that hold a snapshot. */
function observedFrom(snapshot: ServerSnapshot): ObservedServer {
  return {
    ...snapshot,
    certificates: snapshot.certificates.map(({ der, ...shown }) => ({ ...shown, facts: readCertificate(der) })),
  };
}
