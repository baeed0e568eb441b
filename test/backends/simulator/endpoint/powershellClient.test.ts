import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Endpoint } from "../../../../provider/backends/simulator/endpoint/endpoint";
import { displayOf, entriesOf, integerOf, itemsOf, propertyOf } from "../../../../provider/remoting/clixml/reading";
import { decodeClixmlValue } from "../../../../provider/remoting/clixml/decode";
import type { ClixmlValue } from "../../../../provider/remoting/clixml/types";
import {
  COMMON_PARAMETERS,
  SHOULD_PROCESS_PARAMETERS,
} from "../../../../provider/backends/simulator/endpoint/commonParameters";
import type { StateStore } from "../../../../provider/backends/simulator/stateFile";
import { mapRecord } from "../../../../provider/backends/serverSnapshot";
import { decodeMessage } from "../../../../provider/remoting/psrp/message";
import type { PipelineEvent } from "../../../../provider/remoting/psrp/pipeline";
import { makeTestCertificate } from "../../../certificate/testCertificates";
import { stored } from "../lab";
import { defaultOrganisation, EX01, withServer } from "../../simulatedServer";
import { endOf, RawClient, serve } from "./rawClient";

/*
 * What PowerShell's own client half sends, which isn't always what ours does. EXCHANGE_PWSH_RECORDINGS names a directory
 * with recorded conversations (client-*.jsonl); they aren't part of this project.
 */
const directory = process.env["EXCHANGE_PWSH_RECORDINGS"] ?? "";
const withRecordings = directory === "" ? describe.skip : describe;

let endpoint: Endpoint;
let client: RawClient;
let store: StateStore;
beforeEach(async () => {
  ({ endpoint, store } = await serve(await defaultOrganisation()));
  client = await new RawClient(endpoint).open();
});
afterEach(() => endpoint.close());

const outputs = (events: readonly PipelineEvent[]): ClixmlValue[] =>
  events.flatMap((event) => (event.kind === "output" ? [event.value] : []));

/** Of what GET_COMMAND_METADATA tells of a command. */
function parametersOf(command: ClixmlValue | undefined): Record<string, { type?: string; aliases: unknown[] }> {
  const entries = entriesOf(propertyOf(command, "Parameters")) ?? [];
  return Object.fromEntries(
    entries.map(([name, one]) => {
      const type = displayOf(propertyOf(one, "ParameterType"));
      const aliases = (itemsOf(propertyOf(one, "Aliases")) ?? []).map(displayOf);
      return [displayOf(name) ?? "", { ...(type !== undefined && { type }), aliases }];
    }),
  );
}

/** CREATE_PIPELINE with arguments as they are: `name` with its dash, or undefined. */
function createPipeline(name: string, args: readonly (readonly [string | undefined, string | undefined])[]): string {
  const written = args.map(
    ([one, value]) =>
      `<Obj><MS>${one === undefined ? '<Nil N="N" />' : `<S N="N">${one}</S>`}` +
      `${value === undefined ? '<Nil N="V" />' : `<S N="V">${value}</S>`}</MS></Obj>`,
  );
  const command = `<Obj><MS><S N="Cmd">${name}</S><B N="IsScript">false</B><Obj N="Args"><LST>${written.join("")}</LST></Obj></MS></Obj>`;
  return `<Obj><MS><B N="NoInput">true</B><Obj N="PowerShell"><MS><Obj N="Cmds"><LST>${command}</LST></Obj></MS></Obj></MS></Obj>`;
}

const METADATA =
  '<Obj><MS><Obj N="Name"><LST><S>NAMES</S></LST></Obj><Obj N="CommandType"><I32>271</I32></Obj>' +
  '<Obj N="Namespace"><LST /></Obj><Nil N="ArgumentList" /></MS></Obj>';

async function run(type: "CREATE_PIPELINE" | "GET_COMMAND_METADATA", xml: string): Promise<readonly PipelineEvent[]> {
  const { pipeline, answer } = await client.startWith(type, xml);
  expect(answer.kind).toBe("commandStarted");
  return client.finish(pipeline);
}

describe("arguments of a script block", () => {
  it.each([
    [
      "-Server, and its value",
      [
        ["-Server", undefined],
        [undefined, EX01],
      ],
    ],
    ["-Server:", [["-Server:", EX01]]],
    ["Server", [["Server", EX01]]],
    [
      "-ser, the beginning of it",
      [
        ["-ser", undefined],
        [undefined, EX01],
      ],
    ],
  ] as const)("are bound when they come as %s", async (_how, args) => {
    const events = await run("CREATE_PIPELINE", createPipeline("Get-ExchangeCertificate", args));
    expect(endOf(events).state).toBe("Completed");
    expect(events.some(({ kind }) => kind === "error")).toBe(false);
    expect(outputs(events).length).toBeGreaterThan(1);
  });
});

describe("Import-PSSession", () => {
  it("is told how many commands there are, and each with its parameters", async () => {
    const events = await run("GET_COMMAND_METADATA", METADATA.replace("NAMES", "*-ExchangeCertificate"));
    expect(endOf(events).state).toBe("Completed");
    const [count, ...commands] = outputs(events);
    expect(integerOf(propertyOf(count, "Count"))).toBe(commands.length);
    expect(commands.map((one) => displayOf(propertyOf(one, "Name")))).toEqual([
      "Get-ExchangeCertificate",
      "Enable-ExchangeCertificate",
      "Import-ExchangeCertificate",
      "New-ExchangeCertificate",
      "Remove-ExchangeCertificate",
    ]);
    expect(mapRecord(parametersOf(commands[1]), ({ type }) => type)).toMatchObject({
      Thumbprint: "System.String",
      Services: "System.String[]",
      Force: "System.Management.Automation.SwitchParameter",
    });
  });

  it("is told the common parameters of each, with their aliases, and how to confirm where something is changed", async () => {
    const events = await run("GET_COMMAND_METADATA", METADATA.replace("NAMES", "*-ImapSettings"));
    const [get, set] = outputs(events).slice(1).map(parametersOf);
    expect(Object.keys(get ?? {})).toEqual([
      ...["Server", "DomainController", "Verbose", "Debug", "ErrorAction", "WarningAction", "InformationAction"],
      ...["ErrorVariable", "WarningVariable", "InformationVariable", "OutVariable", "OutBuffer", "PipelineVariable"],
    ]);
    expect(get?.["ErrorAction"]).toEqual({ type: "System.Management.Automation.ActionPreference", aliases: ["ea"] });
    expect(get?.["Server"]?.aliases).toEqual([]);
    expect(Object.keys(set ?? {}).slice(-2)).toEqual(["WhatIf", "Confirm"]);
    expect(set?.["Confirm"]?.aliases).toEqual(["cf"]);
  });

  it("finds no formats, which is no error", async () => {
    const events = await run("CREATE_PIPELINE", createPipeline("Get-FormatData", [["TypeName", "*"]]));
    expect(endOf(events).state).toBe("Completed");
    expect(outputs(events)).toEqual([]);
  });
});

describe("a message that the endpoint doesn't know", () => {
  it("is answered with a fault, and never with silence", async () => {
    const { answer } = await client.startWith("CONNECT_RUNSPACEPOOL", "<Obj/>");
    expect(answer).toMatchObject({ kind: "fault", fault: { message: expect.stringContaining("0x10008") } });
    // The session goes on.
    const events = await run("CREATE_PIPELINE", createPipeline("Get-ExchangeServer", []));
    expect(endOf(events).state).toBe("Completed");
  });
});

withRecordings("recorded conversations of PowerShell's own client", () => {
  const CREATE_PIPELINE = 0x21006;
  const GET_COMMAND_METADATA = 0x2100a;

  interface Line {
    readonly from: string;
    readonly fragments?: string | readonly string[];
  }

  /** Whole messages of one side, body as text. */
  function messages(file: string, side: "client" | "server"): { readonly typeNumber: number; readonly xml: string }[] {
    const lines = readFileSync(join(directory, file), "utf8").trim().split("\n");
    const [START, END] = [1, 2];
    return (
      lines
        .map((line) => JSON.parse(line) as Line)
        .filter(({ from, fragments }) => from === side && fragments !== undefined)
        .map(({ fragments = [] }) => [fragments].flat().map((one) => Buffer.from(one, "base64")))
        // Some long answers were cut.
        .filter((all) => ((all[0]?.[16] ?? 0) & START) !== 0 && ((all.at(-1)?.[16] ?? 0) & END) !== 0)
        .map((all) => decodeMessage(Buffer.concat(all.map((one) => one.subarray(21)))))
        .map(({ typeNumber, body }) => ({ typeNumber, xml: Buffer.from(body).toString("utf8") }))
    );
  }

  const requests = (file: string) => messages(file, "client");

  it("are taken: every reading command, each form of its arguments", async () => {
    const all = requests("client-invoke-command.jsonl").filter(({ typeNumber }) => typeNumber === CREATE_PIPELINE);
    const reading = all.filter(({ xml }) => /<S N="Cmd">Get-/.test(xml));
    expect(reading.length).toBeGreaterThan(4);
    for (const { xml } of reading) {
      const events = await run("CREATE_PIPELINE", xml);
      expect(endOf(events)).toMatchObject({ state: "Completed" });
      expect(events.filter(({ kind }) => kind === "error")).toEqual([]);
      expect(outputs(events).length).toBeGreaterThan(1);
    }
  });

  /** The recorded request of that cmdlet. */
  const requestOf = (cmdlet: string): string => {
    const found = requests("client-invoke-command.jsonl").find(({ xml }) => xml.includes(`<S N="Cmd">${cmdlet}</S>`));
    if (found === undefined) throw new Error(`no ${cmdlet} was recorded`);
    return found.xml;
  };

  it("are carried out: a certificate name, with -Confirm:$false", async () => {
    const events = await run("CREATE_PIPELINE", requestOf("Set-ImapSettings"));
    expect(endOf(events)).toMatchObject({ state: "Completed" });
    expect((await store.read()).servers[EX01]?.imap.x509CertificateName).toBe("mail.contoso.com");
    expect(events.filter(({ kind }) => kind === "warning")).toMatchObject([
      { message: expect.stringContaining("EX01") },
    ]);
  });

  it("are carried out: services as a list, and -Force", async () => {
    const certificate = makeTestCertificate({ dnsNames: ["mail.contoso.com"] });
    await store.update((organisation) => ({
      organisation: withServer(organisation, EX01, ({ certificates }) => ({
        certificates: [...certificates, stored(certificate)],
      })),
      result: undefined,
    }));
    const { thumbprint } = certificate.facts;
    const xml = requestOf("Enable-ExchangeCertificate").replace(/[0-9A-F]{40}/g, thumbprint);
    const events = await run("CREATE_PIPELINE", xml);
    expect(events.filter(({ kind }) => kind === "error")).toEqual([]);
    expect(endOf(events)).toMatchObject({ state: "Completed" });
    // -Force answers the question about the default SMTP certificate.
    expect((await store.read()).servers[EX01]).toMatchObject({
      iis: { frontEnd: thumbprint },
      internalTransportCertificate: { thumbprint },
    });
  });

  it("are refused as there: a script", async () => {
    const script = requests("client-invoke-command.jsonl").find(({ xml }) => xml.includes('<B N="IsScript">true</B>'));
    const { state, error } = endOf(await run("CREATE_PIPELINE", script?.xml ?? ""));
    expect({ state, id: error?.fullyQualifiedErrorId }).toEqual({ state: "Failed", id: "ScriptsNotAllowed" });
    const [recorded] = messages("client-invoke-command.jsonl", "server").filter(({ xml }) =>
      xml.includes("ScriptsNotAllowed"),
    );
    expect(recorded?.xml).toContain(error?.message);
  });

  it("get their command metadata", async () => {
    const asked = requests("client-import-pssession.jsonl").find(
      ({ typeNumber }) => typeNumber === GET_COMMAND_METADATA,
    );
    const events = await run("GET_COMMAND_METADATA", asked?.xml ?? "");
    expect(endOf(events).state).toBe("Completed");
    expect(integerOf(propertyOf(outputs(events)[0], "Count"))).toBe(outputs(events).length - 1);
  });

  it("get of each command what PowerShell's own server half tells: common parameters and all", async () => {
    const known = new Set(COMMON_PARAMETERS.concat(SHOULD_PROCESS_PARAMETERS).map(({ name }) => name));
    const told = (commands: readonly (ClixmlValue | undefined)[]) =>
      new Map(commands.map((one) => [displayOf(propertyOf(one, "Name")) ?? "", one]));
    const recorded = told(
      messages("client-import-pssession.jsonl", "server")
        .filter(({ xml }) => xml.includes('N="ResolvedCommandName"'))
        .map(({ xml }) => decodeClixmlValue(xml)),
    );
    const ours = told(outputs(await run("GET_COMMAND_METADATA", METADATA.replace("NAMES", "*"))).slice(1));
    const namesOf = (one: ClixmlValue | undefined) => (one?.kind === "Obj" ? [...one.extended.keys()] : []);
    const both = [...recorded.keys()].filter((name) => ours.has(name));
    expect(both.length).toBeGreaterThan(10);
    for (const name of both) {
      const commonOf = (one: ClixmlValue | undefined) =>
        Object.entries(parametersOf(one)).filter(([parameter]) => known.has(parameter));
      expect(commonOf(ours.get(name))).toEqual(commonOf(recorded.get(name)));
      expect(namesOf(ours.get(name))).toEqual(namesOf(recorded.get(name)));
    }
  });
});
