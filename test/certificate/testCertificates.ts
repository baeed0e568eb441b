import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";

import {
  bitString,
  childOf,
  childrenOf,
  context,
  isContext,
  isOid,
  objectIdentifier,
  octetString,
  readAsn1,
  sequence,
  textString,
  writeAsn1,
} from "../../provider/certificate/asn1";
import { buildCertificate } from "../../provider/certificate/buildCertificate";
import { parseDistinguishedName } from "../../provider/certificate/distinguishedName";
import type { CertificateMaterial } from "../../provider/certificate/pfx";
import { readCertificate } from "../../provider/certificate/readCertificate";
import { Secret } from "../../provider/secret";

/** `rsa2048b` and `eccB` are second keys of their kind, for what must not fit. */
export type TestKey = "rsa2048" | "rsa2048b" | "ecc" | "eccB";

export interface TestCertificateWish {
  /** As Windows prints it. Default: the first DNS name as common name. */
  readonly subject?: string;
  /** SAN. Default: none. */
  readonly dnsNames?: readonly string[];
  /** Default: 2025-01-01. */
  readonly notBefore?: Date;
  /** Default: 2045-01-01. */
  readonly notAfter?: Date;
  /** Default: `rsa2048`. Many certificates may have the same key. */
  readonly key?: TestKey;
  /** Who signs it; its certificate and chain become the chain. Default: self-signed. */
  readonly issuer?: CertificateMaterial;
  /** May sign others. Default: no. */
  readonly isAuthority?: boolean;
  /** Template of AD CS that it was issued by: its identifier, or the name of an old one. Default: none. */
  readonly template?: string;
  /** Default: one that no other certificate of this process has. */
  readonly serialNumber?: Uint8Array;
}

const keys = new Map<TestKey, KeyObject>();

/** A private key of that kind, made once per process. */
export function testKey(kind: TestKey): KeyObject {
  const known = keys.get(kind);
  if (known !== undefined) return known;
  const { privateKey } = kind.startsWith("ecc")
    ? generateKeyPairSync("ec", { namedCurve: "P-256" })
    : generateKeyPairSync("rsa", { modulusLength: 2048 });
  keys.set(kind, privateKey);
  return privateKey;
}

let made = 0;

function nextSerialNumber(): Uint8Array {
  made += 1;
  const bytes = Buffer.alloc(16, 0x4a);
  bytes.writeUInt32BE(made, 12);
  return new Uint8Array(bytes);
}

/** A real certificate with its key, as wished. */
export function makeTestCertificate(wish: TestCertificateWish): CertificateMaterial {
  const { dnsNames = [], key = "rsa2048", issuer } = wish;
  const subject = wish.subject ?? (dnsNames[0] === undefined ? "CN=Test" : `CN=${dnsNames[0]}`);
  const parsed = parseDistinguishedName(subject);
  if ("problem" in parsed) throw new Error(parsed.problem);
  const privateKey = testKey(key);
  const signer = issuer?.privateKey.reveal() ?? privateKey;
  const built = buildCertificate(
    {
      subject: parsed.name,
      publicKey: createPublicKey(privateKey),
      dnsNames,
      notBefore: wish.notBefore ?? new Date("2025-01-01T00:00:00Z"),
      notAfter: wish.notAfter ?? new Date("2045-01-01T00:00:00Z"),
      serialNumber: wish.serialNumber ?? nextSerialNumber(),
      isAuthority: wish.isAuthority ?? false,
    },
    { privateKey: signer, certificate: issuer?.der },
  );
  const der = wish.template === undefined ? built : withTemplate(built, wish.template, signer);
  return {
    der,
    facts: readCertificate(der),
    chain: issuer === undefined ? [] : [issuer.der, ...issuer.chain],
    privateKey: new Secret(privateKey),
    notices: [],
  };
}

/** A root and an issuing authority under it, for certificates that are not self-signed. */
export function makeTestAuthority(): CertificateMaterial {
  const root = makeTestCertificate({ subject: "CN=Contoso Root, O=Contoso", isAuthority: true, key: "rsa2048b" });
  return makeTestCertificate({
    subject: "CN=Contoso Issuing CA, O=Contoso",
    isAuthority: true,
    key: "rsa2048b",
    issuer: root,
  });
}

/** [MS-WCCE] 2.2.2.7.7.2 and 2.2.2.7.7.1. */
const TEMPLATE = "1.3.6.1.4.1.311.21.7";
const TEMPLATE_NAME = "1.3.6.1.4.1.311.20.2";

/** The certificate with that template in it, signed anew. */
function withTemplate(der: Uint8Array, template: string, signer: KeyObject): Uint8Array {
  const [content, algorithm] = childrenOf(readAsn1(der));
  if (content === undefined || algorithm === undefined) throw new Error("not a certificate");
  const extension = isOid(template)
    ? sequence(objectIdentifier(TEMPLATE), octetString(writeAsn1(sequence(objectIdentifier(template)))))
    : sequence(objectIdentifier(TEMPLATE_NAME), octetString(writeAsn1(textString("BMPSTRING", template))));
  const fields = sequence(
    ...childrenOf(content).map((field) =>
      isContext(field, 3) ? context(3, [sequence(...childrenOf(childOf(field, 0)), extension)]) : field,
    ),
  );
  const signature = sign("sha256", writeAsn1(fields), signer);
  return new Uint8Array(writeAsn1(sequence(fields, algorithm, bitString(signature))));
}
