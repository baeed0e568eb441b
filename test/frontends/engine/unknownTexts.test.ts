import { fromEngine, toEngine } from "../../../provider/frontends/engine/unknownTexts";
import { UNKNOWN } from "../../../provider/unknowns";

const TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

describe("values that the engine doesn't know yet", () => {
  it.each([
    ["text", TEXT],
    ["flag", "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7"],
    ["number", "3eeb2bf0-c639-47a8-9e75-3b44932eb421"],
    ["list", "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2"],
    ["object", "dd056dcd-154b-4c76-9bd3-c8f88648b5ff"],
  ])("are recognised in the place of a %s", (_type, value) => {
    expect(fromEngine(value)).toBe(UNKNOWN);
  });

  it("are found however deep, and come back as what a Node program sends", () => {
    const given = { services: ["SMTP", TEXT], certificate: { pfx: TEXT, password: "pw" }, server: null, days: 3 };
    const taken = { services: ["SMTP", UNKNOWN], certificate: { pfx: UNKNOWN, password: "pw" }, server: null, days: 3 };
    expect(fromEngine(given)).toEqual(taken);
    expect(toEngine(taken)).toEqual(given);
  });

  it("are nothing else, not even a text around one", () => {
    for (const value of [undefined, null, 0, false, "", `${TEXT} `, [], {}]) expect(fromEngine(value)).toEqual(value);
  });
});
