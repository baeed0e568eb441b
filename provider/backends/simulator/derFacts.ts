import type { CertificateFacts } from "../../certificate/facts";
import { readCertificate } from "../../certificate/readCertificate";

/*
 * A certificate's bytes never change, but an organisation is read from its file again and again, and property tests
 * run cmdlets by the ten thousand.
 */
const byDer = new Map<string, CertificateFacts>();
const REMEMBERED = 1000;

/** Facts of a certificate given as base64 DER. */
export function factsOf(der: string): CertificateFacts {
  const seen = byDer.get(der);
  if (seen !== undefined) return seen;
  const facts = readCertificate(Buffer.from(der, "base64"));
  if (byDer.size >= REMEMBERED) byDer.clear();
  byDer.set(der, facts);
  return facts;
}
