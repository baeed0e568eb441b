import { describeFinding } from "../../provider/doctor/findingText";
import { judgeOpening, type Asked } from "../../provider/doctor/sessionFindings";
import { RemotingError } from "../../provider/remoting/errors";
import { exchangeFailure, statusFailure } from "../../provider/remoting/http/failures";
import type { TraceEvent } from "../../provider/remoting/trace";

const asked = (changes: Partial<Asked> = {}): Asked => ({
  server: "ex01.contoso.com",
  isByName: true,
  authentication: "kerberos",
  username: undefined,
  platform: "linux",
  offers: ["Kerberos"],
  ...changes,
});
const kerberos = (outcome: "begun" | "accepted" | "refused"): TraceEvent => ({
  kind: "authentication",
  scheme: "Kerberos",
  outcome,
  service: "HTTP/ex01.contoso.com",
  principal: "admin@CONTOSO.COM",
  isEncrypted: true,
});
const request = (frontEnd: string | undefined): TraceEvent => ({
  kind: "request",
  operation: "Create",
  status: 200,
  sent: 1,
  received: 1,
  milliseconds: 1,
  frontEnd,
  fault: undefined,
  failure: undefined,
});
const opened: TraceEvent = { kind: "opened", protocolVersion: "2.3", powerShell: "5.1.17763.1" };
const shown = (findings: ReturnType<typeof judgeOpening>) =>
  findings.map((one) => `${one.outcome} ${one.step}: ${describeFinding(one).text}`);
const firstOf = (...opening: Parameters<typeof judgeOpening>) => {
  const [finding] = judgeOpening(...opening);
  if (finding === undefined) throw new Error("nothing was found");
  return { ...finding, ...describeFinding(finding) };
};

describe("a session that is open", () => {
  it("tells who we are there, to whom, and on which server", () => {
    const events = [kerberos("begun"), kerberos("accepted"), request("EX01"), opened];
    expect(shown(judgeOpening({ events, failure: undefined }, asked()))).toEqual([
      "ok authentication: Kerberos as admin@CONTOSO.COM, to HTTP/ex01.contoso.com, bodies encrypted, accepted",
      "ok session: open, protocol 2.3, PowerShell 5.1.17763.1, front end EX01",
    ]);
  });

  it("on another server than the one in the URL is a finding; through a fixed entry it isn't", () => {
    const opening = { events: [kerberos("accepted"), request("EX02"), opened], failure: undefined };
    expect(judgeOpening(opening, asked())[1]).toMatchObject({ kind: "sessionOfAnother", frontEnd: "EX02" });
    expect(judgeOpening(opening, asked({ isByName: false }))[1]).toMatchObject({ kind: "sessionOpen" });
  });
});

describe("who we are on Windows", () => {
  const signedIn = (changes: object): string => {
    const event = { ...kerberos("accepted"), ...changes };
    return firstOf({ events: [event, opened], failure: undefined }, asked({ platform: "win32" })).text;
  };

  it.each([
    ["CONTOSO\\anna", true, "Kerberos as CONTOSO\\anna, to HTTP/"],
    [
      "CONTOSO\\anna",
      false,
      "Kerberos as CONTOSO\\anna (by the credentials that were asked for; the context doesn't tell), to HTTP/",
    ],
    [
      "CONTOSO\\RUNNER7$",
      true,
      "Kerberos as CONTOSO\\RUNNER7$ (a machine account, or a group managed service account (gMSA)), to HTTP/",
    ],
    [
      "gmsa-deploy$@CONTOSO.COM",
      true,
      "Kerberos as gmsa-deploy$@CONTOSO.COM (a machine account, or a group managed service account (gMSA)), to HTTP/",
    ],
    [
      "NT AUTHORITY\\NETWORK SERVICE",
      false,
      "Kerberos as NT AUTHORITY\\NETWORK SERVICE (an account of the system; others see this machine's account; " +
        "by the credentials that were asked for; the context doesn't tell), to HTTP/",
    ],
  ])("is told as it is: %s, agreed: %s", (principal, isPrincipalAgreed, text) => {
    expect(signedIn({ principal, isPrincipalAgreed }).slice(0, text.length)).toBe(text);
  });

  it("names Windows' own commands where it fails", () => {
    const failure = new RemotingError("AuthenticationRefused", "There are no credentials.");
    const { remedies } = firstOf({ events: [kerberos("refused")], failure }, asked({ platform: "win32" }));
    expect(remedies.join(" ")).toMatch(/klist.*whoami/);
    expect(remedies.join(" ")).not.toContain("KRB5");
  });

  it("offers Basic last, and for labs", () => {
    const failure = new RemotingError("AuthenticationRefused", "401");
    const { remedies } = firstOf({ events: [kerberos("refused")], failure }, asked({ offers: ["Basic"] }));
    expect(remedies.at(-1)).toMatch(/^For a lab there is Basic/);
  });
});

describe("authentication that fails", () => {
  const facts = { kerberos: { service: "HTTP/ex01.contoso.com", principal: undefined } };
  const refusal = new RemotingError("AuthenticationRefused", "There is no ticket for HTTP/ex01.contoso.com.", {
    facts,
  });

  it("says what the server would take, where that is what is wrong", () => {
    const opening = { events: [kerberos("refused")], failure: refusal };
    expect(judgeOpening(opening, asked({ offers: ["Basic"] }))).toMatchObject([
      { kind: "methodNotTaken", offers: ["Basic"], authentication: "kerberos" },
    ]);
    const basic = asked({ authentication: "basic", username: "me", offers: ["Kerberos"] });
    expect(firstOf(opening, basic).remedies.join(" ")).toContain("Set-PowerShellVirtualDirectory");
  });

  it("with Kerberos tells the library's reason and whom it was for, once", () => {
    const [finding, ...more] = judgeOpening({ events: [kerberos("refused")], failure: refusal }, asked());
    expect(finding).toMatchObject({
      kind: "kerberosRefused",
      says: "There is no ticket for HTTP/ex01.contoso.com.",
      identity: undefined,
    });
    expect(more).toEqual([]);
    const answer = { status: 401, contentType: "", location: undefined, challenges: [], frontEnd: "EX01" };
    const status = statusFailure(new URL("https://x/PowerShell/"), "Kerberos", answer);
    expect(firstOf({ events: [kerberos("refused")], failure: status }, asked()).text).toMatch(
      /^It \(front end EX01\) answered 401 .* \(Kerberos as admin@CONTOSO\.COM, to HTTP\/ex01\.contoso\.com\)$/,
    );
  });

  it("that isn't decided in time says what had begun", () => {
    const { text, remedies } = firstOf({ events: [kerberos("begun")], failure: { seconds: 60 } }, asked());
    expect(text).toMatch(/^Nothing was decided within 60 seconds; Kerberos as admin@CONTOSO\.COM.* had begun\.$/);
    expect(remedies.join(" ")).toContain("port 88");
  });
});

describe("a session that fails after we were let in", () => {
  const events = [kerberos("accepted"), request("EX01")];

  it("is told as that, with what to do", () => {
    const failure = new RemotingError("AccessDenied", "The server refused Create (5): Access is denied.");
    expect(shown(judgeOpening({ events, failure }, asked()))).toEqual([
      expect.stringMatching(/^ok authentication/),
      "fail session: The server refused Create (5): Access is denied.",
    ]);
  });

  it("isn't taken for a wrong password when it was only slow", () => {
    expect(shown(judgeOpening({ events, failure: { seconds: 60 } }, asked()))[1]).toBe(
      "fail session: No session was open within 60 seconds.",
    );
  });

  it("before authentication was decided is no word about authentication", () => {
    const failure = exchangeFailure(new URL("https://x/PowerShell/"), new Error("gone"));
    expect(shown(judgeOpening({ events: [], failure }, asked()))).toEqual([
      "skip authentication: it wasn't decided before the session failed",
      "fail session: the connection ended before the answer was there (gone).",
    ]);
  });
});
