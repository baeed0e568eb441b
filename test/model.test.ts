import type { ServiceName } from "../provider/args";
import {
  EXCHANGE_SERVICES,
  EXCLUSIVE_SERVICES,
  type ExchangeService,
  flawOfName,
  NAME_SERVICES,
  parseDisplayedService,
  parseServerFqdn,
  parseService,
  SERVICES,
  SERVICES_BY_FLAG,
  sortServices,
  UM_SERVICES,
} from "../provider/model";

describe("services", () => {
  it("have flags of their own, one bit each", () => {
    expect(SERVICES_BY_FLAG.map((service) => SERVICES[service].flag)).toEqual([1, 2, 4, 8, 16, 32, 64]);
  });

  it("are told apart by what the table says of them", () => {
    expect(EXCHANGE_SERVICES).toEqual(["IIS", "IMAP", "POP", "SMTP", "UM", "UMCallRouter"]);
    expect(EXCLUSIVE_SERVICES).toEqual(["IIS", "UM", "UMCallRouter"]);
    expect(NAME_SERVICES).toEqual(["IMAP", "POP"]);
    expect(UM_SERVICES).toEqual(["UM", "UMCallRouter"]);
    expect(parseDisplayedService(" federation ")).toBe("Federation");
  });

  it("that a program may name are those that can be declared", () => {
    const declarable = new Map<ServiceName, ExchangeService>(EXCHANGE_SERVICES.map((service) => [service, service]));
    const named: readonly ExchangeService[] = [...declarable.keys()];
    expect(named).toEqual(EXCHANGE_SERVICES);
  });
});

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
