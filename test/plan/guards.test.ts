import { CERTIFICATE_STATUSES, known, unknown } from "../../provider/model";
import { guardKeyAlgorithm, judgeStatus, outOfDates } from "../../provider/plan/guards";
import { ECC, MAIL, NOW, certificate, inDays } from "./servers";

describe("ECC certificates", () => {
  const at = (text: string) => {
    const [major = 0, minor = 0, build = 0, revision = 0] = text.split(".").map(Number);
    return known({ major, minor, build, revision });
  };
  const isAccepted = (version: string, services: Parameters<typeof guardKeyAlgorithm>[1]) =>
    guardKeyAlgorithm(ECC, services, at(version)).blockers.length === 0;

  it.each([
    ["2013 CU23", "15.0.1497.48", false, false],
    ["2016 CU22", "15.1.2375.37", false, false],
    ["2016 CU23 before the hotfix update of April 2024", "15.1.2507.37", false, false],
    ["2016 CU23 with it", "15.1.2507.39", true, false],
    ["2019 CU12", "15.2.1118.40", false, false],
    ["2019 CU13 before it", "15.2.1258.32", false, false],
    ["2019 CU13 with it", "15.2.1258.34", true, false],
    ["2019 CU14 before it", "15.2.1544.9", false, false],
    ["2019 CU14 with it", "15.2.1544.11", true, false],
    ["2019 CU15", "15.2.1748.10", true, true],
    ["Subscription Edition", "15.2.2562.17", true, true],
  ])("on Exchange %s", (_what, version, forWebAndMail, forProtocols) => {
    expect(isAccepted(version, ["IIS", "SMTP"])).toBe(forWebAndMail);
    expect(isAccepted(version, ["IMAP"])).toBe(forProtocols);
    expect(isAccepted(version, ["SMTP", "POP"])).toBe(forProtocols);
  });

  it("come with the word that they have to be switched on", () => {
    expect(guardKeyAlgorithm(ECC, ["IIS"], at("15.2.1748.10")).notices).toEqual([{ kind: "eccNeedsSwitch" }]);
  });

  it("pass unverified where the version isn't known", () => {
    const findings = guardKeyAlgorithm(ECC, ["IIS"], unknown("no role"));
    expect(findings).toEqual({ blockers: [], notices: [{ kind: "eccUnverified" }] });
  });

  it("RSA ones are used by every version", () => {
    expect(guardKeyAlgorithm(MAIL, ["IMAP"], at("15.0.1497.2"))).toEqual({ blockers: [], notices: [] });
  });
});

it("judges every status, and takes one that nobody told for uncertain", () => {
  const judged = Object.fromEntries(CERTIFICATE_STATUSES.map((status) => [status, judgeStatus(known(status))]));
  expect(judged).toEqual({
    Valid: "good",
    Unknown: "uncertain",
    RevocationCheckFailure: "uncertain",
    Revoked: "bad",
    DateInvalid: "bad",
    Untrusted: "bad",
    Invalid: "bad",
    PendingRequest: "bad",
  });
  expect(judgeStatus(unknown("RawData only"))).toBe("uncertain");
});

it("counts a certificate as expired from its last moment on, and as valid from its first", () => {
  expect(outOfDates(certificate("a.contoso.com", { notAfter: NOW.toISOString() }), NOW)).toBe("expired");
  expect(outOfDates(certificate("a.contoso.com", { notBefore: NOW.toISOString() }), NOW)).toBeUndefined();
  expect(outOfDates(certificate("a.contoso.com", { notBefore: inDays(0.001) }), NOW)).toBe("notYetValid");
});
