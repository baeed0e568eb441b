import { SINGLE_QUOTES, inSingleQuotes } from "../provider/powershellQuotes";

it("doubles each of the five characters that end a text in single quotes", () => {
  expect(inSingleQuotes("plain")).toBe("'plain'");
  expect(Array.from(SINGLE_QUOTES, (quote) => inSingleQuotes(quote))).toEqual(
    Array.from(SINGLE_QUOTES, (quote) => `'${quote}${quote}'`),
  );
});
