import { readExchangeCertificate } from "../../../../provider/backends/remote/exchangeCertificateObject";
import { packPfx } from "../../../../provider/certificate/packPfx";
import type { Endpoint } from "../../../../provider/backends/simulator/endpoint/endpoint";
import type { StateStore } from "../../../../provider/backends/simulator/stateFile";
import { displayOf, propertyOf } from "../../../../provider/remoting/clixml/reading";
import { int32, list } from "../../../../provider/remoting/clixml/types";
import { choiceAnswer, choicePromptOf } from "../../../../provider/remoting/psrp/hostCall";
import type { PipelineEvent } from "../../../../provider/remoting/psrp/pipeline";
import type { Command } from "../../../../provider/remoting/psrp/pipelineMessages";
import { Secret } from "../../../../provider/secret";
import { makeTestCertificate } from "../../../certificate/testCertificates";
import { defaultOrganisation, EX01, EX02, withFaults } from "../../simulatedServer";
import { cmdlet, endOf, RawClient, type RawClientOptions, serve } from "./rawClient";

const material = makeTestCertificate({ dnsNames: ["mail.contoso.com"] });
const { thumbprint } = material.facts;
const password = new Secret("pässword");
const pfx = packPfx(material, password).reveal();

let endpoint: Endpoint;
let store: StateStore;
beforeEach(async () => {
  ({ endpoint, store } = await serve(await defaultOrganisation()));
});
afterEach(async () => {
  await endpoint.close();
});

const open = (options?: RawClientOptions): Promise<RawClient> => new RawClient(endpoint, options).open();
const run = async (...commands: readonly Command[]) => (await open()).run(...commands);
const kindsOf = (events: readonly PipelineEvent[]) => events.map(({ kind }) => kind);
const outputsOf = (events: readonly PipelineEvent[]) =>
  events.flatMap((event) => (event.kind === "output" ? [event.value] : []));
const ex01 = async () => {
  const server = (await store.read()).servers[EX01];
  if (server === undefined) throw new Error("EX01 is gone");
  return server;
};

/** A session with the certificate of this file imported. */
async function withImported(options?: RawClientOptions): Promise<RawClient> {
  const one = await open(options);
  await one.exchangeKeys();
  await one.run(cmdlet("Import-ExchangeCertificate", { FileData: pfx, Password: password }));
  return one;
}

describe("an error", () => {
  it("of a cmdlet is a record of a pipeline that completes", async () => {
    const events = await run(cmdlet("Get-ExchangeCertificate", { Thumbprint: "AB".repeat(20) }));
    expect(kindsOf(events)).toEqual(["error", "state"]);
    expect(endOf(events)).toMatchObject({ state: "Completed", error: undefined });
  });

  it("ends the pipeline as failed with -ErrorAction Stop", async () => {
    const parameters = { Thumbprint: "AB".repeat(20), ErrorAction: "Stop" };
    const events = await run(cmdlet("Get-ExchangeCertificate", parameters));
    expect(kindsOf(events)).toEqual(["state"]);
    expect(endOf(events)).toMatchObject({ state: "Failed", error: { message: expect.stringContaining("not found") } });
  });

  it.each([
    ["an unknown cmdlet", cmdlet("Get-Mailbox"), "CommandNotFoundException"],
    ["an unknown parameter", cmdlet("Get-ExchangeServer", { Nope: 1 }), "NamedParameterNotFound,Get-ExchangeServer"],
    ["a missing parameter", cmdlet("Set-SendConnector"), "MissingMandatoryParameter,Set-SendConnector"],
  ])("of PowerShell itself, %s, ends it as failed", async (_what, command, fullyQualifiedErrorId) => {
    expect(endOf(await run(command))).toMatchObject({ state: "Failed", error: { fullyQualifiedErrorId } });
  });

  it("tells category, reason and target as PowerShell does", async () => {
    expect(endOf(await run(cmdlet("Get-Mailbox"))).error).toMatchObject({
      category: {
        number: 13,
        reason: "CommandNotFoundException",
        targetName: "Get-Mailbox",
        targetType: "String",
        message: "ObjectNotFound: (Get-Mailbox:String) [], CommandNotFoundException",
      },
      target: "Get-Mailbox",
      exception: { typeNames: expect.arrayContaining(["System.Management.Automation.CommandNotFoundException"]) },
    });
  });

  it("of a server that can't be asked is another exception than one of a certificate that isn't there", async () => {
    const organisation = withFaults(await defaultOrganisation(), EX02, { unreachable: true });
    await store.update(() => ({ organisation, result: undefined }));
    const [event] = await run(cmdlet("Get-ExchangeCertificate", { Server: EX02 }));
    expect(event).toMatchObject({ kind: "error", record: { category: { reason: "RpcClientException" } } });
  });
});

describe("parameters", () => {
  it("that every cmdlet has, such as -Verbose, have no effect", async () => {
    const frontEnd = (await ex01()).iis.frontEnd ?? "";
    const events = await run(cmdlet("Get-ExchangeCertificate", { Thumbprint: frontEnd, Verbose: true }));
    expect(outputsOf(events).map((value) => readExchangeCertificate(value).thumbprint)).toEqual([frontEnd]);
  });

  it("may bring bytes one by one", async () => {
    const one = await open();
    await one.exchangeKeys();
    const bytes = list([...pfx].map((byte) => int32(byte)));
    const events = await one.run(cmdlet("Import-ExchangeCertificate", { FileData: bytes, Password: password }));
    expect(outputsOf(events).map((value) => readExchangeCertificate(value).thumbprint)).toEqual([thumbprint]);
  });

  it("of more than one fragment come in several requests", async () => {
    const large = new Uint8Array(120_000);
    const one = await open();
    const events = await one.run(cmdlet("Import-ExchangeCertificate", { FileData: large }));
    expect(events[0]).toMatchObject({
      kind: "error",
      record: { category: { message: expect.stringMatching(/^ReadError/) } },
    });
  });

  it("that are secure need the session key", async () => {
    const one = await open();
    const cipher = { kind: "SS", value: new Uint8Array(16) } as const;
    const events = await one.run(cmdlet("Import-ExchangeCertificate", { FileData: pfx, Password: cipher }));
    expect(endOf(events)).toMatchObject({ state: "Failed", error: { fullyQualifiedErrorId: "KeyExchangeFailed" } });
  });

  it("that should be secure can't be plain", async () => {
    const events = await run(cmdlet("Import-ExchangeCertificate", { FileData: pfx, Password: "in the clear" }));
    expect(JSON.stringify(events)).not.toContain("in the clear");
    expect(endOf(events).error?.fullyQualifiedErrorId).toBe(
      "ParameterArgumentTransformationError,Import-ExchangeCertificate",
    );
  });
});

describe("a question", () => {
  const enable = cmdlet("Enable-ExchangeCertificate", { Thumbprint: thumbprint, Services: ["SMTP"] });
  const isDefault = async () => (await ex01()).internalTransportCertificate?.thumbprint === thumbprint;

  it.each([
    [0, true],
    [1, true],
    [2, false],
    [3, false],
  ])("answered with choice %i leaves the new certificate as the default: %s", async (choice, expected) => {
    const one = await withImported();
    const pipeline = await one.start(enable);
    const events = await one.finish(pipeline, (event) => {
      if (event.kind !== "hostCall") return;
      expect(choicePromptOf(event.call)).toMatchObject({ caption: "Confirm", defaultChoice: 0 });
      pipeline.respond(event.call, choiceAnswer(choice));
    });
    expect(endOf(events).state).toBe("Completed");
    expect(await isDefault()).toBe(expected);
  });

  it("that the host refuses ends the pipeline as failed, with the host's reason", async () => {
    const one = await withImported();
    const pipeline = await one.start(enable);
    const events = await one.finish(pipeline, (event) => {
      if (event.kind === "hostCall") pipeline.refuse(event.call, "nobody is here");
    });
    expect(endOf(events)).toMatchObject({
      state: "Failed",
      error: { message: expect.stringContaining("nobody is here"), category: { reason: "HostException" } },
    });
    expect(await isDefault()).toBe(false);
  });

  it("answered with none of the choices ends it, too", async () => {
    const one = await withImported();
    const pipeline = await one.start(enable);
    const events = await one.finish(pipeline, (event) => {
      if (event.kind === "hostCall") pipeline.respond(event.call, choiceAnswer(4));
    });
    expect(endOf(events).state).toBe("Failed");
  });

  it("can't be put to a client without a host", async () => {
    const one = await withImported({ host: "none" });
    const events = await one.run(enable);
    expect(kindsOf(events)).toEqual(["state"]);
    expect(endOf(events)).toMatchObject({
      state: "Failed",
      error: { message: expect.stringMatching(/user interaction.*Overwrite the existing default SMTP certificate/s) },
    });
    expect(await isDefault()).toBe(false);
  });

  it("isn't put with -Force", async () => {
    const one = await withImported({ host: "none" });
    const forced = { ...enable, parameters: { ...enable.parameters, Force: true } };
    expect(endOf(await one.run(forced)).state).toBe("Completed");
    expect(await isDefault()).toBe(true);
  });
});

describe("Select-Object", () => {
  const get = cmdlet("Get-ExchangeCertificate");
  const select = cmdlet("Select-Object", { Property: ["thumbprint", "Services", "RootCAType", "CertificateDomains"] });

  it("keeps the properties that it is given, with their types, under their own names", async () => {
    const values = outputsOf(await run(get, select));
    const frontEnd = values.find((value) => displayOf(propertyOf(value, "Services")) === "IMAP, POP, IIS, SMTP");
    expect(frontEnd).toMatchObject({
      typeNames: [
        "Selected.Microsoft.Exchange.Management.SystemConfigurationTasks.ExchangeCertificate",
        "System.Management.Automation.PSCustomObject",
        "System.Object",
      ],
      extended: new Map<string, unknown>([
        ["Thumbprint", { kind: "S", value: (await ex01()).iis.frontEnd }],
        ["Services", expect.objectContaining({ content: { kind: "primitive", value: int32(27) } })],
        ["RootCAType", expect.objectContaining({ display: "Registry" })],
        ["CertificateDomains", expect.objectContaining({ kind: "Obj" })],
      ]),
    });
  });

  it("knows what the certificate itself says when Exchange says nothing", async () => {
    const organisation = withFaults(await defaultOrganisation(), EX01, { servicesUnknown: true });
    await store.update(() => ({ organisation, result: undefined }));
    const [value] = outputsOf(await run(get, select));
    expect(displayOf(propertyOf(value, "Thumbprint"))).toMatch(/^[0-9A-F]{40}$/);
    expect(propertyOf(value, "Services")).toEqual({ kind: "Nil" });
  });

  it("works on the other cmdlets' objects", async () => {
    const [value] = outputsOf(await run(cmdlet("Get-ExchangeServer"), cmdlet("Select-Object", { Property: "Fqdn" })));
    expect(displayOf(propertyOf(value, "Fqdn"))).toBe(EX01);
  });

  it("may take PowerShell's own names only", async () => {
    endpoint.behave({ projection: "refused" });
    const events = await run(get, select);
    expect(endOf(events)).toMatchObject({
      state: "Failed",
      error: { fullyQualifiedErrorId: "ParameterArgumentValidationError,Select-Object" },
    });
    expect(endOf(await run(get, cmdlet("Select-Object", { Property: "Name" }))).state).toBe("Completed");
  });

  it("may not be there at all", async () => {
    endpoint.behave({ projection: "absent" });
    expect(endOf(await run(get, select)).error?.fullyQualifiedErrorId).toBe("CommandNotFoundException");
  });

  it("is the one thing that may stand behind a cmdlet, once", async () => {
    for (const commands of [[get, get], [get, select, select], [select]]) {
      expect(endOf(await run(...commands)).state).toBe("Failed");
    }
    const [first, second] = [get, cmdlet("Select-Object", { First: 1 })];
    expect(endOf(await run(first, second)).error?.fullyQualifiedErrorId).toBe("NamedParameterNotFound,Select-Object");
  });
});

describe("a pool", () => {
  it("runs as many pipelines at a time as it has runspaces", async () => {
    const organisation = withFaults(await defaultOrganisation(), EX02, { slowMilliseconds: 600_000 });
    await store.update(() => ({ organisation, result: undefined }));
    const slow = cmdlet("Get-ExchangeCertificate", { Server: EX02 });
    const two = await open({ maxRunspaces: 2, operationTimeoutSeconds: 0.2 });
    await two.start(slow);
    expect(endOf(await two.run(cmdlet("Get-ExchangeServer"))).state).toBe("Completed");

    const one = await open({ operationTimeoutSeconds: 0.2 });
    const first = await one.start(slow);
    const second = await one.start(cmdlet("Get-ExchangeServer"));
    expect(await one.receive(second.id)).toMatchObject({ kind: "fault", fault: { subcode: "TimedOut" } });
    await one.signal(first.id, "terminate");
    expect(endOf(await one.finish(second)).state).toBe("Completed");
  });

  it("makes certificates", async () => {
    const create = cmdlet("New-ExchangeCertificate", {
      DomainName: ["new.contoso.com"],
      Services: "None",
      Force: true,
    });
    const [value] = outputsOf(await run(create));
    if (value === undefined) throw new Error("nothing was made");
    const made = readExchangeCertificate(value);
    expect((await ex01()).certificates.at(-1)?.der).toBe(Buffer.from(made.der).toString("base64"));
  });

  it("says warnings before what a cmdlet returns", async () => {
    const events = await run(cmdlet("Set-PopSettings", { X509CertificateName: "pop.contoso.com" }));
    expect(kindsOf(events)).toEqual(["warning", "state"]);
  });
});
