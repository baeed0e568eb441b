import type { Secret } from "../secret";
import { describeLeaves } from "./leaves";
import type { CertificateMaterial, FoundCertificate, FoundKey } from "./material";
import { assembleMaterial } from "./material";
import type { PfxBag } from "./pfxBags";
import { COPY_AGAIN, openPfx, pfxFailure } from "./pfxBags";
import { parsePrivateKey } from "./privateKey";
import { parseCertificate } from "./readCertificate";
import type { Parts, Stranger } from "./recognise";
import type { Given } from "./pem";
import { recogniseFile, recogniseText } from "./recognise";
import { describeStranger } from "./strangers";

export type { CertificateMaterial } from "./material";

/**
 * Reads a PFX (PKCS#12) as OpenSSL, Windows and Java write it: old and new encryption, RSA and ECC, whatever the order
 * of its parts. "No password" and "an empty password" are the same to the caller; both ways of writing it are tried.
 * A file that turns out to be certificate and key in another form is read too. Deriving the keys takes seconds where the
 * file asks for it: who mustn't be held up takes `readPfx` of readMaterial.ts.
 *
 * @param pfx the bytes of the file, or its text: base64 as a rule
 * @throws ExchangeBindingError `PfxUnreadable` (broken, or not a PFX), `PfxWrongPassword`, `PfxWithoutCertificate`,
 * `PfxWithoutKey`, `PfxKeyDoesNotFit`, `PfxAmbiguous`; none carries anything of the password or of the encrypted parts
 */
export function readPfxHere(pfx: Secret<Given>, password: Secret<string> | undefined): CertificateMaterial {
  const given = pfx.reveal();
  const found = typeof given === "string" ? recogniseText(given) : recogniseFile(given);
  switch (found.kind) {
    case "pfx": {
      const bags = openPfx(found.pfx, password?.reveal());
      const certificates = bags.filter((bag) => bag.kind === "certificate").map(foundCertificate);
      return assemble(certificates, bags.filter((bag) => bag.kind === "key").map(foundKey));
    }
    case "parts":
      return assembleParts(found);
    case "stranger":
      throw pfxFailure("PfxUnreadable", describeNoPfx(found.stranger, given));
  }
}

function describeNoPfx(stranger: Stranger, given: Given): string {
  if (stranger === "path") return "it is a path or an address, not the bytes of the file. Give its path as pfxFile.";
  if (stranger !== "unknown" && stranger !== "damagedDer") return describeStranger(stranger);
  const what = typeof given === "string" ? "the text is" : `the ${given.length} bytes are`;
  return `${what} not a PFX, or not all of it. ${COPY_AGAIN}`;
}

function assembleParts(parts: Parts): CertificateMaterial {
  const [stranger] = parts.strangers;
  if (parts.keys.length === 0 && stranger === "encryptedKey") {
    throw pfxFailure("PfxUnreadable", describeStranger(stranger));
  }
  return assemble(
    parts.certificates.map((der) => foundCertificate({ der: Buffer.from(der) })),
    parts.keys.map((key) => ({ key })),
  );
}

function assemble(certificates: readonly FoundCertificate[], keys: readonly FoundKey[]): CertificateMaterial {
  if (certificates.length === 0) {
    const found = keys.length === 0 ? "it holds neither a certificate nor a key" : "it holds a key and no certificate";
    throw pfxFailure("PfxWithoutCertificate", `${found}. Export the certificate with its private key.`);
  }
  const thumbprints = certificates.map(({ certificate }) => certificate.facts.thumbprint);
  if (keys.length === 0) {
    throw pfxFailure(
      "PfxWithoutKey",
      `it holds ${listOf(thumbprints)} and no private key. Export it with the private key ("Yes, export the private key").`,
      thumbprints,
    );
  }
  const assembled = assembleMaterial(certificates, keys);
  if (assembled.kind === "material") return assembled.material;
  if (assembled.kind === "several") {
    throw pfxFailure(
      "PfxAmbiguous",
      `it holds ${assembled.leaves.length} certificates with their keys: ${describeLeaves(assembled.leaves)}. ` +
        "Export the one that is meant into a file of its own: keytool -importkeystore -srckeystore FILE -srcalias ALIAS " +
        "-destkeystore mail.pfx -deststoretype PKCS12 (keytool -list shows the aliases).",
      assembled.leaves.map(({ thumbprint }) => thumbprint),
    );
  }
  throw pfxFailure(
    "PfxKeyDoesNotFit",
    `its private key belongs to none of its certificates (${listOf(thumbprints)}). ` +
      "Pack the certificate together with the key that its request was made with.",
    thumbprints,
  );
}

function listOf(thumbprints: readonly string[]): string {
  return thumbprints.length === 1 ? `certificate ${thumbprints[0] ?? ""}` : `certificates ${thumbprints.join(", ")}`;
}

function foundCertificate(bag: Pick<PfxBag, "der"> & Partial<PfxBag>): FoundCertificate {
  try {
    return { certificate: parseCertificate(bag.der), localKeyId: bag.localKeyId };
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
  const key = parsePrivateKey(bag.der, "pkcs8");
  if (key === undefined) {
    throw pfxFailure("PfxUnreadable", "its private key is of a kind that can't be read. Use an RSA or an ECC key.");
  }
  return { key, localKeyId: bag.localKeyId, notices };
}
