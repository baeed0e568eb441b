import { randomBytes } from "node:crypto";

import type { Backend } from "../../../provider/backends/backend";
import { dynamicProviderOver, type DynamicProvider } from "../../../provider/frontends/dynamic/dynamicProvider";
import { EngineError } from "../../../provider/frontends/dynamic/engineError";
import { messageOf } from "../../../provider/errors";
import { Deployment } from "../../../provider/lifecycle/deployment";
import type { Line } from "../../../provider/plan/line";
import { reasonOf } from "../../../provider/lifecycle/timeLimit";
import { called } from "../../identities";
import { makeTestCertificate } from "../../certificate/testCertificates";
import { FakeTime } from "../fakeTime";
import { DAY_MS } from "./world";

/*
 * Stacks as the real engine runs them, one resource after the other, with what goes wrong: a failed operation ends the
 * run, a half-done one leaves its outputs and is tried again, what was replaced is deleted at the end, what couldn't be
 * deleted waits for the next run. Of an operation in whose middle the process was killed the state knows nothing.
 */

export type Bag = Readonly<Record<string, unknown>>;
export type Program = Readonly<Record<string, Bag>>;

interface Resource {
  readonly id: string;
  readonly inputs: Bag;
  readonly outputs: Bag;
  readonly name: string;
  /** Its last operation ended half-way: it is tried again, whatever `diff` says. */
  readonly isHalfDone?: boolean;
}

/** How a run ended. `killed` counts as such only when it was. */
export interface Ending {
  readonly how: "done" | "refused" | "failed" | "killed";
  /** What was done, or would be, with each binding. */
  readonly done: Readonly<Record<string, string>>;
  /** Why it was refused or failed. */
  readonly reasons: readonly string[];
  /** Deletes that were refused, each with its reason: a run that has only these has done all else. */
  readonly kept: readonly string[];
}

/** The backend of one run, whose process may be killed. */
export interface RunBackend extends Backend {
  /** Whether it was. Nothing that is said afterwards counts. */
  readonly isDead: () => boolean;
  /** An operation on a binding begins, which may change something. */
  readonly begins: (binding: string) => Promise<void>;
  readonly says: (line: Line) => void;
}

export class Stack {
  readonly #now: () => Date;
  readonly #name: string;
  program: Program = {};
  /** Ids of what was ever a binding's own certificate, or was brought by a run. */
  readonly everOwn = new Set<string>();
  /** The last one that wasn't refused. */
  #accepted: Program = {};
  readonly #state = new Map<string, Resource>();
  /** Replaced ones whose delete has failed. */
  #pending: Resource[] = [];

  constructor(name: string, now: () => Date) {
    this.#name = name;
    this.#now = now;
  }

  /** What the stack knows: inputs and outputs of each resource, those that wait for their delete too. */
  get resources(): readonly { readonly name: string | undefined; readonly inputs: Bag; readonly outputs: Bag }[] {
    return [...this.#state.values(), ...this.#pending.map((one) => ({ ...one, name: undefined }))];
  }

  /** Outputs by name. */
  outputs(name: string): Bag | undefined {
    return this.#state.get(name)?.outputs;
  }

  /** As the CLI does it: what the preview refuses isn't begun. (What `--skip-preview` may do is in docs/removal.md.) */
  async up(backend: RunBackend): Promise<Ending> {
    const shown = await this.#run(this.program, backend, true);
    return shown.how === "done" ? this.#run(this.program, backend, false) : shown;
  }

  /** An `up` has ended: whoever is refused takes the program back to where it was. */
  isOver({ how }: Ending): void {
    if (how === "refused") this.program = this.#accepted;
    else this.#accepted = this.program;
  }

  async preview(backend: RunBackend): Promise<Ending> {
    return this.#run(this.program, backend, true);
  }

  async destroy(backend: RunBackend): Promise<Ending> {
    return this.#run({}, backend, false);
  }

  async refresh(backend: RunBackend): Promise<Ending> {
    const lifecycle = this.#process(backend);
    const ending = new EndingSoFar(backend.isDead);
    for (const [name, resource] of [...this.#state]) {
      const isOver = await ending.during(async () => {
        const { id, props, inputs = resource.inputs } = await lifecycle.read(resource.id, resource.outputs);
        if (id === undefined || props === undefined) this.#state.delete(name);
        else this.#keep({ ...resource, id, inputs, outputs: props });
        ending.done[name] = id === undefined ? "gone" : "same";
      });
      if (isOver) break;
    }
    return ending;
  }

  async #run(program: Program, backend: RunBackend, isPreview: boolean): Promise<Ending> {
    const lifecycle = this.#process(backend);
    const ending = new EndingSoFar(backend.isDead);
    const replaced: Resource[] = [];
    for (const [name, args] of Object.entries(program)) {
      const isOver = await ending.during(() =>
        this.#step({
          name,
          news: { ...called(`${this.#name}-${name}`), ...args },
          lifecycle,
          backend,
          ending,
          isPreview,
          replaced,
        }),
      );
      // What has been replaced waits for its delete from now on, also when the run ends here.
      if (isOver) {
        this.#pending.push(...replaced);
        return ending;
      }
    }
    const gone = [...this.#state].filter(([name]) => program[name] === undefined);
    for (const [name, resource] of gone) {
      ending.done[name] = "delete";
      if (isPreview) continue;
      if (await ending.deleting(() => deletion(resource, lifecycle, backend))) this.#state.delete(name);
    }
    if (isPreview) {
      if (this.#pending.length > 0) ending.done["pending"] = "delete";
      return ending;
    }
    const waiting = [...this.#pending, ...replaced];
    this.#pending = [];
    for (const resource of waiting) {
      const isGone = await ending.deleting(() => deletion(resource, lifecycle, backend));
      if (!isGone) this.#pending.push(resource);
    }
    return ending;
  }

  async #step(step: Step): Promise<void> {
    const { name, news, lifecycle, backend, ending, isPreview, replaced } = step;
    const old = this.#state.get(name);
    const inputs = await checked(lifecycle, old?.inputs ?? {}, news);
    if (old === undefined) {
      ending.done[name] = "create";
      if (!isPreview) await this.#create(name, inputs, step, () => undefined);
      return;
    }
    const { changes, replaces = [] } = await refusing(() => lifecycle.diff(old.id, old.outputs, inputs));
    if (changes && replaces.length > 0) {
      ending.done[name] = "replace";
      // The engine checks once more, without the old inputs.
      const again = await checked(lifecycle, {}, news);
      if (isPreview) return;
      await this.#create(name, again, step, () => replaced.push(old));
    } else if (changes || old.isHalfDone === true) {
      ending.done[name] = "update";
      if (isPreview) return;
      const { id } = old;
      await backend.begins(name);
      const { outs } = await halfDone(
        () => lifecycle.update(id, old.outputs, inputs),
        (_id, outputs) => {
          if (!backend.isDead()) this.#keep({ name, id, inputs, outputs, isHalfDone: true });
        },
      );
      this.#keep({ name, id, inputs, outputs: outs });
    } else {
      ending.done[name] = "same";
      if (!isPreview) this.#keep({ ...old, inputs });
    }
  }

  async #create(name: string, inputs: Bag, { lifecycle, backend }: Step, isThere: () => unknown): Promise<void> {
    await backend.begins(name);
    const { id, outs } = await halfDone(
      () => lifecycle.create(inputs),
      (ofHalf, outputs) => {
        if (backend.isDead()) return;
        isThere();
        this.#keep({ name, id: ofHalf, inputs, outputs, isHalfDone: true });
      },
    );
    isThere();
    this.#keep({ name, id, inputs, outputs: outs });
  }

  #keep(resource: Resource): void {
    this.#state.set(resource.name, resource);
    this.everOwn.add(resource.id);
  }

  #process(backend: RunBackend): DynamicProvider {
    const now = this.#now;
    // What is waited for in vain is waited for until the limit, and not for ever.
    const time = new FakeTime();
    const deployment = new Deployment({
      directory: "/",
      environment: { EXCHANGE_BACKEND: "simulator" },
      readFile: () => Promise.reject(new Error("no file is read here")),
      now,
      randomBytes,
      limitTimer: time.timer,
      sleep: (milliseconds, signal) => {
        time.pass(milliseconds);
        return signal.aborted ? Promise.reject(reasonOf(signal)) : Promise.resolve();
      },
      // Quick: a key that is there already, in a certificate as wished.
      makeCertificate: ({ subject, dnsNames, validityDays }) =>
        Promise.resolve(
          makeTestCertificate({
            ...(subject === undefined ? {} : { subject }),
            dnsNames,
            notBefore: new Date(now().getTime() - 3_600_000),
            notAfter: new Date(now().getTime() + validityDays * DAY_MS),
          }),
        ),
      say: ({ line }) => {
        backend.says(line);
      },
      note: () => undefined,
      open: () => Promise.resolve(backend),
    });
    return dynamicProviderOver(deployment);
  }
}

interface Step {
  readonly name: string;
  readonly news: Bag;
  readonly lifecycle: DynamicProvider;
  readonly backend: RunBackend;
  readonly ending: EndingSoFar;
  readonly isPreview: boolean;
  readonly replaced: Resource[];
}

async function deletion(
  { name, id, outputs }: Resource,
  lifecycle: DynamicProvider,
  backend: RunBackend,
): Promise<void> {
  await backend.begins(name);
  await lifecycle.delete(id, outputs);
}

class Refused extends Error {}

async function checked(lifecycle: DynamicProvider, olds: Bag, news: Bag): Promise<Bag> {
  const { inputs, failures } = await lifecycle.check(olds, news);
  if (failures.length > 0) throw new Refused(failures.map((one) => `${one.property}: ${one.reason}`).join("\n"));
  return inputs;
}

/** What `diff` refuses is refused in the preview too. */
async function refusing<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw new Refused(messageOf(error));
  }
}

/** An operation that may leave outputs although it fails. */
async function halfDone<T>(operation: () => Promise<T>, keep: (id: string, outputs: Bag) => unknown): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (error instanceof EngineError && error.id !== undefined) keep(error.id, error.properties ?? {});
    throw error;
  }
}

class EndingSoFar implements Ending {
  how: Ending["how"] = "done";
  readonly done: Record<string, string> = {};
  readonly reasons: string[] = [];
  readonly kept: string[] = [];
  readonly #isDead: () => boolean;

  constructor(isDead: () => boolean) {
    this.#isDead = isDead;
  }

  /** Whether the run is over by it. */
  async during(action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      return false;
    } catch (error) {
      this.how = this.#isDead() ? "killed" : error instanceof Refused ? "refused" : "failed";
      this.reasons.push(messageOf(error));
      return true;
    }
  }

  /** Whether it is deleted. */
  async deleting(action: () => Promise<void>): Promise<boolean> {
    if (this.how === "killed") return false;
    try {
      await action();
      return true;
    } catch (error) {
      this.how = this.#isDead() ? "killed" : "failed";
      this.kept.push(messageOf(error));
      return false;
    }
  }
}
