import { X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";

/** Roots by their subject as Node prints it; parsed when they are first needed. */
let known: ReadonlyMap<string, readonly X509Certificate[]> | undefined;

/**
 * Whether the certificates on the way up from the leaf end at a root that the public trusts: one of those that Mozilla
 * has and Node brings along. False where the chain is too short to tell.
 *
 * @param chain what goes along, the issuer first, DER
 * @param roots PEM; for tests
 */
export function chainsToPublicRoot(leaf: Uint8Array, chain: readonly Uint8Array[], roots?: readonly string[]): boolean {
  const bySubject = roots === undefined ? (known ??= parsed(rootCertificates)) : parsed(roots);
  try {
    let end = new X509Certificate(leaf);
    for (const der of chain) {
      if (isIssuedByOneOf(end, bySubject)) return true;
      const next = new X509Certificate(der);
      if (!isIssuedBy(end, next)) return false;
      end = next;
    }
    return isIssuedByOneOf(end, bySubject);
  } catch {
    // What Node can't read comes from no public authority.
    return false;
  }
}

function isIssuedByOneOf(one: X509Certificate, roots: ReadonlyMap<string, readonly X509Certificate[]>): boolean {
  return (roots.get(one.issuer) ?? []).some((root) => isIssuedBy(one, root));
}

function isIssuedBy(one: X509Certificate, issuer: X509Certificate): boolean {
  return one.checkIssued(issuer) && one.verify(issuer.publicKey);
}

function parsed(roots: readonly string[]): ReadonlyMap<string, readonly X509Certificate[]> {
  const bySubject = new Map<string, X509Certificate[]>();
  for (const pem of roots) {
    const root = new X509Certificate(pem);
    bySubject.set(root.subject, [...(bySubject.get(root.subject) ?? []), root]);
  }
  return bySubject;
}
