import * as pulumi from "@pulumi/pulumi";
import { ExchangeCertificateBinding } from "pulumi-exchange-certificates";

// The call router takes a certificate only when its start-up mode is TLS or Dual; the README shows how to set that.
const callRouter = new pulumi.Config().requireBoolean("callRouter");

const um = new ExchangeCertificateBinding("um", {
  server: "ex02.contoso.com",
  certificate: { selfSigned: { dnsNames: ["um.contoso.com"] } },
  services: callRouter ? ["SMTP", "UM", "UMCallRouter"] : ["SMTP", "UM"],
});

export const held = um.heldServices;
export const stillToDo = um.followUps;
