import { CHANGING_CALLS } from "./changingCalls";

/** Files that the adapter works with; relative ones count from the program's directory. */
export interface KillingFiles {
  /** The simulated organisation. */
  readonly organisation: string;
  /** {@link Mishap} as JSON. */
  readonly control: string;
  /** Gets a line for each call, before it is carried out. */
  readonly calls: string;
}

/** What goes wrong in a run. */
export interface Mishap {
  /** The process is killed at the call of this number, from 0. */
  readonly call?: number;
  readonly when?: "before" | "after";
  /** It is killed right after the first call of this kind. */
  readonly first?: string;
  /** Once IIS has been enabled, it is said to have failed. */
  readonly fails: boolean;
}

/** An adapter around the simulator that ends its process at a call as a power cut would, as CommonJS text. */
export function killingAdapter({ organisation, control, calls }: KillingFiles): string {
  return `
    const fs = require("node:fs");
    const path = require("node:path");
    const { openSimulator } = require("pulumi-exchange-certificates/simulator");
    exports.createBackend = ({ programDirectory, say }) => {
      const at = (file) => path.resolve(programDirectory, file);
      const backend = openSimulator({ file: at(${JSON.stringify(organisation)}), say });
      const calls = at(${JSON.stringify(calls)});
      const { call, when, first, fails } = JSON.parse(fs.readFileSync(at(${JSON.stringify(control)}), "utf8"));
      let hasFailed = false;
      const die = () => {
        process.kill(process.pid, "SIGKILL");
        return new Promise(() => undefined);
      };
      const changing = (name) => async (...args) => {
        const number = fs.readFileSync(calls, "utf8").split("\\n").length - 1;
        fs.appendFileSync(calls, name + "\\n");
        const isIt = number === call || name === first;
        if (isIt && when === "before") return die();
        const result = await backend[name](...args);
        if (isIt) return die();
        if (fails && !hasFailed && name === "enableServices" && args[1].services.includes("IIS")) {
          hasFailed = true;
          throw new Error("The fault of the test.");
        }
        return result;
      };
      return {
        kind: "killed",
        readSnapshot: (...args) => backend.readSnapshot(...args),
        close: () => backend.close(),
        ...Object.fromEntries(${JSON.stringify(CHANGING_CALLS)}.map((name) => [name, changing(name)])),
      };
    };
  `;
}
