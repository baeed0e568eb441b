import type { Finding } from "../../provider/doctor/finding";
import { exitCodeOf, findingLines, reportJson, summaryLine, type Report } from "../../provider/doctor/report";

const problem = (text: string): Finding => ({
  step: "settings",
  outcome: "fail",
  kind: "settingsUnusable",
  problem: text,
});
const name: Finding = { step: "name", outcome: "ok", kind: "nameIsAddress", host: "10.0.0.5" };
const clock: Finding = { step: "clock", outcome: "skip", kind: "clockUntold" };
const ending: Finding = { step: "TLS", outcome: "warn", kind: "peerEndsSoon", notAfter: new Date(0) };
const silent: Finding = { step: "TLS", outcome: "fail", kind: "tlsTimedOut", seconds: 15 };

const report = (changes: Partial<Report>): Report => ({
  version: "1.2.3",
  settings: [],
  servers: [],
  isInterrupted: false,
  ...changes,
});
const good = { server: "ex01.contoso.com", findings: [name, clock] };
const warned = { server: "ex02.contoso.com", findings: [name, ending] };
const bad = { server: "ex03.contoso.com", findings: [name, silent] };

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
      settings: [],
      servers: [
        {
          server: "ex03.contoso.com",
          outcome: "fail",
          findings: [
            {
              step: "name",
              outcome: "ok",
              text: "10.0.0.5 is an address; there is nothing to look up",
              remedies: [],
            },
            {
              step: "TLS",
              outcome: "fail",
              text: "The port is open, but TLS wasn't agreed on within 15 seconds.",
              remedies: ["Check that this port speaks TLS, and that no proxy is in between."],
            },
          ],
        },
      ],
    });
  });
});

describe("the lines of a finding", () => {
  it("are broken between words, each remedy beginning with an arrow", () => {
    const text = "word ".repeat(40).trim();
    const lines = findingLines({
      step: "authentication",
      outcome: "fail",
      kind: "kerberosRefused",
      says: text,
      identity: undefined,
      platform: "linux",
    });
    expect(lines[0]).toMatch(/^ {2}FAIL {2}authentication word word/);
    expect(lines.slice(1).every((line) => /^ {23}(?:-> docs\/| {3}\S|word)/.test(line))).toBe(true);
    expect(lines.filter((line) => line.includes("-> "))).toHaveLength(1);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(121);
    expect(lines.join(" ").match(/word/g)).toHaveLength(40);
  });

  it("hold nothing that steers a terminal", () => {
    expect(findingLines(problem("a\u001b[31m\r\nb"))[0]).toBe("  FAIL  settings       a\\u{1B}[31m b");
  });
});
