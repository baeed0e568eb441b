import type { CertificateMaterial } from "../../../provider/certificate/material";
import type { Script, ScriptValue, Step } from "./psrpcoreServer";

/** How an Exchange server would answer: psrpcore serialises it, so nothing of it is ours but the facts. */

const objects = (...values: readonly ScriptValue[]): readonly Step[] => values.map((output) => ({ output }));

const exchangeObject = (
  kind: string,
  text: string,
  properties: Readonly<Record<string, ScriptValue>>,
): ScriptValue => ({
  types: [`Microsoft.Exchange.Data.Directory.${kind}`, "System.Object"],
  text,
  properties,
});

/** A value of an enum, as PowerShell shows it where the type isn't sent along. */
const word = (text: string): ScriptValue => text;

export interface ScriptedCertificate {
  readonly material: CertificateMaterial;
  /** As Exchange prints them, `IMAP, POP, IIS, SMTP`. */
  readonly services: string;
  readonly iisServices?: readonly string[];
  readonly friendlyName?: string;
  readonly status?: string;
}

/** The properties of a certificate that are asked for, and its type. */
function certificate(server: string, one: ScriptedCertificate): readonly [string, Record<string, ScriptValue>] {
  const { thumbprint } = one.material.facts;
  return [
    "Microsoft.Exchange.Management.SystemConfigurationTasks.ExchangeCertificate",
    {
      Thumbprint: thumbprint,
      Services: word(one.services),
      IISServices: (one.iisServices ?? []).map((text) => ({ text, properties: { ServiceName: text } })),
      Status: word(one.status ?? "Valid"),
      FriendlyName: one.friendlyName ?? "",
      HasPrivateKey: true,
      PrivateKeyExportable: false,
      IsSelfSigned: true,
      RootCAType: word("None"),
      Identity: `${server}\\${thumbprint}`,
      RawData: { bytes: Buffer.from(one.material.der).toString("base64") },
    },
  ];
}

/** What Get-ExchangeCertificate and Select-Object make of them. */
export function projected(server: string, certificates: readonly ScriptedCertificate[]): readonly Step[] {
  return objects(
    ...certificates.map((one) => {
      const [type, notes] = certificate(server, one);
      return { types: [`Selected.${type}`, "System.Management.Automation.PSCustomObject"], notes };
    }),
  );
}

/** What Get-ExchangeCertificate alone makes of them. */
export function whole(server: string, certificates: readonly ScriptedCertificate[]): readonly Step[] {
  return objects(
    ...certificates.map((one) => {
      const [type, properties] = certificate(server, one);
      return { types: [type, "System.Object"], text: "[Subject]", properties };
    }),
  );
}

/** A server in an organisation of its own; `certificates` says how they are told about. */
export function exchangeScript(
  server: string,
  facts: { readonly version: string; readonly defaultSmtp: string },
  certificates: Script,
): Script {
  const [host = server] = server.toUpperCase().split(".");
  const site = "contoso.com/Configuration/Sites/Default-First-Site-Name";
  return {
    ...certificates,
    "Get-ExchangeServer": objects(
      exchangeObject("Management.ExchangeServer", host, {
        Name: host,
        Fqdn: server,
        AdminDisplayVersion: { types: ["Microsoft.Exchange.Data.ServerVersion"], text: facts.version },
        Site: { types: ["Microsoft.Exchange.Data.Directory.ADObjectId"], text: site },
      }),
    ),
    "Get-TransportService": objects(
      exchangeObject("Management.TransportServer", host, {
        InternalTransportCertificateThumbprint: facts.defaultSmtp,
      }),
    ),
    "Get-ImapSettings": objects(
      exchangeObject("SystemConfiguration.Imap4AdConfiguration", `${host}\\1`, {
        X509CertificateName: "imap.contoso.com",
      }),
    ),
    "Get-PopSettings": objects(
      exchangeObject("SystemConfiguration.Pop3AdConfiguration", `${host}\\1`, { X509CertificateName: "" }),
    ),
    "Get-SendConnector": objects(
      exchangeObject("SystemConfiguration.SmtpSendConnectorConfig", "To the Internet", {
        Name: "To the Internet",
        Fqdn: { types: ["Microsoft.Exchange.Data.Fqdn"], text: "mail.contoso.com" },
        TlsCertificateName: { types: ["Microsoft.Exchange.Data.SmtpX509Identifier"], text: "<I>CN=CA<S>CN=mail" },
        SourceTransportServers: [{ types: ["Microsoft.Exchange.Data.Directory.ADObjectId"], text: host }],
      }),
    ),
    "Get-ReceiveConnector": objects(
      exchangeObject("SystemConfiguration.ReceiveConnector", `${host}\\Default ${host}`, {
        Identity: { types: ["Microsoft.Exchange.Data.Directory.ADObjectId"], text: `${host}\\Default ${host}` },
        Fqdn: { types: ["Microsoft.Exchange.Data.Fqdn"], text: server },
        TlsCertificateName: null,
      }),
    ),
    "Get-AuthConfig": objects(
      exchangeObject("SystemConfiguration.AuthConfig", "Auth Configuration", {
        CurrentCertificateThumbprint: "A".repeat(40),
        PreviousCertificateThumbprint: null,
        NextCertificateThumbprint: "",
      }),
    ),
    "Get-EdgeSubscription": objects(
      exchangeObject("Management.EdgeSyncServer", "EDGE01", { Name: "EDGE01", Site: { text: site } }),
      exchangeObject("Management.EdgeSyncServer", "EDGE02", { Name: "EDGE02", Site: { text: `${site}-2` } }),
    ),
    "Get-UMService": objects(exchangeObject("Management.UMServer", host, { UMStartupMode: word("Dual") })),
    "Get-UMCallRouterSettings": objects(
      exchangeObject("Management.UMCallRouter", host, { UMStartupMode: word("TLS") }),
    ),
  };
}
