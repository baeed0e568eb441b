import { DAY_MS } from "../model";
import type { CertificateFacts } from "./facts";

/** Something about a certificate that clients or servers mind. Whether it stops a step is for the caller to decide. */
export type Unfitness =
  /** It may sign other certificates: the CA's own. */
  | { readonly kind: "authority" }
  /** No DNS name at all: clients have nothing to compare with. */
  | { readonly kind: "noNames" }
  /** An RSA key of less than 2048 bits, which clients refuse. */
  | { readonly kind: "shortKey"; readonly bits: number }
  | { readonly kind: "sha1Signature" }
  | { readonly kind: "pssSignature" }
  /** Valid for longer than public CAs were allowed to issue on that day. Days. */
  | { readonly kind: "tooLong"; readonly days: number; readonly allowed: number };

/** What forbids TLS servers to use it. */
export type Unusable =
  /** Its purposes are named, and serving isn't among them. */
  | { readonly kind: "notForServers"; readonly purposes: readonly string[] }
  /** Its key may neither sign nor encipher. */
  | { readonly kind: "keyUsage"; readonly usages: readonly string[] }
  /** Schannel has no such curve. */
  | { readonly kind: "curve"; readonly curve: string };

export const PURPOSES = {
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  any: "2.5.29.37.0",
} as const;

const SMALLEST_RSA_BITS = 2048;

/**
 * Curves that TLS in Windows has (Microsoft Learn, "TLS Elliptic Curves in Windows 10 version 1607 and later"), as
 * OpenSSL names them.
 */
const SCHANNEL_CURVES: readonly string[] = [
  "prime256v1",
  "secp384r1",
  "secp521r1",
  "brainpoolP256r1",
  "brainpoolP384r1",
  "brainpoolP512r1",
];

/**
 * Days for which a public CA may issue, by the first day of validity (CA/Browser Forum, Baseline Requirements section
 * 6.3.2; ballots SC31 and SC081v3). Earlier certificates have ended.
 */
const LONGEST_VALIDITY: readonly { readonly from: string; readonly days: number }[] = [
  { from: "2029-03-15T00:00:00Z", days: 47 },
  { from: "2027-03-15T00:00:00Z", days: 100 },
  { from: "2026-03-15T00:00:00Z", days: 200 },
  { from: "2020-09-01T00:00:00Z", days: 398 },
];

/** What forbids it; a step that would import or enable it is refused. Without the extensions everything is allowed. */
export function unusableFor(facts: CertificateFacts): readonly Unusable[] {
  const { purposes, keyUsage, curve } = facts;
  const found: Unusable[] = [];
  if (purposes !== undefined && !purposes.includes(PURPOSES.serverAuth) && !purposes.includes(PURPOSES.any)) {
    found.push({ kind: "notForServers", purposes });
  }
  // TLS 1.3 and the suites with (EC)DHE sign, the old ones with RSA encipher (RFC 5246 section 7.4.2, RFC 8446 4.4.2.2).
  if (keyUsage !== undefined && !allowsTls(facts)) found.push({ kind: "keyUsage", usages: keyUsage });
  if (curve !== undefined && !SCHANNEL_CURVES.includes(curve)) found.push({ kind: "curve", curve });
  return found;
}

function allowsTls({ keyUsage = [], keyAlgorithm }: CertificateFacts): boolean {
  if (keyUsage.includes("digitalSignature")) return true;
  return keyAlgorithm === "RSA" ? keyUsage.includes("keyEncipherment") : keyUsage.includes("keyAgreement");
}

/**
 * What is worth saying before it is bound. `chainsToPublicRoot`: only public CAs are bound by the limits of validity;
 * where nobody knows, nothing is said. What signs itself has no issuer whose signature could be weak.
 */
export function unfitnessOf(
  facts: CertificateFacts,
  { chainsToPublicRoot }: { readonly chainsToPublicRoot: boolean },
): readonly Unfitness[] {
  const found: Unfitness[] = [];
  if (facts.isAuthority === true) found.push({ kind: "authority" });
  if (facts.dnsNames.length === 0) found.push({ kind: "noNames" });
  const bits = facts.keySizeBits;
  if (facts.keyAlgorithm === "RSA" && bits !== undefined && bits < SMALLEST_RSA_BITS) {
    found.push({ kind: "shortKey", bits });
  }
  if (!facts.isSelfSigned && facts.signature === "sha1") found.push({ kind: "sha1Signature" });
  if (facts.signature === "pss") found.push({ kind: "pssSignature" });
  const long = chainsToPublicRoot && !facts.isSelfSigned ? tooLong(facts) : undefined;
  return long === undefined ? found : [...found, long];
}

function tooLong({ notBefore, notAfter }: CertificateFacts): Unfitness | undefined {
  const begins = Date.parse(notBefore);
  const allowed = LONGEST_VALIDITY.find(({ from }) => begins >= Date.parse(from))?.days;
  // Both ends count: a certificate of 398 days ends a second before the 399th begins.
  const days = Math.ceil((Date.parse(notAfter) + 1000 - begins) / DAY_MS);
  return allowed === undefined || days <= allowed ? undefined : { kind: "tooLong", days, allowed };
}

/** Whether the new one can no longer be shown as a client, which the old one could: SMTP does so to servers that ask. */
export function losesClientUse(old: CertificateFacts, next: CertificateFacts): boolean {
  return isForClients(old) && !isForClients(next);
}

function isForClients({ purposes }: CertificateFacts): boolean {
  return purposes === undefined || purposes.includes(PURPOSES.clientAuth) || purposes.includes(PURPOSES.any);
}

/** What is odd about the certificates that go along; they are sent in order in any case. */
export type ChainFlaw =
  /** Nothing in it issued the certificate: what clients get leads nowhere. */
  | { readonly kind: "leadsNowhere"; readonly issuer: string }
  /** Certificates that belong to no step of the way up. */
  | { readonly kind: "strays"; readonly subjects: readonly string[] }
  /** A root goes along, which clients have or don't trust. It is kept. */
  | { readonly kind: "root"; readonly subject: string };

/** What has to be known of a certificate that goes along. */
export type ChainCertificate = Pick<CertificateFacts, "subject" | "issuer" | "isSelfSigned">;

/**
 * @param chain what goes along, the issuer first, as `CertificateMaterial.chain` has it
 */
export function chainFlaws(leaf: ChainCertificate, chain: readonly ChainCertificate[]): readonly ChainFlaw[] {
  const flaws: ChainFlaw[] = [];
  let end = leaf;
  let steps = 0;
  for (const next of chain) {
    if (end.isSelfSigned || next.subject !== end.issuer) break;
    end = next;
    steps += 1;
  }
  if (steps === 0 && chain.length > 0 && !leaf.isSelfSigned) flaws.push({ kind: "leadsNowhere", issuer: leaf.issuer });
  const strays = chain.slice(steps);
  if (strays.length > 0) flaws.push({ kind: "strays", subjects: strays.map(({ subject }) => subject) });
  if (steps > 0 && end.isSelfSigned) flaws.push({ kind: "root", subject: end.subject });
  return flaws;
}
