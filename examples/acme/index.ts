import * as pulumi from "@pulumi/pulumi";
import { ExchangeCertificateBinding } from "pulumi-exchange-certificates";

const servers = new pulumi.Config("exchange").requireObject<string[]>("servers");

/** What renew.mjs has written: on every server the same certificate. */
export const thumbprints = servers.map((server) => {
  const [short = ""] = server.split(".");
  return new ExchangeCertificateBinding(`mail-${short}`, {
    server,
    certificate: {
      pemFiles: { certificateFile: "tls/cert.pem", privateKeyFile: "tls/key.pem", chainFile: "tls/chain.pem" },
    },
    services: ["IIS", "SMTP"],
    connectors: { send: ["Outbound to Internet"], receive: [`Default Frontend ${short.toUpperCase()}`] },
    onDelete: "remove",
    renewBeforeDays: 15,
  }).thumbprint;
});
