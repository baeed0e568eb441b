import type { ErrorCode } from "../errors";
import { ExchangeBindingError } from "../errors";
import type { Secret } from "../secret";
import { describeLeaves } from "./leaves";
import type { CertificateMaterial } from "./material";
import { assembleMaterial, isInOrder } from "./material";
import type { ParsedCertificate } from "./readCertificate";
import { parseCertificate } from "./readCertificate";
import type { Parts, Recognised } from "./recognise";
import { recogniseFile, recogniseText } from "./recognise";
import { describeStranger } from "./strangers";

/** A text, or the bytes of a file. */
export type Given = string | Uint8Array;

export interface PemSource {
  /** One or more certificates; the one that fits the key may be anywhere among them. The key may stand here too. */
  readonly certificate: Given;
  /** PKCS#8, PKCS#1 or SEC1, not encrypted. */
  readonly privateKey: Secret<Given>;
  /** Further certificates. */
  readonly chain?: Given | undefined;
}

function failure(code: ErrorCode, text: string, thumbprints?: readonly string[]): ExchangeBindingError {
  return new ExchangeBindingError(code, `Reading the PEM source: ${text}`, thumbprints && { facts: { thumbprints } });
}

/**
 * Reads a certificate and its key. PEM is what people have; DER, PKCS#7 and base64 of these are read as well.
 *
 * @throws ExchangeBindingError `PemUnreadable`, `PemWithoutKey`, `PemKeyDoesNotFit`, `PemAmbiguous`; none carries
 * anything of the key
 */
export function readPemHere(source: PemSource): CertificateMaterial {
  const given = partsOf("certificate", source.certificate, "PemUnreadable");
  if (given.certificates.length === 0) {
    throw failure(
      "PemUnreadable",
      "`certificate` holds a key and no certificate. Give the certificate that was issued for it.",
    );
  }
  const chain = source.chain === undefined ? undefined : partsOf("chain", source.chain, "PemUnreadable");
  if (chain?.certificates.length === 0 && chain.keys.length > 0) {
    throw failure(
      "PemUnreadable",
      "`chain` holds a key and no certificate. Give the issuers' certificates, or leave it out.",
    );
  }
  const keyText = partsOf("privateKey", source.privateKey.reveal(), "PemWithoutKey");
  if (keyText.keys.length === 0) {
    // Beside a certificate there may be a key that can't be read as it is.
    const [stranger] = keyText.strangers;
    const why =
      stranger === undefined
        ? "it holds a certificate and no private key. Give the key that the certificate's request was made with."
        : describeStranger(stranger);
    throw failure(stranger === "encryptedKey" ? "PemUnreadable" : "PemWithoutKey", `\`privateKey\`: ${why}`);
  }
  const certificates = [
    ...readAll("certificate", given),
    ...readAll("chain", chain),
    ...readAll("privateKey", keyText),
  ];
  const assembled = assembleMaterial(
    certificates.map((certificate) => ({ certificate })),
    keyText.keys.map((key) => ({ key })),
  );
  if (assembled.kind === "material") {
    const { material } = assembled;
    return isInOrder(certificates, material)
      ? material
      : { ...material, notices: [...material.notices, "chainReordered"] };
  }
  const thumbprints = certificates.map(({ facts }) => facts.thumbprint);
  if (assembled.kind === "several") {
    throw failure(
      "PemAmbiguous",
      `it holds ${assembled.leaves.length} certificates with their keys: ${describeLeaves(assembled.leaves)}. ` +
        "Give one certificate and its key.",
      assembled.leaves.map(({ thumbprint }) => thumbprint),
    );
  }
  throw failure(
    "PemKeyDoesNotFit",
    `the private key belongs to none of the certificates (${thumbprints.join(", ")}). ` +
      "Give the key that the certificate's request was made with.",
    thumbprints,
  );
}

type Property = "certificate" | "privateKey" | "chain";

function partsOf(property: Property, given: Given, code: ErrorCode): Parts {
  const found: Recognised = typeof given === "string" ? recogniseText(given) : recogniseFile(given);
  if (found.kind === "parts") {
    // What is of no use is passed over; what should have been read and couldn't isn't.
    const broken = found.strangers.find((one) => one === "damagedBlock" || one === "cutOff");
    if (broken !== undefined)
      throw failure("PemUnreadable", `\`${property}\`, in a part of it: ${describeStranger(broken)}`);
    return found;
  }
  if (found.kind === "pfx") {
    throw failure(
      "PemUnreadable",
      `\`${property}\`: it is a PFX. Give it as pfx, or its path as pfxFile, with its password.`,
    );
  }
  // An empty chain is none: tools write an empty file where the authority sent nothing but the certificate.
  if (property === "chain" && found.stranger === "empty")
    return { kind: "parts", certificates: [], keys: [], strangers: ["empty"] };
  const isBroken = found.stranger === "encryptedKey" || found.stranger === "damagedBlock";
  throw failure(isBroken ? "PemUnreadable" : code, `\`${property}\`: ${describeStranger(found.stranger)}`);
}

function readAll(property: Property, parts: Parts | undefined): readonly ParsedCertificate[] {
  return (parts?.certificates ?? []).map((der, index) => {
    try {
      return parseCertificate(der);
    } catch {
      throw failure("PemUnreadable", `certificate ${index + 1} of \`${property}\` is damaged. Copy it again.`);
    }
  });
}
