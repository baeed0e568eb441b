import { ExchangeCertificateBinding } from "pulumi-exchange-certificates";

const mail = new ExchangeCertificateBinding("mail", {
  server: "ex01.contoso.com",
  certificate: { selfSigned: { dnsNames: ["mail.contoso.com", "autodiscover.contoso.com"] } },
  services: ["IIS", "SMTP"],
});

export const validUntil = mail.notAfter;
