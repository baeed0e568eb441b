import { coversName, isWildcard, looksLikeDnsName } from "../../provider/certificate/names";

const facts = (commonName: string | undefined, ...dnsNames: string[]) => ({ commonName, dnsNames });

describe("coversName", () => {
  it.each([
    ["a DNS name of the certificate", facts("x", "mail.contoso.com"), "mail.contoso.com"],
    ["the same name in another case", facts("x", "mail.contoso.com"), "MAIL.Contoso.COM"],
    ["one label in place of the asterisk", facts("x", "*.contoso.com"), "mail.contoso.com"],
    ["the wildcard name itself", facts("x", "*.contoso.com"), "*.contoso.com"],
    ["the common name beside a SAN that lacks it", facts("Mail.contoso.com", "other.contoso.com"), "mail.contoso.com"],
    ["one label in place of the asterisk of a common name", facts("*.contoso.com"), "mail.contoso.com"],
    ["a name of one label", facts("EX01", "ex01"), "EX01"],
    ["a name with a dot at its end", facts("x", "mail.contoso.com."), "mail.contoso.com"],
    ["the name without the dot that is asked for with one", facts("x", "mail.contoso.com"), "Mail.contoso.com."],
    ["a common name with a dot at its end", facts("mail.contoso.com."), "mail.contoso.com"],
    ["one label in place of the asterisk, with a dot at the end", facts("x", "*.contoso.com."), "mail.contoso.com"],
  ])("accepts %s", (_what, certificate, name) => {
    expect(coversName(certificate, name)).toBe(true);
  });

  it.each([
    ["another name", facts("x", "mail.contoso.com"), "smtp.contoso.com"],
    ["two labels in place of the asterisk", facts("x", "*.contoso.com"), "a.mail.contoso.com"],
    ["no label in place of the asterisk", facts("x", "*.contoso.com"), "contoso.com"],
    ["an empty label in place of the asterisk", facts("x", "*.contoso.com"), ".contoso.com"],
    ["a name that only ends like the wildcard", facts("x", "*.contoso.com"), "mailcontoso.com"],
    ["an asterisk that is not the whole first label", facts("x", "mail*.contoso.com"), "mail1.contoso.com"],
    ["an asterisk further right", facts("x", "mail.*.com"), "mail.contoso.com"],
    ["a common name that is no DNS name", facts("Microsoft Exchange"), "Microsoft Exchange"],
    ["the name that a wildcard is asked for", facts("x", "mail.contoso.com"), "*.contoso.com"],
  ])("refuses %s", (_what, certificate, name) => {
    expect(coversName(certificate, name)).toBe(false);
  });
});

describe("isWildcard", () => {
  it("goes by the common name when there is one", () => {
    expect(isWildcard(facts("*.contoso.com", "*.contoso.com", "contoso.com"))).toBe(true);
    expect(isWildcard(facts("mail.contoso.com", "*.contoso.com"))).toBe(false);
  });

  it("goes by the DNS names without a common name, and wants all of them to be wildcards", () => {
    expect(isWildcard(facts(undefined, "*.contoso.com", "*.fabrikam.com"))).toBe(true);
    expect(isWildcard(facts(undefined, "*.contoso.com", "contoso.com"))).toBe(false);
  });

  it("is never true of a certificate without any name", () => {
    expect(isWildcard(facts(undefined))).toBe(false);
  });
});

describe("looksLikeDnsName", () => {
  it.each(["mail.contoso.com", "EX01", "*.contoso.com", "_dmarc.contoso.com", "xn--mller-kva.de", "WMSvc-SHA2-EX01"])(
    "accepts %s",
    (text) => {
      expect(looksLikeDnsName(text)).toBe(true);
    },
  );

  it.each([
    ["blanks", "Microsoft Exchange Server Auth Certificate"],
    ["an IPv4 address", "192.0.2.10"],
    ["an empty label", "mail..contoso.com"],
    ["a trailing dot", "contoso.com."],
    ["an asterisk in the middle", "mail.*.com"],
    ["an e-mail address", "ex@contoso.com"],
    ["nothing", ""],
    ["a label of 64 characters", `${"a".repeat(64)}.com`],
    ["254 characters", `${"a.".repeat(126)}aa`],
  ])("refuses %s", (_what, text) => {
    expect(looksLikeDnsName(text)).toBe(false);
  });
});
