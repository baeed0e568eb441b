import { cleaned } from "../sentence";
import type { Thumbprint } from "./thumbprint";

/**
 * What a certificate says about itself, read from its DER bytes. No private key, no secret: plain JSON that may be
 * printed and stored.
 */
export interface CertificateFacts {
  /** SHA-1 over the DER bytes. */
  readonly thumbprint: Thumbprint;
  /** As Windows and Exchange print it: most specific part first, `CN=mail.contoso.com, O=Contoso, C=US`. */
  readonly subject: string;
  /** Same form as {@link CertificateFacts.subject}. */
  readonly issuer: string;
  /** Hexadecimal, upper case, as Windows prints it. */
  readonly serialNumber: string;
  /** The last common name of the subject, when there is one. */
  readonly commonName: string | undefined;
  /** DNS names the certificate is valid for: those of its SAN, or its common name when it has no SAN. Lower case. */
  readonly dnsNames: readonly string[];
  /** First moment of validity, ISO 8601 in UTC (`2026-11-23T20:00:00.000Z`). */
  readonly notBefore: string;
  /** Last moment of validity, ISO 8601 in UTC. */
  readonly notAfter: string;
  readonly keyAlgorithm: "RSA" | "ECC" | "other";
  /** Modulus length for RSA, size of the curve for ECC; bits. */
  readonly keySizeBits: number | undefined;
  /** Subject equals issuer and the certificate's own key signed it. */
  readonly isSelfSigned: boolean;
  /** May sign other certificates (basicConstraints). */
  readonly isAuthority?: boolean | undefined;
  /** What its key may be used for; `undefined` without that extension: for everything. */
  readonly keyUsage?: readonly KeyUsage[] | undefined;
  /** Object identifiers of its purposes (extended key usage); `undefined` without that extension: for everything. */
  readonly purposes?: readonly string[] | undefined;
  readonly signature?: SignatureKind | undefined;
  /**
   * The template of AD CS by which it was issued: the identifier, or the name that templates of version 1 have.
   * Source: [MS-WCCE] 2.2.2.7.7.1 and 2.2.2.7.7.2.
   */
  readonly template?: string | undefined;
  /** The curve of an ECC key, as OpenSSL names it: `prime256v1`. */
  readonly curve?: string | undefined;
}

/** Bits of RFC 5280 section 4.2.1.3, in their order. */
export const KEY_USAGES = [
  "digitalSignature",
  "nonRepudiation",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
  "encipherOnly",
  "decipherOnly",
] as const;
export type KeyUsage = (typeof KEY_USAGES)[number];

/** How the issuer signed it: `sha1` also stands for weaker ones, `pss` is RSASSA-PSS. */
export type SignatureKind = "sha1" | "pss" | "other";

/** Those that a binding shows as outputs, as soon as its certificate is known. */
export const FACT_KEYS = [
  "thumbprint",
  "subject",
  "issuer",
  "serialNumber",
  "dnsNames",
  "notBefore",
  "notAfter",
] as const satisfies readonly (keyof CertificateFacts)[];

/**
 * What a binding shows of its certificate. Names are cleaned: the engine prints a text of several lines as it is, with
 * whatever somebody has put into a certificate.
 */
export function shownFacts(facts: CertificateFacts): Pick<CertificateFacts, (typeof FACT_KEYS)[number]> {
  const { thumbprint, serialNumber, notBefore, notAfter } = facts;
  const [subject, issuer] = [cleaned(facts.subject), cleaned(facts.issuer)];
  const dnsNames = facts.dnsNames.map((name) => cleaned(name));
  return { thumbprint, subject, issuer, serialNumber, dnsNames, notBefore, notAfter };
}
