import { adoptionOf } from "../../provider/inventory/generated";
import { MAIL, fqdn, serverOf, shown } from "../plan/servers";

describe("bindings for what is on the servers", () => {
  it("are called differently on servers of three domains with one short name and one certificate", () => {
    const servers = ["ex01.contoso.com", "ex01.eu.contoso.com", "ex01.us.contoso.com"].map((name) => ({
      ...serverOf([shown(MAIL, { services: ["IIS", "SMTP"], sites: [1] })]),
      server: fqdn(name),
    }));
    const names = adoptionOf(servers)
      .bindings.filter(({ certificate }) => certificate.facts.thumbprint === MAIL.thumbprint)
      .map(({ name }) => name);
    expect(names).toHaveLength(3);
    expect(new Set(names).size).toBe(3);
  });
});
