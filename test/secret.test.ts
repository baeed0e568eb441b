import { format, inspect } from "node:util";

import { Secret } from "../provider/secret";

const CLEAR = "the clear value";

describe("a secret", () => {
  const secret = new Secret(CLEAR);

  it.each([
    ["a text made of it", `it is ${String(secret)}`],
    ["JSON", JSON.stringify({ secret, deep: [{ secret }] })],
    ["inspection", inspect({ secret, deep: [{ secret }] }, { depth: 9, showHidden: true, getters: true })],
    ["console formats", format("%s %o %O %j", secret, secret, secret, secret)],
    ["an error's cause", inspect(new Error("failed", { cause: { secret } }))],
    ["its own keys", JSON.stringify(Object.entries(secret))],
    ["a copy of its parts", inspect(Object.assign({}, secret))],
  ])("doesn't show in %s", (_where, text) => {
    expect(text).not.toContain(CLEAR);
  });

  it("says that there is something that isn't shown", () => {
    expect(String(secret)).toBe("[redacted]");
    expect(JSON.stringify({ secret })).toBe('{"secret":"[redacted]"}');
    expect(inspect(secret)).toBe("[redacted]");
  });

  it("leaves by being revealed, and as it came", () => {
    const bytes = new Uint8Array([1, 2, 3]);
    expect(new Secret(bytes).reveal()).toBe(bytes);
    expect(secret.reveal()).toBe(CLEAR);
  });
});
