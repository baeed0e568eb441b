import { randomInt } from "node:crypto";
import { statSync, type BigIntStats } from "node:fs";
import { readFile, realpath, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { lock } from "proper-lockfile";
import writeFileAtomic from "write-file-atomic";
import { ExchangeBindingError, messageOf } from "../../errors";
import type { Organisation } from "./organisation";
import { parseOrganisation } from "./organisationText";

/** What {@link StateStore.update} runs: the organisation afterwards (the same reference when nothing changed) and a result. */
export type StateChange<Result> = (organisation: Organisation) => {
  readonly organisation: Organisation;
  readonly result: Result;
};

/** Where a simulated organisation is kept. */
export interface StateStore {
  /** The organisation as it is now. Never to be changed in place. */
  read(): Promise<Organisation>;
  /**
   * Changes it. Changes never overlap, not even between processes. Nothing is written when the reference stays the
   * same. The function may be run again, on a newer organisation, before its outcome counts; so it must be pure.
   */
  update<Result>(change: StateChange<Result>): Promise<Result>;
}

/** What {@link openStateFile} needs beside the path. */
export interface StateFileEnv {
  /** Makes the organisation for a file that doesn't exist yet. */
  readonly makeOrganisation: () => Promise<Organisation>;
  /** How long to wait for another process that is changing the file, milliseconds. Default 30 000. */
  readonly lockTimeoutMilliseconds?: number;
}

/** An organisation in memory, for tests. */
export function memoryState(initial: Organisation): StateStore {
  let organisation = initial;
  return {
    read: () => Promise.resolve(organisation),
    // eslint-disable-next-line @typescript-eslint/require-await -- a change that throws is to reject, as with a file
    update: async (change) => {
      const outcome = change(organisation);
      organisation = outcome.organisation;
      return outcome.result;
    },
  };
}

/**
 * The organisation in the JSON file at `path`, which is made on first use. Several processes may use it at once: a
 * directory `<path>.lock` says that one of them is changing it. People may edit the file at any time.
 *
 * Errors of `read` and `update`: `SimulatorFileInvalid` when the file isn't a simulated organisation (it is never
 * overwritten then), `SimulatorFileLocked` when another process doesn't let go.
 */
export function openStateFile(path: string, env: StateFileEnv): StateStore {
  const { makeOrganisation, lockTimeoutMilliseconds = 30_000 } = env;
  let cached: CachedFile | undefined;
  /** The changes of this process wait for each other here, in order, rather than at the lock, in any. */
  let queue: Promise<unknown> = Promise.resolve();

  const load = async (file: string): Promise<CachedFile | undefined> => {
    cached = await loadFile(file, path, cached);
    return cached;
  };

  const save = async (file: string, organisation: Organisation): Promise<void> => {
    const text = `${JSON.stringify(organisation, undefined, 2)}\n`;
    try {
      await writeFileAtomic(file, text);
    } catch (cause) {
      throw fileError(path, "Writing", messageOf(cause), cause);
    }
  };

  const attempt = async <Result>(file: string, held: HeldLock, change: StateChange<Result>) => {
    const found = await load(file);
    const before = found?.organisation ?? (await makeOrganisation());
    const outcome = change(before);
    if (found !== undefined && outcome.organisation === before) return { result: outcome.result };
    // The lock can be lost (a process that was stopped for long), and people don't know of it.
    if (held.isLost() || (await identityOf(file)) !== found?.identity) return "overtaken";
    await save(file, outcome.organisation);
    return { result: outcome.result };
  };

  const update = async <Result>(change: StateChange<Result>): Promise<Result> => {
    const file = await realFile(path);
    for (let tries = 0; tries < 20; tries++) {
      const held = await acquireLock(file, path, lockTimeoutMilliseconds);
      try {
        const outcome = await attempt(file, held, change);
        if (outcome !== "overtaken") return outcome.result;
      } finally {
        await held.release();
      }
    }
    throw lockedError(path, file, "something else keeps changing it at the same time");
  };

  const enqueue = <Result>(change: StateChange<Result>): Promise<Result> => {
    const turn = queue.then(() => update(change));
    queue = turn.catch(() => undefined);
    return turn;
  };

  return {
    read: async () => {
      // Behind a symbolic link the same file is found without asking where it leads.
      const found = await load(path);
      return found?.organisation ?? enqueue((organisation) => ({ organisation, result: organisation }));
    },
    update: enqueue,
  };
}

interface CachedFile {
  readonly identity: string;
  readonly text: string;
  readonly organisation: Organisation;
  /**
   * Whether the identity alone proves that the content is the same. File systems count time in ticks: a file that was
   * changed just now may be changed again without looking different.
   */
  readonly settled: boolean;
}

const SETTLING_MILLISECONDS = 2000;

/** Reads and checks the file unless `cached` still is what it says; `undefined` when there is no file. */
async function loadFile(file: string, path: string, cached: CachedFile | undefined): Promise<CachedFile | undefined> {
  try {
    // A look at the times of a file takes less than to let another thread do it.
    const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    const identity = formatIdentity(stats);
    if (cached?.settled === true && cached.identity === identity) return cached;
    const settled = Date.now() - Number(stats.mtimeMs) > SETTLING_MILLISECONDS;
    const text = await readFile(file, "utf8");
    const organisation = cached?.text === text ? cached.organisation : parseOrganisation(text);
    return { identity, text, organisation, settled };
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return undefined;
    throw fileError(path, "Reading", messageOf(cause), cause);
  }
}

async function identityOf(file: string): Promise<string | undefined> {
  try {
    return formatIdentity(await stat(file, { bigint: true }));
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function formatIdentity({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join("/");
}

/** Behind symbolic links, so that everybody locks the same place. */
async function realFile(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    return resolve(path);
  }
}

interface HeldLock {
  isLost(): boolean;
  release(): Promise<void>;
}

/** A process that died leaves its lock behind. It is taken over when it hasn't been renewed for that long. */
const STALE_MILLISECONDS = 10_000;

async function acquireLock(file: string, path: string, timeoutMilliseconds: number): Promise<HeldLock> {
  const giveUpAt = Date.now() + timeoutMilliseconds;
  for (;;) {
    let lost = false;
    try {
      const release = await lock(file, {
        realpath: false,
        stale: STALE_MILLISECONDS,
        onCompromised: () => {
          lost = true;
        },
      });
      return {
        isLost: () => lost,
        // A lock that is lost already can't be released; that was dealt with before writing.
        release: () => release().catch(() => undefined),
      };
    } catch (error) {
      const folder = dirname(file);
      if (hasCode(error, "ENOENT") && (await identityOf(folder)) === undefined) {
        throw fileError(path, "Locking", `there is no folder ${folder}`, error);
      }
      // ENOENT otherwise: a process took the lock's directory for a dead one's just when we had made it.
      if (!hasCode(error, "ELOCKED") && !hasCode(error, "ENOENT")) {
        throw fileError(path, "Locking", messageOf(error), error);
      }
      if (Date.now() >= giveUpAt) {
        throw lockedError(path, file, `another process has held it for ${timeoutMilliseconds / 1000} seconds`);
      }
      await wait(randomInt(5, 40));
    }
  }
}

/** Not `instanceof Error`: where the tests run, Node's own errors are of another realm. */
function hasCode(error: unknown, code: string): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === code;
}

function fileError(path: string, doing: string, problem: string, cause: unknown): ExchangeBindingError {
  return new ExchangeBindingError(
    "SimulatorFileInvalid",
    `${doing} the simulated Exchange organisation in ${path}: ${problem.replace(/\.$/, "")}. The file was left as it ` +
      "is. Correct it; or delete it, and a new organisation will be made; or name another file with " +
      "exchange:simulatorFile or EXCHANGE_SIMULATOR_FILE.",
    { facts: { path }, cause },
  );
}

function lockedError(path: string, file: string, problem: string): ExchangeBindingError {
  return new ExchangeBindingError(
    "SimulatorFileLocked",
    `Changing the simulated Exchange organisation in ${path}: ${problem}. Wait for the other process, or end it; if ` +
      `there is none, delete the directory ${file}.lock.`,
    { facts: { path, lock: `${file}.lock` } },
  );
}
