import { createHash, randomBytes } from "node:crypto";

import { Secret } from "../secret";
import type { Asn1 } from "./asn1";
import {
  bytesOf,
  context,
  integer,
  nothing,
  objectIdentifier,
  octetString,
  readAsn1,
  sequence,
  set,
  textString,
  writeAsn1,
} from "./asn1";
import type { CertificateMaterial } from "./material";
import { computeMac, encryptPbeSha13Des, PBE_SHA1_3DES } from "./pbe";
import { PKCS12 } from "./pfxBags";

/** What OpenSSL uses; Windows uses 2000. */
const ROUNDS = 2048;
const SALT_SIZE_BYTES = 8;
const SHA1 = "1.3.14.3.2.26";

/**
 * Packs a PFX that every Windows reads: PBE-SHA1-3DES for key and certificates and an HMAC-SHA1 integrity check.
 * Windows Server 2012 R2 and 2016 refuse PBES2 with AES. The chain is kept, the key is tied to its certificate by
 * localKeyId, and no provider is named, so that Windows puts an RSA key where Exchange can use it.
 *
 * @param options.friendlyName display name of the certificate; the key gets none, because Windows would take it for
 * the name of the key's container
 */
export function packPfx(
  material: Pick<CertificateMaterial, "der" | "chain" | "privateKey">,
  password: Secret<string>,
  options: { readonly friendlyName?: string | undefined } = {},
): Secret<Uint8Array> {
  const localKeyId = attribute(PKCS12.localKeyId, octetString(createHash("sha1").update(material.der).digest()));
  const { friendlyName } = options;
  const nameAttributes =
    friendlyName === undefined || friendlyName === ""
      ? []
      : [attribute(PKCS12.friendlyName, textString("BMPSTRING", friendlyName))];
  const certificates = sequence(
    certBag(material.der, [localKeyId, ...nameAttributes]),
    ...material.chain.map((der) => certBag(der, [])),
  );
  const key = material.privateKey.reveal().export({ format: "der", type: "pkcs8" });
  const keys = sequence(bag(PKCS12.shroudedKeyBag, sequence(...encrypt(readAsn1(key), password)), [localKeyId]));
  const content = writeAsn1(sequence(encryptedInfo(certificates, password), dataInfo(writeAsn1(keys))));
  return new Secret(new Uint8Array(writeAsn1(sequence(integer(3), dataInfo(content), macData(content, password)))));
}

function attribute(oid: string, value: Asn1): Asn1 {
  return sequence(objectIdentifier(oid), set(value));
}

function bag(type: string, value: Asn1, attributes: readonly Asn1[]): Asn1 {
  const tail = attributes.length === 0 ? [] : [set(...attributes)];
  return sequence(objectIdentifier(type), context(0, [value]), ...tail);
}

function certBag(der: Uint8Array, attributes: readonly Asn1[]): Asn1 {
  const value = sequence(objectIdentifier(PKCS12.x509Certificate), context(0, [octetString(der)]));
  return bag(PKCS12.certBag, value, attributes);
}

function dataInfo(content: Uint8Array): Asn1 {
  return sequence(objectIdentifier(PKCS12.data), context(0, [octetString(content)]));
}

function encryptedInfo(safeContents: Asn1, password: Secret<string>): Asn1 {
  const [algorithm, encrypted] = encrypt(safeContents, password);
  const info = sequence(objectIdentifier(PKCS12.data), algorithm, context(0, bytesOf(encrypted)));
  return sequence(objectIdentifier(PKCS12.encryptedData), context(0, [sequence(integer(0), info)]));
}

/** PBE-SHA1-3DES: algorithm and encrypted bytes. */
function encrypt(plain: Asn1, password: Secret<string>): readonly [Asn1, Asn1] {
  const salt = randomBytes(SALT_SIZE_BYTES);
  const encrypted = encryptPbeSha13Des(writeAsn1(plain), { password: password.reveal(), salt, rounds: ROUNDS });
  const parameters = sequence(octetString(salt), integer(ROUNDS));
  return [sequence(objectIdentifier(PBE_SHA1_3DES), parameters), octetString(encrypted)];
}

function macData(content: Buffer, password: Secret<string>): Asn1 {
  const salt = randomBytes(SALT_SIZE_BYTES);
  const mac = computeMac("sha1", content, { salt, rounds: ROUNDS, password: password.reveal() });
  const digestInfo = sequence(sequence(objectIdentifier(SHA1), nothing()), octetString(mac));
  return sequence(digestInfo, octetString(salt), integer(ROUNDS));
}
