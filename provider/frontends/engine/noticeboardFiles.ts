import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { join } from "node:path";

import { messageOf } from "../../errors";
import type { Noticeboard } from "../../lifecycle/noticeboard";

export interface NoticeboardPlace {
  /** A directory for temporary files, which may be everybody's. */
  readonly temporary: string;
  /** Where the engine listens, which tells deployments apart; undefined as long as it isn't known. */
  readonly engine: () => string | undefined;
}

export interface NoticeboardFiles extends Noticeboard {
  /** This process ends. Who is the last one takes the files away; nothing may be announced after it. */
  end(): void;
}

/**
 * A noticeboard of files, for the processes that one engine has started: each has a file of its own, to which it alone
 * appends a line for each announcement, in a directory named by the engine's address. So nobody has to lock anything:
 * a line that was written before somebody looks is seen, one that is half written isn't.
 *
 *     <temporary>/exchange-certificates-<user>/<engine's address>/<process id>-<chance>.jsonl
 *
 * A process that has ended leaves its word behind, as `.ended`, until all have: what it has declared still counts. The
 * directories are this user's alone (700, files 600). What processes that were killed have left is taken away by a later
 * one, an hour after its last line.
 */
export function noticeboardFiles({ temporary, engine }: NoticeboardPlace): NoticeboardFiles {
  const readers = new Map<string, Reader>();
  let own: OwnFile | undefined;
  let problem: string | undefined;

  const fail = (error: unknown): void => {
    problem ??= `the processes of this run can't tell each other what they declare: ${messageOf(error)}`;
    if (own === undefined) return;
    // The others are to know that they don't hear everything.
    const { directory, name } = own;
    quietly(() => {
      fs.renameSync(join(directory, `${name}${LIVE}`), join(directory, `${name}${DEAF}`));
    });
  };

  const open = (): OwnFile | undefined => {
    if (own !== undefined || problem !== undefined) return own;
    try {
      const address = engine();
      if (address === undefined) throw new Error("the engine's address isn't known");
      const house = ownDirectory(join(temporary, `exchange-certificates-${userName()}`));
      quietly(() => {
        sweep(house);
      });
      own = openOwn(join(house, address.replace(/[^A-Za-z0-9.-]/g, "_")));
    } catch (error) {
      fail(error);
    }
    return own;
  };

  return {
    post: (announcement, organisation) => {
      const file = open();
      if (file === undefined || problem !== undefined) return;
      try {
        if (fs.fstatSync(file.descriptor).nlink === 0) throw new Error("its file was deleted");
        fs.writeSync(file.descriptor, `${JSON.stringify({ organisation, announcement })}\n`);
      } catch (error) {
        fail(error);
      }
    },
    news: () => {
      const file = open();
      if (file === undefined) return [];
      const orFail = <T>(read: () => readonly T[]): readonly T[] => {
        try {
          return read();
        } catch (error) {
          fail(error);
          return [];
        }
      };
      const names = new Set(orFail(() => fs.readdirSync(file.directory)).map(baseName));
      names.delete(file.name);
      // What one of them has said counts, whatever has become of another one's file.
      return [...names].flatMap((name) => {
        const reader = readers.get(name) ?? new Reader(join(file.directory, name));
        readers.set(name, reader);
        return orFail(() => reader.read());
      });
    },
    problem: () => {
      open();
      return problem;
    },
    end: () => {
      if (own === undefined) return;
      const { descriptor, directory, name } = own;
      own = undefined;
      problem ??= "this process has ended";
      quietly(() => {
        fs.closeSync(descriptor);
        fs.renameSync(join(directory, `${name}${LIVE}`), join(directory, `${name}${ENDED}`));
      });
      quietly(() => {
        if (!fs.readdirSync(directory).some(isAlive)) fs.rmSync(directory, { recursive: true, force: true });
      });
    },
  };
}

const LIVE = ".jsonl";
const ENDED = ".ended";
/** Of a process that couldn't write any more. */
const DEAF = ".deaf";

interface OwnFile {
  readonly directory: string;
  readonly name: string;
  readonly descriptor: number;
}

/** The first line of each file. */
const FORMAT = { format: 1 };

function openOwn(directory: string): OwnFile {
  const name = `${String(process.pid)}-${randomBytes(6).toString("hex")}`;
  const open = (): number => fs.openSync(join(ownDirectory(directory), `${name}${LIVE}`), "ax", 0o600);
  let descriptor: number;
  try {
    try {
      descriptor = open();
    } catch (error) {
      // Who was the last one there may just have taken the directory away.
      if (!isMissing(error)) throw error;
      descriptor = open();
    }
    fs.writeSync(descriptor, `${JSON.stringify(FORMAT)}\n`);
  } catch (error) {
    // The others are to know that they don't hear this one. A directory takes no file's descriptor.
    quietly(() => {
      fs.mkdirSync(join(directory, `${name}${DEAF}`));
    });
    throw error;
  }
  return { directory, name, descriptor };
}

/** What another process appends to its file, from where the last look has ended. */
class Reader {
  readonly #path: string;
  #offset = 0;
  #isKnown = false;

  constructor(path: string) {
    this.#path = path;
  }

  read(): ReturnType<Noticeboard["news"]> {
    const descriptor = this.#open();
    try {
      const bytes = Buffer.alloc(fs.fstatSync(descriptor).size - this.#offset);
      if (bytes.length === 0) return [];
      const count = fs.readSync(descriptor, bytes, 0, bytes.length, this.#offset);
      const end = bytes.subarray(0, count).lastIndexOf("\n") + 1;
      this.#offset += end;
      const lines = bytes.toString("utf8", 0, end).split("\n").slice(0, -1);
      if (!this.#isKnown && lines.length > 0) {
        if (lines.shift() !== JSON.stringify(FORMAT))
          throw new Error("another version of this provider runs beside it");
        this.#isKnown = true;
      }
      return lines.map((line) => JSON.parse(line) as ReturnType<Noticeboard["news"]>[number]);
    } finally {
      fs.closeSync(descriptor);
    }
  }

  /** It may end, and so change its name, just now. */
  #open(): number {
    for (const suffix of [LIVE, ENDED, LIVE]) {
      try {
        return fs.openSync(`${this.#path}${suffix}`, "r");
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }
    throw new Error("one of them can't write any more");
  }
}

function baseName(file: string): string {
  return file.replace(/\.[a-z]+$/, "");
}

/** Whether the process of a file is there and may go on writing. */
function isAlive(file: string): boolean {
  if (!file.endsWith(LIVE)) return false;
  try {
    process.kill(Number.parseInt(file, 10), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** A directory that is this user's alone, made when it isn't there. */
function ownDirectory(path: string): string {
  fs.mkdirSync(path, { recursive: true, mode: 0o700 });
  const stats = fs.lstatSync(path);
  const isOurs = process.getuid === undefined || (stats.uid === process.getuid() && (stats.mode & 0o077) === 0);
  if (!stats.isDirectory() || !isOurs) throw new Error(`${path} isn't a directory of this user alone`);
  return path;
}

function userName(): string {
  return process.getuid === undefined ? "user" : String(process.getuid());
}

const STALE_MILLISECONDS = 60 * 60 * 1000;

/** Takes away what deployments have left of which every process was killed. */
function sweep(house: string): void {
  for (const name of fs.readdirSync(house)) {
    quietly(() => {
      const directory = join(house, name);
      const files = fs.readdirSync(directory);
      const times = [directory, ...files.map((file) => join(directory, file))].map((one) => fs.statSync(one).mtimeMs);
      if (files.some(isAlive) || Math.max(...times) > Date.now() - STALE_MILLISECONDS) return;
      fs.rmSync(directory, { recursive: true, force: true });
    });
  }
}

/** What can't be tidied up now is by a later process. */
function quietly(run: () => void): void {
  try {
    run();
  } catch {
    // See above.
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
