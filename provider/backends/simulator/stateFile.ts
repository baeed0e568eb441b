import type { Organisation } from "./organisation";

/** What {@link StateStore.update} runs: the organisation afterwards (the same reference when nothing changed) and a result. */
export type StateChange<Result> = (organisation: Organisation) => {
  readonly organisation: Organisation;
  readonly result: Result;
};

/** Where a simulated organisation is kept. */
export interface StateStore {
  /** The organisation as it is now. Never to be changed in place. */
  read(): Promise<Organisation>;
  /** Changes it; changes never overlap, not even between processes. Nothing is written when the reference stays the same. */
  update<Result>(change: StateChange<Result>): Promise<Result>;
}

/** Everything impure that {@link openStateFile} needs. */
export interface StateFileEnv {
  /** Makes the organisation for a file that doesn't exist yet. */
  readonly makeOrganisation: () => Promise<Organisation>;
}

/** An organisation in memory, for tests. */
export function memoryState(initial: Organisation): StateStore {
  let organisation = initial;
  return {
    read: () => Promise.resolve(organisation),
    update: (change) => {
      const outcome = change(organisation);
      organisation = outcome.organisation;
      return Promise.resolve(outcome.result);
    },
  };
}

/** The organisation in the JSON file at `path`. */
export function openStateFile(path: string, env: StateFileEnv): StateStore {
  void path;
  void env;
  throw new Error("to be written");
}
