import { openLab, organisation, server } from "../lab";

const NAME = "<I>CN=CA, O=Contoso<S>CN=mail.contoso.com";

function lab() {
  const receiveConnectors = (name: string) => [
    { name: `Default Frontend ${name}`, fqdn: `${name.toLowerCase()}.contoso.com`, tlsCertificateName: null },
    { name: "Relay", fqdn: null, tlsCertificateName: NAME },
  ];
  return openLab(
    organisation(
      [
        server({ receiveConnectors: receiveConnectors("EX01") }),
        server({ name: "EX02", receiveConnectors: receiveConnectors("EX02") }),
      ],
      {
        sendConnectors: [
          { name: "Outbound to Internet", fqdn: null, tlsCertificateName: null, sourceServers: ["EX01", "EX02"] },
          { name: "Partner", fqdn: "mail.contoso.com", tlsCertificateName: NAME, sourceServers: ["EX02"] },
        ],
      },
    ),
  );
}

describe("Get-SendConnector and Set-SendConnector", () => {
  it("show all connectors of the organisation, or one", () => {
    expect(lab().output("Get-SendConnector")).toHaveLength(2);
    expect(lab().output("Get-SendConnector", { Identity: "PARTNER" })).toEqual([
      {
        Name: "Partner",
        Identity: "Partner",
        Fqdn: "mail.contoso.com",
        TlsCertificateName: NAME,
        SourceTransportServers: ["EX02"],
      },
    ]);
  });

  it("set the name of the certificate and clear it, with an empty text as with $null (T27)", () => {
    const here = lab();
    const Identity = "Outbound to Internet";
    const nameNow = () => here.output("Get-SendConnector", { Identity })[0]?.["TlsCertificateName"];
    for (const cleared of [null, ""]) {
      here.complete("Set-SendConnector", { Identity, TlsCertificateName: NAME });
      expect(nameNow()).toBe(NAME);
      here.complete("Set-SendConnector", { Identity, TlsCertificateName: cleared });
      expect(nameNow()).toBeNull();
    }
  });

  it("refuse a name of another form, and a connector that isn't there", () => {
    const refused = lab().fail("Set-SendConnector", { Identity: "Partner", TlsCertificateName: "CN=mail.contoso.com" });
    expect(refused.error.message).toContain("<I>issuer<S>subject");
    for (const cmdlet of ["Get-SendConnector", "Set-SendConnector"]) {
      expect(lab().fail(cmdlet, { Identity: "Nowhere" }).error.message).toContain('"Nowhere"');
    }
  });

  it("change nothing when it is so already, or when nothing is asked", () => {
    const here = lab();
    const before = here.organisation;
    here.complete("Set-SendConnector", { Identity: "Partner", TlsCertificateName: NAME });
    here.complete("Set-SendConnector", { Identity: "Partner" });
    expect(here.organisation).toBe(before);
  });
});

describe("Get-ReceiveConnector and Set-ReceiveConnector", () => {
  it("show those of a server, all, or one by its identity", () => {
    const identities = (parameters: Record<string, string>) =>
      lab()
        .output("Get-ReceiveConnector", parameters)
        .map((one) => one["Identity"]);
    expect(identities({ Server: "EX02" })).toEqual(["EX02\\Default Frontend EX02", "EX02\\Relay"]);
    expect(identities({})).toHaveLength(4);
    expect(identities({ Identity: "ex01\\relay" })).toEqual(["EX01\\Relay"]);
    expect(identities({ Identity: "Relay" })).toEqual(["EX01\\Relay", "EX02\\Relay"]);
  });

  it("set the name on the one connector that is meant, and clear it", () => {
    const here = lab();
    here.complete("Set-ReceiveConnector", {
      Identity: "EX02\\Default Frontend EX02",
      TlsCertificateName: NAME,
    });
    here.complete("Set-ReceiveConnector", { Identity: "EX02\\Relay", TlsCertificateName: null });
    const names = here.output("Get-ReceiveConnector").map((one) => one["TlsCertificateName"]);
    expect(names).toEqual([null, NAME, NAME, null]);
  });

  it("fail for a connector that isn't there", () => {
    for (const cmdlet of ["Get-ReceiveConnector", "Set-ReceiveConnector"]) {
      expect(lab().fail(cmdlet, { Identity: "EX01\\Nowhere" }).error.message).toContain("EX01\\Nowhere");
    }
  });
});
