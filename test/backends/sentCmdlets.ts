import type { EnableRequest, ImportRequest } from "../../provider/backends/backend";
import * as cmdlets from "../../provider/backends/cmdlets";
import { SNAPSHOT_CMDLETS, UM_CMDLETS } from "../../provider/backends/serverSnapshot";
import { EX01 } from "./simulatedServer";

type SentCmdlets = Readonly<Record<Exclude<keyof typeof cmdlets, "CERTIFICATE_PROJECTION">, readonly cmdlets.Sent[]>>;

/** Every cmdlet that the code has, with every parameter it may have: a new one is missing here until it is added. */
export function sentCmdlets(importing: ImportRequest): SentCmdlets {
  const { thumbprint } = importing;
  const enabling: EnableRequest = {
    thumbprint,
    services: ["IIS", "SMTP"],
    replaceDefaultSmtpCertificate: true,
    requireSsl: false,
  };
  return {
    GET_SERVERS: [cmdlets.GET_SERVERS],
    question: [
      "Get-ExchangeCertificate" as const,
      ...Object.values(SNAPSHOT_CMDLETS),
      ...Object.values(UM_CMDLETS),
    ].map((one) => cmdlets.question(one, EX01)),
    importCertificate: [
      cmdlets.importCertificate(EX01, importing),
      cmdlets.importCertificate(EX01, { ...importing, friendlyName: undefined, privateKeyExportable: false }),
    ],
    enableCertificate: [
      cmdlets.enableCertificate(EX01, enabling),
      cmdlets.enableCertificate(EX01, { ...enabling, services: ["POP"], requireSsl: true }),
    ],
    setCertificateName: [
      cmdlets.setCertificateName(EX01, "IMAP", "imap.contoso.com"),
      cmdlets.setCertificateName(EX01, "POP", undefined),
    ],
    setConnectorCertificate: [
      cmdlets.setConnectorCertificate("send", "To partner", "<I>CN=CA<S>CN=mail.contoso.com"),
      cmdlets.setConnectorCertificate("send", "To partner", undefined),
      cmdlets.setConnectorCertificate("receive", "EX01\\Relay", "<I>CN=CA<S>CN=mail.contoso.com"),
      cmdlets.setConnectorCertificate("receive", "EX01\\Relay", undefined),
    ],
    removeCertificate: [cmdlets.removeCertificate(EX01, thumbprint)],
  };
}
