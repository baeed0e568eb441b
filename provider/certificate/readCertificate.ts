import { X509Certificate } from "node:crypto";
import type { KeyObject } from "node:crypto";

import { ExchangeBindingError } from "../errors";
import type { Asn1 } from "./asn1";
import { bytesOf, childOf, childrenOf, isContext, isUniversal, oidOf, readAsn1, writeAsn1 } from "./asn1";
import type { DistinguishedName } from "./distinguishedName";
import { COMMON_NAME, formatDistinguishedName, nameFromAsn1 } from "./distinguishedName";
import type { CertificateFacts } from "./facts";
import { looksLikeDnsName } from "./names";
import { thumbprintOf } from "./thumbprint";

const SUBJECT_ALT_NAME = "2.5.29.17";
/** `[2]` of GeneralName (RFC 5280 section 4.2.1.6). */
const DNS_NAME_TAG = 2;

/**
 * What a certificate says about itself. RSA and ECC certificates are read, expired ones too; nothing is checked
 * against a time or a trust store.
 *
 * @param der the certificate, DER
 * @throws ExchangeBindingError `CertificateUnreadable`
 */
export function readCertificate(der: Uint8Array): CertificateFacts {
  try {
    return factsOf(new X509Certificate(der));
  } catch {
    // The original error stays behind: it may quote bytes, and it tells a user nothing.
    throw new ExchangeBindingError(
      "CertificateUnreadable",
      `Reading a certificate: the ${der.length} bytes are not an X.509 certificate in DER form. ` +
        "Give the certificate itself (DER), not a text, a key or a request.",
      { facts: { length: der.length } },
    );
  }
}

/** The facts of a certificate that Node has parsed. Throws anything when its names cannot be read. */
export function factsOf(certificate: X509Certificate): CertificateFacts {
  const der = certificate.raw;
  const fields = fieldsOf(der);
  const commonName = fields.subject.flat().findLast((attribute) => attribute.oid === COMMON_NAME)?.value;
  const namesOfSubject = commonName !== undefined && looksLikeDnsName(commonName) ? [commonName] : [];
  const dnsNames = (fields.altDnsNames ?? namesOfSubject).map((name) => name.toLowerCase());
  return {
    thumbprint: thumbprintOf(der),
    subject: formatDistinguishedName(fields.subject),
    issuer: formatDistinguishedName(fields.issuer),
    serialNumber: fields.serialNumber,
    commonName,
    dnsNames: [...new Set(dnsNames)],
    notBefore: new Date(certificate.validFrom).toISOString(),
    notAfter: new Date(certificate.validTo).toISOString(),
    ...keyFacts(certificate),
    isSelfSigned: fields.isSelfIssued && verifiesItself(certificate),
  };
}

interface CertificateFields {
  /** As Windows prints it: the encoded bytes, so that a leading `00` stays. */
  readonly serialNumber: string;
  readonly issuer: DistinguishedName;
  readonly subject: DistinguishedName;
  /** Subject and issuer are the same to the byte. */
  readonly isSelfIssued: boolean;
  /** `undefined` without a SAN. */
  readonly altDnsNames: readonly string[] | undefined;
}

/**
 * The fields for which Node offers only a text of its own form: names in encoded order with OpenSSL's keys, the serial
 * number without leading zero (RFC 5280 section 4.1).
 */
function fieldsOf(der: Uint8Array): CertificateFields {
  const fields = childrenOf(childOf(readAsn1(der), 0));
  const first = fields[0] !== undefined && isContext(fields[0], 0) ? 1 : 0;
  const [serialNumber, , issuer, , subject] = fields.slice(first);
  if (serialNumber === undefined || issuer === undefined || subject === undefined) throw new Error("fields missing");
  const extensions = fields.find((field) => isContext(field, 3));
  return {
    serialNumber: bytesOf(serialNumber).toString("hex").toUpperCase(),
    issuer: nameFromAsn1(issuer),
    subject: nameFromAsn1(subject),
    isSelfIssued: writeAsn1(issuer).equals(writeAsn1(subject)),
    altDnsNames: extensions === undefined ? undefined : altDnsNamesOf(childrenOf(childOf(extensions, 0))),
  };
}

function altDnsNamesOf(extensions: readonly Asn1[]): readonly string[] | undefined {
  const extension = extensions.find((candidate) => oidOf(childOf(candidate, 0)) === SUBJECT_ALT_NAME);
  const value = extension && childrenOf(extension).find((field) => isUniversal(field, "OCTETSTRING"));
  if (value === undefined) return undefined;
  return childrenOf(readAsn1(bytesOf(value)))
    .filter((name) => isContext(name, DNS_NAME_TAG))
    .map((name) => bytesOf(name).toString("latin1"));
}

function keyFacts(certificate: X509Certificate): Pick<CertificateFacts, "keyAlgorithm" | "keySizeBits"> {
  let key: KeyObject;
  try {
    key = certificate.publicKey;
  } catch {
    return { keyAlgorithm: "other", keySizeBits: undefined };
  }
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === "rsa") return { keyAlgorithm: "RSA", keySizeBits: details?.modulusLength };
  if (key.asymmetricKeyType === "ec") return { keyAlgorithm: "ECC", keySizeBits: curveSize(details?.namedCurve) };
  return { keyAlgorithm: "other", keySizeBits: details?.modulusLength };
}

/** OpenSSL's names of curves carry the size: prime256v1, secp384r1, brainpoolP512r1. */
function curveSize(curve: string | undefined): number | undefined {
  const digits = /\d{3}/.exec(curve ?? "")?.[0];
  return digits === undefined ? undefined : Number(digits);
}

/** Not by `checkIssued`: that wants the right to sign certificates, which the ones that Exchange makes don't have. */
function verifiesItself(certificate: X509Certificate): boolean {
  try {
    return certificate.verify(certificate.publicKey);
  } catch {
    // A signature or key that this Node can't handle: nothing proves that it signed itself.
    return false;
  }
}
