import type { ErrorCode } from "../errors";
import { ExchangeBindingError, isBindingError } from "../errors";
import type { Asn1 } from "./asn1";
import { bytesOf, childOf, childrenOf, integerOf, isUniversal, oidOf, readAsn1, writeAsn1 } from "./asn1";
import { textOf } from "./distinguishedName";
import type { PasswordForm } from "./pbe";
import { decryptWithPassword, macFits, passwordForms, RoundsBudget, UnsupportedEncryption } from "./pbe";

/** Object identifiers of PKCS#12 (RFC 7292 section 4 and appendix D). */
export const PKCS12 = {
  data: "1.2.840.113549.1.7.1",
  encryptedData: "1.2.840.113549.1.7.6",
  keyBag: "1.2.840.113549.1.12.10.1.1",
  shroudedKeyBag: "1.2.840.113549.1.12.10.1.2",
  certBag: "1.2.840.113549.1.12.10.1.3",
  safeContentsBag: "1.2.840.113549.1.12.10.1.6",
  x509Certificate: "1.2.840.113549.1.9.22.1",
  friendlyName: "1.2.840.113549.1.9.20",
  localKeyId: "1.2.840.113549.1.9.21",
  /** Microsoft CSP Name: the provider in which Windows is to put the key. */
  providerName: "1.3.6.1.4.1.311.17.1",
} as const;

/**
 * 1.3.6.1.4.1.311.17.4, encoded: a password that only certain Windows accounts can read, which
 * Export-PfxCertificate -ProtectTo puts into the file.
 */
const PROTECTED_PASSWORD = Buffer.from("06092b0601040182371104", "hex");

/** A certificate or a private key (PKCS#8) of a PFX. */
export interface PfxBag {
  readonly kind: "certificate" | "key";
  readonly der: Buffer;
  readonly localKeyId: string | undefined;
  readonly provider: string | undefined;
}

const REPACK = "Export it again with a password and common encryption (AES-256, or 3DES for older systems).";
export const COPY_AGAIN = "Copy or export the file again; it must be the .pfx or .p12 file itself.";

export function pfxFailure(code: ErrorCode, text: string, thumbprints?: readonly string[]): ExchangeBindingError {
  return new ExchangeBindingError(code, `Reading the PFX: ${text}`, thumbprints && { facts: { thumbprints } });
}

/**
 * Opens a PFX and lists what it holds, in the order of the file.
 *
 * @throws ExchangeBindingError `PfxUnreadable`, `PfxWrongPassword`
 */
export function openPfx(bytes: Uint8Array, password: string | undefined): readonly PfxBag[] {
  try {
    return openEnvelope(envelopeOf(bytes), password);
  } catch (error) {
    if (isBindingError(error)) throw error;
    if (error instanceof UnsupportedEncryption) throw pfxFailure("PfxUnreadable", `${error.message}. ${REPACK}`);
    // Errors of the parser stay behind: they may quote the bytes they stumbled over.
    throw pfxFailure("PfxUnreadable", `its inner structure is broken. ${COPY_AGAIN}`);
  }
}

interface Envelope {
  readonly content: Buffer;
  readonly macData: Asn1 | undefined;
}

/** The outermost layer: PFX ::= { version 3, authSafe ContentInfo, macData OPTIONAL }. */
function envelopeOf(bytes: Uint8Array): Envelope {
  let authSafe: Asn1;
  let macData: Asn1 | undefined;
  let type: string;
  try {
    const outer = readAsn1(bytes);
    if (integerOf(childOf(outer, 0)) !== 3) throw new Error("not version 3");
    authSafe = childOf(outer, 1);
    macData = childrenOf(outer)[2];
    type = oidOf(childOf(authSafe, 0));
  } catch {
    throw pfxFailure("PfxUnreadable", `the ${bytes.length} bytes are not a PFX, or not all of it. ${COPY_AGAIN}`);
  }
  if (type !== PKCS12.data) {
    throw pfxFailure(
      "PfxUnreadable",
      "it is protected with a signature, not with a password. Export it with a password.",
    );
  }
  return { content: bytesOf(childOf(childOf(authSafe, 1), 0)), macData };
}

/** A way of writing the password, and what all tries together may cost. */
interface Attempt {
  readonly form: PasswordForm;
  readonly budget: RoundsBudget;
}

function openEnvelope(envelope: Envelope, password: string | undefined): readonly PfxBag[] {
  const { content, macData } = envelope;
  const budget = new RoundsBudget();
  const forms = passwordForms(password);
  if (macData === undefined) {
    const bags = firstThatOpens(content, forms, budget);
    if (bags !== undefined) return bags;
    throw wrongPassword(
      envelope,
      password,
      "this password doesn't decrypt it. Check the password; the file has no integrity check, so it may as well be damaged.",
    );
  }
  const fitting = forms.find((form) => macFits(macData, content, form, budget));
  if (fitting === undefined) {
    throw wrongPassword(
      envelope,
      password,
      "the password doesn't fit. Check it; if it is right, the file was changed after it was written.",
    );
  }
  // A writer may use one form of the password for the check and another one for the encryption.
  const bags = firstThatOpens(content, [fitting, ...forms.filter((form) => form !== fitting)], budget);
  if (bags !== undefined) return bags;
  throw pfxFailure("PfxUnreadable", `the password fits, but an encrypted part doesn't open with it. ${REPACK}`);
}

function wrongPassword(envelope: Envelope, password: string | undefined, otherwise: string): ExchangeBindingError {
  const remedy =
    password === undefined || password === ""
      ? "it is protected with a password and none was given. Give its password."
      : (describeSlip(envelope, password) ?? otherwise);
  const protectedTo = envelope.content.includes(PROTECTED_PASSWORD)
    ? " Its password seems to be for certain Windows accounts only: export it with a password of its own."
    : "";
  return pfxFailure("PfxWrongPassword", remedy + protectedTo);
}

/** What gets into a password on its way here without anybody seeing it. Each is tried without, in this order. */
const SLIPS: readonly {
  readonly found: string;
  readonly without: (password: string) => string;
  readonly remedy: string;
}[] = [
  {
    found: "ends in a line break",
    without: (password) => password.replace(/[\r\n]+$/, ""),
    remedy: "Give it without: `printf` instead of `echo`, or cut it off where it is read from a file.",
  },
  {
    found: "begins or ends with a blank or an invisible mark",
    without: (password) => password.trim(),
    remedy: "Give it without.",
  },
  {
    found: "stands in quotes",
    without: (password) => password.trim().replace(/^(["'])(.*)\1$/s, "$2"),
    remedy: "Give it without them.",
  },
];

/** A password that fits without what shouldn't be there. Tried, not guessed; within the limits of any other try. */
function describeSlip({ content, macData }: Envelope, password: string): string | undefined {
  const budget = new RoundsBudget();
  for (const { found, without, remedy } of SLIPS) {
    const other = without(password);
    if (other === password) continue;
    const fits = passwordForms(other).some((form) => {
      try {
        return macData === undefined
          ? firstThatOpens(content, [form], budget) !== undefined
          : macFits(macData, content, form, budget);
      } catch {
        return false;
      }
    });
    if (fits) return `the password ${found}, and fits without it. ${remedy}`;
  }
  return undefined;
}

function firstThatOpens(
  content: Buffer,
  forms: readonly PasswordForm[],
  budget: RoundsBudget,
): readonly PfxBag[] | undefined {
  for (const form of forms) {
    const bags = openSafe(content, { form, budget });
    if (bags !== undefined) return bags;
  }
  return undefined;
}

/** AuthenticatedSafe ::= SEQUENCE OF ContentInfo. `undefined` when an encrypted part doesn't open with the password. */
function openSafe(content: Buffer, attempt: Attempt): readonly PfxBag[] | undefined {
  const bags: PfxBag[] = [];
  for (const contentInfo of childrenOf(readAsn1(content))) {
    const type = oidOf(childOf(contentInfo, 0));
    // Parts for the holder of another certificate (EnvelopedData) are passed over.
    if (type !== PKCS12.data && type !== PKCS12.encryptedData) continue;
    const value = childOf(childOf(contentInfo, 1), 0);
    const found =
      type === PKCS12.data ? readBags(readAsn1(bytesOf(value)), attempt) : openEncryptedBags(value, attempt);
    if (found === undefined) return undefined;
    bags.push(...found);
  }
  return bags;
}

/** EncryptedData ::= { version, EncryptedContentInfo { type, algorithm, [0] bytes } } (RFC 2315 section 13). */
function openEncryptedBags(encryptedData: Asn1, attempt: Attempt): readonly PfxBag[] | undefined {
  const info = childOf(encryptedData, 1);
  return openEncrypted(childOf(info, 1), bytesOf(childOf(info, 2)), attempt, (plain) => readBags(plain, attempt));
}

/** Decrypts and reads. A wrong password can survive the padding; then the result is rubbish that can't be read. */
function openEncrypted<T>(
  algorithm: Asn1,
  encrypted: Buffer,
  attempt: Attempt,
  read: (plain: Asn1, bytes: Buffer) => T,
): T | undefined {
  const plain = decryptWithPassword(algorithm, encrypted, attempt.form, attempt.budget);
  if (plain === undefined) return undefined;
  try {
    return read(readAsn1(plain), plain);
  } catch (error) {
    if (error instanceof UnsupportedEncryption) throw error;
    return undefined;
  }
}

/** SafeContents ::= SEQUENCE OF SafeBag { type, [0] value, SET OF attributes OPTIONAL }. */
function readBags(safeContents: Asn1, attempt: Attempt): readonly PfxBag[] | undefined {
  const bags: PfxBag[] = [];
  for (const bag of childrenOf(safeContents)) {
    const found = readBag(bag, attempt);
    if (found === undefined) return undefined;
    bags.push(...found);
  }
  return bags;
}

function readBag(bag: Asn1, attempt: Attempt): readonly PfxBag[] | undefined {
  const type = oidOf(childOf(bag, 0));
  const value = childOf(childOf(bag, 1), 0);
  const attributes = readAttributes(childrenOf(bag)[2]);
  switch (type) {
    case PKCS12.safeContentsBag:
      return readBags(value, attempt);
    case PKCS12.certBag: {
      if (oidOf(childOf(value, 0)) !== PKCS12.x509Certificate) return [];
      return [{ kind: "certificate", der: bytesOf(childOf(childOf(value, 1), 0)), ...attributes }];
    }
    case PKCS12.keyBag:
      return [{ kind: "key", der: writeAsn1(value), ...attributes }];
    case PKCS12.shroudedKeyBag: {
      const der = openEncrypted(childOf(value, 0), bytesOf(childOf(value, 1)), attempt, (plain, bytes) => {
        // PrivateKeyInfo ::= { version, algorithm, OCTET STRING … }; anything else is rubbish.
        if (!isUniversal(childOf(plain, 2), "OCTETSTRING")) throw new Error("not a private key");
        return bytes;
      });
      return der && [{ kind: "key", der, ...attributes }];
    }
    default:
      // CRLs and secrets are of no use here.
      return [];
  }
}

function readAttributes(attributes: Asn1 | undefined): Pick<PfxBag, "localKeyId" | "provider"> {
  const values = new Map<string, Asn1 | undefined>();
  for (const attribute of attributes === undefined ? [] : childrenOf(attributes)) {
    values.set(oidOf(childOf(attribute, 0)), childrenOf(childOf(attribute, 1))[0]);
  }
  const localKeyId = values.get(PKCS12.localKeyId);
  const provider = values.get(PKCS12.providerName);
  return {
    localKeyId: localKeyId && bytesOf(localKeyId).toString("hex"),
    provider: provider && isUniversal(provider, "BMPSTRING") ? textOf(provider) : undefined,
  };
}
