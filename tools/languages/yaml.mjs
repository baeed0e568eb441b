/** A program in YAML, which needs the plugin alone. */

import { says } from "./stage.mjs";

/** @typedef {import("./stage.mjs").Stage} Stage */

const TOKEN = "exchange:index:ExchangeCertificateBinding";

/**
 * @param {{ services?: string, options?: string, more?: string }} [wish]
 * @returns {string} Pulumi.yaml.
 */
export function yamlProgram({ services = "services: [IIS, SMTP]", options = "{}", more = "" } = {}) {
  return `
name: shop
runtime: yaml
config:
  exchange:backend: { value: simulator }
variables:
  seen:
    fn::invoke:
      function: exchange:getServer
      arguments: { server: ex01.contoso.com }
  found:
    fn::invoke:
      function: exchange:getCertificate
      arguments: { server: ex01.contoso.com, thumbprint: "\${mail.thumbprint}" }
resources:
  mail:
    type: exchange:ExchangeCertificateBinding
    properties:
      server: ex01.contoso.com
      certificate: { selfSigned: { dnsNames: [mail.contoso.com] } }
      ${services}
    options: ${options}
${more}
outputs:
  thumbprint: \${mail.thumbprint}
  version: \${seen.version}
  subject: \${found.subject}
`;
}

/** @param {Stage} stage */
export async function playYaml(stage) {
  const { pulumi, refused, simulator, writeFile } = stage;
  const declare = (/** @type {Parameters<typeof yamlProgram>[0]} */ wish) =>
    writeFile("Pulumi.yaml", yamlProgram(wish));

  declare({ services: "service: [IIS]" });
  says(await refused("preview"), /Missing required property 'services'/);
  declare({ services: "services: [FTP]" });
  says(await refused("preview"), /property services value .* has a problem: "FTP" isn't a service/);
  declare({ services: "services: [IIS, UM]" });
  says(await refused("preview"), /UM can't be enabled on ex01\.contoso\.com/);

  declare({});
  const up = await pulumi("up", "--yes");
  says(up, /made a new self-signed certificate for mail\.contoso\.com/);
  says(up, /version *: "15\.2\./);
  says(up, /subject *: "CN=mail\.contoso\.com"/);
  await stage.drift();
  says(await refused("preview", "--diff", "--expect-no-changes"), /services: \[\s+\+ \[\d\]: "IIS"/);
  await pulumi("up", "--yes", "--skip-preview");
  await pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes");

  // Reads take longer than the limit of the update, and aren't ended by it.
  await simulator("fault", "ex01.contoso.com", "slowMilliseconds", "3000");
  declare({ services: "services: [IIS, SMTP, IMAP]", options: "{ customTimeouts: { update: 1s } }" });
  const limited = await refused("up", "--yes", "--skip-preview");
  says(limited, /no end after 1 seconds?\..* customTimeouts\.update sets the limit/);
  await simulator("fault", "ex01.contoso.com", "off");
  await pulumi("up", "--yes", "--skip-preview");
}

/**
 * What is there already, by its id and from a file that this package has written. The code that the CLI prints has to be
 * right.
 *
 * @param {Stage} stage
 */
export async function importYaml(stage) {
  const { pulumi, refused, readFile, simulator } = stage;
  const [second, third] = ["ex02.contoso.com", "ex03.contoso.com"];
  await simulator("add-server", third);
  const id = `${second}/${await stage.ownCertificateOf(second)}`;
  says(await refused("import", TOKEN, "own", second, "--yes"), /An id is <server>\/<thumbprint>/);
  await pulumi("import", TOKEN, "own", id, "--yes", "--protect=false", "--out", "own.yaml");
  const file = await stage.certificates(
    ...["generate", "--backend", "simulator", "--simulator-file", ".exchange-simulator.json", "--server", third],
  );
  stage.writeFile("import.json", file.slice(file.indexOf("{"), file.lastIndexOf("}") + 1));
  await pulumi("import", "--file", "import.json", "--yes", "--protect=false", "--out", "others.yaml");
  const printed = ["own.yaml", "others.yaml"].map((name) => readFile(name).replace(/^resources:\n/, ""));
  says(printed.join("\n"), /- IMAP\n/);
  const services = "services: [IIS, SMTP, IMAP]";
  stage.writeFile("Pulumi.yaml", yamlProgram({ services, more: printed.join("\n") }));
  says(await pulumi("preview", "--expect-no-changes"), /4 unchanged/);
  await pulumi("destroy", "--yes", "--skip-preview");
}
