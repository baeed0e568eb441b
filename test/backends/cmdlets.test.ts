import * as cmdlets from "../../provider/backends/cmdlets";
import { CMDLETS, findCmdlet } from "../../provider/backends/simulator/cmdletDefinitions";
import { roleFor, USED_CMDLETS, type UsedCmdletName } from "../../provider/backends/usedCmdlets";
import { SERVICES } from "../../provider/model";
import type { Thumbprint } from "../../provider/certificate/thumbprint";
import { Secret } from "../../provider/secret";
import { sentCmdlets } from "./sentCmdlets";
import { EX01 } from "./simulatedServer";

const importing = {
  thumbprint: "AB".repeat(20) as Thumbprint,
  pfx: new Secret(new Uint8Array(1)),
  password: new Secret("x"),
  friendlyName: "mail",
  privateKeyExportable: true,
};
const SENT = sentCmdlets(importing);
const all = Object.values(SENT).flat();

describe("the cmdlets that are sent", () => {
  it.each(Object.keys(USED_CMDLETS) as UsedCmdletName[])(
    "have in their record what is sent, and no more: %s",
    (name) => {
      const parameters = all.filter((one) => one.name === name).flatMap((one) => Object.keys(one.parameters));
      expect([...new Set(parameters)].sort()).toEqual([...USED_CMDLETS[name].parameters].sort());
    },
  );

  it("leave out what has no value, and clear with $null", () => {
    expect(SENT.importCertificate[1]?.parameters).not.toHaveProperty("FriendlyName");
    expect(SENT.enableCertificate[1]?.parameters).not.toHaveProperty("DoNotRequireSsl");
    expect(SENT.setCertificateName[1]?.parameters).toEqual({ Server: EX01, X509CertificateName: null });
  });

  it("name the server, or a connector of the organisation", () => {
    for (const { name, parameters } of all.filter((one) => one !== cmdlets.GET_SERVERS)) {
      const values = Object.values(parameters);
      const isAboutAll = /^Get-(?:SendConnector|AuthConfig|FederationTrust|EdgeSubscription)$/.test(name);
      const isConnector = /^Set-(?:Send|Receive)Connector$/.test(name);
      expect([name, values.includes(EX01)]).toEqual([name, !isAboutAll && !isConnector]);
    }
  });

  it("are known to the simulator, with all of their parameters", () => {
    for (const { name, parameters } of all) {
      expect(findCmdlet(name)?.parameters.map((one) => one.name)).toEqual(
        expect.arrayContaining(Object.keys(parameters)),
      );
    }
  });

  it("of a service's settings are what the table of services says", () => {
    const nouns = Object.values(SERVICES).flatMap((row) => ("settings" in row ? [row.settings] : []));
    const names = CMDLETS.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(nouns.flatMap((noun) => [`Get-${noun}`, `Set-${noun}`])));
  });
});

it("whoever doesn't see a cmdlet is told a role that holds it, or at least what to look for", () => {
  expect(roleFor("Set-PopSettings")).toBe("the role POP3 And IMAP4 Protocols");
  expect(roleFor("Get-Something")).toBe("a role that holds Get-Something");
});
