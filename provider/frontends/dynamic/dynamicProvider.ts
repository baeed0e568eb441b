import type { ReadConfig } from "../../config";
import { create, update } from "../../lifecycle/change";
import { check } from "../../lifecycle/check";
import { remove } from "../../lifecycle/delete";
import type { Deployment } from "../../lifecycle/deployment";
import { diff } from "../../lifecycle/diff";
import { read } from "../../lifecycle/read";
import { HalfDone } from "../../lifecycle/requests";
import type { Bag } from "../../lifecycle/requests";
import { EngineError } from "./engineError";
import { failuresForEngine } from "../engine/failuresForEngine";
import type { EngineFailure } from "../engine/failuresForEngine";
import type { LineSink } from "../engine/lineSink";
import { fromEngine, toEngine } from "../engine/unknownTexts";

/** What the engine's dynamic-provider server calls, and what it takes as answers. */
export interface DynamicProvider {
  readonly configure: (request: { readonly config: { get(key: string): string | undefined } }) => Promise<void>;
  readonly check: (olds: Bag, news: Bag) => Promise<{ readonly inputs: Bag; readonly failures: EngineFailure[] }>;
  readonly diff: (id: string, olds: Bag, news: Bag) => Promise<DiffResult>;
  readonly create: (inputs: Bag) => Promise<{ readonly id: string; readonly outs: Bag }>;
  readonly read: (
    id: string,
    props: Bag,
  ) => Promise<{ readonly id?: string; readonly props?: Bag; readonly inputs?: Bag }>;
  readonly update: (id: string, olds: Bag, news: Bag) => Promise<{ readonly outs: Bag }>;
  readonly delete: (id: string, props: Bag) => Promise<void>;
}

/** All that the server passes on. */
export interface DiffResult {
  readonly changes: boolean;
  readonly replaces?: string[];
  readonly deleteBeforeReplace?: boolean;
}

/** The code by which the server finds this provider: it puts it back itself, but not into what an error carries. */
const CODE_KEY = "__provider";

/** The dynamic provider over one deployment. */
export function dynamicProviderOver(deployment: Deployment, sink?: LineSink): DynamicProvider {
  const forEngine = <T>(given: Bag, run: () => Promise<T>): Promise<T> =>
    answering(given, () => deployment.busy(run), sink);
  return {
    configure: ({ config }) => {
      const readConfig: ReadConfig = (key) => config.get(key);
      deployment.configure(readConfig, undefined, keysOf(config));
      return Promise.resolve();
    },
    check: (olds, news) =>
      forEngine(news, async () => {
        sink?.addRow(news["bindingUrn"]);
        const { inputs, failures } = await check(deployment, { oldInputs: fromEngine(olds), inputs: fromEngine(news) });
        return { inputs: toEngine(inputs), failures: failuresForEngine(failures, news, deployment.env.now()) };
      }),
    diff: (id, olds, news) =>
      forEngine(news, async () => {
        const { kind, replaces } = await diff(deployment, { id, state: fromEngine(olds), inputs: fromEngine(news) });
        if (kind !== "replace") return { changes: kind === "update" };
        return { changes: true, replaces: [...replaces], deleteBeforeReplace: false };
      }),
    create: (inputs) =>
      forEngine(inputs, async () => {
        const { id, outputs } = await create(deployment, { inputs });
        return { id, outs: outputs };
      }),
    read: (id, props) =>
      forEngine(props, async () => {
        const answer = await read(deployment, { id, state: props });
        return answer.kind === "gone" ? {} : { id, props: answer.outputs, inputs: answer.inputs };
      }),
    update: (id, olds, news) =>
      forEngine(news, async () => ({ outs: await update(deployment, { id, state: olds, inputs: news }) })),
    delete: (id, props) => forEngine(props, () => remove(deployment, { id, state: props })),
  };
}

/** The keys of the configuration, by what the SDK's object has and doesn't declare; none where it is another. */
function keysOf(config: object): readonly string[] {
  const { rawConfig } = config as { readonly rawConfig?: unknown };
  return typeof rawConfig === "object" && rawConfig !== null ? Object.keys(rawConfig) : [];
}

/** Every error leaves in the form in which the engine shows it well, and every line before its answer. */
async function answering<T>(given: Bag, run: () => Promise<T>, sink: LineSink | undefined): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof HalfDone)) throw new EngineError(error);
    // Without its code the resource could never be read or deleted again.
    const properties = { ...error.outputs, [CODE_KEY]: given[CODE_KEY] };
    throw new EngineError(error.cause, { id: error.id, properties });
  } finally {
    await sink?.flush();
  }
}
