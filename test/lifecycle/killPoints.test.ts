import { nativeFrontEnd } from "../frontends/native/nativePlugin";
import { dynamicFrontEnd, makeMiniEngine } from "../miniEngine";
import { NOW } from "./bench";
import { SCENARIOS, killEverywhere, type KillBench } from "./killScenarios";

let killed = 0;

const frontEnds = { dynamic: dynamicFrontEnd, native: nativeFrontEnd } as const;
const cases = SCENARIOS.flatMap((scenario) =>
  Object.entries(frontEnds).map(([kind, frontEnd]) => ({ kind, frontEnd, scenario, name: scenario.name })),
);

describe.each(cases)("killed in $name ($kind front end)", ({ kind, scenario, frontEnd }) => {
  it("at any call, the next run comes to the same end, and then there is nothing more to do", async () => {
    const bench: KillBench = {
      begin: (organisation) => makeMiniEngine(organisation, () => NOW, { frontEnd }),
      killed: (engine, { program, fault }, at) => engine.killed(program, at, fault),
    };
    // A kill before a call is one after the call before it, but for the first: once is enough for the other front end.
    const points = await killEverywhere(scenario, bench, (_call, { when }) => kind === "dynamic" || when === "after");
    killed += points.length;
  });
});

it("has been killed at every call", () => {
  expect(killed).toBeGreaterThanOrEqual(150);
});
