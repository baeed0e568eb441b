/*
 * Exchange's cmdlets as we use them, one record each: what is sent, who may, what is impossible without. Roles hide
 * cmdlets and parameters from an account: what it may not do doesn't exist for it.
 */

/** Exchange's management roles that hold the cmdlets which are sent. Source: Microsoft's pages on built-in roles. */
const ROLES = {
  certificates: "Exchange Server Certificates",
  view: "View-Only Configuration",
  popAndImap: "POP3 And IMAP4 Protocols",
  sendConnectors: "Send Connectors",
  receiveConnectors: "Receive Connectors",
} as const;

interface UsedCmdlet {
  /** All that are ever sent; of one that reads, those whose value is the server. */
  readonly parameters: readonly string[];
  /** A role that holds it. */
  readonly role: string;
  /** What is impossible or unknown without it; left out where only old versions have it, and reading tells. */
  readonly without?: string;
  /** Without it nothing can be read at all. */
  readonly isVital?: boolean;
}

export const USED_CMDLETS = {
  "Get-ExchangeCertificate": {
    parameters: ["Server"],
    role: ROLES.certificates,
    without: "no certificate can be seen, so nothing works",
    isVital: true,
  },
  "Import-ExchangeCertificate": {
    parameters: ["Server", "FileData", "Password", "PrivateKeyExportable", "FriendlyName"],
    role: ROLES.certificates,
    without: "no certificate can be imported; previews work",
  },
  "Enable-ExchangeCertificate": {
    parameters: ["Server", "Thumbprint", "Services", "DoNotRequireSsl"],
    role: ROLES.certificates,
    without: "no service can be given a certificate; previews work",
  },
  "Remove-ExchangeCertificate": {
    parameters: ["Server", "Thumbprint", "Confirm"],
    role: ROLES.certificates,
    without: 'no import can be taken back, and with onDelete: "remove" no certificate can be removed',
  },
  "Get-ExchangeServer": {
    parameters: ["Identity"],
    role: ROLES.view,
    without: "the server's version is unknown, and with it what the version allows",
  },
  "Get-TransportService": {
    parameters: ["Identity"],
    role: ROLES.view,
    without: "the default SMTP certificate is unknown, so SMTP is refused",
  },
  "Get-ImapSettings": {
    parameters: ["Server"],
    role: ROLES.view,
    without: "the certificate name of IMAP is unknown",
  },
  "Get-PopSettings": {
    parameters: ["Server"],
    role: ROLES.view,
    without: "the certificate name of POP is unknown",
  },
  "Get-ReceiveConnector": {
    parameters: ["Server"],
    role: ROLES.view,
    without: "it isn't told which receive connectors name a certificate that is replaced",
  },
  "Get-SendConnector": {
    parameters: [],
    role: ROLES.view,
    without: "it isn't told which send connectors name a certificate that is replaced",
  },
  "Get-AuthConfig": {
    parameters: [],
    role: ROLES.view,
    without: "it isn't known which certificate is the Auth certificate",
  },
  "Get-FederationTrust": {
    parameters: [],
    role: ROLES.view,
    without: "it isn't known which certificate the federation trust uses",
  },
  "Get-EdgeSubscription": {
    parameters: [],
    role: ROLES.view,
    without: "it isn't told which Edge servers have to be subscribed again",
  },
  "Get-UMService": { parameters: ["Identity"], role: ROLES.view },
  "Get-UMCallRouterSettings": { parameters: ["Server"], role: ROLES.view },
  "Set-ImapSettings": {
    parameters: ["Server", "X509CertificateName"],
    role: ROLES.popAndImap,
    without: "imapCertificateName can't be set; needed only where it is declared",
  },
  "Set-PopSettings": {
    parameters: ["Server", "X509CertificateName"],
    role: ROLES.popAndImap,
    without: "popCertificateName can't be set; needed only where it is declared",
  },
  "Set-SendConnector": {
    parameters: ["Identity", "TlsCertificateName"],
    role: ROLES.sendConnectors,
    without: "send connectors can't follow a certificate; needed only where connectors are declared",
  },
  "Set-ReceiveConnector": {
    parameters: ["Identity", "TlsCertificateName"],
    role: ROLES.receiveConnectors,
    without: "receive connectors can't follow a certificate; needed only where connectors are declared",
  },
} as const satisfies Readonly<Record<string, UsedCmdlet>>;

export type UsedCmdletName = keyof typeof USED_CMDLETS;

/** What may be sent with a cmdlet. */
export type SentParameter<Name extends UsedCmdletName> = (typeof USED_CMDLETS)[Name]["parameters"][number];

/** What to give an account that doesn't see the cmdlet: a role that holds it. */
export function roleFor(cmdlet: string): string {
  const used: UsedCmdlet | undefined = Object.hasOwn(USED_CMDLETS, cmdlet)
    ? USED_CMDLETS[cmdlet as UsedCmdletName]
    : undefined;
  return used === undefined ? `a role that holds ${cmdlet}` : `the role ${used.role}`;
}
