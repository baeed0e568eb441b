import {
  judgeClock,
  judgeConnection,
  judgeName,
  judgeNameFailure,
  judgeNoAnswer,
  judgeStranger,
  judgeTls,
} from "../../provider/doctor/reachFindings";
import type { StrangerAnswer } from "../../provider/remoting/http/stranger";
import type { TlsPeer } from "../../provider/remoting/http/tls";

const outcomes = (findings: readonly { readonly outcome: string }[]) => findings.map(({ outcome }) => outcome);
const v4 = (...addresses: readonly string[]) => addresses.map((address) => ({ address, family: 4 }));

describe("a name", () => {
  it("that is an address will do, but not for Kerberos", () => {
    expect(outcomes(judgeName("10.0.0.5", [], "basic"))).toEqual(["ok"]);
    expect(outcomes(judgeName("10.0.0.5", [], "kerberos"))).toEqual(["warn"]);
  });

  it("is fine with one address of each kind", () => {
    const [found, ...more] = judgeName(
      "ex01.contoso.com",
      [...v4("10.0.0.5"), { address: "fd00::5", family: 6 }],
      "basic",
    );
    expect(found).toMatchObject({ outcome: "ok", text: "ex01.contoso.com is 10.0.0.5, fd00::5" });
    expect(more).toEqual([]);
  });

  it("with several addresses may be a load balancer", () => {
    const [found] = judgeName("mail.contoso.com", v4("10.0.0.5", "10.0.0.6"), "basic");
    expect(found).toMatchObject({ outcome: "warn", text: expect.stringContaining("load balancer") });
    expect(found?.remedies.join(" ")).toContain("by its own FQDN");
  });

  it.each(["127.0.0.1", "127.0.1.1"])("that leads back to this machine is told: %s", (address) => {
    expect(judgeName("ex01.contoso.com", v4(address), "basic")[0]).toMatchObject({
      outcome: "warn",
      text: expect.stringContaining("leads back to this machine"),
    });
  });

  it.each([
    ["ENOTFOUND", "DNS knows no such host"],
    ["EAI_AGAIN", "no DNS server answered"],
    ["ESOMETHING", "can't be looked up (ESOMETHING)"],
  ])("that leads nowhere says why: %s", (code, text) => {
    expect(judgeNameFailure("ex01.contoso.com", code)).toMatchObject({
      outcome: "fail",
      text: expect.stringContaining(text),
    });
  });
});

it("a connection that fails for a reason of its own is told with that reason", () => {
  expect(judgeConnection("10.0.0.5:443", { kind: "failed", code: "EHOSTUNREACH" }).text).toContain("(EHOSTUNREACH)");
  expect(judgeConnection("10.0.0.5:443", { kind: "timedOut", seconds: 15 }).remedies.join(" ")).toContain("firewall");
});

describe("TLS", () => {
  const now = new Date("2026-11-24T00:00:00Z");
  const peer = (days: number): TlsPeer => ({
    version: "TLSv1.2",
    subject: "mail.contoso.com",
    issuer: "Contoso CA",
    names: ["mail.contoso.com"],
    thumbprint: "AB".repeat(20),
    notBefore: new Date("2026-01-01T00:00:00Z"),
    notAfter: new Date(now.getTime() + days * 86_400_000),
  });
  const verified = { name: "mail.contoso.com", isVerified: true };

  it.each([
    [14, ["ok"]],
    [13.9, ["ok", "warn"]],
    [0.5, ["ok", "warn"]],
  ])("with %d days left: %j", (days, expected) => {
    expect(outcomes(judgeTls(peer(days), verified, now))).toEqual(expected);
  });

  it("that isn't verified is a warning", () => {
    expect(outcomes(judgeTls(peer(100), { ...verified, isVerified: false }, now))).toEqual(["warn"]);
  });

  it("shows many names by the first of them", () => {
    const many = { ...peer(100), names: Array.from({ length: 9 }, (_, index) => `n${index}.contoso.com`) };
    expect(judgeTls(many, verified, now)[0]?.text).toContain("n5.contoso.com and 3 more,");
  });
});

describe("what a web server says to a stranger", () => {
  const answer = (parts: Partial<StrangerAnswer>): StrangerAnswer => ({
    status: 401,
    offers: [],
    frontEnd: undefined,
    date: undefined,
    path: "/PowerShell/",
    ...parts,
  });

  it.each([
    [{ offers: ["Kerberos"] }, "kerberos", "ok"],
    [{ offers: ["Negotiate", "Basic"] }, "kerberos", "ok"],
    [{ offers: ["Kerberos"] }, "basic", "warn"],
    [{ offers: ["basic"] }, "kerberos", "warn"],
    [{ offers: [] }, "basic", "ok"],
    [{ status: 403 }, "basic", "fail"],
    [{ status: 404 }, "basic", "fail"],
    [{ status: 503 }, "basic", "fail"],
    [{ status: 302 }, "basic", "fail"],
    [{ status: 200 }, "basic", "warn"],
  ] as const)("%j with %s is %s", (parts, authentication, outcome) => {
    const [finding] = judgeStranger(answer(parts), authentication);
    expect(finding).toMatchObject({ step: "web server", outcome });
    expect(finding?.remedies.length).toBe(outcome === "ok" ? 0 : finding?.remedies.length);
    if (outcome !== "ok") expect(finding?.remedies).not.toEqual([]);
  });

  it("names the server that answered", () => {
    const [finding] = judgeStranger(answer({ offers: ["Kerberos"], frontEnd: "EX02" }), "kerberos");
    expect(finding?.text).toBe("front end EX02, it takes Kerberos");
  });

  it("when it says nothing at all, asks about the scheme", () => {
    expect(judgeNoAnswer({ code: "ECONNRESET" }, "http:").remedies.join(" ")).toContain("wants TLS");
    expect(judgeNoAnswer({ seconds: 15 }, "https:").text).toBe("Nothing was answered within 15 seconds.");
  });
});

describe("the server's clock", () => {
  it.each([
    [1.5, "basic", "ok", "agree"],
    [-200, "kerberos", "ok", "200 seconds behind ours"],
    [299, "kerberos", "ok", "299 seconds ahead of ours"],
    [301, "kerberos", "fail", "five minutes at most"],
    [-3600, "basic", "warn", "3600 seconds behind ours"],
  ] as const)("%d seconds ahead with %s is %s", (seconds, authentication, outcome, text) => {
    expect(judgeClock(seconds, authentication)).toMatchObject({ outcome, text: expect.stringContaining(text) });
  });
});
