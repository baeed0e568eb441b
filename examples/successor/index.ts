import * as pulumi from "@pulumi/pulumi";
import { ExchangeCertificateBinding } from "pulumi-exchange-certificates";

const server = "ex01.contoso.com";
const ownWebCertificate = new pulumi.Config().requireBoolean("ownWebCertificate");

const web = ownWebCertificate
  ? new ExchangeCertificateBinding("web", {
      server,
      certificate: { selfSigned: { dnsNames: ["web.contoso.com"] } },
      services: ["IIS"],
    })
  : undefined;

// First one certificate for both services. Once there is another one for IIS, this one gives IIS up to it: without a
// successor the preview would refuse that, because Exchange can't take a service away from a certificate.
const mail = new ExchangeCertificateBinding("mail", {
  server,
  certificate: { selfSigned: { dnsNames: ["mail.contoso.com"] } },
  services: web === undefined ? ["IIS", "SMTP"] : ["SMTP"],
  successor: web?.thumbprint,
});

export const heldByMail = mail.heldServices;
export const heldByWeb = web?.heldServices ?? [];
