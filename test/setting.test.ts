import { readFlag, readPath, readWholeNumber, type Setting } from "../provider/setting";

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

  it.each(["0", "11", "-1", "1.5", "1e1", "20 s", "1234567"])("isn't %j", (value) => {
    expect(() => readWholeNumber(setting(value), 2, 10)).toThrow(
      `exchange:some is "${value}"; it may be a whole number from 1 to 10 (default 2).`,
    );
  });
});

describe("a setting that may be a secret in the wrong place", () => {
  it.each([
    "hunter2",
    "P@ssw0rd!",
    "correct horse battery",
    "-----BEGIN PRIVATE KEY-----\nMIIE",
    "TUlJRQ==",
    "x".repeat(300),
  ])("is told by kind and length: %j", (secret) => {
    const told = `a text of ${String(secret.length)} characters`;
    expect(() => readFlag(setting(secret))).toThrow(`exchange:some is ${told}; it may be true or false.`);
    expect(() => readWholeNumber(setting(secret), 2, 10)).toThrow(`exchange:some is ${told}; it may be`);
  });
});

describe("a setting that is a path", () => {
  it.each(["ca.pem", " ../certs/ca.pem ", "C:\\Certs\\ca.pem", "/etc/ssl/Zertifikate für Exchange/ca.pem"])(
    "is taken as it is: %j",
    (path) => {
      expect(readPath(setting(path))).toBe(path.trim());
    },
  );

  it.each([
    "-----BEGIN PRIVATE KEY-----",
    "MIIEvQIBADANBgkqhkiG9w0B\nAQEFAASC",
    "TUlJ".repeat(500),
    "ca.pem\u202E",
    "\u001b[31mca.pem",
  ])("is refused without its text where it can't be one: %j", (secret) => {
    expect(() => readPath(setting(secret))).toThrow(
      `exchange:some holds a text of ${String(secret.length)} characters, which isn't a path.`,
    );
  });
});
