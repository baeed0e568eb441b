import * as pulumi from "@pulumi/pulumi";
import { ExchangeCertificateBinding } from "pulumi-exchange-certificates";

const config = new pulumi.Config();

const mail = new ExchangeCertificateBinding("mail", {
  server: "ex01.contoso.com",
  certificate: { pfxFile: config.require("pfxFile"), passwordEnv: "MAIL_PFX_PASSWORD" },
  services: ["IIS", "SMTP"],
});

export const validUntil = mail.notAfter;
