import type { Endpoint } from "../../../../provider/backends/simulator/endpoint/endpoint";
import type { ServerFaults } from "../../../../provider/backends/simulator/organisation";
import { displayOf, entriesOf, propertyOf, stringOf } from "../../../../provider/remoting/clixml/reading";
import type { ClixmlValue } from "../../../../provider/remoting/clixml/types";
import type { Command } from "../../../../provider/remoting/psrp/pipelineMessages";
import { defaultOrganisation, EX01, withFaults, withServer } from "../../simulatedServer";
import { cmdlet, endOf, RawClient, serve } from "./rawClient";

const SELECT: Command = { name: "Select-Object", parameters: { Property: ["Name", "Parameters"] } };

let endpoint: Endpoint | undefined;
afterEach(() => endpoint?.close());

/** Asks Get-Command in a session on EX01. */
async function ask(
  parameters: Command["parameters"],
  {
    faults = {},
    minor = 2,
    more = [] as readonly Command[],
  }: { faults?: ServerFaults; minor?: number; more?: readonly Command[] } = {},
) {
  const organisation = withServer(await defaultOrganisation(), EX01, ({ version }) => ({
    version: { ...version, minor, ...(minor === 2 ? {} : { build: 1497 }) },
  }));
  const served = await serve(withFaults(organisation, EX01, faults));
  ({ endpoint } = served);
  const client = await new RawClient(served.endpoint).open();
  const events = await client.run(cmdlet("Get-Command", parameters), ...more);
  return {
    output: events.flatMap((event) => (event.kind === "output" ? [event.value] : [])),
    errors: events.flatMap((event) => (event.kind === "error" ? [event.record] : [])),
    end: endOf(events),
    endpoint: served.endpoint,
  };
}
const nameOf = (value: ClixmlValue) => displayOf(propertyOf(value, "Name"));
const parametersOf = (value: ClixmlValue | undefined) =>
  entriesOf(propertyOf(value, "Parameters"))?.map(([key]) => stringOf(key));

describe("Get-Command on a restricted endpoint", () => {
  it("lists what the account sees, with parameters behind Select-Object", async () => {
    const { output, end } = await ask({ Name: ["set-imapsettings", "Get-AuthConfig"] }, { more: [SELECT] });
    expect(output.map(nameOf)).toEqual(["Set-ImapSettings", "Get-AuthConfig"]);
    expect(parametersOf(output[0])).toEqual(expect.arrayContaining(["Server", "X509CertificateName"]));
    expect(end).toMatchObject({ state: "Completed", error: undefined });
  });

  it("says names only without it: objects are one level deep", async () => {
    const { output } = await ask({ Name: "Get-AuthConfig" });
    expect(output.map(nameOf)).toEqual(["Get-AuthConfig"]);
    expect(parametersOf(output[0])).toBeUndefined();
  });

  it("tells of each name that isn't there in an error, and goes on", async () => {
    const faults = { hiddenCmdlets: ["Get-AuthConfig"] };
    const { output, errors, end } = await ask({ Name: ["Get-AuthConfig", "Get-ImapSettings"] }, { faults });
    expect(output.map(nameOf)).toEqual(["Get-ImapSettings"]);
    expect(errors.map((one) => one.fullyQualifiedErrorId)).toEqual([
      "CommandNotFoundException,Microsoft.PowerShell.Commands.GetCommandCommand",
    ]);
    expect(errors[0]?.message).toContain("'Get-AuthConfig'");
    expect(end).toMatchObject({ state: "Completed" });
  });

  it("knows wildcards, for which nothing is no error", async () => {
    expect((await ask({ Name: "*-exchangecertificate" })).output.map(nameOf)).toEqual([
      "Get-ExchangeCertificate",
      "Enable-ExchangeCertificate",
      "Import-ExchangeCertificate",
      "New-ExchangeCertificate",
      "Remove-ExchangeCertificate",
    ]);
    await endpoint?.close();
    expect(await ask({ Name: "Get-Mail*" })).toMatchObject({ output: [], errors: [] });
  });

  it("lists what the server's version has", async () => {
    const { output } = await ask(
      { Name: ["Get-UMService", "Import-ExchangeCertificate"] },
      { minor: 1, more: [SELECT] },
    );
    expect(output.map(nameOf)).toEqual(expect.arrayContaining(["Get-UMService"]));
    expect(parametersOf(output.find((one) => nameOf(one) === "Import-ExchangeCertificate"))).toContain("FileName");
    await endpoint?.close();
    const later = await ask({ Name: ["Get-UMService", "Import-ExchangeCertificate"] }, { more: [SELECT] });
    expect(later.output.map(nameOf)).toEqual(["Import-ExchangeCertificate"]);
    expect(parametersOf(later.output[0])).not.toContain("FileName");
  });

  it("refuses other parameters, and properties that the restricted Select-Object doesn't take", async () => {
    expect((await ask({ Verb: "Get" })).end).toMatchObject({
      state: "Failed",
      error: { fullyQualifiedErrorId: "NamedParameterNotFound,Get-Command" },
    });
    await endpoint?.close();
    const { endpoint: restricted } = await ask({});
    restricted.behave({ projection: "refused" });
    const client = await new RawClient(restricted).open();
    const allowed = await client.run(cmdlet("Get-Command", { Name: "Get-AuthConfig" }), SELECT);
    expect(endOf(allowed)).toMatchObject({ state: "Completed" });
    const strange = { name: "Select-Object", parameters: { Property: ["ScriptBlock"] } };
    expect(endOf(await client.run(cmdlet("Get-Command", {}), strange))).toMatchObject({
      state: "Failed",
      error: { fullyQualifiedErrorId: "ParameterArgumentValidationError,Select-Object" },
    });
  });
});
