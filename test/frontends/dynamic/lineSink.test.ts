import type { EngineLog } from "../../../provider/frontends/dynamic/engineLog";
import { LineSink } from "../../../provider/frontends/dynamic/lineSink";
import { lineOf } from "../../../provider/plan/line";
import { identityOf } from "../../identities";
import { EX01, NOW } from "../../lifecycle/bench";

const warned = lineOf("change", { kind: "serverWarns", warning: "one" });
const mail = identityOf("mail");

function open(isReached = true, more: { readonly stack?: string; readonly project?: string } = {}) {
  const rows: string[][] = [];
  const printed: string[] = [];
  const log: EngineLog = {
    show: (urn, severity, text, otherwise) => {
      if (isReached) rows.push([urn, severity, text]);
      else otherwise();
    },
    flush: () => Promise.resolve(),
  };
  const env = { stack: undefined, project: undefined, now: () => NOW, ...more };
  const sink = new LineSink({ ...env, log, print: (text) => printed.push(text) });
  return {
    sink,
    rows,
    printed,
    withoutLog: new LineSink({ ...env, log: undefined, print: (text) => printed.push(text) }),
  };
}

const ON_CONSOLE = ["[ex01.contoso.com] mail: the server warns: one"];

describe("where a line stands", () => {
  it("is under its resource once the engine has named that, without server and binding, and with its severity", () => {
    const { sink, rows, printed } = open();
    sink.addRow(mail.urn);
    sink.say({ identity: mail, server: EX01, line: warned });
    expect(rows).toEqual([[mail.urn, "warning", "the server warns: one"]]);
    expect(printed).toEqual([]);
  });

  it.each<[string, (opened: ReturnType<typeof open>) => LineSink]>([
    ["nobody has named that resource: the state may be of before a rename", ({ sink }) => sink],
    ["the engine's address isn't known", ({ withoutLog }) => (withoutLog.addRow(mail.urn), withoutLog)],
  ])("is the console where %s", (_why, choose) => {
    const opened = open();
    choose(opened).say({ identity: mail, server: EX01, line: warned });
    expect(opened.printed).toEqual(ON_CONSOLE);
    expect(opened.rows).toEqual([]);
  });

  it("is the console where the engine takes no line", () => {
    const { sink, printed } = open(false);
    sink.addRow(mail.urn);
    sink.say({ identity: mail, server: EX01, line: warned });
    expect(printed).toEqual(ON_CONSOLE);
  });

  it.each([{ stack: "renamed" }, { project: "another" }])(
    "is the console where the URN is not of this run: %p",
    (more) => {
      const { sink, printed } = open(true, more);
      sink.addRow(mail.urn);
      sink.say({ identity: mail, server: EX01, line: warned });
      expect(printed).toEqual(ON_CONSOLE);
    },
  );
});
