import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { noticeboardFiles, type NoticeboardFiles } from "../../../provider/frontends/engine/noticeboardFiles";
import { Declarations } from "../../../provider/lifecycle/declarations";
import { ALONE } from "../../../provider/lifecycle/noticeboard";
import { known } from "../../../provider/model";
import { identityOf } from "../../identities";
import { EX01, MAIL as CERTIFICATE, fqdn } from "../../plan/servers";

const ADDRESS = "127.0.0.1:4711";
const MAIL = CERTIFICATE.thumbprint;
const [one, two] = [identityOf("one"), identityOf("two")];

let temporary: string;
beforeEach(() => {
  temporary = fs.mkdtempSync(path.join(os.tmpdir(), "exchange-noticeboard-"));
});
const boards: NoticeboardFiles[] = [];
afterEach(() => {
  // Windows removes no directory of which a file is open.
  for (const board of boards.splice(0)) board.end();
  fs.rmSync(temporary, { recursive: true, force: true });
});

const open = (engine = ADDRESS): NoticeboardFiles => {
  const board = noticeboardFiles({ temporary, engine: () => engine });
  boards.push(board);
  return board;
};
const declares = { kind: "declares", server: EX01, thumbprint: MAIL, binding: one } as const;
const told = { organisation: "", announcement: declares };
/** Paths of what is there, below the directory for temporary files. */
const found = (): string[] => fs.readdirSync(temporary, { recursive: true }).map(String).sort();
const directoryOf = (): string => path.join(temporary, found().find((one) => one.endsWith("4711")) ?? "");

/** What is wrong, a board to which it has happened, and what it says. */
type Problem = [string, () => NoticeboardFiles, RegExp];

const DELETED: Problem = [
  "its file was deleted",
  () => {
    const board = open();
    board.post(declares, "");
    fs.rmSync(directoryOf(), { recursive: true });
    board.post(declares, "");
    return board;
  },
  /deleted|ENOENT/,
];

describe("a noticeboard of files", () => {
  it("tells each of the same run once what the others have put up, and nothing to those of another run", () => {
    const [mine, theirs, elsewhere] = [open(), open(), open("127.0.0.1:4712")];
    mine.post(declares, "");
    expect(theirs.news()).toEqual([told]);
    expect(theirs.news()).toEqual([]);
    mine.post({ kind: "beginsRemovals", by: one }, "");
    expect(theirs.news().map(({ announcement }) => announcement.kind)).toEqual(["beginsRemovals"]);
    expect([mine.news(), elsewhere.news()]).toEqual([[], []]);
    expect([mine, theirs, elsewhere].map((board) => board.problem())).toEqual([undefined, undefined, undefined]);
  });

  it("keeps the word of a process that has ended, until all have, and then leaves nothing", () => {
    const [mine, theirs] = [open(), open()];
    mine.post(declares, "");
    theirs.post({ kind: "beginsRemovals", by: two }, "");
    mine.end();
    expect(theirs.news()).toEqual([told]);
    theirs.end();
    expect(found()).toHaveLength(1);
  });

  it("tells what one has put up although another one's file can't be understood, and says that", () => {
    const [mine, theirs, third] = [open(), open(), open()];
    third.post(declares, "");
    mine.post(declares, "");
    const [file = ""] = fs.readdirSync(directoryOf()).sort();
    fs.writeFileSync(path.join(directoryOf(), file), "{}\n{}\n");
    expect(theirs.news()).toEqual([told]);
    expect(theirs.problem()).toContain("another version of this provider runs beside it");
  });

  it("tells the others of a process that can't have a file", () => {
    const [mine, theirs] = [open(), open()];
    mine.post(declares, "");
    const openSync = jest.spyOn(fs, "openSync").mockImplementation(() => {
      throw Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
    });
    theirs.post(declares, "");
    openSync.mockRestore();
    expect(theirs.problem()).toContain("too many open files");
    mine.news();
    expect(mine.problem()).toContain("one of them can't write any more");
  });

  it("leaves a line alone that is written only by half", () => {
    const [mine, theirs] = [open(), open()];
    mine.post(declares, "");
    const [file = ""] = fs.readdirSync(directoryOf());
    const whole = fs.readFileSync(path.join(directoryOf(), file));
    fs.appendFileSync(path.join(directoryOf(), file), whole.subarray(13, 40));
    expect(theirs.news()).toEqual([told]);
    fs.appendFileSync(path.join(directoryOf(), file), whole.subarray(40));
    expect(theirs.news()).toEqual([told]);
    expect(theirs.problem()).toBeUndefined();
  });

  (process.getuid === undefined ? it.skip : it)("lets nobody else look", () => {
    open().post(declares, "");
    const modes = found().map((one) => (fs.statSync(path.join(temporary, one)).mode & 0o777).toString(8));
    expect(modes).toEqual(["700", "700", "600"]);
  });

  it.each<Problem>([
    ["the engine's address isn't known", () => noticeboardFiles({ temporary, engine: () => undefined }), /address/],
    [
      "there is no directory for temporary files",
      () => {
        fs.writeFileSync(path.join(temporary, "file"), "");
        return noticeboardFiles({ temporary: path.join(temporary, "file"), engine: () => ADDRESS });
      },
      /ENOTDIR|EEXIST|ENOENT/,
    ],
    [
      "another version has put something up",
      () => {
        const board = open();
        board.post(declares, "");
        fs.writeFileSync(path.join(directoryOf(), "1-2.jsonl"), '{"format":2}\n');
        board.news();
        return board;
      },
      /another version/,
    ],
    // Windows keeps a file that is open.
    ...(process.platform === "win32" ? [] : [DELETED]),
  ])("says so when %s, and fails nobody", (_what, make, why) => {
    const board = make();
    board.post(declares, "");
    board.news();
    expect(board.problem()).toMatch(/^the processes of this run can't tell each other what they declare: /);
    expect(board.problem()).toMatch(why);
    expect(new Declarations(board).declaredBy(EX01, MAIL)).toMatchObject({ kind: "unknown" });
  });

  it("tells the others when one of them can't write any more", () => {
    const [mine, theirs] = [open(), open()];
    mine.post(declares, "");
    theirs.post(declares, "");
    fs.writeFileSync(path.join(directoryOf(), "1-2.jsonl"), '{"format":2}\n');
    mine.news();
    fs.rmSync(path.join(directoryOf(), "1-2.jsonl"));
    theirs.news();
    expect(theirs.problem()).toMatch(/one of them can't write/);
  });

  it("takes away what killed processes have left, when it is old, and nothing else", () => {
    const NOBODY = 2 ** 22 + 1;
    open().post(declares, "");
    const house = path.dirname(directoryOf());
    const left = (name: string, pid: number, minutes: number): void => {
      const directory = path.join(house, name);
      fs.mkdirSync(directory);
      const file = path.join(directory, `${String(pid)}-00.jsonl`);
      fs.writeFileSync(file, "");
      const then = new Date(Date.now() - minutes * 60_000);
      for (const path of [file, directory]) fs.utimesSync(path, then, then);
    };
    left("old", NOBODY, 90);
    left("young", NOBODY, 10);
    left("living", process.pid, 90);
    open("127.0.0.1:4712").post(declares, "");
    expect(fs.readdirSync(house).sort()).toEqual(["127.0.0.1_4711", "127.0.0.1_4712", "living", "young"]);
  });
});

type Pair = readonly [Declarations, Declarations];
const inOne = (): Pair => {
  const declarations = new Declarations(ALONE);
  return [declarations, declarations];
};

describe.each<[string, () => Pair]>([
  ["one process", inOne],
  ["two processes", () => [new Declarations(open()), new Declarations(open())]],
])("what two bindings declare, in %s", (_where, make) => {
  it("is never removed", () => {
    const [mine, theirs] = make();
    mine.declare(EX01, MAIL, one);
    expect(theirs.declaredBy(EX01, MAIL)).toEqual(known(["one"]));
    expect(theirs.declaredByOthers(EX01, MAIL, one)).toEqual([]);
  });

  it("is refused while the other removes it, and no longer", () => {
    const [mine, theirs] = make();
    mine.plansRemoval(EX01, [MAIL], one);
    expect(theirs.removerOf(EX01, MAIL, two)).toEqual(one);
    mine.beginsRemovals(one);
    expect(theirs.removerOf(EX01, MAIL, two)).toBeUndefined();
    mine.callsRemoval(EX01, MAIL, one);
    expect(theirs.removerOf(EX01, MAIL, two)).toEqual(one);
    mine.withdrawsRemoval(EX01, MAIL, one);
    expect(theirs.removerOf(EX01, MAIL, two)).toBeUndefined();
  });

  it("is told to each other when it is claimed", () => {
    const [mine, theirs] = make();
    const claim = { kind: "certificate", server: EX01, binding: one, what: "IIS", certificate: MAIL } as const;
    mine.claim(EX01, one, [claim]);
    expect(theirs.claim(EX01, two, [])).toEqual([claim]);
    const connector = { identity: one, server: EX01, connector: "Internet", certificateName: undefined };
    mine.claimConnectors(one, [connector]);
    expect(theirs.claimConnectors(two, [{ ...connector, identity: two }])).toEqual([connector]);
  });

  it("is a connector of one organisation where the names of the servers allow it", () => {
    const connector = { identity: one, server: EX01, connector: "Internet", certificateName: "<I>CN=a<S>CN=a" };
    const claimedBeside = (server: string): readonly unknown[] => {
      const [mine, theirs] = [new Declarations(open()), new Declarations(open())];
      mine.claimConnectors(one, [connector]);
      return theirs.claimConnectors(two, [{ ...connector, identity: two, server: fqdn(server) }]);
    };
    expect(claimedBeside("ex02.contoso.com")).toEqual([connector]);
    expect(claimedBeside("ex02.eu.contoso.com")).toEqual([connector]);
    expect(claimedBeside("ex01.fabrikam.com")).toEqual([]);
    expect(claimedBeside("ex01.not-contoso.com")).toEqual([]);
  });

  it("concerns one organisation, where another one has servers of the same names", () => {
    const board = open();
    new Declarations(open(), () => "a").declare(EX01, MAIL, one);
    expect(new Declarations(board, () => "b").declaredBy(EX01, MAIL)).toEqual(known([]));
  });
});
