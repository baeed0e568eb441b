import type { EngineLog } from "../../../provider/frontends/engine/engineLog";
import { LineSink } from "../../../provider/frontends/engine/lineSink";
import { lineOf } from "../../../provider/plan/line";
import { identityOf } from "../../identities";
import { EX01, EX02, NOW } from "../../lifecycle/bench";

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
  it("is under its resource once the engine has named that, without the binding's name, and with its severity", () => {
    const { sink, rows, printed } = open();
    sink.addRow(mail.urn);
    sink.say({ identity: mail, server: EX01, line: warned });
    expect(rows).toEqual([[mail.urn, "warning", "on ex01.contoso.com: the server warns: one"]]);
    expect(printed).toEqual([]);
  });

  it("names the server in the first of a group, and again where the group is another", () => {
    const { sink, rows } = open();
    sink.addRow(mail.urn);
    const planned = lineOf("plan", { kind: "serverWarns", warning: "plan" });
    for (const line of [planned, planned, warned, warned]) sink.say({ identity: mail, server: EX01, line });
    sink.say({ identity: mail, server: EX02, line: warned });
    expect(rows.map(([, , text]) => text)).toEqual([
      "on ex01.contoso.com: the server warns: plan",
      "the server warns: plan",
      "on ex01.contoso.com: the server warns: one",
      "the server warns: one",
      "on ex02.contoso.com: the server warns: one",
    ]);
  });

  it("doesn't name the server before a line that speaks of it", () => {
    const { sink, rows } = open();
    sink.addRow(mail.urn);
    const line = lineOf("change", { kind: "serverWarns", warning: "ex01.contoso.com is tired" });
    sink.say({ identity: mail, server: EX01, line });
    expect(rows).toEqual([[mail.urn, "warning", "the server warns: ex01.contoso.com is tired"]]);
  });

  it("is told apart by its parents' names where the row shows the same last name for several", () => {
    const { sink, rows } = open();
    const nested = { urn: mail.urn, label: "web/inner/mail" };
    sink.addRow(nested.urn);
    for (const _ of [1, 2]) sink.say({ identity: nested, server: EX01, line: warned });
    expect(rows.map(([, , text]) => text)).toEqual([
      "web/inner/mail: on ex01.contoso.com: the server warns: one",
      "web/inner/mail: the server warns: one",
    ]);
  });

  it("is with the stack's own lines where the program hasn't declared that resource: its URN may be of before a rename", () => {
    const { sink, rows, printed } = open();
    sink.say({ identity: mail, server: EX01, line: warned });
    expect(rows).toEqual([["", "warning", ...ON_CONSOLE]]);
    expect(printed).toEqual([]);
  });

  it("is the console where the engine's address isn't known", () => {
    const { withoutLog, rows, printed } = open();
    withoutLog.addRow(mail.urn);
    withoutLog.say({ identity: mail, server: EX01, line: warned });
    expect(printed).toEqual(ON_CONSOLE);
    expect(rows).toEqual([]);
  });

  it("is the console where the engine takes no line", () => {
    const { sink, printed } = open(false);
    sink.addRow(mail.urn);
    sink.say({ identity: mail, server: EX01, line: warned });
    expect(printed).toEqual(ON_CONSOLE);
  });

  it.each([{ stack: "renamed" }, { project: "another" }])(
    "is with the stack's own lines where the URN is not of this run: %p",
    (more) => {
      const { sink, rows } = open(true, more);
      sink.addRow(mail.urn);
      sink.say({ identity: mail, server: EX01, line: warned });
      expect(rows).toEqual([["", "warning", ...ON_CONSOLE]]);
    },
  );
});
