import * as pulumi from "@pulumi/pulumi";
import { ExchangeCertificateBinding } from "pulumi-exchange-certificates";
import type { ServiceName } from "pulumi-exchange-certificates";

// What changes from run to run comes from the stack's configuration: the file a certificate authority's client has
// written, and the services. The password stays in the environment and gets neither into the program nor the state.
const config = new pulumi.Config();

const mail = new ExchangeCertificateBinding("mail", {
  server: config.require("server"),
  certificate: { pfxFile: config.require("pfxFile"), passwordEnv: "MAIL_PFX_PASSWORD" },
  services: config.requireObject<ServiceName[]>("services"),
  renewBeforeDays: 15,
});

export const thumbprint = mail.thumbprint;
export const validUntil = mail.notAfter;
export const held = mail.heldServices;
export const staysBehind = mail.staysBehind;
