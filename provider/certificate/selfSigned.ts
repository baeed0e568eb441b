import { generateKeyPair } from "node:crypto";
import { domainToASCII } from "node:url";
import { promisify } from "node:util";

import { ExchangeBindingError } from "../errors";
import { DAY_MS } from "../model";
import { Secret } from "../secret";
import { buildCertificate } from "./buildCertificate";
import type { DistinguishedName } from "./distinguishedName";
import { COMMON_NAME, parseDistinguishedName } from "./distinguishedName";
import type { CertificateMaterial } from "./material";
import { looksLikeDnsName } from "./names";
import { readCertificate } from "./readCertificate";

/** Sizes that New-ExchangeCertificate and every Windows in question can handle, from the smallest still allowed. */
const SELF_SIGNED_KEY_SIZES = [2048, 3072, 4096] as const;

export interface SelfSignedWish {
  /** `CN=mail.contoso.com, O=Contoso, C=US`; by default the first DNS name that fits becomes the common name. */
  readonly subject?: string | undefined;
  readonly dnsNames: readonly string[];
  /** Counted from now; 1 to 36500. */
  readonly validityDays: number;
  /** RSA, bits: 2048, 3072 or 4096. */
  readonly keySize: number;
}

export interface SelfSignedProblem {
  readonly property: keyof SelfSignedWish;
  readonly problem: string;
}

/**
 * How long before now a made certificate begins to be valid. A server whose clock is behind ours would otherwise call
 * it not yet valid right after it was made. Kerberos allows five minutes within a domain; a pipeline's machine may be
 * outside of it, so that one hour is what public certificate authorities use too.
 */
const BACKDATED_MS = 60 * 60 * 1000;
/** The limit of a common name (RFC 5280 appendix A.1). */
const MAX_COMMON_NAME = 64;
const MAX_VALIDITY_DAYS = 36_500;

/** Everything that is wrong with a wish, for a check before anything is made. */
export function problemsOfSelfSigned(wish: SelfSignedWish): readonly SelfSignedProblem[] {
  const problems: SelfSignedProblem[] = [];
  const subject = subjectOf(wish);
  if ("problem" in subject) problems.push({ property: "subject", problem: subject.problem });
  for (const name of wish.dnsNames) {
    if (!looksLikeDnsName(toAscii(name)))
      problems.push({ property: "dnsNames", problem: `"${name}" is not a DNS name` });
  }
  if (!Number.isInteger(wish.validityDays) || wish.validityDays < 1 || wish.validityDays > MAX_VALIDITY_DAYS) {
    problems.push({ property: "validityDays", problem: `must be a whole number from 1 to ${MAX_VALIDITY_DAYS}` });
  }
  if (!SELF_SIGNED_KEY_SIZES.some((size) => size === wish.keySize)) {
    problems.push({ property: "keySize", problem: `must be one of ${SELF_SIGNED_KEY_SIZES.join(", ")}` });
  }
  return problems;
}

/**
 * Makes an RSA key and a self-signed server certificate for it: SHA-256, DNS names as SAN, digital signature and key
 * encipherment, server authentication, not an authority.
 *
 * @throws ExchangeBindingError `SelfSignedInvalid`, with every problem
 */
export async function makeSelfSigned(
  wish: SelfSignedWish,
  env: { readonly now: Date; readonly randomBytes: (size: number) => Buffer },
): Promise<CertificateMaterial> {
  const problems = problemsOfSelfSigned(wish);
  const subject = subjectOf(wish);
  if (problems.length > 0 || "problem" in subject) {
    throw new ExchangeBindingError(
      "SelfSignedInvalid",
      `Making a self-signed certificate: ${problems.map(({ property, problem }) => `${property}: ${problem}`).join("; ")}. ` +
        "Correct these properties.",
      { facts: { properties: problems.map(({ property }) => property) } },
    );
  }
  const { privateKey, publicKey } = await promisify(generateKeyPair)("rsa", { modulusLength: wish.keySize });
  const der = buildCertificate(
    {
      subject: subject.name,
      publicKey,
      dnsNames: wish.dnsNames.map(toAscii),
      notBefore: new Date(env.now.getTime() - BACKDATED_MS),
      notAfter: new Date(env.now.getTime() + wish.validityDays * DAY_MS),
      serialNumber: serialNumber(env.randomBytes(16)),
      isAuthority: false,
    },
    { privateKey, certificate: undefined },
  );
  return { der, facts: readCertificate(der), chain: [], privateKey: new Secret(privateKey), notices: [] };
}

function subjectOf(wish: SelfSignedWish): { readonly name: DistinguishedName } | { readonly problem: string } {
  if (wish.subject !== undefined) return parseDistinguishedName(wish.subject);
  const commonName = wish.dnsNames.map(toAscii).find((name) => name.length <= MAX_COMMON_NAME);
  if (commonName !== undefined) return { name: [[{ oid: COMMON_NAME, value: commonName }]] };
  return { problem: `needed, because no DNS name has at most ${MAX_COMMON_NAME} characters` };
}

/** A SAN holds ASCII only; names with other letters go in as `xn--…`. Empty when that is impossible. */
function toAscii(name: string): string {
  return /^[\u0020-\u007E]*$/.test(name) ? name : domainToASCII(name);
}

/** Positive and always of the same length: the first bit is 0 and the second is 1. */
function serialNumber(random: Buffer): Uint8Array {
  const bytes = new Uint8Array(random);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}
