import { ROLES } from "../backends/cmdletRoles";

/**
 * What the account has to be let do. Roles hide cmdlets and parameters from an account: what it may not do doesn't
 * exist for it.
 */
export interface NeededCmdlet {
  readonly name: string;
  /** Those that are sent. */
  readonly parameters: readonly string[];
  /** A role that holds it. */
  readonly role: string;
  /** What is impossible or unknown without it. */
  readonly without: string;
  /** Without it nothing can be read at all. */
  readonly isVital?: boolean;
}

/** Those of unified messaging aren't among them: only old versions have them, and reading tells. */
export const NEEDED_CMDLETS: readonly NeededCmdlet[] = [
  {
    name: "Get-ExchangeCertificate",
    parameters: ["Server"],
    role: ROLES.certificates,
    without: "no certificate can be seen, so nothing works",
    isVital: true,
  },
  {
    name: "Import-ExchangeCertificate",
    parameters: ["Server", "FileData", "Password", "PrivateKeyExportable", "FriendlyName"],
    role: ROLES.certificates,
    without: "no certificate can be imported; previews work",
  },
  {
    name: "Enable-ExchangeCertificate",
    parameters: ["Server", "Thumbprint", "Services", "DoNotRequireSsl"],
    role: ROLES.certificates,
    without: "no service can be given a certificate; previews work",
  },
  {
    name: "Remove-ExchangeCertificate",
    parameters: ["Server", "Thumbprint"],
    role: ROLES.certificates,
    without: "an import that the server calls invalid can't be taken back",
  },
  {
    name: "Get-ExchangeServer",
    parameters: ["Identity"],
    role: ROLES.view,
    without: "the server's version is unknown, and with it what the version allows",
  },
  {
    name: "Get-TransportService",
    parameters: ["Identity"],
    role: ROLES.view,
    without: "the default SMTP certificate is unknown, so SMTP is refused",
  },
  {
    name: "Get-ImapSettings",
    parameters: ["Server"],
    role: ROLES.view,
    without: "the certificate name of IMAP is unknown",
  },
  {
    name: "Get-PopSettings",
    parameters: ["Server"],
    role: ROLES.view,
    without: "the certificate name of POP is unknown",
  },
  {
    name: "Get-ReceiveConnector",
    parameters: ["Server"],
    role: ROLES.view,
    without: "it isn't told which receive connectors name a certificate that is replaced",
  },
  {
    name: "Get-SendConnector",
    parameters: [],
    role: ROLES.view,
    without: "it isn't told which send connectors name a certificate that is replaced",
  },
  {
    name: "Get-AuthConfig",
    parameters: [],
    role: ROLES.view,
    without: "it isn't known which certificate is the Auth certificate",
  },
  {
    name: "Get-FederationTrust",
    parameters: [],
    role: ROLES.view,
    without: "it isn't known which certificate the federation trust uses",
  },
  {
    name: "Get-EdgeSubscription",
    parameters: [],
    role: ROLES.view,
    without: "it isn't told which Edge servers have to be subscribed again",
  },
  {
    name: "Set-ImapSettings",
    parameters: ["Server", "X509CertificateName"],
    role: ROLES.popAndImap,
    without: "imapCertificateName can't be set; needed only where it is declared",
  },
  {
    name: "Set-PopSettings",
    parameters: ["Server", "X509CertificateName"],
    role: ROLES.popAndImap,
    without: "popCertificateName can't be set; needed only where it is declared",
  },
  {
    name: "Set-SendConnector",
    parameters: ["Identity", "TlsCertificateName"],
    role: ROLES.sendConnectors,
    without: "send connectors can't follow a certificate; needed only where connectors are declared",
  },
  {
    name: "Set-ReceiveConnector",
    parameters: ["Identity", "TlsCertificateName"],
    role: ROLES.receiveConnectors,
    without: "receive connectors can't follow a certificate; needed only where connectors are declared",
  },
];
