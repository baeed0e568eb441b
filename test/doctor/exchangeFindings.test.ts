import {
  judgeCmdlets,
  judgeReading,
  judgeReadingFailure,
  judgeServices,
  type VisibleCmdlet,
} from "../../provider/doctor/exchangeFindings";
import { NEEDED_CMDLETS } from "../../provider/doctor/neededCmdlets";
import { known, unknown } from "../../provider/model";
import { makeSnapshotParts } from "./snapshotParts";

const all: readonly VisibleCmdlet[] = NEEDED_CMDLETS;

describe("cmdlets", () => {
  it("are all there, in whatever case", () => {
    const cmdlets = all.map(({ name, parameters }) => ({
      name: name.toUpperCase(),
      parameters: parameters?.map((one) => one.toLowerCase()),
    }));
    expect(judgeCmdlets({ kind: "listed", cmdlets })).toMatchObject([{ outcome: "ok" }]);
  });

  it("may lack a parameter that a role hides", () => {
    const cmdlets = all.map((one) =>
      one.name === "Import-ExchangeCertificate" ? { ...one, parameters: ["Server", "Password"] } : one,
    );
    expect(judgeCmdlets({ kind: "listed", cmdlets })[1]).toMatchObject({
      outcome: "warn",
      text:
        "Import-ExchangeCertificate can be seen, but not its -FileData, -PrivateKeyExportable, -FriendlyName: no certificate " +
        "can be imported; previews work.",
    });
  });

  it("that are missing are told in one word for each role", () => {
    const cmdlets = all.filter(({ name }) => !name.startsWith("Set-") && name !== "Get-AuthConfig");
    const findings = judgeCmdlets({ kind: "listed", cmdlets });
    expect(findings.map(({ outcome }) => outcome)).toEqual(["ok", "warn", "warn", "warn", "warn"]);
    expect(findings[2]?.text).toMatch(/^Set-ImapSettings can't be seen: .*\. Set-PopSettings can't be seen: .*\.$/);
    expect(findings[2]?.remedies).toHaveLength(1);
  });

  it("aren't judged where the endpoint doesn't list them", () => {
    expect(judgeCmdlets({ kind: "notTold", why: "no Get-Command" })).toMatchObject([{ outcome: "skip" }]);
  });
});

describe("a reading", () => {
  it("groups what is unknown by its reason", () => {
    const findings = judgeReading(
      "ex01.contoso.com",
      makeSnapshotParts({
        authCertificates: unknown("no role"),
        federationThumbprints: unknown("no role"),
        defaultSmtpThumbprint: unknown("slow"),
      }),
    );
    expect(findings.map(({ outcome, text }) => `${outcome} ${text}`)).toEqual([
      "ok 0 certificates on ex01.contoso.com, Exchange 15.2.1748.10",
      "warn Unknown: the default SMTP certificate, because: slow",
      "warn Unknown: the Auth certificate, the federation trust's certificates, because: no role",
    ]);
  });

  it("of another server is a failure", () => {
    expect(judgeReading("ex02.contoso.com", makeSnapshotParts({}))).toMatchObject([
      { outcome: "fail", text: "ex01.contoso.com answered instead of ex02.contoso.com." },
    ]);
  });

  it("that got no answer says how long was waited", () => {
    expect(judgeReadingFailure("reading", { seconds: 60 }, undefined, "ex01.contoso.com").text).toBe(
      "No answer within 60 seconds.",
    );
  });

  it("without a name of the server says where to look", () => {
    const failure = { cmdlet: "Get-ExchangeServer", result: undefined };
    expect(judgeReadingFailure("reading", failure, undefined, "ex01.contoso.com").remedies.join(" ")).toContain(
      "Get-ExchangeServer",
    );
  });
});

it("services can't be judged without a certificate", () => {
  expect(
    judgeServices(makeSnapshotParts({ version: known({ major: 15, minor: 1, build: 1, revision: 0 }) }), undefined),
  ).toMatchObject({
    outcome: "skip",
  });
});
