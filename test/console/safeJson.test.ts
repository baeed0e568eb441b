import { safeJson } from "../../provider/console/safeJson";

const ATTACKS = [
  "\u001b[31mred\u001b[0m",
  "\u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007",
  "\n::error file=a::owned",
  "::add-mask::x",
  "##vso[task.setvariable variable=a]b",
  "##[command]x ###[y]",
  "a\u202Eb\u200Bc\uFEFFd\u2066e\u{E0041}f",
  "nul\u0000 del\u007f c1\u009b",
  "lone \ud800 surrogate \udc00",
  "line\u2028paragraph\u2029",
];

describe("JSON for terminals and logs", () => {
  it.each(ATTACKS)("holds nothing that is acted upon, and the same text: %j", (attack) => {
    const text = safeJson({ [attack]: [attack, { attack }] });
    // eslint-disable-next-line no-control-regex -- they are what must not be there
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]|\p{Cf}|\p{Cs}/u);
    expect(text).not.toMatch(/::|##/);
    expect(JSON.parse(text)).toEqual({ [attack]: [attack, { attack }] });
  });

  it("is ordinary JSON otherwise", () => {
    expect(safeJson({ a: [1, "Müller: é"] })).toBe('{\n  "a": [\n    1,\n    "Müller: é"\n  ]\n}');
  });
});
