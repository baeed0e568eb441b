import { parseServerFqdn, parseService, sortServices } from "../provider/model";

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

describe("services", () => {
  it("are recognised in any case and with blanks around them", () => {
    expect(parseService(" umcallrouter ")).toBe("UMCallRouter");
  });

  it("are kept in one canonical order without duplicates", () => {
    expect(sortServices(["SMTP", "IIS", "SMTP", "POP"])).toEqual(["IIS", "POP", "SMTP"]);
  });
});
