import { INPUT_KEYS } from "../../../provider/inputs";
import { failuresForEngine, type EngineFailure } from "../../../provider/frontends/engine/failuresForEngine";

const reason = "it can't be used.";
const NOW = new Date("2026-11-24T12:00:00Z");
const told = (property: string, inputs: Record<string, unknown>): readonly EngineFailure[] =>
  failuresForEngine([{ kind: "mistake", property, reason }], inputs, NOW);

describe("failures of the inputs, of which the engine prints the value", () => {
  it("keep their property where its value is public", () => {
    for (const property of INPUT_KEYS.filter((key) => key !== "certificate")) {
      expect(told(property, { [property]: "x" })).toEqual([{ property, reason }]);
    }
  });

  it.each([
    ["a thumbprint", { thumbprint: "12" }],
    ["a file and a variable", { pfxFile: "mail.pfx", passwordEnv: "MAIL_PASSWORD" }],
    ["a wish", { selfSigned: { dnsNames: [] } }],
    ["nothing at all", {}],
    ["nothing given", undefined],
  ])("keep the certificate as property where it is %s", (_what, certificate) => {
    const failures = told("certificate", { certificate });
    expect(failures).toEqual([{ property: "certificate", reason }]);
  });

  it.each([
    ["a PFX", { pfx: "AAAA", password: "pw" }],
    ["a file with its password", { pfxFile: "mail.pfx", password: "pw" }],
    ["PEM texts", { pem: { privateKey: "key" } }],
    ["two sources", { thumbprint: "12", pfx: "AAAA" }],
    ["a misspelt password", { pfxFile: "mail.pfx", passwrd: "pw" }],
    ["a password in the place of a variable", { pfxFile: "mail.pfx", passwordEnv: "hunter2" }],
    ["a key in the place of a path", { pfxFile: "-----BEGIN PRIVATE KEY-----" }],
    ["a long text in the place of a thumbprint", { thumbprint: "A".repeat(200) }],
    ["a text in the place of a thumbprint", { thumbprint: "my password" }],
    ["a wish with a password", { selfSigned: { dnsNames: [], password: "pw" } }],
    ["a wish with an object", { selfSigned: { dnsNames: [{ value: "pw" }] } }],
    ["a text", "AAAA"],
    ["a list", ["AAAA"]],
  ])("name no property, but say it, where the certificate is %s", (_what, certificate) => {
    const failures = told("certificate", { certificate });
    expect(failures).toEqual([{ property: "", reason: "certificate: it can't be used." }]);
  });

  it("name no property that isn't an input: it may be a password in the wrong place", () => {
    expect(told("password", { password: "pw" })).toEqual([{ property: "", reason: "password: it can't be used." }]);
  });

  it.each([
    ["server", "A".repeat(60)],
    ["server", { secret: "pw" }],
    ["friendlyName", "-----BEGIN PRIVATE KEY-----"],
    ["services", ["SMTP", { secret: "pw" }]],
    ["successor", "one\ntwo"],
  ])("name no property whose value isn't what is expected there: %s", (property, value) => {
    expect(told(property, { [property]: value })).toEqual([{ property: "", reason: `${property}: ${reason}` }]);
  });

  it("leave alone what belongs to the resource as a whole", () => {
    expect(told("", {})).toEqual([{ property: "", reason }]);
  });
});
