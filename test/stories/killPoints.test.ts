import { join } from "node:path";

import { openStateFile } from "../../provider/backends/simulator/stateFile";
import { STATE_FILE, programOf } from "../engine/bindingProgram";
import { makeProject, mustSucceed, type EngineProject } from "../engine/engine";
import { NATIVE_PROJECT_FILE, nativeProgramOf } from "../engine/nativeProgram";
import { killingAdapter, type Mishap } from "../killingAdapter";
import {
  SCENARIOS,
  begin,
  seen,
  unkilled,
  type KillBench,
  type Program,
  type Runner,
  type Scenario,
} from "../lifecycle/killScenarios";
import { makeMiniEngine } from "../miniEngine";

/*
 * Runs whose provider is killed in the real CLI, after one call of each kind in each scenario; the next one goes on. All
 * calls of all scenarios, before and after: test/lifecycle in this process, and `npm run kill-points` over the dynamic
 * resource's own process. That runs what follows for every scenario too, of which here are those with all kinds.
 */

const ALL = process.env["KILL_POINTS"] === "all";
const WITH_ALL_KINDS = new Set([
  "an update that adds a service and a name",
  "connectors of two servers",
  "a removal in a gap that the program has come to allow",
  "the roll-back of a create that fails",
]);

const CONTROL = "control.json";
const CALLS = "calls.txt";
const FRONT_ENDS = {
  "the dynamic resource": { textOf: programOf, files: {} },
  "the plugin": { textOf: nativeProgramOf, files: { "Pulumi.yaml": NATIVE_PROJECT_FILE } },
} as const;
type FrontEnd = (typeof FRONT_ENDS)[keyof typeof FRONT_ENDS];

/** In memory, to see what a run leads to that isn't killed. */
const IN_MEMORY: KillBench = {
  begin: (organisation) => makeMiniEngine(organisation),
  killed: (engine, { program, fault }, at) => engine.killed(program, at, fault),
};

interface RealEngine extends Runner {
  readonly project: EngineProject;
  /** A run in which something goes wrong. */
  run(program: Program, mishap: Mishap): Promise<{ readonly hasFailed: boolean; readonly calls: readonly string[] }>;
}

const realEngine = ({ textOf, files }: FrontEnd) => ({
  begin: async (organisation: object): Promise<RealEngine> => {
    const adapter = killingAdapter({ organisation: STATE_FILE, control: CONTROL, calls: CALLS });
    const project = await makeProject({
      program: "",
      config: { "exchange:backend": "./adapter.cjs" },
      files: { ...files, "adapter.cjs": adapter, [STATE_FILE]: JSON.stringify(organisation) },
    });
    const store = openStateFile(join(project.directory, STATE_FILE), {
      makeOrganisation: () => Promise.reject(new Error("The organisation is gone.")),
    });
    const observer = await makeMiniEngine(undefined, undefined, { store });
    const run: RealEngine["run"] = async (program, mishap) => {
      project.writeFile(CALLS, "");
      project.writeFile(CONTROL, JSON.stringify(mishap));
      const texts = Object.entries(program).map(([name, args]) => [name, JSON.stringify(args)] as const);
      project.setProgram(textOf(Object.fromEntries(texts)));
      const { exitCode } = await project.up("--skip-preview");
      return { hasFailed: exitCode !== 0, calls: project.readFile(CALLS).trimEnd().split("\n") };
    };
    return {
      project,
      store,
      observe: (server) => observer.observe(server),
      run,
      up: async (program) => {
        expect(await run(program, { fails: false })).toMatchObject({ hasFailed: false });
        return { done: {}, lines: [] };
      },
    };
  },
});

const cases = Object.entries(FRONT_ENDS).flatMap(([by, frontEnd]) =>
  SCENARIOS.filter(({ name }) => ALL || WITH_ALL_KINDS.has(name)).map((scenario) => ({
    by,
    frontEnd,
    scenario,
    name: scenario.name,
  })),
);

interface Killing {
  readonly scenario: Scenario;
  readonly begun: () => Promise<RealEngine>;
  /** Lets the next run go on, and looks at what it has come to. */
  readonly finish: (engine: RealEngine) => Promise<void>;
}

/** What one kill has left is gone on with by the next run, which is killed a call further. */
async function killOnTheWay(kinds: readonly string[], { scenario, begun, finish }: Killing): Promise<void> {
  const isKilled = async (engine: RealEngine, kind: string): Promise<boolean> => {
    const { hasFailed, calls } = await engine.run(scenario.program, { first: kind, fails: false });
    const isThere = calls.includes(kind);
    expect({ kind, hasFailed }).toEqual({ kind, hasFailed: isThere });
    return isThere;
  };
  let engine = await begun();
  for (const kind of kinds) {
    if (await isKilled(engine, kind)) continue;
    // Those before have made it needless.
    engine = await begun();
    expect({ kind, isKilled: await isKilled(engine, kind) }).toEqual({ kind, isKilled: true });
  }
  await finish(engine);
}

/** After the last call of each kind, so that most are within the roll-back. */
async function killInRollBack(calls: readonly string[], { scenario, begun, finish }: Killing): Promise<void> {
  for (const kind of new Set(calls)) {
    const engine = await begun();
    const call = calls.lastIndexOf(kind);
    const killed = await engine.run(scenario.program, { call, when: "after", fails: true });
    expect(killed).toEqual({ hasFailed: true, calls: calls.slice(0, call + 1) });
    await finish(engine);
  }
}

describe.each(cases)("$by, killed in $name", ({ by, frontEnd, scenario, name }) => {
  it("after a call of each kind, the next run comes to the same end, and then there is nothing more to do", async () => {
    const { calls, end } = await unkilled(scenario, IN_MEMORY);
    const kinds = [...new Set(calls)];
    const killing: Killing = {
      scenario,
      begun: () => begin(scenario, realEngine(frontEnd)),
      finish: async (engine) => {
        await engine.up(scenario.program);
        expect(await seen(engine)).toEqual(end);
        mustSucceed(await engine.project.preview("--expect-no-changes"));
      },
    };
    await (scenario.fault === undefined ? killOnTheWay(kinds, killing) : killInRollBack(calls, killing));
    if (ALL) console.log(`${by}, ${name}: ${String(kinds.length)} kills in the CLI, all converged`);
  });
});
