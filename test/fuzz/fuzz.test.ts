import { type Finding, Inputs, newStatistics, readOne } from "./run";
import { TARGETS } from "./targets";

/** `npm run fuzz` takes a million; these are the same ones every time. */
const INPUTS = 1000;
const SEED = 1;

it.each(TARGETS.map((target) => [target.name, target] as const))(
  "whatever comes, %s is read or refused, and nothing else",
  (_name, target) => {
    const inputs = new Inputs(target, SEED);
    const statistics = newStatistics(target);
    const findings: Finding[] = [];
    for (let index = 0; index < INPUTS; index++) {
      const finding = readOne(target, index, inputs.at(index), statistics);
      if (finding !== undefined) findings.push(finding);
    }
    expect(findings).toEqual([]);
    // Neither answer comes always: else nothing would have been tried.
    expect(statistics.accepted).toBeGreaterThan(0);
    expect(statistics.accepted).toBeLessThan(INPUTS);
  },
);
