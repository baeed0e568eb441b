import { makeTestCertificate } from "../../../certificate/testCertificates";
import { EXCHANGE_2013, EXCHANGE_2016, openLab, organisation, published, server } from "../lab";

const own = makeTestCertificate({ dnsNames: ["ex01.contoso.com"] });

describe("Get-ExchangeServer", () => {
  it("shows version, edition, role and site, and whether there is unified messaging", () => {
    const um = { startupMode: "TCP", certificate: null } as const;
    const lab = openLab(organisation([server(), server({ name: "EX02", version: EXCHANGE_2016, um })]));
    expect(lab.output("Get-ExchangeServer", { Identity: "EX01" })).toEqual([
      {
        Name: "EX01",
        Fqdn: "ex01.contoso.com",
        AdminDisplayVersion: "Version 15.2 (Build 1748.10)",
        Edition: "Standard",
        ServerRole: "Mailbox",
        Site: "contoso.com/Configuration/Sites/Default-First-Site-Name",
        IsMailboxServer: true,
        IsClientAccessServer: true,
        IsHubTransportServer: true,
        IsFrontendTransportServer: true,
        IsUnifiedMessagingServer: false,
        IsEdgeServer: false,
        Identity: "EX01",
      },
    ]);
    const all = lab.output("Get-ExchangeServer").map((one) => [one["Name"], one["IsUnifiedMessagingServer"]]);
    expect(all).toEqual([
      ["EX01", false],
      ["EX02", true],
    ]);
  });

  it("keeps the roles of 2013 and of Edge apart", () => {
    const roles = (changes: Parameters<typeof server>[0]) => {
      const [shown] = openLab(server(changes)).output("Get-ExchangeServer");
      return [shown?.["IsMailboxServer"], shown?.["IsClientAccessServer"], shown?.["IsEdgeServer"]];
    };
    expect(roles({ version: EXCHANGE_2013, roles: ["Mailbox"] })).toEqual([true, false, false]);
    expect(roles({ version: EXCHANGE_2013, roles: ["ClientAccess"] })).toEqual([false, true, false]);
    expect(roles({ roles: ["Edge"] })).toEqual([false, false, true]);
  });
});

describe("Get-TransportService", () => {
  it("shows the thumbprint in the attribute, also when that certificate is nowhere any more, and null when empty", () => {
    const lab = openLab(
      organisation([server({ internalTransportCertificate: published(own) }), server({ name: "EX02" })]),
    );
    const shown = lab.output("Get-TransportService");
    expect(shown.map((one) => one["InternalTransportCertificateThumbprint"])).toEqual([own.facts.thumbprint, null]);
    expect(lab.output("Get-TransportService", { Identity: "ex02.contoso.com" })).toHaveLength(1);
  });
});
