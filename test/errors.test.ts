import { runInNewContext } from "node:vm";

import { ExchangeBindingError, asSentence, isBindingError, messageOf } from "../provider/errors";

describe("messageOf", () => {
  it.each<[string, unknown, string]>([
    ["an error", new Error("it broke"), "it broke"],
    ["an error without a message", new TypeError(""), "TypeError"],
    ["a thrown text", "it broke", "it broke"],
    [
      "what every address of a host answered",
      new AggregateError([new Error("refused"), new Error("refused")]),
      "refused",
    ],
    ["an error of another realm", runInNewContext("new Error('from elsewhere')"), "from elsewhere"],
    ["nothing", undefined, "an unknown error"],
  ])("makes a sentence of %s", (_what, thrown, message) => {
    expect(messageOf(thrown)).toBe(message);
  });
});

describe("ExchangeBindingError", () => {
  it("is told apart by its code and keeps its cause", () => {
    const cause = new Error("underneath");
    const error = new ExchangeBindingError("TimedOut", "Reading: no end.", { cause, facts: { seconds: 3 } });
    expect(isBindingError(error, "TimedOut")).toBe(true);
    expect(isBindingError(error, "Refused")).toBe(false);
    expect(isBindingError(cause)).toBe(false);
    expect(error).toMatchObject({ cause, facts: { seconds: 3 } });
  });
});

describe("asSentence", () => {
  it("adds the full stop that another sentence needs before it", () => {
    expect(asSentence("it broke")).toBe("it broke.");
    expect(asSentence("Did it?")).toBe("Did it?");
  });
});
