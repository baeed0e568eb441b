import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Organisation } from "../../../provider/backends/simulator/organisation";
import {
  memoryState,
  openStateFile,
  type StateFileEnv,
  type StateStore,
} from "../../../provider/backends/simulator/stateFile";
import { organisation, server } from "./lab";
import { bindingFailure } from "../../failures";

const initial = organisation([server()]);

/** What a write fails with: a full disk can't be had in a test, nor can an account that isn't root. */
const writing: { fails: Error | undefined } = { fails: undefined };
jest.mock("write-file-atomic", () => {
  const write = jest.requireActual<(path: string, text: string) => Promise<void>>("write-file-atomic");
  return (path: string, text: string) =>
    writing.fails === undefined ? write(path, text) : Promise.reject(writing.fails);
});

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "exchange-state-")));
  file = join(folder, ".exchange-simulator.json");
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function open(env: Partial<StateFileEnv> = {}, path = file): StateStore {
  return openStateFile(path, { makeOrganisation: () => Promise.resolve(initial), ...env });
}

/** A change that every organisation keeps a trace of. */
function subscribe(name: string) {
  return (before: Organisation) => ({
    organisation: { ...before, edgeSubscriptions: [...before.edgeSubscriptions, { name, site: "contoso.com" }] },
    result: name,
  });
}

const unchanged = (before: Organisation) => ({ organisation: before, result: "unchanged" });

function names({ edgeSubscriptions }: Organisation): string[] {
  return edgeSubscriptions.map(({ name }) => name);
}

async function write(content: Organisation | string, path = file): Promise<void> {
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
}

/** Links need rights on Windows that nobody has by himself. */
const onPosix = process.platform === "win32" ? it.skip : it;

describe("a simulator file", () => {
  it("is made on first use, by a read or by a change", async () => {
    expect(await open().read()).toEqual(initial);
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual(initial);
    await rm(file);
    expect(await open().update(unchanged)).toBe("unchanged");
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual(initial);
  });

  it("is made once, however many ask for it at the same time", async () => {
    let made = 0;
    const makeOrganisation = () => Promise.resolve(organisation([server()], { edgeSubscriptions: [edge(++made)] }));
    const [one, other] = [open({ makeOrganisation }), open({ makeOrganisation })];
    const seen = await Promise.all([one.read(), other.read(), one.read(), other.update(unchanged), other.read()]);
    expect(made).toBe(1);
    expect(seen[1]).toEqual(seen[0]);
  });

  it("can be read and edited by people: indented, with a line end, and nothing beside it", async () => {
    await open().update(subscribe("EDGE01"));
    const text = await readFile(file, "utf8");
    expect(text).toMatch(/^\{\n {2}"version": 1,\n/);
    expect(text.endsWith("}\n")).toBe(true);
    expect(await readdir(folder)).toEqual([".exchange-simulator.json"]);
  });

  it("is parsed once as long as it stays the same", async () => {
    await write(initial);
    await utimes(file, new Date(), new Date("2026-01-01T00:00:00Z"));
    const store = open();
    const first = await store.read();
    expect(await store.read()).toBe(first);
    // The same text is the same organisation, though somebody has saved it again.
    await write(initial);
    expect(await store.read()).toBe(first);
  });

  it("is read again after every edit, even when many fit into one tick of the file system's clock", async () => {
    const store = open();
    for (let number = 100; number < 200; number++) {
      writeFileSync(file, JSON.stringify({ ...initial, edgeSubscriptions: [edge(number)] }));
      expect(names(await store.read())).toEqual([`EDGE${number}`]);
    }
  });

  it("isn't written when a change leaves the organisation what it is", async () => {
    const store = open();
    await store.read();
    const before = await stat(file, { bigint: true });
    expect(await store.update(unchanged)).toBe("unchanged");
    const after = await stat(file, { bigint: true });
    expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
  });

  it("loses none of many changes made at the same time", async () => {
    const [one, other] = [open(), open()];
    const wanted = Array.from({ length: 60 }, (_, i) => `EDGE${i}`);
    const results = await Promise.all(wanted.map((name, i) => (i % 2 === 0 ? one : other).update(subscribe(name))));
    expect(results).toEqual(wanted);
    expect(names(await open().read()).toSorted()).toEqual(wanted.toSorted());
  });

  it("takes the changes of one process in their order", async () => {
    const store = open();
    await Promise.all(["a", "b", "c", "d"].map((name) => store.update(subscribe(name))));
    expect(names(await store.read())).toEqual(["a", "b", "c", "d"]);
  });

  it("stays what it is when a change throws, and takes the next one", async () => {
    const store = open();
    await store.read();
    const mistake = store.update(() => {
      throw new Error("a mistake");
    });
    const next = store.update(subscribe("EDGE01"));
    await expect(mistake).rejects.toThrow("a mistake");
    await next;
    expect(names(await store.read())).toEqual(["EDGE01"]);
  });

  it("is asked again when somebody edits it in the middle of a change", async () => {
    const store = open();
    await store.read();
    let runs = 0;
    await store.update((before) => {
      if (++runs === 1) writeFileSync(file, JSON.stringify({ ...initial, edgeSubscriptions: [edge(7)] }));
      return subscribe("EDGE01")(before);
    });
    expect(runs).toBe(2);
    expect(names(await store.read())).toEqual(["EDGE7", "EDGE01"]);
  });

  onPosix("may be a symbolic link, which stays one", async () => {
    const link = join(folder, "link.json");
    await write(initial);
    await symlink(file, link);
    await open({}, link).update(subscribe("EDGE01"));
    expect(await realpath(link)).toBe(file);
    expect(names(await open().read())).toEqual(["EDGE01"]);
  });
});

function edge(number: number) {
  return { name: `EDGE${number}`, site: "contoso.com" };
}

describe("a file that isn't a simulated organisation", () => {
  it.each([
    ["", "it is empty"],
    ["{ broken", "it isn't JSON"],
    ['{"name": "my-package"}', "it isn't a simulated organisation"],
    ['{"version": 2}', "this release reads version 1"],
  ])("is an error that names it and says what to do, and is left alone: %j", async (content, said) => {
    await write(content);
    for (const work of [open().read(), open().update(subscribe("EDGE01"))]) {
      const error = await bindingFailure(work);
      expect(error.code).toBe("SimulatorFileInvalid");
      expect(error.message).toContain(file);
      expect(error.message).toContain(said);
      expect(error.message).toContain("keep it under another name");
    }
    expect(await readFile(file, "utf8")).toBe(content);
    expect(await readdir(folder)).toEqual([".exchange-simulator.json"]);
  });

  it("is an error when it is a folder, or in a folder that doesn't exist", async () => {
    await mkdir(file);
    expect((await bindingFailure(open().read())).code).toBe("SimulatorFileInvalid");
    const nowhere = await bindingFailure(open({}, join(folder, "nowhere", "file.json")).read());
    expect(nowhere.code).toBe("SimulatorFileInvalid");
    expect(nowhere.message).toContain(`there is no folder ${join(folder, "nowhere")}`);
  });

  it("is read once it has been put right", async () => {
    const store = open();
    await write("{ broken");
    await bindingFailure(store.read());
    await write(initial);
    expect(await store.read()).toEqual(initial);
  });
});

describe("the lock of a simulator file", () => {
  it("is waited for, and an error that names it when it isn't let go", async () => {
    await write(initial);
    await mkdir(`${file}.lock`);
    const error = await bindingFailure(open({ lockTimeoutMilliseconds: 100 }).update(subscribe("EDGE01")));
    expect(error.code).toBe("SimulatorFileLocked");
    expect(error.message).toContain(`${file}.lock`);
    expect(names(await open().read())).toEqual([]);
    const patient = open().update(subscribe("EDGE02"));
    await rm(`${file}.lock`, { recursive: true });
    await patient;
    expect(names(await open().read())).toEqual(["EDGE02"]);
  });

  it("doesn't keep anybody from reading", async () => {
    await write(initial);
    await mkdir(`${file}.lock`);
    expect(await open().read()).toEqual(initial);
  });
});

describe("several processes on one simulator file", () => {
  const children: ChildProcess[] = [];

  function start(...args: string[]): ChildProcess {
    const hook = join(__dirname, "..", "..", "runTypescript.cjs");
    const worker = join(__dirname, "stateFileWorker.ts");
    const child = spawn(process.execPath, ["--require", hook, worker, file, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    return child;
  }

  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
  });

  it("make it once and lose none of each other's changes", async () => {
    const workers = ["A", "B", "C"].map((name) => start(name, "20"));
    const exits = await Promise.all(workers.map((child) => once(child, "exit")));
    expect(exits).toEqual(workers.map(() => [0, null]));
    const wanted = ["A", "B", "C"].flatMap((name) => Array.from({ length: 20 }, (_, i) => `${name}-${i}`));
    expect(names(await open().read()).toSorted()).toEqual(wanted.toSorted());
  });

  it("get over one that was killed in the middle of a change", async () => {
    await write(initial);
    const killed = start("A", "hang");
    if (killed.stdout === null) throw new Error("no output to read");
    await once(killed.stdout, "data");
    const held = await bindingFailure(open({ lockTimeoutMilliseconds: 100 }).update(subscribe("EDGE01")));
    expect(held.code).toBe("SimulatorFileLocked");
    killed.kill("SIGKILL");
    await once(killed, "exit");
    // Rather than wait until the lock it left behind counts as stale.
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(`${file}.lock`, longAgo, longAgo);
    await open().update(subscribe("EDGE02"));
    expect(names(await open().read())).toEqual(["EDGE02"]);
    expect(await readdir(folder)).toEqual([".exchange-simulator.json"]);
  });
});

describe("an organisation in memory", () => {
  it("is read and changed like one in a file", async () => {
    const store = memoryState(initial);
    await Promise.all(["a", "b"].map((name) => store.update(subscribe(name))));
    expect(names(await store.read())).toEqual(["a", "b"]);
    expect(initial.edgeSubscriptions).toEqual([]);
    await expect(
      store.update(() => {
        throw new Error("a mistake");
      }),
    ).rejects.toThrow("a mistake");
    expect(names(await store.read())).toEqual(["a", "b"]);
  });
});

describe("what keeps a simulator file from being used", () => {
  const failureOf = async (work: Promise<unknown>) => {
    const error = await bindingFailure(work);
    expect(error.code).toBe("SimulatorFileInvalid");
    return error;
  };

  it.each<readonly [string, (path: string) => Promise<void>]>([
    ["a file", (path: string) => writeFile(path, "mine")],
    ...(process.platform === "win32"
      ? []
      : [["a link", (path: string) => symlink(join(folder, "nowhere"), path)] as const]),
    [
      "a folder with something in it",
      async (path: string) => {
        await mkdir(path);
        await writeFile(join(path, "mine"), "");
      },
    ],
  ])("is named when %s stands in the lock's place, which is left alone", async (what, put) => {
    await write(initial);
    await put(`${file}.lock`);
    const { message } = await failureOf(open().update(subscribe("EDGE01")));
    expect(message).toContain(`${file}.lock is ${what}, and so not a lock of the simulator`);
    expect((await readdir(folder)).sort()).toContain(".exchange-simulator.json.lock");
    expect(await open().read()).toEqual(initial);
  });

  onPosix("never is a link that leads nowhere yet: its target is made, and the link stays", async () => {
    await mkdir(join(folder, "kept"));
    await symlink(join("kept", "target.json"), file);
    await symlink(file, join(folder, "second"));
    await open({}, join(folder, "second")).update(subscribe("EDGE01"));
    for (const link of [file, join(folder, "second")]) expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(names(JSON.parse(await readFile(join(folder, "kept", "target.json"), "utf8")) as Organisation)).toEqual([
      "EDGE01",
    ]);
  });

  onPosix("is named when links lead round in a circle", async () => {
    await symlink("b", join(folder, "a"));
    await symlink("a", join(folder, "b"));
    const { message } = await failureOf(open({}, join(folder, "a")).update(unchanged));
    expect(message).toContain("its links lead round in a circle");
  });

  it("is that there is none, for whoever may not make one; and nothing is left behind", async () => {
    const kept = open({ makeOrganisation: undefined });
    for (const work of [kept.read(), kept.update(unchanged)]) {
      expect((await failureOf(work)).message).toContain("there is no such file. Make one with exchange-simulator init");
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    ["ENOSPC", "is on is full", "Make room there"],
    ["EDQUOT", "is on is full", "Make room there"],
    ["EROFS", "is read-only", "copy it elsewhere"],
    ["EACCES", "this account may not write in the folder", "Give it the right to"],
    ["EPERM", "this account may not write in the folder", "Give it the right to"],
    ["EIO", "input or output", "Mend that"],
  ])(
    "is named where the system refuses with %s, and deleting the file is never advised",
    async (code, problem, remedy) => {
      await write(initial);
      writing.fails = Object.assign(new Error("input or output"), { code });
      try {
        const { message } = await failureOf(open().update(subscribe("EDGE01")));
        expect(message).toContain(problem);
        expect(message).toContain(remedy);
        expect(message).not.toContain("delete");
      } finally {
        writing.fails = undefined;
      }
      expect(await open().read()).toEqual(initial);
    },
  );
});
