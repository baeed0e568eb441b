import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { openStateFile } from "../../provider/backends/simulator/stateFile";
import { called } from "../identities";
import { killingAdapter, type Mishap } from "../killingAdapter";
import { SCENARIOS, killEverywhere, type KillBench } from "../lifecycle/killScenarios";
import { makeMiniEngine, type FrontEnd } from "../miniEngine";
import { startDynamicProvider, type DynamicProvider, type Properties } from "./dynamicProvider";

/*
 * The kill points of test/lifecycle in the real process, which is killed with SIGKILL. All of them by
 * `npm run kill-points`, each kind of call once here.
 */

const ALL = process.env["KILL_POINTS"] === "all";

const directory = fs.mkdtempSync(path.join(os.tmpdir(), "exchange-kill-points-"));
const control = path.join(directory, "control.json");
const callsFile = path.join(directory, "calls.txt");
let files = 0;

afterAll(() => {
  fs.rmSync(directory, { recursive: true, force: true });
});

const running: DynamicProvider[] = [];

/** A process for each run; the one before ends when the next begins. */
const frontEndOver =
  (file: string): FrontEnd =>
  async () => {
    await running.pop()?.end();
    const provider = await startDynamicProvider({
      config: { "exchange:backend": "./adapter.cjs" },
      files: { "adapter.cjs": killingAdapter({ organisation: file, control, calls: callsFile }) },
    });
    running.push(provider);
    return {
      check: (name, olds, news) => provider.check(olds as Properties, { ...called(name), ...(news as Properties) }),
      diff: async (_name, id, olds, news) => {
        const { changes, replaces } = await provider.diff(id, olds as Properties, news as Properties);
        return { changes: changes !== "none", replaces };
      },
      create: async (_name, inputs) => {
        const { id, properties } = await provider.create(inputs as Properties);
        return { id, outs: properties };
      },
      update: async (_name, id, olds, news) => {
        const { properties } = await provider.update(id, olds as Properties, news as Properties);
        return { outs: properties };
      },
      read: async (_name, id, props) => {
        const read = await provider.read(id, props as Properties);
        return { id: read.id, props: read.properties, ...(read.inputs === undefined ? {} : { inputs: read.inputs }) };
      },
      delete: (_name, id, props) => provider.delete(id, props as Properties),
    };
  };

function expectKill(mishap: Mishap): void {
  fs.writeFileSync(callsFile, "");
  fs.writeFileSync(control, JSON.stringify(mishap));
}

const bench: KillBench = {
  begin: async (organisation) => {
    expectKill({ fails: false });
    const file = path.join(directory, `${String((files += 1))}.json`);
    const store = openStateFile(file, { makeOrganisation: () => Promise.resolve(organisation) });
    await store.read();
    return makeMiniEngine(undefined, () => new Date(), { store, frontEnd: frontEndOver(file) });
  },
  killed: async (engine, { program, fault }, at) => {
    expectKill({ ...at, fails: fault !== undefined });
    await engine.up(program).catch(() => undefined);
    const calls = fs.readFileSync(callsFile, "utf8").trimEnd().split("\n");
    expectKill({ fails: false });
    return calls;
  },
};

const tried = new Set<string>();
const FEW = new Set(["a removal in a gap that the program has come to allow", "the roll-back of a create that fails"]);

describe.each(SCENARIOS.filter(({ name }) => ALL || FEW.has(name)))("the process killed in $name", (scenario) => {
  it("at a call, the next one comes to the same end, and then there is nothing more to do", async () => {
    const killed = await killEverywhere(scenario, bench, (call, { when }) => {
      if (ALL) return true;
      if (when === "before" || tried.has(call)) return false;
      tried.add(call);
      return true;
    });
    if (ALL) console.log(`${scenario.name}: ${String(killed.length)} kills, all converged`);
  });
});
