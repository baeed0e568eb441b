import { createPublicKey } from "node:crypto";
import type { KeyObject } from "node:crypto";

import { Secret } from "../secret";
import type { CertificateFacts } from "./facts";
import type { ParsedCertificate } from "./readCertificate";

/**
 * `keyStorageProviderDropped`: the file wanted its key in a key storage provider (CNG), and the attribute that says so
 * will not be sent on. An ECC key goes to such a provider anyway: Windows has no other place for it.
 * `chainReordered`: the texts have the certificates in another order than that of the chain.
 */
export type MaterialNotice = "keyStorageProviderDropped" | "chainReordered";

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
  readonly certificate: ParsedCertificate;
  /** What a PFX uses to tie a certificate to its key. */
  readonly localKeyId?: string | undefined;
}

export interface FoundKey {
  readonly key: KeyObject;
  readonly localKeyId?: string | undefined;
  readonly notices?: readonly MaterialNotice[];
}

/** What a file's certificates and keys come to. */
export type Assembled =
  | { readonly kind: "material"; readonly material: CertificateMaterial }
  | { readonly kind: "noKeyFits" }
  /** More than one certificate has its key in the file, and none of them issued the others. */
  | { readonly kind: "several"; readonly leaves: readonly CertificateFacts[] };

/**
 * Puts together what a file holds: the certificate that fits a key, whatever the order; the others become its chain.
 * When several certificates fit one key, the one that the file ties to it wins, then the first. Of several
 * certificates with keys, those that issued another one of them are authorities and not meant.
 */
export function assembleMaterial(certificates: readonly FoundCertificate[], keys: readonly FoundKey[]): Assembled {
  const found = new Map<string, { readonly leaf: ParsedCertificate; readonly from: FoundKey }>();
  for (const from of keys) {
    const leaf = leafFor(from, certificates);
    if (leaf !== undefined && !found.has(leaf.facts.thumbprint)) found.set(leaf.facts.thumbprint, { leaf, from });
  }
  const all = [...found.values()];
  const meant = all.filter(({ leaf }) => !all.some((other) => other.leaf !== leaf && issued(leaf, other.leaf)));
  const [first, ...others] = meant.length === 0 ? all : meant;
  if (first === undefined) return { kind: "noKeyFits" };
  if (others.length > 0) return { kind: "several", leaves: [first, ...others].map(({ leaf }) => leaf.facts) };
  const { leaf, from } = first;
  return {
    kind: "material",
    material: {
      der: new Uint8Array(leaf.der),
      facts: leaf.facts,
      chain: orderChain(
        leaf,
        certificates.map(({ certificate }) => certificate),
      ).map(({ der }) => new Uint8Array(der)),
      privateKey: new Secret(from.key),
      notices: from.notices ?? [],
    },
  };
}

/** Whether certificates stand in the order of their chain, each before its issuer, whatever stands between them. */
export function isInOrder(certificates: readonly ParsedCertificate[], { der, chain }: CertificateMaterial): boolean {
  const places = [der, ...chain].map((one) => certificates.findIndex((certificate) => certificate.der.equals(one)));
  return places.every((place, index) => {
    const [before, own] = [certificates[places[index - 1] ?? -1], certificates[place]];
    // What issued nothing in it belongs to no chain.
    if (before === undefined || own === undefined || !issued(own, before)) return true;
    return place > (places[index - 1] ?? 0);
  });
}

function leafFor(
  { key, localKeyId }: FoundKey,
  certificates: readonly FoundCertificate[],
): ParsedCertificate | undefined {
  const publicKey = createPublicKey(key);
  const fitting = certificates.filter(({ certificate }) => certificate.publicKey?.equals(publicKey) === true);
  const tied = localKeyId === undefined ? undefined : fitting.find((found) => found.localKeyId === localKeyId);
  return (tied ?? fitting[0])?.certificate;
}

/** By names and key identifiers, as a certificate finds its issuer; signatures aren't checked. */
function issued(issuer: ParsedCertificate, certificate: ParsedCertificate): boolean {
  if (!issuer.subject.equals(certificate.issuer)) return false;
  const [wanted, has] = [certificate.authorityKeyId, issuer.subjectKeyId];
  return wanted === undefined || has === undefined || wanted.equals(has);
}

function orderChain(leaf: ParsedCertificate, all: readonly ParsedCertificate[]): readonly ParsedCertificate[] {
  const rest = new Map(all.map((certificate) => [certificate.facts.thumbprint, certificate]));
  const path: ParsedCertificate[] = [];
  let next: ParsedCertificate | undefined = leaf;
  while (next !== undefined) {
    const current: ParsedCertificate = next;
    rest.delete(current.facts.thumbprint);
    path.push(current);
    next = [...rest.values()].find((candidate) => issued(candidate, current));
  }
  return [...path.slice(1), ...rest.values()];
}
