import { createPrivateKey, X509Certificate } from "node:crypto";

import type { Secret } from "../secret";
import type { CertificateMaterial, FoundCertificate, FoundKey } from "./material";
import { assembleMaterial } from "./material";
import type { PfxBag } from "./pfxBags";
import { openPfx, pfxFailure } from "./pfxBags";
import { factsOf } from "./readCertificate";

export type { CertificateMaterial } from "./material";

/**
 * Reads a PFX (PKCS#12) as OpenSSL, Windows and Java write it: old and new encryption, RSA and ECC, whatever the order
 * of its parts. "No password" and "an empty password" are the same to the caller; both ways of writing it are tried.
 * Deriving the keys takes seconds where the file asks for it: who mustn't be held up takes `readPfx` of readMaterial.ts.
 *
 * @param pfx the file
 * @throws ExchangeBindingError `PfxUnreadable` (broken, or not a PFX), `PfxWrongPassword`, `PfxWithoutCertificate`,
 * `PfxWithoutKey`, `PfxKeyDoesNotFit`; none carries anything of the password or of the encrypted parts
 */
export function readPfxHere(pfx: Secret<Uint8Array>, password: Secret<string> | undefined): CertificateMaterial {
  const bags = openPfx(pfx.reveal(), password?.reveal());
  const certificates = bags.filter((bag) => bag.kind === "certificate").map(foundCertificate);
  const keys = bags.filter((bag) => bag.kind === "key").map(foundKey);
  if (certificates.length === 0) {
    const found = keys.length === 0 ? "it holds neither a certificate nor a key" : "it holds a key and no certificate";
    throw pfxFailure("PfxWithoutCertificate", `${found}. Export the certificate with its private key.`);
  }
  const thumbprints = certificates.map(({ certificate }) => factsOf(certificate).thumbprint);
  if (keys.length === 0) {
    throw pfxFailure(
      "PfxWithoutKey",
      `it holds ${listOf(thumbprints)} and no private key. Export it with the private key ("Yes, export the private key").`,
      thumbprints,
    );
  }
  const material = assembleMaterial(certificates, keys);
  if (material === undefined) {
    throw pfxFailure(
      "PfxKeyDoesNotFit",
      `its private key belongs to none of its certificates (${listOf(thumbprints)}). ` +
        "Pack the certificate together with the key that its request was made with.",
      thumbprints,
    );
  }
  return material;
}

function listOf(thumbprints: readonly string[]): string {
  return thumbprints.length === 1 ? `certificate ${thumbprints[0] ?? ""}` : `certificates ${thumbprints.join(", ")}`;
}

function foundCertificate(bag: PfxBag): FoundCertificate {
  try {
    const certificate = new X509Certificate(bag.der);
    factsOf(certificate);
    return { certificate, localKeyId: bag.localKeyId };
  } catch {
    throw pfxFailure("PfxUnreadable", "one of its certificates can't be read. Export it again without that one.");
  }
}

/**
 * Key storage providers (CNG) by name. Legacy providers are called "… Cryptographic Provider" and keep their keys where
 * Exchange finds them; the two last patterns are for storage providers that don't say so in full.
 */
const KEY_STORAGE_PROVIDER = /key storage provider|^microsoft platform crypto provider$|\bksp\b/i;

function foundKey(bag: PfxBag): FoundKey {
  const notices =
    bag.provider !== undefined && KEY_STORAGE_PROVIDER.test(bag.provider)
      ? (["keyStorageProviderDropped"] as const)
      : ([] as const);
  try {
    const key = createPrivateKey({ key: bag.der, format: "der", type: "pkcs8" });
    return { key, localKeyId: bag.localKeyId, notices };
  } catch {
    throw pfxFailure("PfxUnreadable", "its private key is of a kind that can't be read. Use an RSA or an ECC key.");
  }
}
