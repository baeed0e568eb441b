import { flawOfName, parseServerFqdn, parseService, sortServices } from "../provider/model";

describe("parseServerFqdn", () => {
  it("stores a server's name in lower case", () => {
    expect(parseServerFqdn("EX01.Contoso.com")).toBe("ex01.contoso.com");
  });

  it.each([
    ["a short name", "ex01"],
    ["a trailing dot", "ex01.contoso.com."],
    ["a distinguished name", "CN=EX01,CN=Servers,DC=contoso,DC=com"],
    ["an address", "192.0.2.10"],
    ["nothing", ""],
  ])("refuses %s", (_what, text) => {
    expect(parseServerFqdn(text)).toBeUndefined();
  });
});

describe("flawOfName", () => {
  it.each([
    ["ex_01.contoso.com", /holds "_", which no host name may have/],
    ["ex 01.contoso.com", /holds " "/],
    ["ex01.contoso.com/owa", /holds "\/"/],
    ["ex01.contoso。com", /holds "。"/],
    ["mail.müller.example", /holds "ü"; in DNS and in certificates it is mail\.xn--mller-kva\.example$/],
    ["mail.пример.example", /holds "п"; .* is mail\.xn--e1afmkfd\.example$/],
  ])("names the character that breaks %s", (name, flaw) => {
    expect(flawOfName(name)).toMatch(flaw);
  });

  it.each(["ex01", "ex01.contoso.com.", "192.0.2.10", ""])(
    "finds none in %j, which is refused for another reason",
    (name) => {
      expect(flawOfName(name)).toBeUndefined();
    },
  );
});

describe("services", () => {
  it("are recognised in any case and with blanks around them", () => {
    expect(parseService(" umcallrouter ")).toBe("UMCallRouter");
  });

  it("are kept in one canonical order without duplicates", () => {
    expect(sortServices(["SMTP", "IIS", "SMTP", "POP"])).toEqual(["IIS", "POP", "SMTP"]);
  });
});
