import { ExchangeCertificateBinding } from "pulumi-exchange-certificates";

// A certificate for the names that clients use, made by the program itself so that the example needs no files.
// In real life: certificate: { pfxFile: "mail.pfx", passwordEnv: "MAIL_PFX_PASSWORD" }.
const mail = new ExchangeCertificateBinding("mail", {
  server: "ex01.contoso.com",
  certificate: { selfSigned: { dnsNames: ["mail.contoso.com", "autodiscover.contoso.com"], validityDays: 90 } },
  services: ["IIS", "SMTP"],
});

export const thumbprint = mail.thumbprint;
export const held = mail.heldServices;
export const validUntil = mail.notAfter;
export const stillToDo = mail.followUps;
