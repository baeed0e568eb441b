import type { X509Certificate } from "node:crypto";
import type { KeyObject } from "node:crypto";

import { Secret } from "../secret";
import type { CertificateFacts } from "./facts";
import { factsOf } from "./readCertificate";

/**
 * `keyStorageProviderDropped`: the file wanted its key in a key storage provider (CNG), and the attribute that says so
 * will not be sent on. An ECC key goes to such a provider anyway: Windows has no other place for it.
 */
export type MaterialNotice = "keyStorageProviderDropped";

/** A certificate with its private key and the certificates that go with it. */
export interface CertificateMaterial {
  /** The certificate itself, DER. */
  readonly der: Uint8Array;
  readonly facts: CertificateFacts;
  /** The other certificates, DER: the issuers of the first one upwards, then whatever else was there. */
  readonly chain: readonly Uint8Array[];
  readonly privateKey: Secret<KeyObject>;
  readonly notices: readonly MaterialNotice[];
}

export interface FoundCertificate {
  readonly certificate: X509Certificate;
  /** What a PFX uses to tie a certificate to its key. */
  readonly localKeyId?: string | undefined;
}

export interface FoundKey {
  readonly key: KeyObject;
  readonly localKeyId?: string | undefined;
  readonly notices?: readonly MaterialNotice[];
}

/**
 * Puts together what a file holds: the certificate that fits a key, whatever the order; the others become its chain.
 * When several certificates fit the key, the one that the file ties to it wins, then the first. `undefined` when no key
 * fits any certificate.
 */
export function assembleMaterial(
  certificates: readonly FoundCertificate[],
  keys: readonly FoundKey[],
): CertificateMaterial | undefined {
  for (const { key, localKeyId, notices = [] } of keys) {
    const fitting = certificates.filter(({ certificate }) => certificate.checkPrivateKey(key));
    const tied = localKeyId === undefined ? undefined : fitting.find((found) => found.localKeyId === localKeyId);
    const leaf = (tied ?? fitting[0])?.certificate;
    if (leaf === undefined) continue;
    return {
      der: new Uint8Array(leaf.raw),
      facts: factsOf(leaf),
      chain: orderChain(
        leaf,
        certificates.map(({ certificate }) => certificate),
      ).map((certificate) => new Uint8Array(certificate.raw)),
      privateKey: new Secret(key),
      notices,
    };
  }
  return undefined;
}

function orderChain(leaf: X509Certificate, all: readonly X509Certificate[]): readonly X509Certificate[] {
  const rest = new Map(all.map((certificate) => [certificate.fingerprint256, certificate]));
  const path: X509Certificate[] = [];
  let issuer: X509Certificate | undefined = leaf;
  while (issuer !== undefined) {
    const current: X509Certificate = issuer;
    rest.delete(current.fingerprint256);
    path.push(current);
    issuer = [...rest.values()].find((candidate) => current.checkIssued(candidate));
  }
  return [...path.slice(1), ...rest.values()];
}
