import { ownChannelOf, trustedOf } from "../../../provider/backends/remote/channel";
import { makeTestCertificate } from "../../certificate/testCertificates";
import { pem } from "../../remoting/http/webServer";
import { EX01, EX02 } from "../simulatedServer";

const trust = { serverName: undefined, trusted: [] };

describe("our own channel", () => {
  it("goes through the front end of the server that the URL names", () => {
    const template = "https://{server}/PowerShell/";
    expect(ownChannelOf(template, EX01, trust)).toEqual({ name: EX01, trusted: [] });
    const expected = { ...trust, serverName: "mail.contoso.com" };
    expect(ownChannelOf(template, EX01, expected)).toMatchObject({ name: "mail.contoso.com" });
    expect(ownChannelOf(`https://${EX01}:8443/PowerShell/`, EX01, trust)).toMatchObject({ name: EX01 });
  });

  it("isn't there over plain http, through another server, or where nothing is verified", () => {
    expect(ownChannelOf("http://{server}/PowerShell/", EX01, trust)).toBeUndefined();
    expect(ownChannelOf(`https://${EX01}/PowerShell/`, EX02, trust)).toBeUndefined();
    expect(ownChannelOf("https://{server}/PowerShell/", EX01, undefined)).toBeUndefined();
  });

  it("trusts what stands in the file of the CA, and claims nothing where that can't be told", () => {
    const [one, other] = ["a.contoso.com", "b.contoso.com"].map((name) => makeTestCertificate({ dnsNames: [name] }));
    const file = [one, other].map((made) => pem("CERTIFICATE", made?.der ?? new Uint8Array())).join("some words\n");
    const trusted = [one?.facts.thumbprint, other?.facts.thumbprint];
    expect(trustedOf(file, undefined)).toEqual({ trusted, authorities: ["CN=a.contoso.com", "CN=b.contoso.com"] });
    const unreadable = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    expect(trustedOf(file + unreadable, undefined)).toEqual({ trusted });
    expect(trustedOf(undefined, undefined)).toEqual({ trusted: [] });
    expect(trustedOf(undefined, "/etc/ssl/private-ca.pem")).toEqual({ trusted: undefined });
  });
});
