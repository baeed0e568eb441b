import { known } from "../../provider/model";
import { describeTask } from "../../provider/plan/followUpText";
import { tasksAfter } from "../../provider/plan/followUps";
import { linesOfForgetting } from "../../provider/plan/lines";
import { describeLine, goalInWords } from "../../provider/plan/lineText";
import type { CertificateRef, Goal, Step } from "../../provider/plan/planTypes";
import {
  BUILT_IN,
  EX01,
  EXCHANGE_2016,
  MAIL,
  NOW,
  OWA,
  RENEWED,
  given,
  lines,
  planned,
  selfSigned,
  server,
  serverOf,
  services,
  shown,
  steps,
  mode,
} from "./servers";

const short = (facts: { readonly thumbprint: string }) => facts.thumbprint.slice(0, 8);
const builtIn = `${short(BUILT_IN)} (EX01, 365 days left)`;
const IIS_TODO =
  "IIS: where a layer-4 load balancer is in front, restart IIS (iisreset) in a quiet hour, so that sign-in cookies use the new certificate.";
const SMTP_TODO =
  "SMTP: where hybrid mail flow names a certificate, run the Hybrid Configuration Wizard again or set TlsCertificateName of its connectors.";

describe("a plan as lines", () => {
  it("says what is imported and enabled, who loses what, what stays, how long it lasts, what to do afterwards", () => {
    expect(lines(planned(services("IIS", "SMTP", "IMAP"), undefined, server()))).toEqual([
      `comes: ${MAIL.thumbprint}: CN=mail.contoso.com; issued by CN=Contoso Issuing CA; 365 days left, until 2027-11-23`,
      `plan: imports ${short(MAIL)}, which isn't on the server yet`,
      `plan: enables IMAP for ${short(MAIL)}; IMAP leaves ${builtIn}`,
      `plan: enables SMTP for ${short(MAIL)}`,
      `plan: enables IIS for ${short(MAIL)}; IIS leaves ${builtIn}`,
      `the default SMTP certificate stays ${builtIn}`,
      `afterwards: ${IIS_TODO}`,
      "afterwards: IMAP: restart the services MSExchangeIMAP4 and MSExchangeIMAP4BE.",
      `afterwards: ${SMTP_TODO}`,
    ]);
  });

  it("says what is made and for how long", () => {
    const wish = selfSigned({ dnsNames: ["mail.contoso.com", "owa.contoso.com"], validityDays: 90 });
    expect(lines(planned(wish, undefined, server())).slice(0, 2)).toEqual([
      "plan: makes a new self-signed certificate for mail.contoso.com and owa.contoso.com, valid for 90 days",
      "plan: imports the new certificate with its key",
    ]);
  });

  it("begins with what somebody else did", () => {
    const [first] = lines(planned({}, {}, server([shown(MAIL, { services: ["SMTP"] })])));
    expect(first).toBe(`DRIFT: IIS is now held by ${builtIn}`);
  });

  it("says of a replacement why it is one", () => {
    const on = serverOf([shown(MAIL, { services: ["IIS", "SMTP"] })]);
    expect(lines(planned(given(RENEWED), {}, on))[0]).toBe(
      "plan: replaces the binding: another certificate is declared",
    );
  });

  it("names the successor, the asked-for default role, and names old and new", () => {
    const on = serverOf([shown(MAIL, { services: ["IIS", "SMTP"] }), shown(OWA)], {
      imapCertificateName: known("a.contoso.com"),
    });
    const wish = {
      ...services("SMTP"),
      successor: OWA.thumbprint,
      replaceDefaultSmtpCertificate: true,
      certificateNames: { IMAP: "b.contoso.com", POP: null },
    };
    expect(lines(planned(wish, {}, on)).slice(0, 4)).toEqual([
      "plan: sets the certificate name of IMAP to b.contoso.com (was a.contoso.com)",
      "plan: clears the certificate name of POP (was EX01); POP leaves " + builtIn,
      `plan: enables SMTP for ${short(MAIL)} again, to make it the default SMTP certificate`,
      `plan: enables IIS for the successor ${short(OWA)}; IIS leaves ${short(MAIL)} (mail.contoso.com, 365 days left)`,
    ]);
  });

  it("says that what is gone is imported again", () => {
    expect(lines(planned({}, {}, server()))[0]).toBe(`plan: imports ${short(MAIL)} again: it is gone from the server`);
  });

  it("is silent about an unchanged binding in good health", () => {
    expect(lines(planned({}, {}, serverOf([shown(MAIL, { services: ["IIS", "SMTP"] })])))).toEqual([]);
  });

  it("tells of a release that the state alone learns of", () => {
    const on = serverOf([shown(MAIL, { services: ["IIS", "SMTP"] })]);
    expect(lines(planned({ ...services("SMTP"), onServiceRemoved: "forget" }, {}, on))).toEqual([
      "IIS is no longer managed here; the certificate keeps it, nothing changes on the server",
    ]);
  });

  it("of a refused plan are the refusals", () => {
    expect(lines(planned(services("UM"), undefined, server()))).toEqual([expect.stringMatching(/^REFUSED: UM can't/)]);
  });
});

describe("what is left to do", () => {
  const followUpsOf = (done: readonly Step[], edgeServers: readonly string[]) =>
    tasksAfter({ steps: done }, edgeServers).map((task) => describeTask(task, { server: EX01, now: NOW }));
  const on = server([], { version: EXCHANGE_2016, umStartupMode: mode("TLS"), umCallRouterStartupMode: mode("TLS") });
  const todo = (...names: Parameters<typeof services>) =>
    followUpsOf(steps(planned(services(...names), undefined, on)), []);

  it("is a restart per service, and never done", () => {
    expect(todo("IIS", "SMTP", "IMAP", "POP", "UM", "UMCallRouter")).toEqual([
      IIS_TODO,
      "IMAP: restart the services MSExchangeIMAP4 and MSExchangeIMAP4BE.",
      "POP: restart the services MSExchangePOP3 and MSExchangePOP3BE.",
      "UM: restart the service MSExchangeUM.",
      "UMCallRouter: restart the service MSExchangeUMCR.",
      SMTP_TODO,
    ]);
    expect(todo("SMTP")).toEqual([SMTP_TODO]);
  });

  it("is a restart also after a name alone", () => {
    const wish = { ...services("SMTP"), certificateNames: { IMAP: null, POP: undefined } };
    const decision = planned(wish, services("SMTP"), server([shown(MAIL, { services: ["SMTP"] })]));
    expect(followUpsOf(steps(decision), [])).toEqual([
      "IMAP: restart the services MSExchangeIMAP4 and MSExchangeIMAP4BE.",
    ]);
  });

  it("is a new Edge subscription where the default SMTP certificate has changed", () => {
    const decision = planned({ ...services("SMTP"), replaceDefaultSmtpCertificate: true }, undefined, server());
    expect(followUpsOf(steps(decision), ["EDGE01"])).toContain(
      "EdgeSync: the default SMTP certificate has changed; create the Edge subscription of EDGE01 anew.",
    );
    expect(followUpsOf(steps(planned(services("SMTP"), undefined, server())), ["EDGE01"])).toEqual([SMTP_TODO]);
  });
});

describe("a goal that wasn't met", () => {
  const mail: CertificateRef = { kind: "known", thumbprint: MAIL.thumbprint };
  const sentence = (goal: Goal) => goalInWords(goal, (ref) => (ref.kind === "known" ? ref.thumbprint : undefined));

  it.each<[Goal, string]>([
    [{ kind: "present", certificate: { kind: "made" } }, "the new certificate is on the server"],
    [{ kind: "holds", certificate: mail, service: "IIS" }, `certificate ${MAIL.thumbprint} holds IIS`],
    [
      { kind: "releases", thumbprint: MAIL.thumbprint, service: "IIS" },
      `certificate ${MAIL.thumbprint} no longer holds IIS`,
    ],
    [{ kind: "defaultSmtpIs", certificate: mail }, `the default SMTP certificate is ${MAIL.thumbprint}`],
    [{ kind: "certificateNameIs", service: "POP", name: undefined }, "the certificate name of POP is empty"],
    [
      { kind: "certificateNameIs", service: "POP", name: "a.contoso.com" },
      "the certificate name of POP is a.contoso.com",
    ],
  ])("reads as what should have come about (%#)", (goal, expected) => {
    expect(sentence(goal)).toBe(expected);
  });
});

describe("a forgotten binding", () => {
  const forgotten = (held: readonly string[] | undefined, isThere: boolean) =>
    linesOfForgetting(MAIL.thumbprint, held, isThere).map((line) => describeLine(line, { server: EX01, now: NOW }));

  it.each([
    [["IIS", "SMTP"], "it still holds IIS and SMTP"],
    [[], "it holds no service"],
    [undefined, "which services it holds isn't known"],
  ] as const)("with %j says so", (held, end) => {
    expect(forgotten(held, true)).toEqual([
      `no longer managed; certificate ${MAIL.thumbprint} stays on ex01.contoso.com as it is: ${end}`,
    ]);
  });

  it("says when the certificate went before it", () => {
    expect(forgotten(undefined, false)).toEqual([
      `no longer managed; certificate ${MAIL.thumbprint} isn't on ex01.contoso.com any more`,
    ]);
  });
});
