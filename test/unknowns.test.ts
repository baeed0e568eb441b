import { containsUnknown, UNKNOWN } from "../provider/unknowns";

describe("values that a preview doesn't know yet", () => {
  it("are found in lists and objects, however deep", () => {
    expect(containsUnknown(UNKNOWN)).toBe(true);
    expect(containsUnknown(["SMTP", UNKNOWN])).toBe(true);
    expect(containsUnknown({ selfSigned: { dnsNames: ["mail.contoso.com", UNKNOWN] } })).toBe(true);
  });

  it("are nothing else", () => {
    for (const value of [undefined, null, 0, false, "", "UNKNOWN", [], {}, { thumbprint: "12" }, ["SMTP"]]) {
      expect(containsUnknown(value)).toBe(false);
    }
  });
});
