import { createPrivateKey, X509Certificate } from "node:crypto";
import type { KeyObject } from "node:crypto";

import type { ErrorCode } from "../errors";
import { ExchangeBindingError } from "../errors";
import type { Secret } from "../secret";
import type { CertificateMaterial } from "./material";
import { assembleMaterial } from "./material";
import { factsOf } from "./readCertificate";

export interface PemSource {
  /** One or more certificates; the one that fits the key may be anywhere among them. */
  readonly certificate: string;
  /** PKCS#8, PKCS#1 or SEC1, not encrypted. Other blocks in the text are passed over. */
  readonly privateKey: Secret<string>;
  /** Further certificates. */
  readonly chain?: string | undefined;
}

interface PemBlock {
  readonly label: string;
  readonly text: string;
}

function failure(code: ErrorCode, text: string, thumbprints?: readonly string[]): ExchangeBindingError {
  return new ExchangeBindingError(code, `Reading the PEM source: ${text}`, thumbprints && { facts: { thumbprints } });
}

/**
 * Reads a certificate and its key from PEM text.
 *
 * @throws ExchangeBindingError `PemUnreadable`, `PemWithoutKey`, `PemKeyDoesNotFit`; none carries anything of the key
 */
export function readPemHere(source: PemSource): CertificateMaterial {
  const given = readCertificates("certificate", source.certificate);
  if (given.length === 0) {
    throw failure("PemUnreadable", `\`certificate\` holds no certificate${hintFor(source.certificate, "CERTIFICATE")}`);
  }
  const certificates = [...given, ...readCertificates("chain", source.chain ?? "")];
  const keys = readKeys(source.privateKey.reveal());
  const material = assembleMaterial(
    certificates.map((certificate) => ({ certificate })),
    keys.map((key) => ({ key })),
  );
  if (material === undefined) {
    const thumbprints = certificates.map((certificate) => factsOf(certificate).thumbprint);
    throw failure(
      "PemKeyDoesNotFit",
      `the private key belongs to none of the certificates (${thumbprints.join(", ")}). ` +
        "Give the key that the certificate's request was made with.",
      thumbprints,
    );
  }
  return material;
}

function blocksOf(text: string): readonly PemBlock[] {
  const blocks = text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----[^-]*(?:-[^-]+)*-----END \1-----/g);
  return [...blocks].map(([block, label]) => ({ label: label ?? "", text: block }));
}

/** Why a text may hold no such block, and what to do. Says nothing of what the text holds. */
function hintFor(text: string, label: string): string {
  if (text.trim() === "") return ": it is empty. Give the text itself.";
  if (text.includes("\\n"))
    return ": its line breaks have become the two characters \\n. Give it with real line breaks.";
  return ` in PEM form. Give the text with its "-----BEGIN ${label}-----" and "-----END ${label}-----" lines, not a path.`;
}

function readCertificates(property: "certificate" | "chain", text: string): readonly X509Certificate[] {
  const blocks = blocksOf(text);
  if (blocks.some(({ label }) => label.endsWith("PRIVATE KEY"))) {
    throw failure(
      "PemUnreadable",
      `\`${property}\` holds a private key as well. Give the key as \`privateKey\` only, where it is kept secret; ` +
        "and as it has been in the open, consider replacing it.",
    );
  }
  return blocks
    .filter(({ label }) => label === "CERTIFICATE" || label === "X509 CERTIFICATE")
    .map((block, index) => {
      try {
        const certificate = new X509Certificate(block.text);
        factsOf(certificate);
        return certificate;
      } catch {
        throw failure("PemUnreadable", `certificate ${index + 1} of \`${property}\` is damaged. Copy it again.`);
      }
    });
}

function readKeys(text: string): readonly KeyObject[] {
  const blocks = blocksOf(text).filter(({ label }) => label.endsWith("PRIVATE KEY"));
  if (blocks.length === 0) {
    throw failure("PemWithoutKey", `\`privateKey\` holds no private key${hintFor(text, "PRIVATE KEY")}`);
  }
  return blocks.map((block) => {
    if (block.label.startsWith("ENCRYPTED") || block.text.includes("Proc-Type: 4,ENCRYPTED")) {
      throw failure(
        "PemUnreadable",
        "the private key is encrypted with a passphrase. Decrypt it first (openssl pkey), or give a PFX with its password.",
      );
    }
    try {
      return createPrivateKey(block.text);
    } catch {
      throw failure(
        "PemUnreadable",
        "the private key is damaged or of a kind that can't be read. Give an RSA or ECC key as PKCS#8, PKCS#1 or SEC1.",
      );
    }
  });
}
