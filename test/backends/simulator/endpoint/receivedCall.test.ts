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
    // A dash in front: as a script block sends it, without a value.
    parameters: parameters.map(([parameter, value]) => ({
      name: parameter?.replace(/^-/, ""),
      value,
      isNameAlone: parameter?.startsWith("-") === true && value.kind === "Nil",
    })),
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

  it("takes the value after a name that came alone, and none after a switch", () => {
    const call = command(
      "Enable-ExchangeCertificate",
      ["-Server", NIL],
      [undefined, string("EX01")],
      ["-Force", NIL],
      [undefined, string("AB")],
      ["-Services", NIL],
      [undefined, list([string("IIS"), string("SMTP")])],
    );
    expect(parametersOf(call)).toEqual({ Server: "EX01", Force: true, Thumbprint: "AB", Services: ["IIS", "SMTP"] });
    const quiet = command(
      "Get-ExchangeServer",
      ["-Verbose", NIL],
      ["-WarningAction", NIL],
      [undefined, string("Stop")],
    );
    expect(parametersOf(quiet)).toEqual({});
  });

  it("takes the beginning of a name, and an alias of a common parameter", () => {
    const call = command(
      "Enable-ExchangeCertificate",
      ["thumb", string("AB")],
      ["Servi", string("IIS")],
      ["cf", boolean(false)],
    );
    expect(parametersOf(call)).toEqual({ Thumbprint: "AB", Services: "IIS", Confirm: false });
  });

  it.each([
    [
      "Ser",
      "AmbiguousParameter",
      /'Ser' is ambiguous\. Possible matches include: .*-Services.*-Server|-Server.*-Services/,
    ],
    ["D", "AmbiguousParameter", /-DoNotRequireSsl.*-DomainController.*-debug/i],
  ])("refuses -%s, which may be several", (name, id, message) => {
    const refused = read(command("Enable-ExchangeCertificate", [name, string("x")]));
    if (refused.kind !== "refused") throw new Error("It was bound.");
    expect(refused.error.fullyQualifiedErrorId).toContain(id);
    expect(refused.error.message).toMatch(message);
  });

  it("refuses a name whose value is missing", () => {
    for (const last of [[], [["-Force", NIL]]] as const) {
      expect(read(command("Enable-ExchangeCertificate", ["-Server", NIL], ...last))).toMatchObject({
        kind: "refused",
        error: { fullyQualifiedErrorId: expect.stringContaining("MissingArgument") },
      });
    }
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
