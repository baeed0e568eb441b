import { kindAndLength } from "../../provider/console/misplaced";

describe("what is said of a misplaced word", () => {
  it.each([
    ["hunter2", "a word, 7 characters"],
    ["correct horse", "several words, 13 characters"],
    ["x", "a word, 1 character"],
    ["12 34", "a number, 5 characters"],
    ["-----BEGIN PRIVATE KEY-----\nMIIE", "a PEM text, 32 characters"],
    ["a\nb", "a text of several lines, 3 characters"],
    ["QUJD".repeat(20), "a long word, 80 characters"],
  ])("is what it looks like and its length: %j", (word, said) => {
    expect(kindAndLength(word)).toBe(said);
  });
});
