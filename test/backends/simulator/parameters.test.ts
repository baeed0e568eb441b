import { CMDLETS } from "../../../provider/backends/simulator/cmdletDefinitions";
import { Secret } from "../../../provider/secret";
import { makeTestCertificate } from "../../certificate/testCertificates";
import { EXCHANGE_2016, openLab, server } from "./lab";

const lab = openLab(server({ version: EXCHANGE_2016 }));

describe("the parameters of a cmdlet", () => {
  it("are found whatever their case, and so is the cmdlet", () => {
    expect(lab.output("get-exchangeCERTIFICATE", { SERVER: "ex01" })).toEqual([]);
  });

  it("are refused when the cmdlet doesn't have them, in PowerShell's words", () => {
    const { error } = lab.fail("Get-ExchangeCertificate", { Sever: "EX01" });
    expect(error.message).toBe("A parameter cannot be found that matches parameter name 'Sever'.");
  });

  it("are all named when mandatory ones are missing", () => {
    expect(lab.fail("Set-SendConnector").error).toEqual({
      code: "CmdletFailed",
      message: "Cannot process command because of one or more missing mandatory parameters: Identity.",
      categoryInfo: "InvalidArgument: (:) [Set-SendConnector], ParameterBindingException",
      fullyQualifiedErrorId: "MissingMandatoryParameter,Set-SendConnector",
    });
  });

  it.each([
    ["Get-ExchangeCertificate", { Thumbprint: 12 }],
    ["Get-ExchangeCertificate", { DomainName: true }],
    ["Enable-ExchangeCertificate", { Thumbprint: "00", Services: ["IIS"], Force: "yes" }],
    ["Import-ExchangeCertificate", { FileData: "MII...", PrivateKeyExportable: true }],
    ["Import-ExchangeCertificate", { PrivateKeyExportable: "true" }],
    ["New-ExchangeCertificate", { KeySize: "big" }],
  ])("are refused with a value of another kind: %s %j", (name, parameters) => {
    expect(lab.fail(name, parameters).error.fullyQualifiedErrorId).toBe(`ParameterArgumentTransformationError,${name}`);
  });

  it("never show a value that is refused: it may be a password in clear", () => {
    const outcome = lab.fail("Import-ExchangeCertificate", { FileData: new Uint8Array(), Password: "correct horse" });
    expect(JSON.stringify(outcome)).not.toContain("correct horse");
    const misplaced = lab.fail("Get-ExchangeCertificate", { Thumbprint: new Secret("correct horse") });
    expect(JSON.stringify(misplaced)).not.toContain("correct horse");
  });

  it("count as not given when they are $null, unless $null means something", () => {
    expect(lab.output("Get-ExchangeCertificate", { Identity: null, DomainName: null })).toEqual([]);
    const { error } = lab.fail("Enable-ExchangeCertificate", { Thumbprint: "00", Services: null });
    expect(error.fullyQualifiedErrorId).toBe("MissingMandatoryParameter,Enable-ExchangeCertificate");
  });
});

describe("the list of cmdlets", () => {
  it("offers -Confirm and -WhatIf on everything that changes, and on nothing else", () => {
    for (const { name, parameters } of CMDLETS) {
      const names = parameters.map((one) => one.name);
      expect([name, names.includes("WhatIf"), names.includes("Confirm")]).toEqual([
        name,
        !name.startsWith("Get-"),
        !name.startsWith("Get-"),
      ]);
    }
  });

  it("has no parameter twice, and no two for the same position", () => {
    for (const { parameters } of CMDLETS) {
      const names = parameters.map((one) => one.name.toLowerCase());
      expect(new Set(names).size).toBe(names.length);
      const positions = parameters.flatMap(({ position }) => position ?? []);
      expect(new Set(positions).size).toBe(positions.length);
    }
  });

  it("holds nothing but cmdlets that run", () => {
    const made = makeTestCertificate({ dnsNames: ["ex01.contoso.com"] });
    for (const { name } of CMDLETS) {
      const outcome = lab.run(name, {}, { makeCertificate: () => made.der });
      if (outcome.kind === "failed") expect([name, outcome.error.code]).toEqual([name, "CmdletFailed"]);
    }
  });
});
