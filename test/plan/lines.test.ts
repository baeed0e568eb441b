import type { ObservedServer } from "../../provider/plan/observedServer";
import { linesOfChange, linesOfForgetting, linesOfPlan, linesOfRefresh, progressOf } from "../../provider/plan/lines";
import { lineOf } from "../../provider/plan/line";
import type { Line } from "../../provider/plan/line";
import { describeLine } from "../../provider/plan/lineText";
import type { Plan, Step, Work } from "../../provider/plan/planTypes";
import { BUILT_IN, EX01, MAIL, NOW, OWA, planned, server, serverOf, services, shown } from "./servers";

const text = (lines: readonly Line[]) => lines.map((line) => describeLine(line, { server: EX01, now: NOW }));
const mail = MAIL.thumbprint.slice(0, 8);
const builtIn = `${BUILT_IN.thumbprint.slice(0, 8)} (EX01, 365 days left)`;

function workOf(plan: Plan): Work {
  if (plan.kind !== "create" && plan.kind !== "update" && plan.kind !== "replace") throw new Error(plan.kind);
  return plan.work;
}

describe("one plan in its three phases", () => {
  const drifted = planned({}, {}, server([shown(MAIL, { services: ["SMTP"] })]));

  it("announces beforehand what is true in a preview and in an up", () => {
    expect(text(linesOfPlan(drifted)).slice(0, 2)).toEqual([
      `DRIFT: IIS is now held by ${builtIn}`,
      `plan: enables IIS for ${mail}; IIS leaves ${builtIn}`,
    ]);
  });

  it("says afterwards what was done", () => {
    expect(text(linesOfChange(workOf(drifted)))).toEqual([
      `enabled IIS for ${mail}; IIS left ${BUILT_IN.thumbprint.slice(0, 8)} (EX01)`,
    ]);
  });

  it("announces nothing in a refresh", () => {
    const lines = text(linesOfRefresh(drifted));
    expect(lines).toEqual([`DRIFT: IIS is now held by ${builtIn}`]);
    expect(lines.join()).not.toMatch(/enables|plan:/);
  });
});

it("an adoption says that nothing changes on the server", () => {
  const on = serverOf([shown(MAIL, { services: ["IIS", "SMTP"] })]);
  expect(text(linesOfPlan(planned({}, undefined, on)))[1]).toBe(
    `${mail} (mail.contoso.com) is already there and holds IIS and SMTP: nothing changes on the server`,
  );
});

describe("a change that failed on its way", () => {
  const work = workOf(planned(services("IIS", "SMTP", "IMAP"), undefined, server()));
  const stopped = (begun: number, on: ObservedServer | undefined, leftOut: readonly Step[] = []) =>
    text([
      lineOf(
        "change",
        progressOf({ work, begun: work.steps.slice(0, begun), leftOut, server: on, thumbprint: MAIL.thumbprint }),
      ),
    ])[0];

  it("says what was done and what wasn't", () => {
    const on = server([shown(MAIL, { services: ["SMTP"] })]);
    expect(stopped(4, on)).toBe("stopped on the way: imported; IMAP enabled; SMTP enabled; IIS not yet");
    expect(stopped(2, server([shown(MAIL)]))).toBe("stopped on the way: imported; IMAP, SMTP and IIS not yet");
  });

  it("never says of a step that was left out that it was done, though others followed it", () => {
    const on = server([shown(MAIL, { services: ["SMTP"] })]);
    const [, imap] = work.steps;
    expect(stopped(4, on, imap === undefined ? [] : [imap])).toBe(
      "stopped on the way: imported; SMTP enabled; IIS and IMAP not yet",
    );
  });

  it("says of the last call that nobody knows what became of it, when the server can't be read", () => {
    expect(stopped(3, undefined)).toBe(
      "stopped on the way: imported; IMAP enabled; whether SMTP came about isn't known; IIS not yet",
    );
  });
});

it("a binding that is forgotten says what stays", () => {
  expect(text(linesOfForgetting(OWA.thumbprint, ["IIS"], true))).toEqual([
    `no longer managed; certificate ${OWA.thumbprint} stays on ex01.contoso.com as it is: it still holds IIS`,
  ]);
});
