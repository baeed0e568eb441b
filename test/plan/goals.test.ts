import { known, unknown } from "../../provider/model";
import { isReplicated, unmetGoals } from "../../provider/plan/goals";
import type { CertificateRef, Goal } from "../../provider/plan/planTypes";
import { BUILT_IN, MAIL, OWA, rawDataOnly, server, serverOf, shown } from "./servers";

const mail: CertificateRef = { kind: "known", thumbprint: MAIL.thumbprint };
const resolve = (ref: CertificateRef) => (ref.kind === "known" ? ref.thumbprint : undefined);
const isMet = (goal: Goal, on: Parameters<typeof unmetGoals>[1], by = resolve) =>
  unmetGoals([goal], on, by).length === 0;

describe("a goal", () => {
  it("of presence is met by the certificate in the store", () => {
    expect(isMet({ kind: "present", certificate: mail }, server([shown(MAIL)]))).toBe(true);
    expect(isMet({ kind: "present", certificate: mail }, server())).toBe(false);
  });

  it("about a certificate to be made is met once that has a thumbprint", () => {
    const goal: Goal = { kind: "present", certificate: { kind: "made" } };
    expect(isMet(goal, server([shown(MAIL)]))).toBe(false);
    expect(isMet(goal, server([shown(MAIL)]), () => MAIL.thumbprint)).toBe(true);
  });

  it("of holding isn't met by what nobody knows", () => {
    const goal: Goal = { kind: "holds", certificate: mail, service: "IIS" };
    expect(isMet(goal, serverOf([shown(MAIL, { services: ["IIS"] })]))).toBe(true);
    expect(isMet(goal, serverOf([shown(MAIL)]))).toBe(false);
    expect(isMet(goal, serverOf([rawDataOnly(MAIL)]))).toBe(false);
    expect(isMet(goal, serverOf([]))).toBe(false);
  });

  it("of releasing isn't met by what nobody knows either, but by a certificate that is gone", () => {
    const goal: Goal = { kind: "releases", thumbprint: MAIL.thumbprint, service: "IIS" };
    expect(isMet(goal, serverOf([shown(MAIL)]))).toBe(true);
    expect(isMet(goal, serverOf([shown(MAIL, { services: ["IIS"] })]))).toBe(false);
    expect(isMet(goal, serverOf([rawDataOnly(MAIL)]))).toBe(false);
    expect(isMet(goal, serverOf([]))).toBe(true);
  });

  it("about the default SMTP certificate is met by that one alone", () => {
    const goal: Goal = { kind: "defaultSmtpIs", certificate: { kind: "known", thumbprint: BUILT_IN.thumbprint } };
    expect(isMet(goal, server())).toBe(true);
    for (const other of [known(OWA.thumbprint), known(undefined), unknown("no role")]) {
      expect(isMet(goal, server([], { defaultSmtpThumbprint: other }))).toBe(false);
    }
  });

  it("about a name is met without regard to case, and by no name when none is wished", () => {
    const goal: Goal = { kind: "certificateNameIs", service: "IMAP", name: "ex01" };
    expect(isMet(goal, server())).toBe(true);
    expect(isMet({ ...goal, name: undefined }, server())).toBe(false);
    expect(isMet({ ...goal, name: undefined }, server([], { imapCertificateName: known(undefined) }))).toBe(true);
    expect(isMet(goal, server([], { imapCertificateName: unknown("no role") }))).toBe(false);
  });
});

it("waits for Active Directory where that carries the change, and nowhere else", () => {
  const replicated = (goal: Goal) => isReplicated(goal);
  expect(replicated({ kind: "defaultSmtpIs", certificate: mail })).toBe(true);
  expect(replicated({ kind: "certificateNameIs", service: "POP", name: undefined })).toBe(true);
  expect(replicated({ kind: "holds", certificate: mail, service: "IMAP" })).toBe(true);
  expect(replicated({ kind: "releases", thumbprint: MAIL.thumbprint, service: "POP" })).toBe(true);
  expect(replicated({ kind: "holds", certificate: mail, service: "IIS" })).toBe(false);
  expect(replicated({ kind: "present", certificate: mail })).toBe(false);
});
