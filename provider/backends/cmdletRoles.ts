/** Exchange's management roles that hold the cmdlets which are sent. Source: Microsoft's pages on built-in roles. */
export const ROLES = {
  certificates: "Exchange Server Certificates",
  view: "View-Only Configuration",
  popAndImap: "POP3 And IMAP4 Protocols",
  sendConnectors: "Send Connectors",
  receiveConnectors: "Receive Connectors",
} as const;

const ROLE_OF_SETTERS: Readonly<Record<string, string>> = {
  "Set-ImapSettings": ROLES.popAndImap,
  "Set-PopSettings": ROLES.popAndImap,
  "Set-SendConnector": ROLES.sendConnectors,
  "Set-ReceiveConnector": ROLES.receiveConnectors,
};

/** A role that holds the cmdlet. */
export function roleOf(cmdlet: string): string {
  const setter = ROLE_OF_SETTERS[cmdlet];
  if (setter !== undefined) return setter;
  return cmdlet.startsWith("Get-") && cmdlet !== "Get-ExchangeCertificate" ? ROLES.view : ROLES.certificates;
}
