import { randomBytes } from "node:crypto";
import { packPfx } from "../../provider/certificate/packPfx";
import { Secret } from "../../provider/secret";
import { makeTestAuthority, makeTestCertificate } from "../certificate/testCertificates";
import type { DynamicProvider, Properties } from "./dynamicProvider";
import { called } from "../identities";

/** A binding of a certificate made for the test, on one server. */
export interface MailBinding {
  /** Inputs as a program gives them: SMTP alone, unless told otherwise. */
  readonly inputs: (more?: Properties) => Properties;
  readonly thumbprint: string;
  /** In base64. */
  readonly pfx: string;
  readonly password: string;
  /** Neither may be printed anywhere. */
  readonly secrets: readonly string[];
}

export function makeMailBinding(server: string): MailBinding {
  const password = `pw-${randomBytes(12).toString("hex")}`;
  const material = makeTestCertificate({ dnsNames: ["mail.contoso.com"], issuer: makeTestAuthority() });
  const pfx = Buffer.from(packPfx(material, new Secret(password)).reveal()).toString("base64");
  return {
    inputs: (more = {}) => ({
      server,
      certificate: { pfx, password },
      services: ["SMTP"],
      ...called("mail"),
      ...more,
    }),
    thumbprint: material.facts.thumbprint,
    pfx,
    password,
    secrets: [password, pfx.slice(100, 140)],
  };
}

/** The inputs as the provider normalises them; they have to be right. */
export async function checked(provider: DynamicProvider, news: Properties, olds: Properties = {}): Promise<Properties> {
  const { inputs, failures } = await provider.check(olds, news);
  expect(failures).toEqual([]);
  return inputs;
}
