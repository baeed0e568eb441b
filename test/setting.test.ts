import { readFlag, readWholeNumber, type Setting } from "../provider/setting";

const setting = (value: string): Setting => ({ value, from: "exchange:some" });

describe("a setting that is on or off", () => {
  it.each([
    ["true", true],
    [" TRUE ", true],
    ["1", true],
    ["false", false],
    ["0", false],
  ])("is read from %j", (value, expected) => {
    expect(readFlag(setting(value))).toBe(expected);
  });

  it("is off when nobody set it", () => {
    expect(readFlag(undefined)).toBe(false);
  });

  it("is refused when it is neither, with its name and what it may be", () => {
    expect(() => readFlag(setting("yes"))).toThrow('exchange:some is "yes"; it may be true or false.');
  });
});

describe("a setting that is a number", () => {
  it("has a default, and a largest value", () => {
    expect(readWholeNumber(undefined, 2, 10)).toBe(2);
    expect(readWholeNumber(setting(" 10 "), 2, 10)).toBe(10);
  });

  it.each(["0", "11", "-1", "1.5", "1e1", "two", "1234567"])("isn't %j", (value) => {
    expect(() => readWholeNumber(setting(value), 2, 10)).toThrow(
      `exchange:some is "${value}"; it may be a whole number from 1 to 10 (default 2).`,
    );
  });
});
