import { isWildcard, matchesWildcard } from "../../../../provider/backends/simulator/endpoint/wildcard";

describe("a name with wildcards", () => {
  it.each([
    ["*", "Get-Command"],
    ["Get-*", "Get-Command"],
    ["get-c?mmand", "Get-Command"],
    ["*-*", "Get-Command"],
    ["**Comm**and", "Get-Command"],
    ["Get-Command", "GET-COMMAND"],
    ["*aab", "aaaab"],
    ["", ""],
  ])("%s means %s", (pattern, name) => {
    expect(matchesWildcard(name, pattern)).toBe(true);
  });

  it.each([
    ["Get-", "Get-Command"],
    ["*-Get", "Get-Command"],
    ["Get-Command?", "Get-Command"],
    ["Get.Command", "Get-Command"],
    ["?", ""],
    ["Get-[C]ommand*~", "Get-Command"],
  ])("%s doesn't mean %s", (pattern, name) => {
    expect(matchesWildcard(name, pattern)).toBe(false);
  });

  it("is told from one without", () => {
    expect(["Get-*", "Get-?", "Get-Command"].map(isWildcard)).toEqual([true, true, false]);
  });

  it("costs no more than its length: a regular expression would never end", () => {
    const stars = "*".repeat(1000);
    expect(matchesWildcard("Enable-ExchangeCertificate".repeat(10), `${stars}~`)).toBe(false);
    expect(matchesWildcard("Enable-ExchangeCertificate", `${"*e".repeat(5000)}~`)).toBe(false);
    expect(matchesWildcard("Enable-ExchangeCertificate", `${stars}~${stars}`)).toBe(false);
  });
});
