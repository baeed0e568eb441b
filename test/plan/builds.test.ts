import { acceptsEcc, hasUnifiedMessaging } from "../../provider/plan/builds";

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
