import { INPUT_KEYS } from "../../provider/inputs";
import { failuresForEngine } from "../../provider/lifecycle/failuresForEngine";

const reason = "it can't be used.";

describe("failures of the inputs, of which the engine prints the value", () => {
  it("keep their property where its value is public", () => {
    for (const property of INPUT_KEYS.filter((key) => key !== "certificate")) {
      expect(failuresForEngine([{ property, reason }], { [property]: "x" })).toEqual([{ property, reason }]);
    }
  });

  it.each([
    ["a thumbprint", { thumbprint: "12" }],
    ["a file and a variable", { pfxFile: "mail.pfx", passwordEnv: "PW" }],
    ["a wish", { selfSigned: { dnsNames: [] } }],
    ["nothing at all", {}],
    ["nothing given", undefined],
  ])("keep the certificate as property where it is %s", (_what, certificate) => {
    const failures = failuresForEngine([{ property: "certificate", reason }], { certificate });
    expect(failures).toEqual([{ property: "certificate", reason }]);
  });

  it.each([
    ["a PFX", { pfx: "AAAA", password: "pw" }],
    ["a file with its password", { pfxFile: "mail.pfx", password: "pw" }],
    ["PEM texts", { pem: { privateKey: "key" } }],
    ["two sources", { thumbprint: "12", pfx: "AAAA" }],
    ["a misspelt password", { pfxFile: "mail.pfx", passwrd: "pw" }],
    ["a text", "AAAA"],
    ["a list", ["AAAA"]],
  ])("name no property, but say it, where the certificate is %s", (_what, certificate) => {
    const failures = failuresForEngine([{ property: "certificate", reason }], { certificate });
    expect(failures).toEqual([{ property: "", reason: "certificate: it can't be used." }]);
  });

  it("name no property that isn't an input: it may be a password in the wrong place", () => {
    expect(failuresForEngine([{ property: "password", reason }], { password: "pw" })).toEqual([
      { property: "", reason: "password: it can't be used." },
    ]);
  });

  it("leave alone what belongs to the resource as a whole", () => {
    expect(failuresForEngine([{ property: "", reason }], {})).toEqual([{ property: "", reason }]);
  });
});
