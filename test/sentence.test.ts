import fc from "fast-check";

import { cleaned, cleanedMessage, isClean, joined, sentence } from "../provider/sentence";

describe("foreign text in a sentence", () => {
  it.each([
    ["a colour", "\u001b[31mred\u001b[0m", "\\u{1B}[31mred\\u{1B}[0m"],
    ["a link", "\u001b]8;;https://evil.example\u0007here", "\\u{1B}]8;;https://evil.example\\u{7}here"],
    ["a control of the upper half", "\u009b2K", "\\u{9B}2K"],
    ["a line break", "CN=a\r\nb", "CN=a\\u{D}\\u{A}b"],
    ["a line separator", "a\u2028b\u2029c", "a\\u{2028}b\\u{2029}c"],
    ["NUL", "mail\u0000.contoso.com", "mail\\u{0}.contoso.com"],
    ["text that runs backwards", "\u202Emoc.osotnoc", "\\u{202E}moc.osotnoc"],
    ["an isolate", "\u2066a\u2069", "\\u{2066}a\\u{2069}"],
    ["a zero-width space", "con\u200Btoso", "con\\u{200B}toso"],
    ["a byte order mark", "\uFEFFcontoso", "\\u{FEFF}contoso"],
    ["a soft hyphen", "con\u00ADtoso", "con\\u{AD}toso"],
    ["a tag character", "a\u{E0041}b", "a\\u{E0041}b"],
    ["a Hangul filler", "a\u3164b", "a\\u{3164}b"],
    ["half of a pair", "a\uD83Db", "a\\u{D83D}b"],
    ["a command of GitHub", "::error::down", ": :error::down"],
    ["the same after a line break", "x\n::set-output name=a::b", "x\\u{A}: :set-output name=a::b"],
    ["the same in quotes", 'CN="::stop-commands::x"', 'CN=": :stop-commands::x"'],
    ["an older command of GitHub", "##[add-mask]x", "# #[add-mask]x"],
    [
      "a command of Azure DevOps",
      "see ##vso[task.setvariable variable=x]y",
      "see # #vso[task.setvariable variable=x]y",
    ],
    ["a message of TeamCity", "##teamcity[buildStop]", "# #teamcity[buildStop]"],
    ["more hashes than needed", "####[error]", "### #[error]"],
  ])("shows %s and lets it do nothing", (_what, text, shown) => {
    expect(sentence`${text}`).toBe(shown);
  });

  it.each([
    "CN=mail.contoso.com, O=Contoso",
    "Müller & Söhne GmbH",
    "a::b",
    "connect ECONNREFUSED ::1:443",
    "#1 of 2",
    "契約",
    "👍",
  ])("leaves %s as it is", (text) => {
    expect(sentence`${text}`).toBe(text);
    expect(isClean(text)).toBe(true);
  });

  it("is broken also where a command comes about only together with our own words", () => {
    expect(sentence`:${":error::x"}`).toBe(": :error::x");
    expect(sentence`#${"#vso[x]"}`).toBe("# #vso[x]");
  });

  it("is cut off where it is too long, and not within a pair", () => {
    const long = sentence`${"👍".repeat(5000)}`;
    expect(long).toMatch(/👍 \(cut off\)$/u);
    expect(long.length).toBeLessThanOrEqual(4000);
    expect(isClean(long)).toBe(true);
  });

  it("is as before when it is cleaned once more, whatever it is", () => {
    const nasty = fc.string({
      unit: fc.oneof(
        fc.constantFrom(":", "#", "[", "e", "vso", " ", "\n", "\u001b", "\uD83D", "\uDE00", "\u202E", "x"),
        fc.string({ unit: "binary", maxLength: 1 }),
      ),
      maxLength: 40,
    });
    fc.assert(
      fc.property(nasty, nasty, (one, other) => {
        const made = sentence`${one} and ${other}`;
        expect(cleaned(made)).toBe(made);
        expect(made).not.toMatch(/\p{Cc}|\p{Cf}|\p{Cs}|##[\w-]*\[|(?<![\p{L}\p{N}_])::\p{L}/u);
      }),
      { numRuns: 3000 },
    );
  });

  it("is a sentence that others are made of, none of them cut off", () => {
    const part = sentence`a${"b"}`;
    expect(joined([part, sentence`${1}`], "; ")).toBe("ab; 1");
  });
});

it("a whole message is one line", () => {
  expect(cleanedMessage("The chain is broken.\r\n  At line 1\u001b[0m")).toBe(
    "The chain is broken. At line 1\\u{1B}[0m",
  );
});
