import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Endpoint } from "../../../../provider/backends/simulator/endpoint/endpoint";
import { displayOf, entriesOf, integerOf, propertyOf } from "../../../../provider/remoting/clixml/reading";
import type { ClixmlValue } from "../../../../provider/remoting/clixml/types";
import { decodeMessage } from "../../../../provider/remoting/psrp/message";
import type { PipelineEvent } from "../../../../provider/remoting/psrp/pipeline";
import { defaultOrganisation, EX01 } from "../../simulatedServer";
import { endOf, RawClient, serve } from "./rawClient";

/*
 * What PowerShell's own client half sends, which isn't always what ours does. EXCHANGE_PWSH_RECORDINGS names a directory
 * with recorded conversations (client-*.jsonl); they aren't part of this project.
 */
const directory = process.env["EXCHANGE_PWSH_RECORDINGS"] ?? "";
const withRecordings = directory === "" ? describe.skip : describe;

let endpoint: Endpoint;
let client: RawClient;
beforeEach(async () => {
  ({ endpoint } = await serve(await defaultOrganisation()));
  client = await new RawClient(endpoint).open();
});
afterEach(() => endpoint.close());

const outputs = (events: readonly PipelineEvent[]): ClixmlValue[] =>
  events.flatMap((event) => (event.kind === "output" ? [event.value] : []));

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
    const parameters = entriesOf(propertyOf(commands[1], "Parameters")) ?? [];
    const types = parameters.map(([name, one]) => [displayOf(name), displayOf(propertyOf(one, "ParameterType"))]);
    expect(Object.fromEntries(types)).toMatchObject({
      Thumbprint: "System.String",
      Services: "System.String[]",
      Force: "System.Management.Automation.SwitchParameter",
    });
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

  /** First messages of the client's commands, body as text. */
  function requests(file: string): { readonly typeNumber: number; readonly xml: string }[] {
    const lines = readFileSync(join(directory, file), "utf8").trim().split("\n");
    return lines
      .map((line) => JSON.parse(line) as Line)
      .filter(({ from, fragments }) => from === "client" && fragments !== undefined)
      .map(({ fragments = [] }) =>
        Buffer.concat([fragments].flat().map((one) => Buffer.from(one, "base64").subarray(21))),
      )
      .filter((bytes) => bytes.length >= 40)
      .map((bytes) => decodeMessage(bytes))
      .map(({ typeNumber, body }) => ({ typeNumber, xml: Buffer.from(body).toString("utf8") }));
  }

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

  it("get their command metadata", async () => {
    const asked = requests("client-import-pssession.jsonl").find(
      ({ typeNumber }) => typeNumber === GET_COMMAND_METADATA,
    );
    const events = await run("GET_COMMAND_METADATA", asked?.xml ?? "");
    expect(endOf(events).state).toBe("Completed");
    expect(integerOf(propertyOf(outputs(events)[0], "Count"))).toBe(outputs(events).length - 1);
  });
});
