import { known } from "../../provider/model";
import { describeFollowUp } from "../../provider/plan/followUpText";
import { tasksOf, withFollowUps } from "../../provider/plan/followUps";
import type { FollowUp } from "../../provider/plan/followUps";
import { EX01, MAIL, NOW, OWA, RENEWED, given, planned, serverOf, shown } from "./servers";

const context = { server: EX01, now: NOW };
const connector = {
  name: "To partner",
  fqdn: undefined,
  tlsCertificateName: `<I>${MAIL.issuer}<S>${MAIL.subject}`,
  sourceServers: [],
};

it("connectors that don't follow are left to do, with the value to set as a command", () => {
  const on = {
    ...serverOf([shown(MAIL, { services: ["IIS", "SMTP"] }), shown(OWA)]),
    sendConnectors: known([connector]),
  };
  const decision = planned(given(OWA), {}, on);
  if (decision.kind !== "replace") throw new Error(decision.kind);
  const told = withFollowUps([], tasksOf(decision.work, on, OWA.thumbprint), NOW).map((one) =>
    describeFollowUp(one, true, context),
  );
  expect(told.at(-1)).toBe(
    "send connector To partner still names the old certificate, which works until 2027-11-23: Set-SendConnector 'To partner' -TlsCertificateName '<I>CN=Contoso Issuing CA<S>CN=owa.contoso.com'",
  );
});

it("whoever declares connectors isn't told to set those of hybrid mail flow by hand, also where they find the new certificate by its name", () => {
  const on = {
    ...serverOf([shown(MAIL, { services: ["SMTP"] }), shown(RENEWED)]),
    sendConnectors: known([{ ...connector, sourceServers: ["EX01"] }]),
  };
  const kindsWith = (send: readonly string[]): readonly string[] => {
    const decision = planned(
      { ...given(RENEWED), services: ["SMTP"], connectors: { send, receive: [] } },
      undefined,
      on,
    );
    if (decision.kind !== "create") throw new Error(decision.kind);
    return tasksOf(decision.work, on, RENEWED.thumbprint).map(({ kind }) => kind);
  };
  expect(kindsWith([])).toEqual(["hybrid"]);
  expect(kindsWith(["To partner"])).toEqual([]);
});

it("the same task stands once, with the day on which it arose", () => {
  const earlier: readonly FollowUp[] = [{ kind: "restartIis", since: "2026-03-03" }];
  const all = withFollowUps(earlier, [{ kind: "hybrid" }, { kind: "restartIis" }], NOW);
  expect(all).toEqual([
    { kind: "restartIis", since: "2026-03-03" },
    { kind: "hybrid", since: "2026-11-23" },
  ]);
  expect(describeFollowUp(all[0] as FollowUp, false, context)).toMatch(
    /^since 2026-03-03, if not done yet: IIS: where/,
  );
});
