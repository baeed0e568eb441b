import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import type { CertificateMaterial } from "../../../certificate/material";
import type { Secret } from "../../../secret";

/** What TLS shows: PEM, the certificate with its chain behind it, and its key. */
export interface TlsIdentity {
  readonly certificate: string;
  readonly privateKey: Secret<string>;
}

/**
 * What a front end shows to new connections: the certificate that its IIS holds. The organisation's file has no keys,
 * so only certificates whose key came through this endpoint can be shown; for every other it is the first one, with
 * which the endpoint was started. Keys are held in memory and go with the process.
 */
export class FrontEndIdentity {
  readonly #first: SecureContext;
  readonly #brought = new Map<string, SecureContext>();

  constructor(first: TlsIdentity) {
    this.#first = contextOf(first.certificate, first.privateKey.reveal());
  }

  /** A certificate that was imported, or made, with its key. */
  remember({ facts, der, chain, privateKey }: CertificateMaterial): void {
    const certificates = [der, ...chain].map((one) => new X509Certificate(one).toString()).join("");
    const key = privateKey.reveal().export({ type: "pkcs8", format: "pem" }).toString();
    try {
      this.#brought.set(facts.thumbprint, contextOf(certificates, key));
    } catch {
      // Nothing that TLS here would take (a short key, say). The cmdlet has other rules, and goes on.
    }
  }

  /** `frontEnd`: thumbprint of the certificate that IIS holds on the front-end site. */
  shown(frontEnd: string): SecureContext {
    return this.#brought.get(frontEnd) ?? this.#first;
  }
}

function contextOf(cert: string, key: string): SecureContext {
  return createSecureContext({ cert, key });
}
