import * as pulumi from "@pulumi/pulumi";
import { ExchangeCertificateBinding } from "pulumi-exchange-certificates";

// One list for both: the provider reads these servers ahead, and the program binds the certificate on each of them.
const servers = new pulumi.Config("exchange").requireObject<string[]>("servers");

/** What the certificate holds on each server. */
export const held: Record<string, pulumi.Output<string[]>> = {};

for (const server of servers) {
  const binding = new ExchangeCertificateBinding(`mail-${server.split(".")[0]}`, {
    server,
    certificate: { pfxFile: "mail.pfx", passwordEnv: "MAIL_PFX_PASSWORD" },
    services: ["IIS", "SMTP", "IMAP", "POP"],
  });
  held[server] = binding.heldServices;
}
