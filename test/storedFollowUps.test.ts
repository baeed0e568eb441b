import type { FollowUp } from "../provider/plan/followUps";
import { isClean } from "../provider/sentence";
import { followUpOutputs, followUpsSchema } from "../provider/storedFollowUps";
import { EX01 } from "./plan/servers";

const told = (identity: string): FollowUp => ({
  kind: "connector",
  since: "2026-11-23",
  connector: { type: "send", identity },
  until: "2027-01-01T00:00:00.000Z",
  value: { thumbprint: "A".repeat(40), issuer: `CN=${identity}`, subject: "CN=mail.contoso.com" },
});

describe("names in what is left to do", () => {
  it.each([
    "Outbound to O'Brien",
    "##vso[task.complete]x",
    "a\n::error::b",
    "\u001b[31m\u202Edetrever",
    "half \uD800",
    "utf16:0041",
    "utf16:",
  ])("come back exactly, and show nothing that steers a terminal or a pipeline: %j", (name) => {
    const all = [told(name)];
    const { followUpTasks } = followUpOutputs({ earlier: [], all }, EX01);
    expect(followUpsSchema.parse(JSON.parse(JSON.stringify(followUpTasks)))).toEqual(all);
    expect(isClean(JSON.stringify(followUpTasks))).toBe(true);
  });

  it("stand there as they are where they can be shown", () => {
    const all = [told("Outbound")];
    expect(followUpOutputs({ earlier: [], all }, EX01).followUpTasks).toEqual(all);
  });
});
