import { CERTIFICATE_STATUSES, known, unknown } from "../../provider/model";
import { guardKeyAlgorithm, guardOwnChannel, judgeStatus, outOfDates } from "../../provider/plan/guards";
import {
  ECC,
  MAIL,
  NOW,
  OWA,
  WILDCARD,
  certificate,
  given,
  inDays,
  planned,
  selfSigned,
  server,
  serverOf,
  services,
  shown,
} from "./servers";

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

describe("our own way to the server through IIS", () => {
  const through = (name: string, ...trusted: readonly (typeof MAIL.thumbprint)[]) =>
    server([shown(OWA)], { ownChannel: { name, trusted } });
  const kindsOf = (decision: ReturnType<typeof planned>) =>
    decision.kind === "blocked" ? decision.blockers.map(({ kind }) => kind) : [];

  it.each([
    ["the name that is expected", MAIL, "autodiscover.contoso.com", []],
    ["a wildcard for it", WILDCARD, "mail.contoso.com", []],
    ["another name", OWA, "mail.contoso.com", ["breaksOwnChannel"]],
    ["a wildcard one label too short", WILDCARD, "mail.eu.contoso.com", ["breaksOwnChannel"]],
  ])("weighs a certificate with %s", (_what, facts, name, kinds) => {
    expect(kindsOf(planned({ ...given(facts), ...services("IIS") }, undefined, through(name)))).toEqual(kinds);
  });

  it("doesn't matter for services other than IIS, nor where there is no such way", () => {
    const wish = { ...given(OWA), ...services("SMTP") };
    expect(kindsOf(planned(wish, undefined, through("mail.contoso.com")))).toEqual([]);
    expect(kindsOf(planned({ ...given(OWA), ...services("IIS") }, undefined, server()))).toEqual([]);
  });

  it("doesn't take a certificate that is yet to be made, nor a self-signed one that nobody trusts", () => {
    const own = certificate("mail.contoso.com", { isSelfSigned: true });
    const wish = { ...selfSigned({ dnsNames: ["mail.contoso.com"] }), ...services("IIS") };
    expect(kindsOf(planned(wish, undefined, through("mail.contoso.com")))).toEqual(["breaksOwnChannel"]);
    const candidate = { names: own, selfSigned: own.thumbprint, issuers: [] };
    expect(guardOwnChannel(through("mail.contoso.com", own.thumbprint), candidate)).toEqual([]);
    const untold = server([], { ownChannel: { name: "mail.contoso.com", trusted: undefined } });
    expect(guardOwnChannel(untold, candidate)).toEqual([]);
    expect(guardOwnChannel(through("mail.contoso.com"), candidate)).toHaveLength(1);
  });

  it.each([
    ["one of a CA that is trusted", ["CN=Issuing CA"], ["CN=Root CA", "CN=Issuing CA"], "CN=EX01", []],
    ["one that brings its CA, issued by a trusted one", ["CN=Issuing CA", "CN=Root CA"], ["CN=Root CA"], "CN=EX01", []],
    ["one of the CA that the present one is of", ["CN=Issuing CA"], ["CN=Root CA"], "CN=Issuing CA", []],
    ["one of another CA", ["CN=Issuing CA"], ["CN=Root CA"], "CN=EX01", ["breaksOwnChannel"]],
    ["any, when nobody says whom we trust", ["CN=Issuing CA"], undefined, "CN=EX01", []],
  ])("weighs %s", (_what, issuers, authorities, present, kinds) => {
    const frontEnd = shown(certificate("mail.contoso.com", { issuer: present }), { services: ["IIS"] });
    const ownChannel = { name: "mail.contoso.com", trusted: [], ...(authorities && { authorities }) };
    const on = serverOf([frontEnd], { ownChannel });
    const found = guardOwnChannel(on, { names: MAIL, selfSigned: undefined, issuers });
    expect(found.map(({ kind }) => kind)).toEqual(kinds);
  });

  it("counts the CAs that a given certificate brings along", () => {
    const on = (authority: string) =>
      server([shown(OWA)], { ownChannel: { name: "mail.contoso.com", trusted: [], authorities: [authority] } });
    const bringing = {
      certificate: {
        kind: "given",
        facts: MAIL,
        chain: [{ subject: MAIL.issuer, issuer: "CN=Root CA", isSelfSigned: false }],
      },
    } as const;
    expect(kindsOf(planned({ ...bringing, ...services("IIS") }, undefined, on("CN=Root CA")))).toEqual([]);
    expect(kindsOf(planned({ ...bringing, ...services("IIS") }, undefined, on(MAIL.issuer)))).toEqual([]);
    const lone = { ...given(MAIL), ...services("IIS") };
    expect(kindsOf(planned(lone, undefined, on("CN=Root CA")))).toEqual(["breaksOwnChannel"]);
  });

  it("is kept from a successor that would close it", () => {
    const on = serverOf([shown(MAIL, { services: ["IIS", "SMTP"] }), shown(OWA)], {
      ownChannel: { name: "mail.contoso.com", trusted: [] },
    });
    const wish = { ...services("SMTP"), successor: OWA.thumbprint };
    expect(kindsOf(planned(wish, services("IIS", "SMTP"), on))).toEqual(["breaksOwnChannel"]);
  });
});
