import { createHash, createPublicKey, X509Certificate } from "node:crypto";
import type { KeyObject } from "node:crypto";

import { ExchangeBindingError } from "../errors";
import type { Asn1 } from "./asn1";
import {
  bytesOf,
  childOf,
  childrenOf,
  contentOf,
  isContext,
  isUniversal,
  oidOf,
  readAsn1,
  readAsn1WithLength,
  timeOf,
  writeAsn1,
} from "./asn1";
import type { DistinguishedName } from "./distinguishedName";
import { commonNameOf, formatDistinguishedName, nameFromAsn1, textOf } from "./distinguishedName";
import type { CertificateFacts, KeyUsage, SignatureKind } from "./facts";
import { KEY_USAGES } from "./facts";
import { looksLikeDnsName } from "./names";
import type { Thumbprint } from "./thumbprint";

/** Object identifiers of extensions (RFC 5280 section 4.2; the templates are Microsoft's). */
const EXTENSIONS = {
  templateName: "1.3.6.1.4.1.311.20.2",
  template: "1.3.6.1.4.1.311.21.7",
  subjectKeyId: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyId: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
} as const;
/** `[2]` of GeneralName (RFC 5280 section 4.2.1.6). */
const DNS_NAME_TAG = 2;

/**
 * A certificate, taken apart. Not by Node, which refuses what Windows takes: serial numbers with superfluous zeros, odd
 * types of text in names, times without a zone.
 */
export interface ParsedCertificate {
  readonly der: Buffer;
  readonly facts: CertificateFacts;
  /** `undefined` for a key that Node doesn't know. */
  readonly publicKey: KeyObject | undefined;
  /** The encoded names, by which a certificate finds its issuer. */
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly subjectKeyId: Buffer | undefined;
  readonly authorityKeyId: Buffer | undefined;
}

/**
 * What a certificate says about itself. RSA and ECC certificates are read, expired ones too; nothing is checked
 * against a time or a trust store.
 *
 * @param der the certificate, DER
 * @throws ExchangeBindingError `CertificateUnreadable`
 */
export function readCertificate(der: Uint8Array): CertificateFacts {
  return parseCertificate(der).facts;
}

/** The same with what isn't for showing. @throws ExchangeBindingError `CertificateUnreadable` */
export function parseCertificate(der: Uint8Array): ParsedCertificate {
  try {
    return parse(der);
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

function parse(bytes: Uint8Array): ParsedCertificate {
  const { node, length } = readAsn1WithLength(bytes);
  // What follows it, such as the trust that OpenSSL puts behind it, is no part of it.
  const der = Buffer.from(bytes.subarray(0, length));
  const [content, algorithm, signatureValue] = childrenOf(node);
  if (content === undefined || algorithm === undefined || signatureValue === undefined) throw new Error("not one");
  const fields = childrenOf(content);
  const first = fields[0] !== undefined && isContext(fields[0], 0) ? 1 : 0;
  const [serialNumber, , issuerNode, validity, subjectNode, keyInfo] = fields.slice(first);
  if (serialNumber === undefined || issuerNode === undefined || validity === undefined) throw new Error("too short");
  if (subjectNode === undefined || keyInfo === undefined) throw new Error("too short");
  const extensions = extensionsOf(fields.find((field) => isContext(field, 3)));
  const [subject, issuer] = [writeAsn1(subjectNode), writeAsn1(issuerNode)];
  const subjectName = nameFromAsn1(subjectNode);
  const publicKey = publicKeyOf(keyInfo);
  const facts: CertificateFacts = {
    thumbprint: createHash("sha1").update(der).digest("hex").toUpperCase() as Thumbprint,
    subject: formatDistinguishedName(subjectName),
    issuer: formatDistinguishedName(nameFromAsn1(issuerNode)),
    // As Windows prints it: the encoded bytes, so that a leading `00` stays.
    serialNumber: bytesOf(serialNumber).toString("hex").toUpperCase(),
    ...namesOf(subjectName, extensions),
    notBefore: timeOf(childOf(validity, 0)).toISOString(),
    notAfter: timeOf(childOf(validity, 1)).toISOString(),
    ...keyFacts(publicKey),
    isSelfSigned: subject.equals(issuer) && verifiesItself(der),
    ...usageOf(extensions),
    template: templateOf(extensions),
    signature: signatureOf(algorithm),
  };
  const authorityKeyId = extensions.get(EXTENSIONS.authorityKeyId);
  const subjectKeyId = extensions.get(EXTENSIONS.subjectKeyId);
  return {
    der,
    facts,
    publicKey,
    subject,
    issuer,
    subjectKeyId: subjectKeyId && lenient(() => bytesOf(readAsn1(subjectKeyId))),
    authorityKeyId: authorityKeyId && lenient(() => keyIdOf(readAsn1(authorityKeyId))),
  };
}

/** The values of the extensions by their identifiers. */
function extensionsOf(node: Asn1 | undefined): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const extension of node === undefined ? [] : childrenOf(childOf(node, 0))) {
    const value = childrenOf(extension).find((field) => isUniversal(field, "OCTETSTRING"));
    if (value !== undefined) found.set(oidOf(childOf(extension, 0)), bytesOf(value));
  }
  return found;
}

function namesOf(
  subject: DistinguishedName,
  extensions: ReadonlyMap<string, Buffer>,
): Pick<CertificateFacts, "commonName" | "dnsNames"> {
  const commonName = commonNameOf(subject);
  const namesOfSubject = commonName !== undefined && looksLikeDnsName(commonName) ? [commonName] : [];
  const altNames = extensions.get(EXTENSIONS.subjectAltName);
  const dnsNames = altNames === undefined ? namesOfSubject : dnsNamesOf(altNames);
  return { commonName, dnsNames: [...new Set(dnsNames.map((name) => name.toLowerCase()))] };
}

function dnsNamesOf(altNames: Buffer): readonly string[] {
  return childrenOf(readAsn1(altNames))
    .filter((name) => isContext(name, DNS_NAME_TAG))
    .map((name) => contentOf(name).toString("latin1"));
}

/** `[0] keyIdentifier` of AuthorityKeyIdentifier (RFC 5280 section 4.2.1.1). */
function keyIdOf(node: Asn1): Buffer | undefined {
  const keyId = childrenOf(node).find((field) => isContext(field, 0));
  return keyId && contentOf(keyId);
}

/** An extension that is broken says nothing; the certificate is one all the same. */
function lenient<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function usageOf(
  extensions: ReadonlyMap<string, Buffer>,
): Pick<CertificateFacts, "isAuthority" | "keyUsage" | "purposes"> {
  const constraints = extensions.get(EXTENSIONS.basicConstraints);
  const usage = extensions.get(EXTENSIONS.keyUsage);
  const purposes = extensions.get(EXTENSIONS.extendedKeyUsage);
  return {
    isAuthority: constraints !== undefined && lenient(() => saysAuthority(readAsn1(constraints))) === true,
    keyUsage: usage && lenient(() => keyUsageOf(bytesOf(readAsn1(usage)))),
    purposes: purposes && lenient(() => childrenOf(readAsn1(purposes)).map(oidOf)),
  };
}

/** Its versions go up with each change of the template: the identifier alone says which one it is. */
function templateOf(extensions: ReadonlyMap<string, Buffer>): string | undefined {
  const template = extensions.get(EXTENSIONS.template);
  const name = extensions.get(EXTENSIONS.templateName);
  return (
    (template && lenient(() => oidOf(childOf(readAsn1(template), 0)))) ??
    (name && lenient(() => textOf(readAsn1(name))))
  );
}

function saysAuthority(constraints: Asn1): boolean {
  const [first] = childrenOf(constraints);
  return first !== undefined && isUniversal(first, "BOOLEAN") && bytesOf(first).some((byte) => byte !== 0);
}

function keyUsageOf(bits: Buffer): readonly KeyUsage[] {
  return KEY_USAGES.filter((_usage, bit) => ((bits[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0);
}

/** RSASSA-PSS, and what is signed with SHA-1 or weaker: md2, md4, md5, sha1 with RSA; with DSA; with ECDSA. */
const PSS = "1.2.840.113549.1.1.10";
const WEAK_SIGNATURES: readonly string[] = [
  "1.2.840.113549.1.1.2",
  "1.2.840.113549.1.1.3",
  "1.2.840.113549.1.1.4",
  "1.2.840.113549.1.1.5",
  "1.3.14.3.2.29",
  "1.2.840.10040.4.3",
  "1.2.840.10045.4.1",
];

function signatureOf(algorithm: Asn1): SignatureKind {
  const oid = oidOf(childOf(algorithm, 0));
  if (oid === PSS) return "pss";
  return WEAK_SIGNATURES.includes(oid) ? "sha1" : "other";
}

function publicKeyOf(keyInfo: Asn1): KeyObject | undefined {
  return lenient(() => createPublicKey({ key: writeAsn1(keyInfo), format: "der", type: "spki" }));
}

function keyFacts(key: KeyObject | undefined): Pick<CertificateFacts, "keyAlgorithm" | "keySizeBits" | "curve"> {
  const details = key?.asymmetricKeyDetails;
  const curve = details?.namedCurve;
  if (key?.asymmetricKeyType === "rsa") return { keyAlgorithm: "RSA", keySizeBits: details?.modulusLength };
  if (key?.asymmetricKeyType === "ec") return { keyAlgorithm: "ECC", keySizeBits: curveSize(curve), curve };
  return { keyAlgorithm: "other", keySizeBits: details?.modulusLength };
}

/** OpenSSL's names of curves carry the size: prime256v1, secp384r1, brainpoolP512r1. */
function curveSize(curve: string | undefined): number | undefined {
  const digits = /\d{3}/.exec(curve ?? "")?.[0];
  return digits === undefined ? undefined : Number(digits);
}

/** Not by `checkIssued`: that wants the right to sign certificates, which the ones that Exchange makes don't have. */
function verifiesItself(der: Buffer): boolean {
  // A signature, key or form that this Node can't handle: nothing proves that it signed itself.
  return (
    lenient(() => {
      const certificate = new X509Certificate(der);
      return certificate.verify(certificate.publicKey);
    }) ?? false
  );
}
