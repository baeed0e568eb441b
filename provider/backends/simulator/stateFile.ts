import { randomInt } from "node:crypto";
import { statSync, type BigIntStats } from "node:fs";
import { lstat, readdir, readFile, readlink, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { lock } from "proper-lockfile";
import writeFileAtomic from "write-file-atomic";
import { ExchangeBindingError, isBindingError, messageOf } from "../../errors";
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
  /** Makes the organisation for a file that doesn't exist yet. Left out: that there is none is an error. */
  readonly makeOrganisation?: (() => Promise<Organisation>) | undefined;
  /** Hears that a file has been made. */
  readonly made?: (() => void) | undefined;
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
  const { makeOrganisation, made, lockTimeoutMilliseconds = 30_000 } = env;
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
      throw systemError({ path, file, doing: "Writing" }, cause);
    }
  };

  const makeFirst = (): Promise<Organisation> => {
    if (makeOrganisation === undefined) throw missingError(path);
    return makeOrganisation();
  };

  const attempt = async <Result>(file: string, held: HeldLock, change: StateChange<Result>) => {
    const found = await load(file);
    const before = found?.organisation ?? (await makeFirst());
    const outcome = change(before);
    if (found !== undefined && outcome.organisation === before) return { result: outcome.result };
    // The lock can be lost (a process that was stopped for long), and people don't know of it.
    if (held.isLost() || (await identityOf(file)) !== found?.identity) return "overtaken";
    await save(file, outcome.organisation);
    if (found === undefined) made?.();
    return { result: outcome.result };
  };

  const update = async <Result>(change: StateChange<Result>): Promise<Result> => {
    const file = await realFile(path);
    if (makeOrganisation === undefined && (await identityOf(file)) === undefined) throw missingError(path);
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
    const organisation = cached?.text === text ? cached.organisation : parsed(text, path);
    return { identity, text, organisation, settled };
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return undefined;
    if (isBindingError(cause)) throw cause;
    throw systemError({ path, file, doing: "Reading" }, cause);
  }
}

function parsed(text: string, path: string): Organisation {
  try {
    return parseOrganisation(text);
  } catch (cause) {
    throw fileError({
      path,
      doing: "Reading",
      problem: messageOf(cause),
      remedy: `Correct it; or keep it under another name, and exchange-simulator init makes a new one; or ${NAME_ANOTHER}`,
      cause,
    });
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

/** Behind symbolic links, also one that leads nowhere yet, so that everybody locks the same place and no link is replaced. */
async function realFile(path: string, followed = 0): Promise<string> {
  const full = resolve(path);
  try {
    return await realpath(full);
  } catch (error) {
    const target = followed < MOST_LINKS ? await readlink(full).catch(() => undefined) : undefined;
    if (target !== undefined) return realFile(resolve(dirname(full), target), followed + 1);
    if (hasCode(error, "ELOOP")) throw systemError({ path, file: full, doing: "Reading" }, error);
    const folder = await realpath(dirname(full)).catch(() => dirname(full));
    return join(folder, basename(full));
  }
}

/** As many links as Linux follows. */
const MOST_LINKS = 40;

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
        throw fileError({
          path,
          doing: "Writing",
          problem: `there is no folder ${folder}`,
          remedy: `Make the folder; or ${NAME_ANOTHER}`,
          cause: error,
        });
      }
      const stranger = await strangerAt(`${file}.lock`);
      if (stranger !== undefined) {
        throw fileError({
          path,
          doing: "Locking",
          problem: `${file}.lock is ${stranger}, and so not a lock of the simulator, which is an empty folder`,
          remedy: `Move it away, if it is of no use to anybody; or ${NAME_ANOTHER}`,
          cause: error,
        });
      }
      // ENOENT otherwise: a process took the lock's directory for a dead one's just when we had made it.
      if (!hasCode(error, "ELOCKED") && !hasCode(error, "ENOENT")) {
        throw systemError({ path, file, doing: "Locking" }, error);
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

/** What stands in the lock's place, when that can't be a lock. */
async function strangerAt(lockPath: string): Promise<string | undefined> {
  try {
    const stats = await lstat(lockPath);
    if (stats.isSymbolicLink()) return "a link";
    if (!stats.isDirectory()) return "a file";
    return (await readdir(lockPath)).length === 0 ? undefined : "a folder with something in it";
  } catch {
    return undefined;
  }
}

const NAME_ANOTHER = "name another file with exchange:simulatorFile or EXCHANGE_SIMULATOR_FILE.";

interface FileProblem {
  readonly path: string;
  readonly doing: "Reading" | "Writing" | "Locking";
  readonly problem: string;
  readonly remedy: string;
  readonly cause: unknown;
}

function fileError({ path, doing, problem, remedy, cause }: FileProblem): ExchangeBindingError {
  return new ExchangeBindingError(
    "SimulatorFileInvalid",
    `${doing} the simulated Exchange organisation in ${path}: ${problem.replace(/\.$/, "")}. The file was left as it is. ${remedy}`,
    { facts: { path }, cause },
  );
}

function missingError(path: string): ExchangeBindingError {
  return new ExchangeBindingError(
    "SimulatorFileInvalid",
    `Reading the simulated Exchange organisation in ${path}: there is no such file. Make one with exchange-simulator init; ` +
      `or ${NAME_ANOTHER}`,
    { facts: { path } },
  );
}

interface Refused {
  readonly path: string;
  /** Behind links. */
  readonly file: string;
  readonly doing: FileProblem["doing"];
}

const DISK_FULL = ({ file }: Refused) =>
  [`the disk that ${dirname(file)} is on is full`, "Make room there, and run it again."] as const;
const NO_RIGHT = ({ file, doing }: Refused) =>
  [
    doing === "Reading"
      ? "this account may not read it"
      : `this account may not write in the folder ${dirname(file)} (the file is replaced as a whole, and locked by a folder beside it)`,
    `Give it the right to; or ${NAME_ANOTHER}`,
  ] as const;

/** What the operating system refuses, by its code: the problem and what to do. None is mended by deleting the file. */
const REFUSALS: Readonly<Record<string, (refused: Refused) => readonly [string, string]>> = {
  ENOSPC: DISK_FULL,
  EDQUOT: DISK_FULL,
  EACCES: NO_RIGHT,
  EPERM: NO_RIGHT,
  EROFS: ({ file }) => [
    `${dirname(file)} is on a file system that is read-only`,
    `To change it, copy it elsewhere and ${NAME_ANOTHER}`,
  ],
  EISDIR: () => ["it is a folder", `Give the path of a file: ${NAME_ANOTHER}`],
  ELOOP: () => ["its links lead round in a circle", `Mend them; or ${NAME_ANOTHER}`],
};

function systemError(refused: Refused, cause: unknown): ExchangeBindingError {
  const code = Object.keys(REFUSALS).find((one) => hasCode(cause, one));
  const [problem, remedy] = REFUSALS[code ?? ""]?.(refused) ?? [messageOf(cause), "Mend that, and run it again."];
  return fileError({ path: refused.path, doing: refused.doing, problem, remedy, cause });
}

function lockedError(path: string, file: string, problem: string): ExchangeBindingError {
  return new ExchangeBindingError(
    "SimulatorFileLocked",
    `Changing the simulated Exchange organisation in ${path}: ${problem}. Wait for the other process, or end it; if ` +
      `there is none, delete the directory ${file}.lock.`,
    { facts: { path, lock: `${file}.lock` } },
  );
}
