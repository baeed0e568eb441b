import type { CertificateFacts } from "../../certificate/facts";
import { readCertificate } from "../../certificate/readCertificate";
import { thumbprintOf } from "../../certificate/thumbprint";

/** What is known of a certificate's bytes. */
export interface DerFacts extends CertificateFacts {
  /** They can't be parsed: everything but the thumbprint is empty. */
  readonly isUnreadable?: true;
}

/*
 * A certificate's bytes never change, but an organisation is read from its file again and again, and property tests
 * run cmdlets by the ten thousand.
 */
const byDer = new Map<string, DerFacts>();
const REMEMBERED = 1000;

/**
 * Facts of a certificate given as base64 DER. One that can't be parsed (what devices make, a DER with bytes behind it)
 * is carried by its thumbprint, as on a server.
 */
export function factsOf(der: string): DerFacts {
  const seen = byDer.get(der);
  if (seen !== undefined) return seen;
  const facts = read(Buffer.from(der, "base64"));
  if (byDer.size >= REMEMBERED) byDer.clear();
  byDer.set(der, facts);
  return facts;
}

function read(der: Uint8Array): DerFacts {
  const thumbprint = thumbprintOf(der);
  try {
    const facts = readCertificate(der);
    // The parser overlooks bytes behind the certificate; its thumbprint is then that of the certificate alone.
    if (facts.thumbprint === thumbprint) return facts;
  } catch {
    // What is wrong with it helps nobody here.
  }
  return {
    thumbprint,
    subject: "",
    issuer: "",
    serialNumber: "",
    commonName: undefined,
    dnsNames: [],
    notBefore: "1601-01-01T00:00:00.000Z",
    notAfter: "9999-12-31T23:59:59.000Z",
    keyAlgorithm: "other",
    keySizeBits: undefined,
    isSelfSigned: false,
    isUnreadable: true,
  };
}

/** Whether bytes can be a certificate at all, readable or not: a DER sequence, whole. */
export function looksLikeDer(base64: string): boolean {
  const bytes = Buffer.from(base64, "base64");
  if (bytes[0] !== 0x30) return false;
  const first = bytes[1] ?? 0;
  if (first < 0x80) return first > 0 && bytes.length >= 2 + first;
  const octets = first & 0x7f;
  if (octets < 1 || octets > 3 || bytes.length < 2 + octets) return false;
  const length = bytes.readUIntBE(2, octets);
  return length > 0 && bytes.length >= 2 + octets + length;
}
