import { readCall } from "../../../../provider/backends/simulator/endpoint/receivedCall";
import {
  boolean,
  bytes,
  type ClixmlValue,
  enumValue,
  int32,
  list,
  NIL,
  string,
} from "../../../../provider/remoting/clixml/types";
import type { CreatePipeline, ReceivedCommand } from "../../../../provider/remoting/psrp/pipelineMessages";
import { Secret } from "../../../../provider/secret";

type Argument = readonly [name: string | undefined, value: ClixmlValue];

function command(name: string, ...parameters: readonly Argument[]): ReceivedCommand {
  return {
    name,
    isScript: false,
    parameters: parameters.map(([parameter, value]) => ({ name: parameter, value })),
  };
}

const host = { isHostNull: true, isHostUINull: true, isHostRawUINull: true, useRunspaceHost: true };
const read = (...commands: readonly ReceivedCommand[]) => readStatements(commands);
function readStatements(...statements: CreatePipeline["statements"]) {
  const decrypt = (cipherText: Uint8Array) => new Secret(Buffer.from(cipherText).toString("utf8"));
  return readCall({ statements, noInput: true, host }, "allowed", decrypt);
}
function parametersOf(...commands: readonly ReceivedCommand[]) {
  const call = read(...commands);
  if (call.kind !== "call") throw new Error(call.error.message);
  return call.call.parameters;
}

describe("the call in a pipeline", () => {
  it("has its parameters under their proper names, those without a name by their place", () => {
    const call = command("Enable-ExchangeCertificate", [undefined, string("AB")], ["services", string("IIS,SMTP")]);
    expect(parametersOf(call)).toEqual({ Thumbprint: "AB", Services: "IIS,SMTP" });
  });

  it("keeps a parameter that the cmdlet doesn't have, for the cmdlet to refuse", () => {
    expect(parametersOf(command("Get-ExchangeServer", ["Nope", string("x")]))).toEqual({ Nope: "x" });
  });

  it("takes a switch that came as null for set, and any other null for null", () => {
    const set = command("Set-SendConnector", ["TlsCertificateName", NIL], ["WhatIf", NIL], ["Confirm", boolean(false)]);
    expect(parametersOf(set)).toEqual({ TlsCertificateName: null, WhatIf: true, Confirm: false });
  });

  it("reads lists, bytes, numbers, and enums by their text", () => {
    const services = enumValue("AllowedServices", "IIS, SMTP", 24);
    expect(
      parametersOf(
        command(
          "New-ExchangeCertificate",
          ["DomainName", list([string("a.b"), string("c.d")])],
          ["KeySize", int32(4096)],
        ),
      ),
    ).toEqual({ DomainName: ["a.b", "c.d"], KeySize: 4096 });
    expect(parametersOf(command("Enable-ExchangeCertificate", ["Services", services]))).toEqual({
      Services: "IIS, SMTP",
    });
    const data = new Uint8Array([1, 2, 255]);
    expect(parametersOf(command("Import-ExchangeCertificate", ["FileData", bytes(data)]))).toEqual({ FileData: data });
  });

  it("decrypts what is secure, wrapped or not", () => {
    const cipher: ClixmlValue = { kind: "SS", value: Buffer.from("secret") };
    const { Password } = parametersOf(command("Import-ExchangeCertificate", ["Password", cipher]));
    expect(Password instanceof Secret && Password.reveal()).toBe("secret");
  });

  it("leaves out the parameters that every cmdlet has", () => {
    expect(parametersOf(command("Get-ExchangeServer", ["Verbose", NIL], ["WarningAction", string("Stop")]))).toEqual(
      {},
    );
  });

  it.each([
    [string("Stop"), true],
    [int32(1), true],
    [string("SilentlyContinue"), false],
  ])("with -ErrorAction %j stops at an error: %s", (value, stopsOnError) => {
    expect(read(command("Get-ExchangeServer", ["ErrorAction", value]))).toMatchObject({ kind: "call", stopsOnError });
  });

  it("is refused when there is script text anywhere", () => {
    const script = { name: "Get-Date", isScript: true, parameters: [] };
    for (const statements of [
      [[script]],
      [[command("Get-ExchangeServer"), script]],
      [[command("Get-ExchangeServer")], [script]],
    ]) {
      expect(readStatements(...statements)).toMatchObject({
        kind: "refused",
        error: { fullyQualifiedErrorId: "ScriptsNotAllowed" },
      });
    }
  });

  it("is one statement", () => {
    const one = [command("Get-ExchangeServer")];
    expect(readStatements(one, one)).toMatchObject({ kind: "refused" });
  });
});
