import * as pulumi from "@pulumi/pulumi";
import { ExchangeCertificateBinding } from "pulumi-exchange-certificates";
import type { ExchangeCertificateBindingArgs } from "pulumi-exchange-certificates";

interface FarmArgs {
  readonly servers: readonly string[];
  readonly certificate: ExchangeCertificateBindingArgs["certificate"];
}

/** One certificate on every server of a farm. */
class Farm extends pulumi.ComponentResource {
  constructor(name: string, args: FarmArgs, options?: pulumi.ComponentResourceOptions) {
    super("contoso:exchange:Farm", name, {}, options);
    for (const server of args.servers) {
      const host = server.split(".")[0] ?? server;
      new ExchangeCertificateBinding(
        host,
        { server, certificate: args.certificate, services: ["IIS", "SMTP"] },
        { parent: this },
      );
    }
  }
}

new Farm("north", {
  servers: ["ex01.contoso.com", "ex02.contoso.com"],
  certificate: { pfxFile: "mail.pfx", passwordEnv: "MAIL_PFX_PASSWORD" },
});
