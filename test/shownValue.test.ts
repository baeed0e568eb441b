import { isPlainText, shown } from "../provider/shownValue";
import { UNKNOWN } from "../provider/unknowns";

describe("a given value in a message", () => {
  it.each([
    ["FTP", '"FTP"'],
    ["EX01.contoso.com.", '"EX01.contoso.com."'],
    ["0123456789ABCDEF0123456789ABCDEF01234567", '"0123456789ABCDEF0123456789ABCDEF01234567"'],
    [3, "3"],
    [true, "true"],
    [undefined, "nothing"],
    [null, "nothing"],
  ])("is shown where it is short and plausible: %p", (value, text) => {
    expect(shown(value)).toBe(text);
  });

  it.each([
    ["-----BEGIN KEY-----", "a text of 19 characters"],
    ["A".repeat(60), "a text of 60 characters"],
    ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ", "a text of 50 characters"],
    ["two words ".repeat(20), "a text of 200 characters"],
    ["\u001B[31m", "a text of 5 characters"],
    ["a\nb", "a text of 3 characters"],
    ["##vso[task.complete]x", "a text of 21 characters"],
    ["::error::owned", "a text of 14 characters"],
    ["con\u00ADtoso", "a text of 8 characters"],
    ["a\u{E0041}b", "a text of 4 characters"],
    [["secret"], "a list of 1"],
    [{ password: "secret" }, 'a value of the kind "object"'],
    [UNKNOWN, "a value that isn't known yet"],
  ])("is told by its kind otherwise: %p", (value, text) => {
    expect(shown(value)).toBe(text);
  });
});

it("plain text holds nothing that can't be seen", () => {
  expect(isPlainText("CN=mail.müller.example, O=Müller & Söhne")).toBe(true);
  for (const odd of ["\u0000", "\n", "\u202E", "\u200B", "\uD800", "\u2028"])
    expect(isPlainText(`a${odd}b`)).toBe(false);
});
