import type { ReadConfig } from "../config";
import { create, update } from "./change";
import { check } from "./check";
import { forget } from "./delete";
import type { Deployment } from "./deployment";
import { diff } from "./diff";
import { EngineError } from "./engineError";
import { read } from "./read";

type Bag = Readonly<Record<string, unknown>>;

/** What the engine's dynamic-provider server calls. */
export interface Lifecycle {
  readonly configure: (request: { readonly config: { get(key: string): string | undefined } }) => Promise<void>;
  readonly check: (olds: Bag, news: Bag) => ReturnType<typeof check>;
  readonly diff: (id: string, olds: Bag, news: Bag) => ReturnType<typeof diff>;
  readonly create: (inputs: Bag) => ReturnType<typeof create>;
  readonly read: (id: string, props: Bag) => ReturnType<typeof read>;
  readonly update: (id: string, olds: Bag, news: Bag) => ReturnType<typeof update>;
  readonly delete: (id: string, props: Bag) => Promise<void>;
}

/** Every error leaves in the form in which the engine shows it well. */
async function forEngine<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw error instanceof EngineError ? error : new EngineError(error);
  }
}

/** The provider over one deployment. */
export function lifecycleOver(deployment: Deployment): Lifecycle {
  return {
    configure: ({ config }) => {
      const readConfig: ReadConfig = (key) => config.get(key);
      deployment.configure(readConfig);
      return Promise.resolve();
    },
    check: (olds, news) => forEngine(() => check(deployment, olds, news)),
    diff: (id, olds, news) => forEngine(() => diff(deployment, id, olds, news)),
    create: (inputs) => forEngine(() => create(deployment, inputs)),
    read: (id, props) => forEngine(() => read(deployment, id, props)),
    update: (id, olds, news) => forEngine(() => update(deployment, id, olds, news)),
    delete: (id, props) => forEngine(() => forget(deployment, id, props)),
  };
}
