import type { ReadConfig } from "../../config";
import { ExchangeBindingError } from "../../errors";
import { create, update } from "../../lifecycle/change";
import { check } from "../../lifecycle/check";
import { remove } from "../../lifecycle/delete";
import type { Deployment } from "../../lifecycle/deployment";
import { diff } from "../../lifecycle/diff";
import { getCertificate, getServer } from "../../lifecycle/lookUp";
import type { Answered } from "../../lifecycle/lookUp";
import { read } from "../../lifecycle/read";
import { HalfDone } from "../../lifecycle/requests";
import type { Bag, CreateAnswer, Decision, Limits, ReadAnswer } from "../../lifecycle/requests";
import { controllerForMany } from "../../lifecycle/timeLimit";
import { failuresForEngine } from "../engine/failuresForEngine";
import type { EngineFailure } from "../engine/failuresForEngine";
import { plannedOutputs } from "./plannedOutputs";
import { explicitSettings } from "./explicitSettings";
import { Refusals } from "./refusals";
import { hiddenInputs, withoutHidden } from "./urn";

/** What every request about a resource has. */
export interface OfResource {
  readonly urn: string;
}

/** An operation that may change a server. */
export interface Changing extends OfResource {
  readonly isPreview: boolean;
  /** Seconds, from the resource's `customTimeouts`; 0: none are set. */
  readonly timeout: number;
}

export interface OfState extends OfResource {
  readonly id: string;
  /** The outputs in the state. */
  readonly state: Bag;
}

/** The life cycle as the engine asks a plugin for it. Inputs and outputs hold no marks of secrets. */
export class NativeProvider {
  readonly #deployment: Deployment;
  readonly #refusals: Refusals;
  readonly #cancelled = controllerForMany();
  readonly #running = new Set<Promise<unknown>>();

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
    this.#refusals = new Refusals(deployment);
  }

  get isCancelled(): boolean {
    return this.#cancelled.signal.aborted;
  }

  /** Whether something that was asked isn't answered yet. */
  get isBusy(): boolean {
    return this.#running.size > 0;
  }

  /** `explicit`: the name of the program's own provider resource, whose inputs come before the environment. */
  configure(config: Readonly<Record<string, string>>, explicit: string | undefined): void {
    const readConfig: ReadConfig = (key) => config[key.replace(/^exchange:/, "")];
    if (explicit === undefined) {
      this.#deployment.configure(readConfig);
      return;
    }
    const { environment, ignored } = explicitSettings(config, this.#deployment.env.environment);
    this.#deployment.configure(readConfig, environment);
    if (ignored.length === 0) return;
    this.#deployment.env.note(
      `Provider "${explicit}" has a configuration of its own, so the environment's ${ignored.join(", ")} ${ignored.length === 1 ? "is" : "are"} ignored for it.`,
    );
  }

  /** Mistakes are failures. What depends on a server's state is kept for create and update, see {@link Refusals}. */
  check(request: OfResource & { readonly inputs: Bag; readonly oldInputs: Bag }): Promise<{
    readonly inputs: Bag;
    readonly failures: readonly EngineFailure[];
  }> {
    const { urn } = request;
    return this.#run(async (limits) => {
      const inputs = { ...withoutHidden(request.inputs), ...hiddenInputs(urn) };
      const answer = await check(this.#deployment, { ...limits, inputs, oldInputs: request.oldInputs });
      const ofProgram = this.#refusals.keep(urn, answer);
      const now = this.#deployment.env.now();
      return { inputs: withoutHidden(answer.inputs), failures: failuresForEngine(ofProgram, request.inputs, now) };
    });
  }

  diff({ urn, id, state, inputs }: OfState & { readonly inputs: Bag }): Promise<Decision> {
    return this.#run(async (limits) => {
      if (this.#refusals.of(urn) !== undefined) return SOME_CHANGE;
      try {
        return await diff(this.#deployment, {
          ...limits,
          id,
          state: formerly(urn, state),
          inputs: called(urn, inputs),
        });
      } catch (error) {
        if (!this.#refusals.keepError(urn, error)) throw error;
        return SOME_CHANGE;
      }
    });
  }

  /** A preview has no id. */
  create({ urn, inputs, ...how }: Changing & { readonly inputs: Bag }): Promise<CreateAnswer> {
    return this.#run(async (limits) => {
      this.#refusals.refuse(urn, how.isPreview);
      if (how.isPreview) return { id: "", outputs: plannedOutputs(inputs) };
      const request = { ...limitedBy(limits, how, "create"), inputs: called(urn, inputs) };
      const { id, outputs } = await create(this.#deployment, request);
      return { id, outputs: shownOutputs(outputs) };
    });
  }

  update({ urn, id, state, inputs, ...how }: Changing & OfState & { readonly inputs: Bag }): Promise<Bag> {
    return this.#run(async (limits) => {
      this.#refusals.refuse(urn, how.isPreview);
      if (how.isPreview) return plannedOutputs(inputs, state);
      const request = { id, state: formerly(urn, state), inputs: called(urn, inputs) };
      return shownOutputs(await update(this.#deployment, { ...limitedBy(limits, how, "update"), ...request }));
    });
  }

  /** Without a state it is an import, or a look at what is there. */
  read({ urn, id, state }: OfState): Promise<ReadAnswer> {
    return this.#run(async (limits) => {
      const answer = await read(this.#deployment, {
        ...limits,
        id,
        state: called(urn, state),
        isImport: Object.keys(state).length === 0,
      });
      if (answer.kind === "gone") return answer;
      const { bindingUrn = urn } = state;
      return {
        ...answer,
        outputs: { ...shownOutputs(answer.outputs), bindingUrn },
        inputs: withoutHidden(answer.inputs),
      };
    });
  }

  delete({ urn, id, state, ...how }: Omit<Changing, "isPreview"> & OfState): Promise<void> {
    return this.#run((limits) =>
      remove(this.#deployment, { ...limitedBy(limits, how, "delete"), id, state: called(urn, state) }),
    );
  }

  /** What a program asks, by the function's token. */
  invoke(token: string, args: Bag): Promise<Answered<object>> {
    const answers = FUNCTIONS[token];
    if (answers === undefined) {
      const known = Object.keys(FUNCTIONS).join(" and ");
      throw new ExchangeBindingError("Internal", `There is no function ${token}. Functions are ${known}.`);
    }
    return this.#run((limits) => answers(this.#deployment, args, limits));
  }

  /** Ends what runs, and closes what is open once nothing runs any more. The engine says it at every end, good or bad. */
  async cancel(): Promise<void> {
    this.#cancelled.abort(new ExchangeBindingError("Cancelled", "Pulumi was told to stop."));
    while (this.#running.size > 0) await Promise.allSettled([...this.#running]);
    // A session that can't be closed ends by its own time-out.
    await this.#deployment.close().catch(() => undefined);
  }

  async #run<T>(run: (limits: Limits) => Promise<T>): Promise<T> {
    const running = this.#deployment.busy(() => run({ signal: this.#cancelled.signal }));
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      if (!(error instanceof HalfDone)) throw error;
      const { cause, id, outputs } = error;
      throw new HalfDone(cause as Error, { id, outputs: shownOutputs(outputs) });
    } finally {
      this.#running.delete(running);
    }
  }
}

const FUNCTIONS: Readonly<
  Record<string, (deployment: Deployment, args: Bag, limits: Limits) => Promise<Answered<object>>>
> = {
  "exchange:index:getServer": getServer,
  "exchange:index:getCertificate": getCertificate,
};

/** What is said of a binding that is going to be refused: that it isn't as it should be. */
const SOME_CHANGE: Decision = { kind: "update", differences: [], replaces: [] };

function called(urn: string, bag: Bag): Bag {
  return { ...withoutHidden(bag), ...hiddenInputs(urn) };
}

/** The state keeps the URN under which it was made, by which what a killed run has left is found. */
function formerly(urn: string, state: Bag): Bag {
  const { bindingUrn = urn, bindingLabel } = state;
  return { ...called(urn, state), bindingUrn, ...(bindingLabel === undefined ? {} : { bindingLabel }) };
}

function shownOutputs(outputs: Bag): Bag {
  const { bindingUrn } = outputs;
  return { ...withoutHidden(outputs), bindingUrn };
}

function limitedBy(limits: Limits, { timeout }: { readonly timeout: number }, operation: string): Limits {
  return timeout > 0 ? { ...limits, limit: { seconds: timeout, setBy: `customTimeouts.${operation}` } } : limits;
}
