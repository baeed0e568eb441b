import { acceptsEcc, hasFileName, hasUnifiedMessaging, signsByDefault } from "../provider/builds";

const version = (text: string) => {
  const [major = 0, minor = 0, build = 0, revision = 0] = text.split(".").map(Number);
  return { major, minor, build, revision };
};

it.each([
  ["15.0.1497.48", true, false],
  ["15.1.2507.37", true, false],
  ["15.1.2507.39", true, true],
  ["15.2.1748.10", false, true],
  ["15.3.1.0", false, true],
  ["16.0.1.0", false, true],
])("%s: unified messaging %s, ECC for IIS %s", (text, um, ecc) => {
  expect(hasUnifiedMessaging(version(text))).toBe(um);
  expect(acceptsEcc(version(text), ["IIS"])).toBe(ecc);
});

it.each([
  ["15.0.1497.48", true, false],
  ["15.1.2375.7", true, false],
  ["15.1.2507.6", false, false],
  ["15.1.2507.35", false, true],
  ["15.2.986.5", true, false],
  ["15.2.1118.40", false, true],
  ["15.2.1258.12", false, false],
  ["15.2.1258.28", false, true],
  ["15.2.1748.10", false, true],
  ["15.3.1.0", false, true],
])("%s: files by their path %s, signs details by itself %s", (text, fileName, signs) => {
  expect(hasFileName(version(text))).toBe(fileName);
  expect(signsByDefault(version(text))).toBe(signs);
});
