import { delayOf, runCmdlet } from "../../../provider/backends/simulator/exchangeModel";
import { makeTestCertificate } from "../../certificate/testCertificates";
import { NOW, openLab, organisation, server, stored } from "./lab";

const first = makeTestCertificate({ dnsNames: ["ex01.contoso.com"] });
const second = makeTestCertificate({ dnsNames: ["ex02.contoso.com"] });

function two(faults1 = {}, faults2 = {}) {
  return organisation([
    server({ certificates: [stored(first)], faults: faults1 }),
    server({ name: "EX02", certificates: [stored(second)], faults: faults2 }),
  ]);
}

function thumbprints(lab: ReturnType<typeof openLab>, parameters = {}, session?: string) {
  const shown = lab.output("Get-ExchangeCertificate", parameters, session === undefined ? {} : { session });
  return shown.map((one) => one["Thumbprint"]);
}

describe("the server that a cmdlet runs on", () => {
  it("is the named one, by FQDN or short name, whatever its case", () => {
    const lab = openLab(two());
    for (const Server of ["ex02.contoso.com", "EX02", "Ex02.Contoso.com"]) {
      expect(thumbprints(lab, { Server })).toEqual([second.facts.thumbprint]);
    }
  });

  it("is the one that the session is on when none is named; without a session, the first", () => {
    const lab = openLab(two());
    expect(thumbprints(lab, {}, "ex02.contoso.com")).toEqual([second.facts.thumbprint]);
    expect(thumbprints(lab)).toEqual([first.facts.thumbprint]);
  });

  it("may be another one than the session's", () => {
    expect(thumbprints(openLab(two()), { Server: "EX01" }, "EX02")).toEqual([first.facts.thumbprint]);
  });

  it("has to exist", () => {
    const lab = openLab(two());
    for (const [parameters, session] of [
      [{ Server: "ex03.contoso.com" }, undefined],
      [{ Server: "ex03.contoso.com" }, "EX01"],
      [{}, "ex03.contoso.com"],
    ] as const) {
      const { error } = lab.fail("Get-ExchangeCertificate", parameters, session === undefined ? {} : { session });
      expect(error.code).toBe("ServerUnknown");
      expect(error.message).toContain("ex03.contoso.com");
    }
  });

  it("keeps what happens to itself", () => {
    const lab = openLab(two());
    const before = lab.server("ex02.contoso.com");
    lab.complete("Remove-ExchangeCertificate", { Server: "EX01", Thumbprint: first.facts.thumbprint, Confirm: false });
    expect(lab.server("ex02.contoso.com")).toBe(before);
  });
});

describe("an unknown cmdlet", () => {
  it("is refused in PowerShell's words", () => {
    expect(openLab(two()).fail("Export-ExchangeCertificate").error).toEqual({
      code: "CmdletNotAvailable",
      message:
        "The term 'Export-ExchangeCertificate' is not recognized as the name of a cmdlet, function, script file, or operable program. Check the spelling of the name, or if a path was included, verify that the path is correct and try again.",
      categoryInfo: "ObjectNotFound: (Export-ExchangeCertificate:String) [], CommandNotFoundException",
      fullyQualifiedErrorId: "CommandNotFoundException",
    });
  });
});

describe("the faults of a server", () => {
  it("unreachable: nothing can be asked of it, nor in a session on it", () => {
    const lab = openLab(two({ unreachable: true }));
    expect(lab.fail("Get-ExchangeCertificate", { Server: "EX01" }).error.code).toBe("ServerUnreachable");
    expect(lab.fail("Get-AuthConfig", {}, { session: "EX01" }).error.code).toBe("ServerUnreachable");
    expect(thumbprints(lab, { Server: "EX02" })).toEqual([second.facts.thumbprint]);
  });

  it("unreachable: another server's session still reads Active Directory about it, but not its certificates", () => {
    const lab = openLab(two({ unreachable: true }), { session: "EX02" });
    expect(lab.output("Get-TransportService", { Identity: "EX01" })).toHaveLength(1);
    const { error } = lab.fail("Get-ExchangeCertificate", { Server: "EX01" });
    expect(error.code).toBe("ServerUnreachable");
    // What tools tell "couldn't ask" from "isn't there" by.
    expect(error.categoryInfo).not.toContain("InvalidOperationException");
  });

  it("an error of a read leaves no output and keeps its reason (C21)", () => {
    const outcome = openLab(two({ unreachable: true })).fail("Get-ExchangeCertificate", { Server: "EX01" });
    expect(outcome).not.toHaveProperty("output");
    expect(outcome.error.message).toContain("ex01.contoso.com");
  });

  it("hiddenCmdlets: a cmdlet without a role looks as if it didn't exist, in that server's session only", () => {
    const lab = openLab(two({ hiddenCmdlets: ["get-exchangecertificate"] }));
    const { error } = lab.fail("Get-ExchangeCertificate", { Server: "EX01" });
    expect(error.code).toBe("CmdletNotAvailable");
    expect(lab.output("Get-ExchangeServer", { Identity: "EX01" })).toHaveLength(1);
    expect(thumbprints(lab, { Server: "EX01" }, "EX02")).toEqual([first.facts.thumbprint]);
  });

  it("answersAs: another server answers in its place, and says its own name", () => {
    const lab = openLab(two({ answersAs: "ex02.contoso.com" }));
    const [shown] = lab.output("Get-ExchangeServer", { Identity: "ex01.contoso.com" });
    expect(shown?.["Fqdn"]).toBe("ex02.contoso.com");
    expect(thumbprints(lab, { Server: "ex01.contoso.com" }, "ex01.contoso.com")).toEqual([second.facts.thumbprint]);
  });

  it("slowMilliseconds: tells its callers how long to wait, and changes nothing else", () => {
    const slow = two({ slowMilliseconds: 1500 });
    const call = (parameters: Record<string, string>) => ({ name: "Get-ExchangeCertificate", parameters });
    expect(delayOf(slow, call({ Server: "EX01" }), {})).toBe(1500);
    expect(delayOf(slow, call({ Identity: "EX01\\00" }), {})).toBe(1500);
    expect(delayOf(slow, call({ Server: "EX02" }), {})).toBe(0);
    expect(delayOf(slow, { name: "Get-AuthConfig", parameters: {} }, { session: "ex01.contoso.com" })).toBe(1500);
    expect(delayOf(slow, { name: "Get-AuthConfig", parameters: {} }, {})).toBe(0);
    expect(thumbprints(openLab(slow), { Server: "EX01" })).toEqual([first.facts.thumbprint]);
  });
});

describe("runCmdlet", () => {
  it("never changes what it was given", () => {
    const frozen = deepFreeze(two());
    const context = { now: NOW, answers: {}, newGuid: () => "" };
    const Thumbprint = first.facts.thumbprint;
    for (const call of [
      { name: "Enable-ExchangeCertificate", parameters: { Thumbprint, Services: ["IIS", "IMAP", "POP", "SMTP"] } },
      { name: "Set-ImapSettings", parameters: { X509CertificateName: "a.contoso.com" } },
      { name: "Remove-ExchangeCertificate", parameters: { Thumbprint, Confirm: false } },
    ]) {
      const outcome = runCmdlet(frozen, call, context);
      expect(outcome.kind === "completed" && outcome.organisation).not.toBe(frozen);
    }
    expect(frozen).toEqual(two());
  });
});

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}
