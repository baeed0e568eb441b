import { known, unknown } from "../../provider/model";
import {
  BUILT_IN,
  MAIL,
  certificate,
  inDays,
  noticesOf,
  planned,
  server,
  serverOf,
  services,
  shown,
  steps,
  thumbprintOf,
} from "./servers";

const SMTP = services("SMTP");
const enableStep = (decision: ReturnType<typeof planned>) => steps(decision).find(({ kind }) => kind === "enable");
const held = shown(MAIL, { services: ["SMTP"] });

describe("the default SMTP certificate with false", () => {
  it("stays what it is, and the plan says which", () => {
    const decision = planned(SMTP, undefined, server());
    expect(enableStep(decision)).toMatchObject({ services: ["SMTP"], defaultSmtp: "keep", takeOvers: [] });
    expect(noticesOf(decision, "defaultSmtpStays")).toMatchObject([
      { certificate: { thumbprint: BUILT_IN.thumbprint } },
    ]);
    expect(decision).toMatchObject({
      work: {
        goals: expect.arrayContaining([
          { kind: "defaultSmtpIs", certificate: { kind: "known", thumbprint: BUILT_IN.thumbprint } },
        ]),
      },
    });
  });

  it("stays this very certificate without a word when it is that already", () => {
    const on = server([shown(MAIL)], { defaultSmtpThumbprint: known(MAIL.thumbprint) });
    const decision = planned(SMTP, undefined, on);
    expect(enableStep(decision)).toMatchObject({ defaultSmtp: "keep" });
    expect(decision.notices.filter(({ kind }) => kind.startsWith("defaultSmtp"))).toEqual([]);
  });

  it("is kept although it isn't in the store any more, with what to do", () => {
    const gone = thumbprintOf("gone");
    const decision = planned(SMTP, undefined, server([], { defaultSmtpThumbprint: known(gone) }));
    expect(decision.kind).toBe("create");
    expect(noticesOf(decision, "defaultSmtpStaysDangling")).toEqual([
      { kind: "defaultSmtpStaysDangling", thumbprint: gone },
    ]);
  });

  it("is kept although it has expired, with what to do", () => {
    const old = certificate("EX01", { notAfter: inDays(-2) });
    const on = server([shown(old)], { defaultSmtpThumbprint: known(old.thumbprint) });
    expect(noticesOf(planned(SMTP, undefined, on), "defaultSmtpStaysExpired")).toHaveLength(1);
  });

  it("stops where the server has none: Exchange would make this one the default unasked", () => {
    const decision = planned(SMTP, undefined, server([], { defaultSmtpThumbprint: known(undefined) }));
    expect(decision).toMatchObject({
      kind: "blocked",
      blockers: [{ kind: "defaultSmtpMissing", property: "replaceDefaultSmtpCertificate" }],
    });
  });

  it("stops where the server doesn't tell which it is", () => {
    const decision = planned(SMTP, undefined, server([], { defaultSmtpThumbprint: unknown("no role") }));
    expect(decision).toMatchObject({ kind: "blocked", blockers: [{ kind: "defaultSmtpUnknown", reason: "no role" }] });
  });

  it("is of no interest to a binding without SMTP, or with SMTP held already", () => {
    const on = server([held], { defaultSmtpThumbprint: unknown("no role") });
    expect(planned(services("IIS"), undefined, on).kind).toBe("create");
    expect(planned(SMTP, SMTP, on)).toMatchObject({ kind: "inSync" });
  });
});

describe("the default SMTP certificate with true", () => {
  const wish = { ...SMTP, replaceDefaultSmtpCertificate: true };

  it("is replaced as SMTP is enabled, and the plan says which one it was", () => {
    const decision = planned(wish, undefined, server());
    expect(enableStep(decision)).toMatchObject({ defaultSmtp: "replace", because: "missing" });
    expect(noticesOf(decision, "defaultSmtpReplaced")).toMatchObject([{ from: { thumbprint: BUILT_IN.thumbprint } }]);
    expect(decision).toMatchObject({
      work: {
        goals: expect.arrayContaining([
          { kind: "defaultSmtpIs", certificate: { kind: "known", thumbprint: MAIL.thumbprint } },
        ]),
      },
    });
  });

  it("is replaced by enabling SMTP again when the service is held already", () => {
    const decision = planned(wish, SMTP, server([held]));
    expect(decision.kind).toBe("update");
    expect(enableStep(decision)).toMatchObject({ defaultSmtp: "replace", because: "defaultSmtpWanted" });
  });

  it("is replaced where it dangles or is empty, and the plan says so", () => {
    const gone = thumbprintOf("gone");
    const dangling = planned(wish, undefined, server([], { defaultSmtpThumbprint: known(gone) }));
    expect(noticesOf(dangling, "defaultSmtpReplaced")).toEqual([{ kind: "defaultSmtpReplaced", from: gone }]);
    const empty = planned(wish, undefined, server([], { defaultSmtpThumbprint: known(undefined) }));
    expect(noticesOf(empty, "defaultSmtpReplaced")).toEqual([{ kind: "defaultSmtpReplaced", from: undefined }]);
  });

  it("names the Edge subscriptions that break", () => {
    const on = server([], { edgeSubscriptions: known(["EDGE01"]) });
    expect(noticesOf(planned(wish, undefined, on), "edgeSubscriptionsBreak")).toEqual([
      { kind: "edgeSubscriptionsBreak", edgeServers: ["EDGE01"] },
    ]);
    expect(noticesOf(planned(SMTP, undefined, on), "edgeSubscriptionsBreak")).toEqual([]);
  });

  it("is left alone when it is that already", () => {
    const on = server([held], { defaultSmtpThumbprint: known(MAIL.thumbprint) });
    expect(planned(wish, { ...SMTP, replaceDefaultSmtpCertificate: true }, on).kind).toBe("inSync");
  });

  it("counts as unchanged where nobody can tell, and as refused where a change is wished", () => {
    const on = server([held], { defaultSmtpThumbprint: unknown("no role") });
    const unchanged = planned(wish, { ...SMTP, replaceDefaultSmtpCertificate: true }, on);
    expect(unchanged.kind).toBe("inSync");
    expect(noticesOf(unchanged, "defaultSmtpUnknown")).toEqual([{ kind: "defaultSmtpUnknown", reason: "no role" }]);
    expect(planned(wish, SMTP, on)).toMatchObject({ blockers: [{ kind: "defaultSmtpUnknown" }] });
  });

  it("is taken back when somebody else has become it: that is drift", () => {
    const decision = planned(wish, { ...SMTP, replaceDefaultSmtpCertificate: true }, serverOf([held]));
    expect(enableStep(decision)).toMatchObject({ defaultSmtp: "replace" });
  });
});
