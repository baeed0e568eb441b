import { ExchangeCertificateBinding } from "pulumi-exchange-certificates";

// Exchange can't enable a wildcard certificate for IMAP and POP. What these two serve goes by a name instead: the
// certificate that covers the name is used (Set-ImapSettings and Set-PopSettings, X509CertificateName).
const wildcard = new ExchangeCertificateBinding("wildcard", {
  server: "ex01.contoso.com",
  certificate: { selfSigned: { dnsNames: ["*.contoso.com", "contoso.com"] } },
  services: ["IIS", "SMTP", "IMAP", "POP"],
  imapCertificateName: "imap.contoso.com",
  popCertificateName: "pop.contoso.com",
});

export const held = wildcard.heldServices;
/** What Get-ExchangeCertificate shows: not IMAP and POP, although the certificate serves them. */
export const displayed = wildcard.displayedServices;
