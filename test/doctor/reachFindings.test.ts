import { describeFinding } from "../../provider/doctor/findingText";
import {
  judgeAddress,
  judgeClock,
  judgeConnection,
  judgeName,
  judgeNameFailure,
  judgeNoAnswer,
  judgeStranger,
  judgeTls,
  judgeTlsFailure,
} from "../../provider/doctor/reachFindings";
import { connectFailure, notConnected } from "../../provider/remoting/http/failures";
import type { StrangerAnswer } from "../../provider/remoting/http/stranger";
import type { TlsPeer } from "../../provider/remoting/http/tls";

const outcomes = (findings: readonly { readonly outcome: string }[]) => findings.map(({ outcome }) => outcome);
const v4 = (...addresses: readonly string[]) => addresses.map((address) => ({ address, family: 4 }));

describe("a name", () => {
  it("that is an address will do, but not for Kerberos", () => {
    expect(judgeAddress("10.0.0.5", "basic")).toMatchObject({ outcome: "ok" });
    expect(judgeAddress("10.0.0.5", "kerberos")).toMatchObject({ outcome: "warn" });
  });

  it("is fine with one address of each kind", () => {
    expect(judgeName("ex01.contoso.com", [...v4("10.0.0.5"), { address: "fd00::5", family: 6 }])).toMatchObject({
      kind: "nameFound",
      addresses: ["10.0.0.5", "fd00::5"],
    });
  });

  it("with several addresses may be a load balancer", () => {
    expect(judgeName("mail.contoso.com", v4("10.0.0.5", "10.0.0.6"))).toMatchObject({ kind: "nameOfSeveral" });
  });

  it.each(["127.0.0.1", "127.0.1.1"])("that leads back to this machine is told: %s", (address) => {
    expect(judgeName("ex01.contoso.com", v4(address, "10.0.0.5"))).toMatchObject({
      kind: "nameLeadsBack",
      addresses: [address],
    });
  });

  it.each([
    ["ENOTFOUND", "DNS knows no such host"],
    ["EAI_AGAIN", "no DNS server answered"],
    ["ESOMETHING", "can't be looked up (ESOMETHING)"],
  ])("that leads nowhere says why: %s", (code, text) => {
    expect(describeFinding(judgeNameFailure("ex01.contoso.com", code)).text).toContain(text);
  });
});

it.each([
  [
    { kind: "connected", milliseconds: 3 },
    { outcome: "ok", kind: "connected", milliseconds: 3 },
  ],
  [{ kind: "failed", code: "ECONNREFUSED" }, { kind: "nobodyListens" }],
  [
    { kind: "failed", code: "EHOSTUNREACH" },
    { kind: "unreachable", code: "EHOSTUNREACH" },
  ],
  [
    { kind: "timedOut", seconds: 15 },
    { kind: "connectionTimedOut", seconds: 15 },
  ],
] as const)("a connection is judged by how it ended: %j", (result, expected) => {
  expect(judgeConnection("10.0.0.5:443", result)).toMatchObject(expected);
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
    expect(judgeTls(many, verified, now).map((one) => describeFinding(one).text)[0]).toContain(
      "n5.contoso.com and 3 more,",
    );
  });

  const url = new URL("https://ex01.contoso.com/PowerShell/");
  it.each([
    ["EPROTO", "noTls"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "noTls"],
    ["ECONNRESET", "tlsRefused"],
  ])("that isn't agreed on is judged by the code of the failure: %s", (code, kind) => {
    const failure = connectFailure(url, Object.assign(new Error("x"), { code }));
    expect(judgeTlsFailure(failure)).toMatchObject({ outcome: "fail", kind });
  });

  it("whose certificate is refused leaves the error's own remedy away, and says what is wrong", () => {
    const said = { what: "the server's certificate is refused: it isn't trusted.", remedy: "Trust its CA." };
    expect(judgeTlsFailure(notConnected("TlsRefused", url, said, { facts: { certificate: "trust" } }))).toMatchObject({
      kind: "peerRefused",
      wrong: "trust",
      says: said.what,
    });
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
    expect(judgeStranger(answer(parts), authentication)).toMatchObject({ step: "web server", outcome });
  });

  it("names the server that answered", () => {
    expect(judgeStranger(answer({ offers: ["Kerberos"], frontEnd: "EX02" }), "kerberos")).toMatchObject({
      kind: "offersFit",
      frontEnd: "EX02",
    });
  });

  it("when it says nothing at all, asks about the scheme", () => {
    const plain = describeFinding(judgeNoAnswer({ code: "ECONNRESET" }, "http:"));
    expect(plain.remedies).toEqual([expect.stringContaining("wants TLS")]);
    const overTls = describeFinding(judgeNoAnswer({ seconds: 15 }, "https:"));
    expect(overTls.remedies).toEqual([expect.stringContaining("a web server answers there")]);
  });
});

describe("the server's clock", () => {
  it.each([
    [1.5, "basic", { outcome: "ok", kind: "clocksAgree" }],
    [-200, "kerberos", { outcome: "ok", seconds: 200, isServerBehind: true }],
    [299, "kerberos", { outcome: "ok", seconds: 299, isServerBehind: false }],
    [301, "kerberos", { outcome: "fail", seconds: 301, isServerBehind: false }],
    [-3600, "basic", { outcome: "warn", seconds: 3600, isServerBehind: true }],
  ] as const)("%d seconds ahead with %s is %j", (seconds, authentication, expected) => {
    expect(judgeClock(seconds, authentication)).toMatchObject(expected);
  });
});
