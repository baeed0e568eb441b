import * as pulumi from "@pulumi/pulumi";
import { ExchangeCertificateBinding } from "pulumi-exchange-certificates";

const servers = new pulumi.Config("exchange").requireObject<string[]>("servers");
if (servers.length === 0) throw new Error("exchange:servers is empty: name the servers, the one to begin with first.");
const [first, ...others] = servers;

function bind(server: string, after: pulumi.Resource[]): ExchangeCertificateBinding {
  return new ExchangeCertificateBinding(
    `mail-${server.split(".")[0]}`,
    {
      server,
      certificate: { pfxFile: "mail.pfx", passwordEnv: "MAIL_PFX_PASSWORD" },
      services: ["IIS", "SMTP"],
    },
    { dependsOn: after },
  );
}

// The others wait for the first: what goes wrong there doesn't happen on all of them.
const pilot = bind(first, []);
const rest = others.map((server) => bind(server, [pilot]));

export const validUntil = pilot.notAfter;
/** What an operator should still do, by server. */
export const stillToDo = Object.fromEntries([pilot, ...rest].map((one, index) => [servers[index], one.followUps]));
