import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { openStateFile } from "../../provider/backends/simulator/stateFile";
import { called } from "../identities";
import { SCENARIOS, killEverywhere, type KillBench, type KillPoint } from "../lifecycle/killScenarios";
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

/** An adapter around the simulator that counts calls, and ends its process at one of them as a power cut would. */
const adapter = (file: string): string => `
  const fs = require("node:fs");
  const { openSimulator } = require("pulumi-exchange-certificates/simulator");
  exports.createBackend = ({ say }) => {
    const backend = openSimulator({ file: ${JSON.stringify(file)}, say });
    const { call, when, fails } = JSON.parse(fs.readFileSync(${JSON.stringify(control)}, "utf8"));
    let hasFailed = false;
    const die = () => {
      process.kill(process.pid, "SIGKILL");
      return new Promise(() => undefined);
    };
    const changing = (name) => async (...args) => {
      const number = fs.readFileSync(${JSON.stringify(callsFile)}, "utf8").split("\\n").length - 1;
      fs.appendFileSync(${JSON.stringify(callsFile)}, name + "\\n");
      if (number === call && when === "before") return die();
      const result = await backend[name](...args);
      if (number === call) return die();
      if (fails && !hasFailed && name === "enableServices" && args[1].services.includes("IIS")) {
        hasFailed = true;
        throw new Error("The fault of the test.");
      }
      return result;
    };
    const names = ["importCertificate", "enableServices", "setCertificateName", "setSendConnectorCertificate",
      "setReceiveConnectorCertificate", "removeCertificate"];
    return {
      kind: "killed",
      readSnapshot: (...args) => backend.readSnapshot(...args),
      close: () => backend.close(),
      ...Object.fromEntries(names.map((name) => [name, changing(name)])),
    };
  };
`;

const running: DynamicProvider[] = [];

/** A process for each run; the one before ends when the next begins. */
const frontEndOver =
  (file: string): FrontEnd =>
  async () => {
    await running.pop()?.end();
    const provider = await startDynamicProvider({
      config: { "exchange:backend": "./adapter.cjs" },
      files: { "adapter.cjs": adapter(file) },
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

function expectKill(at: KillPoint | undefined, fails: boolean): void {
  fs.writeFileSync(callsFile, "");
  fs.writeFileSync(control, JSON.stringify({ ...at, fails }));
}

const bench: KillBench = {
  begin: async (organisation) => {
    expectKill(undefined, false);
    const file = path.join(directory, `${String((files += 1))}.json`);
    const store = openStateFile(file, { makeOrganisation: () => Promise.resolve(organisation) });
    await store.read();
    return makeMiniEngine(undefined, () => new Date(), { store, frontEnd: frontEndOver(file) });
  },
  killed: async (engine, { program, fault }, at) => {
    expectKill(at, fault !== undefined);
    await engine.up(program).catch(() => undefined);
    const calls = fs.readFileSync(callsFile, "utf8").trimEnd().split("\n");
    expectKill(undefined, false);
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
