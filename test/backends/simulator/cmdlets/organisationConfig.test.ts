import { openLab, organisation, server } from "../lab";

const A = "A".repeat(40);
const B = "B".repeat(40);

describe("the cmdlets about the organisation", () => {
  it("show the Auth certificates", () => {
    const authConfig = {
      currentCertificate: A,
      previousCertificate: null,
      nextCertificate: B,
      nextCertificateEffectiveDate: "2026-12-01T00:00:00.000Z",
    };
    expect(openLab(organisation([server()], { authConfig })).output("Get-AuthConfig")).toEqual([
      {
        CurrentCertificateThumbprint: A,
        PreviousCertificateThumbprint: null,
        NextCertificateThumbprint: B,
        NextCertificateEffectiveDate: new Date("2026-12-01T00:00:00Z"),
        ServiceName: "00000002-0000-0ff1-ce00-000000000000",
        Identity: "Auth Configuration",
      },
    ]);
  });

  it("show no federation trust, or the one with its thumbprints", () => {
    expect(openLab(server()).output("Get-FederationTrust")).toEqual([]);
    const federationTrust = {
      name: "Microsoft Federation Gateway",
      currentCertificate: A,
      previousCertificate: null,
      nextCertificate: B,
    };
    const [trust] = openLab(organisation([server()], { federationTrust })).output("Get-FederationTrust");
    expect(trust).toMatchObject({
      OrgPrivCertificate: A,
      OrgPrevPrivCertificate: null,
      OrgNextPrivCertificate: B,
    });
  });

  it("show the Edge subscriptions with their sites", () => {
    const edgeSubscriptions = [
      { name: "EDGE01", site: "contoso.com/Configuration/Sites/Default-First-Site-Name" },
      { name: "EDGE02", site: "contoso.com/Configuration/Sites/Branch" },
    ];
    const lab = openLab(organisation([server()], { edgeSubscriptions }));
    expect(lab.output("Get-EdgeSubscription").map((one) => one["Name"])).toEqual(["EDGE01", "EDGE02"]);
    expect(lab.output("Get-EdgeSubscription", { Identity: "edge02" })[0]?.["Site"]).toContain("Branch");
  });
});
