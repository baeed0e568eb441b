import { fail, ok, skip, warn } from "../../provider/doctor/finding";
import { exitCodeOf, findingLines, reportJson, summaryLine, type Report } from "../../provider/doctor/report";

const report = (changes: Partial<Report>): Report => ({
  version: "1.2.3",
  settings: [ok("settings", "fine")],
  servers: [],
  isInterrupted: false,
  ...changes,
});
const good = { server: "ex01.contoso.com", findings: [ok("name", "x"), skip("clock", "y")] };
const warned = { server: "ex02.contoso.com", findings: [ok("name", "x"), warn("TLS", "soon", "renew")] };
const bad = { server: "ex03.contoso.com", findings: [ok("name", "x"), fail("TLS", "no", "mend")] };

describe("a report", () => {
  it.each([
    [[good], "It can be used.", 0],
    [[warned], "It can be used, with 1 warning.", 0],
    [[bad], "It can't be used: ex03.contoso.com (TLS).", 1],
    [[good, warned], "2 of 2 servers can be used, with 1 warning.", 0],
    [[good, warned, bad], "2 of 3 servers can be used, with 1 warning. Not: ex03.contoso.com (TLS).", 1],
  ])("is summed up in one line: %#", (servers, summary, code) => {
    expect(summaryLine(report({ servers }))).toBe(summary);
    expect(exitCodeOf(report({ servers }))).toBe(code);
  });

  it("that was interrupted is no success", () => {
    expect(exitCodeOf(report({ servers: [good], isInterrupted: true }))).toBe(1);
  });

  it("for machines says the same", () => {
    expect(JSON.parse(reportJson(report({ servers: [bad] })))).toEqual({
      doctor: "1.2.3",
      readOnly: true,
      interrupted: false,
      exitCode: 1,
      summary: "It can't be used: ex03.contoso.com (TLS).",
      settings: [{ step: "settings", outcome: "ok", text: "fine", remedies: [] }],
      servers: [{ server: "ex03.contoso.com", outcome: "fail", findings: bad.findings }],
    });
  });
});

describe("the lines of a finding", () => {
  it("are broken between words, each remedy beginning with an arrow", () => {
    const text = "word ".repeat(40).trim();
    const lines = findingLines(fail("authentication", text, text, "short"));
    expect(lines[0]).toMatch(/^ {2}FAIL {2}authentication word word/);
    expect(lines.slice(1).every((line) => /^ {23}(?:-> | {3})?word|^ {23}-> short$/.test(line))).toBe(true);
    expect(lines.filter((line) => line.includes("-> "))).toHaveLength(2);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(121);
    expect(lines.join(" ").match(/word/g)).toHaveLength(80);
  });

  it("hold nothing that steers a terminal", () => {
    expect(findingLines(ok("session", "a\u001b[31m\r\nb"))).toEqual(["  ok    session        a\\u{1B}[31m b"]);
  });
});
