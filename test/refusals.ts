import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EX01, EX02, makePfx, type TestPfx } from "./engine/bindingProgram";
import type { Properties } from "./process/dynamicProvider";

const fixture = (name: string): string =>
  readFileSync(join(__dirname, "certificate", "fixtures", name)).toString("base64");
const FIXTURE_PASSWORD = "exchange-test";
const pfx = makePfx();
const wildcard = makePfx({ dnsNames: ["*.contoso.com"] });
const contents = ({ base64, password }: TestPfx): Properties => ({ pfx: base64, password });
const mail = (
  certificate: Properties,
  services: readonly string[],
  more: Properties = {},
  server = EX01,
): Properties => ({ server, certificate, services: [...services], ...more });

export interface Refusal {
  readonly what: string;
  /** As a program gives them. */
  readonly inputs: Properties;
  /** The top-level property at fault. */
  readonly property: string;
  /** The reason and the way out. */
  readonly says: readonly string[];
  /** Also asked in the real CLI, for the form in which the engine shows it. */
  readonly inEngine?: true;
}

export const REFUSALS: readonly Refusal[] = [
  {
    what: "an unknown service",
    inputs: mail(contents(pfx), ["IIS", "FTP"]),
    property: "services",
    says: ['"FTP" isn\'t a service', "IIS, IMAP, POP, SMTP, UM, UMCallRouter"],
    inEngine: true,
  },
  {
    what: "no service",
    inputs: mail(contents(pfx), []),
    property: "services",
    says: ["the list is empty", "remove the resource"],
  },
  {
    what: "a malformed thumbprint",
    inputs: mail({ thumbprint: "12 34" }, ["SMTP"]),
    property: "certificate",
    says: ["isn't a thumbprint", "Get-ExchangeCertificate"],
  },
  {
    what: "a server by its short name",
    inputs: mail(contents(pfx), ["SMTP"], {}, "EX01"),
    property: "server",
    says: ["isn't a server's fully qualified name", "ex01.contoso.com"],
  },
  {
    what: "a server nobody knows",
    inputs: mail(contents(pfx), ["SMTP"], {}, "ex99.contoso.com"),
    property: "server",
    says: ["ex99.contoso.com"],
    inEngine: true,
  },
  {
    what: "no source",
    inputs: mail({}, ["SMTP"]),
    property: "certificate",
    says: ["no source is given", "exactly one of"],
  },
  {
    what: "two sources",
    inputs: mail({ thumbprint: pfx.thumbprint, pfx: "AAAA" }, ["SMTP"]),
    property: "certificate",
    says: ["thumbprint and pfx are given together"],
  },
  {
    what: "a broken PFX",
    inputs: mail({ pfx: "AAAA", password: "x" }, ["SMTP"]),
    property: "certificate",
    says: ["PFX"],
  },
  {
    what: "a wrong password",
    inputs: mail({ pfx: pfx.base64, password: "not it" }, ["SMTP"]),
    property: "certificate",
    says: ["password"],
    inEngine: true,
  },
  {
    what: "a PFX without a key",
    inputs: mail({ pfx: fixture("certificate-only.pfx"), password: FIXTURE_PASSWORD }, ["SMTP"]),
    property: "certificate",
    says: ["key"],
  },
  {
    what: "a key that doesn't fit the certificate",
    inputs: mail({ pem: { certificate: pfx.certificatePem, privateKey: makePfx({ key: "rsa2048b" }).privateKeyPem } }, [
      "SMTP",
    ]),
    property: "certificate",
    says: ["the private key belongs to none of the certificates"],
  },
  {
    what: "IMAP on a wildcard certificate without a name",
    inputs: mail(contents(wildcard), ["IMAP"]),
    property: "imapCertificateName",
    says: ["can't be enabled for a wildcard certificate", "Set-ImapSettings"],
  },
  {
    what: "POP with a name that the certificate doesn't cover",
    inputs: mail(contents(wildcard), ["POP"], { popCertificateName: "pop.fabrikam.com" }),
    property: "popCertificateName",
    says: ["pop.fabrikam.com isn't a name of the certificate"],
  },
  {
    what: "the default SMTP role without SMTP",
    inputs: mail(contents(pfx), ["IIS"], { replaceDefaultSmtpCertificate: true }),
    property: "replaceDefaultSmtpCertificate",
    says: ["Add SMTP to services"],
  },
  {
    what: "a certificate that nobody brings",
    inputs: mail({ thumbprint: "A".repeat(40) }, ["SMTP"]),
    property: "certificate",
    says: [`isn't on ${EX01}`, "pfxFile"],
  },
  {
    what: "an expired certificate",
    inputs: mail(contents(makePfx({ notAfter: new Date("2025-06-01T00:00:00Z") })), ["SMTP"]),
    property: "certificate",
    says: ["expired on 2025-06-01", "Give a renewed certificate"],
    inEngine: true,
  },
  {
    what: "a certificate that isn't valid yet",
    inputs: mail(contents(makePfx({ notBefore: new Date("2044-01-01T00:00:00Z") })), ["SMTP"]),
    property: "certificate",
    says: ["valid only from 2044-01-01"],
  },
  {
    what: "UM on Exchange 2019",
    inputs: mail(contents(pfx), ["UM"]),
    property: "services",
    says: ["Unified Messaging ended with Exchange 2016"],
  },
  {
    what: "an ECC certificate where it can't be used",
    inputs: mail(contents(makePfx({ key: "ecc" })), ["SMTP"], {}, EX02),
    property: "certificate",
    says: ["ECC key", "RSA certificate"],
  },
  {
    what: "what nobody knows how to do on delete",
    inputs: mail(contents(pfx), ["SMTP"], { onDelete: "delete" }),
    property: "onDelete",
    says: ['"retain"', '"remove"'],
  },
  {
    what: "days until a removal that isn't asked for",
    inputs: mail(contents(pfx), ["SMTP"], { removeAfterDays: 7 }),
    property: "removeAfterDays",
    says: ["a replaced certificate", 'onDelete: "remove"'],
  },
  {
    what: "an input that doesn't exist",
    inputs: mail(contents(pfx), ["SMTP"], { replaceDefaultSmtp: "yes" }),
    property: "replaceDefaultSmtp",
    says: ["isn't an input", "did you mean replaceDefaultSmtpCertificate?"],
    inEngine: true,
  },
];
