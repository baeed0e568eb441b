import { Linter } from "eslint";
import { effects } from "../../tools/eslint/effects.cjs";

/** What the rule says about a file with this text. */
function messagesFor(text: string, imports?: readonly string[]): readonly string[] {
  const config: Linter.Config = {
    files: ["**/*.js"],
    plugins: { effects },
    rules: { "effects/none": imports === undefined ? "error" : ["error", { imports }] },
  };
  return new Linter().verify(text, config, "provider/remoting/psrp/message.js").map(({ message }) => message);
}

describe("the rule about effects", () => {
  it.each([
    'import { createPublicKey, publicEncrypt } from "node:crypto";',
    'import { SaxesParser } from "saxes";',
    'import { decode } from "../clixml/decode";',
    "export const moment = new Date(0);",
    "export const at = (now) => new Date(now);",
    "export const wait = (setTimeout) => setTimeout(1);",
    "export const largest = Math.max(1, 2);",
    "export const clock = { process: 1 }.process;",
  ])("lets %s be", (text) => {
    expect(messagesFor(text)).toEqual([]);
  });

  it.each([
    ['import { connect } from "node:net";', "node:net"],
    ['import net from "net";', "net"],
    ['import { setTimeout as wait } from "node:timers/promises";', "timers"],
    ['export { readFile } from "node:fs";', "node:fs"],
    ['export * from "node:https";', "node:https"],
    ['const tls = require("node:tls");', "node:tls"],
    ['const tls = import("node:tls");', "node:tls"],
    ['import { randomBytes as noise } from "node:crypto";', "randomBytes"],
    ['import crypto from "node:crypto";', "crypto"],
    ['import * as crypto from "crypto";', "crypto"],
    ["export const later = (run) => setTimeout(run, 1);", "setTimeout"],
    ["export const now = () => Date.now();", "Date.now"],
    ["export const now = () => new Date();", "new Date()"],
    ["export const any = () => Math.random();", "Math.random"],
    ["export const id = () => crypto.randomUUID();", "crypto"],
    ["export const start = performance.now();", "performance"],
    ["export const limit = AbortSignal.timeout(5);", "AbortSignal.timeout"],
    ["export const home = process.env.HOME;", "process"],
    ['export const page = fetch("https://contoso.com");', "fetch"],
  ])("refuses %s", (text, what) => {
    expect(messagesFor(text)).toEqual([expect.stringContaining(what)]);
  });

  it("lets only files be imported that are known to have none either", () => {
    expect(messagesFor('import { a } from "../xml";', ["^\\.\\./xml$"])).toEqual([]);
    expect(messagesFor('import { a } from "../session";', ["^\\.\\./xml$"])).toEqual([
      expect.stringContaining("../session"),
    ]);
  });
});
