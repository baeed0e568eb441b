import { containsUnknown } from "../provider/unknowns";

const TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

describe("values that a preview doesn't know yet", () => {
  it.each([
    ["text", TEXT],
    ["flag", "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7"],
    ["number", "3eeb2bf0-c639-47a8-9e75-3b44932eb421"],
    ["list", "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2"],
    ["object", "dd056dcd-154b-4c76-9bd3-c8f88648b5ff"],
  ])("are recognised in the place of a %s", (_type, value) => {
    expect(containsUnknown(value)).toBe(true);
  });

  it("are found in lists and objects, however deep", () => {
    expect(containsUnknown(["SMTP", TEXT])).toBe(true);
    expect(containsUnknown({ selfSigned: { dnsNames: ["mail.contoso.com", TEXT] } })).toBe(true);
  });

  it("are nothing else, not even a text around one", () => {
    for (const value of [undefined, null, 0, false, "", `${TEXT} `, [], {}, { thumbprint: "12" }, ["SMTP"]]) {
      expect(containsUnknown(value)).toBe(false);
    }
  });
});
