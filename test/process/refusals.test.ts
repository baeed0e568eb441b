import { called } from "../identities";
import { REFUSALS } from "../refusals";
import { startDynamicProvider, type DynamicProvider } from "./dynamicProvider";

describe("the provider's process refuses, with property, reason and way out,", () => {
  let provider: DynamicProvider;
  beforeAll(async () => {
    provider = await startDynamicProvider({ config: { "exchange:backend": "simulator" } });
  });

  it.each(REFUSALS)("$what", async ({ inputs, property, says }) => {
    const { failures } = await provider.check({}, { ...inputs, ...called("mail") });
    // The engine prints the value of a property that a failure names, so one that may hold a secret is in the sentence.
    const found = failures.filter((each) => each.property === property || each.reason.startsWith(`${property}: `));
    const reasons = found.map(({ reason }) => reason).join("\n");
    for (const text of says) expect(reasons).toContain(text);
    expect(reasons).not.toMatch(/\n\s+at \S+ \(/);
  });
});
