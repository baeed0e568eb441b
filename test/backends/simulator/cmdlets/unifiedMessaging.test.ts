import { makeTestCertificate } from "../../../certificate/testCertificates";
import { EXCHANGE_2016, openLab, organisation, server, stored } from "../lab";

const mail = makeTestCertificate({ dnsNames: ["mail.contoso.com"] });

function withUm(name: string) {
  return server({
    name,
    version: EXCHANGE_2016,
    certificates: [stored(mail)],
    um: { startupMode: "TCP", certificate: null },
    umCallRouter: { startupMode: "Dual", certificate: null },
  });
}

describe("the cmdlets of unified messaging", () => {
  it("show the mode of each service", () => {
    const lab = openLab(withUm("EX01"));
    expect(lab.output("Get-UMService", { Identity: "EX01" })).toEqual([
      { Name: "EX01", UMStartupMode: "TCP", Identity: "EX01" },
    ]);
    expect(lab.output("Get-UMCallRouterSettings", { Server: "EX01" })[0]?.["UMStartupMode"]).toBe("Dual");
  });

  it("set each mode by itself, after which a certificate can be enabled", () => {
    const lab = openLab(withUm("EX01"));
    const enable = { Thumbprint: mail.facts.thumbprint, Services: ["UM"] };
    lab.fail("Enable-ExchangeCertificate", enable);
    expect(lab.complete("Set-UMService", { Identity: "EX01", UMStartupMode: "tls" }).warnings).toHaveLength(1);
    lab.complete("Enable-ExchangeCertificate", enable);
    expect(lab.services(mail)).toBe("UM");
    lab.complete("Set-UMCallRouterSettings", { Server: "EX01", UMStartupMode: "TCP" });
    expect(lab.server()).toMatchObject({ um: { startupMode: "TLS" }, umCallRouter: { startupMode: "TCP" } });
  });

  it("keep an assigned certificate when the mode goes back to TCP", () => {
    const um = { startupMode: "TLS", certificate: mail.facts.thumbprint } as const;
    const lab = openLab({ ...withUm("EX01"), um });
    lab.complete("Set-UMService", { Identity: "EX01", UMStartupMode: "TCP" });
    expect(lab.services(mail)).toBe("UM");
  });

  it("refuse a mode that doesn't exist, and change nothing for one that is set", () => {
    const lab = openLab(withUm("EX01"));
    const before = lab.organisation;
    const refused = lab.fail("Set-UMService", { Identity: "EX01", UMStartupMode: "UDP" });
    expect(refused.error.message).toContain("TCP, TLS, Dual");
    lab.complete("Set-UMService", { Identity: "EX01", UMStartupMode: "TCP" });
    lab.complete("Set-UMService", { Identity: "EX01" });
    expect(lab.organisation).toBe(before);
  });

  it("show all servers that have the service when none is named", () => {
    const lab = openLab(organisation([withUm("EX01"), withUm("EX02"), server({ name: "EX03" })]));
    expect(lab.output("Get-UMService").map((one) => one["Name"])).toEqual(["EX01", "EX02"]);
  });

  it("don't exist in a session on 15.2", () => {
    const lab = openLab(organisation([server(), withUm("EX02")]));
    const { error } = lab.fail("Get-UMService", { Identity: "EX02" }, { session: "ex01.contoso.com" });
    expect(error.code).toBe("CmdletNotAvailable");
    lab.complete("Get-UMService", { Identity: "EX02" }, { session: "ex02.contoso.com" });
  });

  it("have nothing to say of a 15.2 server, and can't set anything there", () => {
    const lab = openLab(organisation([withUm("EX02"), server()]), { session: "ex02.contoso.com" });
    expect(lab.output("Get-UMService", { Identity: "EX01" })).toEqual([]);
    lab.fail("Set-UMService", { Identity: "EX01", UMStartupMode: "TLS" });
  });
});
