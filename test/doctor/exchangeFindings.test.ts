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
    expect(judgeCmdlets({ kind: "listed", cmdlets })).toMatchObject([
      { kind: "cmdletsAllSeen", areParametersTold: true },
    ]);
  });

  it("may lack a parameter that a role hides", () => {
    const cmdlets = all.map((one) =>
      one.name === "Import-ExchangeCertificate" ? { ...one, parameters: ["Server", "Password"] } : one,
    );
    expect(judgeCmdlets({ kind: "listed", cmdlets })[1]).toMatchObject({
      kind: "roleLacking",
      lacks: [
        {
          cmdlet: "Import-ExchangeCertificate",
          parameters: ["FileData", "PrivateKeyExportable", "FriendlyName"],
          without: "no certificate can be imported; previews work",
        },
      ],
    });
  });

  it("that are missing are told in one word for each role", () => {
    const cmdlets = all.filter(({ name }) => !name.startsWith("Set-") && name !== "Get-AuthConfig");
    const findings = judgeCmdlets({ kind: "listed", cmdlets });
    expect(findings[0]).toMatchObject({ kind: "cmdletsSeen", seen: NEEDED_CMDLETS.length - 5 });
    expect(findings.slice(1).map((one) => one.kind === "roleLacking" && one.lacks.map(({ cmdlet }) => cmdlet))).toEqual(
      [["Get-AuthConfig"], ["Set-ImapSettings", "Set-PopSettings"], ["Set-SendConnector"], ["Set-ReceiveConnector"]],
    );
  });

  it("aren't judged where the endpoint doesn't list them", () => {
    expect(judgeCmdlets({ kind: "notTold", why: "no Get-Command" })).toMatchObject([
      { outcome: "skip", kind: "cmdletsNotListed" },
    ]);
  });

  it("without which nothing can be read are told alone, as failures", () => {
    const cmdlets = all.filter(({ name }) => name !== "Get-ExchangeCertificate" && name !== "Get-AuthConfig");
    expect(judgeCmdlets({ kind: "listed", cmdlets })).toMatchObject([
      { kind: "vitalLacking", lack: { cmdlet: "Get-ExchangeCertificate", parameters: undefined } },
    ]);
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
    expect(findings).toMatchObject([
      { kind: "read", server: "ex01.contoso.com", certificates: 0 },
      { kind: "partsUnknown", parts: ["defaultSmtpThumbprint"], reason: "slow" },
      { kind: "partsUnknown", parts: ["authCertificates", "federationThumbprints"], reason: "no role" },
    ]);
  });

  it.each([
    [true, undefined],
    [false, { major: 15, minor: 2, build: 1748, revision: 10 }],
  ])(
    "that lacks a part of unified messaging asks for another endpoint only of a fixed one: %s",
    (isByName, version) => {
      const snapshot = makeSnapshotParts({ umStartupMode: unknown("no such cmdlet") });
      const [, unknownParts] = judgeReading("ex01.contoso.com", snapshot, { isByName });
      expect(unknownParts).toMatchObject({ kind: "partsUnknown", endpointFor: version });
    },
  );

  it("of another server is a failure", () => {
    expect(judgeReading("ex02.contoso.com", makeSnapshotParts({}))).toMatchObject([
      { kind: "otherAnswered", server: "ex01.contoso.com", asked: "ex02.contoso.com" },
    ]);
  });

  it("that got no answer says how long was waited", () => {
    expect(judgeReadingFailure("reading", { seconds: 60 }, undefined, "ex01.contoso.com")).toMatchObject({
      kind: "askingTimedOut",
      seconds: 60,
    });
  });

  it("without a name of the server is a failure of its own", () => {
    const failure = { cmdlet: "Get-ExchangeServer", result: undefined };
    expect(judgeReadingFailure("reading", failure, undefined, "ex01.contoso.com")).toMatchObject({
      kind: "serverNameless",
      cmdlet: "Get-ExchangeServer",
    });
  });
});

it("services can't be judged without a certificate", () => {
  expect(
    judgeServices(makeSnapshotParts({ version: known({ major: 15, minor: 1, build: 1, revision: 0 }) }), undefined),
  ).toMatchObject({
    outcome: "skip",
  });
});
