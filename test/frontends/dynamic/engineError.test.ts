import { ExchangeBindingError } from "../../../provider/errors";
import { EngineError } from "../../../provider/frontends/dynamic/engineError";

describe("an error as the engine gets it", () => {
  it("says the message of its cause, and carries its code", () => {
    const error = new EngineError(new ExchangeBindingError("ServerUnreachable", "Reading ex01: no answer."));
    expect(error).toMatchObject({ message: "Reading ex01: no answer.", code: "ServerUnreachable" });
    expect(new EngineError(new TypeError("x is undefined"))).toMatchObject({
      code: "Internal",
      message: "x is undefined",
    });
  });

  it("prints no stack trace: the engine's server would show it besides the message", () => {
    const error = new EngineError(new Error("broken"));
    expect(`${String(error)}: ${error.stack ?? ""}`).toBe(
      "ExchangeCertificateBinding: failed; the reason is in the error of the resource",
    );
  });

  it.each([
    ["a text", "broken", "broken"],
    ["nothing", undefined, "an unknown error"],
    [
      "several errors in one",
      new AggregateError([new Error("refused 1"), new Error("refused 2")]),
      "refused 1; refused 2",
    ],
  ])("never is an empty line, also when %s was thrown", (_what, thrown, message) => {
    expect(new EngineError(thrown).message).toBe(message);
  });

  it("carries id, properties and reason of what was begun, and none of them otherwise", () => {
    const partial = { id: "ex01.contoso.com/AB", properties: { server: "ex01.contoso.com" } };
    expect(new EngineError(new Error("half-way"), partial)).toMatchObject({ ...partial, reasons: ["half-way"] });
    const whole = new EngineError(new Error("nothing was done"));
    expect(whole).toMatchObject({ id: undefined, properties: undefined, reasons: undefined });
  });

  describe("with EXCHANGE_TRACE=1", () => {
    const before = process.env["EXCHANGE_TRACE"];
    beforeEach(() => {
      process.env["EXCHANGE_TRACE"] = "1";
    });
    afterEach(() => {
      if (before === undefined) delete process.env["EXCHANGE_TRACE"];
      else process.env["EXCHANGE_TRACE"] = before;
    });

    it("shows where something unexpected came from, and nothing of what was thrown on purpose", () => {
      expect(new EngineError(new Error("broken")).stack).toMatch(/^\s+at .*engineError\.test/m);
      expect(new EngineError(new ExchangeBindingError("Refused", "no")).stack).not.toMatch(/^\s+at /m);
    });

    it.each([
      ["a password", "connecting with hunter2 failed"],
      ["several lines", "body:\n    at hunter2 (/tmp/x.js:1:2)\nCookie: hunter2"],
      ["a command of a CI system", "x\n::error::hunter2\n##vso[task.setvariable]hunter2"],
      ["colours", "\u001b[31mhunter2"],
      ["nothing", ""],
    ])("shows nothing of a foreign message, in which there may be %s", (_what, message) => {
      const { stack = "" } = new EngineError(new TypeError(message));
      expect(stack).toMatch(/^ {4}at .*engineError\.test/m);
      expect(stack).not.toContain("hunter2");
      expect(stack.split("\n").slice(1)).toEqual(stack.match(/^ {4}at .*$/gm));
    });

    it("shows nothing where somebody has written over the stack", () => {
      const error = Object.assign(new Error("x"), { stack: "password=hunter2\nat hunter2" });
      expect(new EngineError(error).stack).not.toContain("hunter2");
    });
  });
});
