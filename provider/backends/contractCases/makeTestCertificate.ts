import { randomBytes } from "node:crypto";
import { packPfx } from "../../certificate/packPfx";
import { makeSelfSigned } from "../../certificate/selfSigned";
import { Secret } from "../../secret";
import type { TestCertificate, TestCertificateWish } from "./harness";

/** A self-signed certificate for a year with a new RSA key of 2048 bits, packed with a random password. */
export async function makeTestCertificate({ dnsNames }: TestCertificateWish): Promise<TestCertificate> {
  const material = await makeSelfSigned(
    { dnsNames, validityDays: 365, keySize: 2048 },
    { now: new Date(), randomBytes },
  );
  const password = new Secret(randomBytes(18).toString("base64url"));
  return {
    thumbprint: material.facts.thumbprint,
    pfx: packPfx(material, password),
    password,
    dnsNames: material.facts.dnsNames,
  };
}
