import { createHash, createPublicKey, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";

import type { Asn1 } from "./asn1";
import {
  bitString,
  booleanTrue,
  bytesOf,
  childOf,
  childrenOf,
  context,
  integer,
  integerFromBytes,
  isContext,
  nothing,
  objectIdentifier,
  octetString,
  readAsn1,
  sequence,
  time,
  writeAsn1,
} from "./asn1";
import type { DistinguishedName } from "./distinguishedName";
import { nameToAsn1 } from "./distinguishedName";

export interface CertificateContent {
  readonly subject: DistinguishedName;
  readonly publicKey: KeyObject;
  /** ASCII; without any, and without addresses, there is no SAN. */
  readonly dnsNames: readonly string[];
  /** IP addresses for the SAN, as 4 or 16 bytes. Default: none. */
  readonly ipAddresses?: readonly Uint8Array[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Big-endian; the first byte from 1 to 127, so that the number is positive and as short as it can be. */
  readonly serialNumber: Uint8Array;
  /** May sign other certificates, and isn't meant for servers. */
  readonly isAuthority: boolean;
}

export interface CertificateSigner {
  readonly privateKey: KeyObject;
  /** The signer's certificate, DER; `undefined` when the certificate signs itself. */
  readonly certificate: Uint8Array | undefined;
}

/** Object identifiers of extensions (RFC 5280 section 4.2) and signatures. */
const BASIC_CONSTRAINTS = "2.5.29.19";
const KEY_USAGE = "2.5.29.15";
const EXTENDED_KEY_USAGE = "2.5.29.37";
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const SUBJECT_ALT_NAME = "2.5.29.17";
const SUBJECT_KEY_ID = "2.5.29.14";
const AUTHORITY_KEY_ID = "2.5.29.35";
const SHA256_WITH_RSA = "1.2.840.113549.1.1.11";
const SHA256_WITH_ECDSA = "1.2.840.10045.4.3.2";

/** Makes an X.509 v3 certificate, signed with SHA-256. node-forge's own builder knows no ECC keys. */
export function buildCertificate(content: CertificateContent, signer: CertificateSigner): Uint8Array {
  const algorithm =
    signer.privateKey.asymmetricKeyType === "ec"
      ? sequence(objectIdentifier(SHA256_WITH_ECDSA))
      : sequence(objectIdentifier(SHA256_WITH_RSA), nothing());
  const publicKeyInfo = readAsn1(content.publicKey.export({ format: "der", type: "spki" }));
  const fields = sequence(
    context(0, [integer(2)]),
    integerFromBytes(content.serialNumber),
    algorithm,
    signer.certificate === undefined ? nameToAsn1(content.subject) : subjectOf(signer.certificate),
    sequence(time(content.notBefore), time(content.notAfter)),
    nameToAsn1(content.subject),
    publicKeyInfo,
    context(3, [sequence(...extensionsOf(content, publicKeyInfo, signer))]),
  );
  const signature = sign("sha256", writeAsn1(fields), signer.privateKey);
  return new Uint8Array(writeAsn1(sequence(fields, algorithm, bitString(signature))));
}

/** The encoded subject, so that issuer and subject are the same to the last byte. */
function subjectOf(certificate: Uint8Array): Asn1 {
  const fields = childrenOf(childOf(readAsn1(certificate), 0));
  const first = fields[0] !== undefined && isContext(fields[0], 0) ? 1 : 0;
  return childOf(childOf(readAsn1(certificate), 0), first + 4);
}

function extensionsOf(content: CertificateContent, publicKeyInfo: Asn1, signer: CertificateSigner): readonly Asn1[] {
  const { isAuthority, dnsNames, ipAddresses = [] } = content;
  const serverExtensions = isAuthority
    ? []
    : [extension(EXTENDED_KEY_USAGE, false, sequence(objectIdentifier(SERVER_AUTH)))];
  const names = [
    ...dnsNames.map((name) => context(2, Buffer.from(name, "latin1"))),
    ...ipAddresses.map((address) => context(7, Buffer.from(address))),
  ];
  const signerInfo = readAsn1(createPublicKey(signer.privateKey).export({ format: "der", type: "spki" }));
  return [
    extension(BASIC_CONSTRAINTS, true, isAuthority ? sequence(booleanTrue()) : sequence()),
    extension(KEY_USAGE, true, keyUsage(content)),
    ...serverExtensions,
    ...(names.length === 0 ? [] : [extension(SUBJECT_ALT_NAME, false, sequence(...names))]),
    extension(SUBJECT_KEY_ID, false, octetString(keyIdOf(publicKeyInfo))),
    ...(signer.certificate === undefined
      ? []
      : [extension(AUTHORITY_KEY_ID, false, sequence(context(0, keyIdOf(signerInfo))))]),
  ];
}

function extension(oid: string, critical: boolean, value: Asn1): Asn1 {
  return sequence(objectIdentifier(oid), ...(critical ? [booleanTrue()] : []), octetString(writeAsn1(value)));
}

/** Bits of RFC 5280 section 4.2.1.3: 0 digitalSignature, 2 keyEncipherment, 5 keyCertSign, 6 cRLSign. */
function keyUsage(content: CertificateContent): Asn1 {
  if (content.isAuthority) return bitString(Buffer.from([0b0000_0110]), 1);
  // An ECC key can't encipher.
  if (content.publicKey.asymmetricKeyType === "ec") return bitString(Buffer.from([0b1000_0000]), 7);
  return bitString(Buffer.from([0b1010_0000]), 5);
}

/** SHA-1 over the public key without its algorithm (RFC 5280 section 4.2.1.2, method 1). */
function keyIdOf(publicKeyInfo: Asn1): Buffer {
  return createHash("sha1")
    .update(bytesOf(childOf(publicKeyInfo, 1)).subarray(1))
    .digest();
}
