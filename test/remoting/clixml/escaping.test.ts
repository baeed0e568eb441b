import fc from "fast-check";
import { escapeClixml, unescapeClixml } from "../../../provider/remoting/clixml/escaping";
import { escapeXml } from "../../../provider/remoting/xml";

describe("escaping in CLIXML", () => {
  it.each([
    ["a line feed", "\n", "_x000A_"],
    ["an emoji, as two code units", "\u{1F600}", "_xD83D__xDE00_"],
    ["a lone surrogate", "\uD83D", "_xD83D_"],
    ["a control character of the upper range", "\u0085", "_x0085_"],
    ["text that looks like an escape", "_x000A_", "_x005F_x000A_"],
    ["an underscore before an upper-case X", "_X", "_x005F_X"],
    ["a plain underscore", "a_b", "a_b"],
    ["a non-character", "\uFFFF", "_xFFFF_"],
  ])("writes %s and reads it back", (_title, clear, escaped) => {
    expect(escapeClixml(clear)).toBe(escaped);
    expect(unescapeClixml(escaped)).toBe(clear);
  });

  it("reads hexadecimal digits of either case and leaves what isn't an escape", () => {
    expect(unescapeClixml("_x000a__X000D_")).toBe("\n\r");
    expect(unescapeClixml("_x00A_ _xGGGG_ _x000A")).toBe("_x00A_ _xGGGG_ _x000A");
  });

  it("gives every text back, and nothing that XML couldn't carry", () => {
    const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) });
    const trickyText = fc.string({
      unit: fc.constantFrom("_", "x", "X", "0", "A", "5", "F", "\uD83D", "\uDE00", "\n"),
    });
    fc.assert(
      fc.property(fc.oneof(anyText, trickyText), (text) => {
        const escaped = escapeClixml(text);
        expect(unescapeClixml(escaped)).toBe(text);
        expect(() => escapeXml(escaped)).not.toThrow();
      }),
    );
  });
});
