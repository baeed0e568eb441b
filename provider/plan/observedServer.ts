import type { CertificateSnapshot, ServerSnapshot } from "../backends/backend";
import type { CertificateFacts } from "../certificate/facts";
import type { Thumbprint } from "../certificate/thumbprint";

/** A certificate on a server: what the server shows of it, and what its own bytes say. */
export interface ObservedCertificate extends Omit<CertificateSnapshot, "der"> {
  readonly facts: CertificateFacts;
}

/** A certificate whose bytes can't be read: its thumbprint, and what the server shows of it. */
export interface UnreadableCertificate extends Omit<CertificateSnapshot, "der"> {
  readonly thumbprint: Thumbprint;
}

/** A server as decisions see it. */
export interface ObservedServer extends Omit<ServerSnapshot, "certificates"> {
  readonly certificates: readonly ObservedCertificate[];
  /** Windows takes certificates that nobody else can parse; one of them is no reason not to see the others. */
  readonly unreadable: readonly UnreadableCertificate[];
}
