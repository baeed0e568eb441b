import { atOnce } from "../../provider/remoting/steps";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { decodeClixmlValue } from "../../provider/remoting/clixml/decode";
import { encodeClixml } from "../../provider/remoting/clixml/encode";
import { displayOf, stringOf } from "../../provider/remoting/clixml/reading";
import { type ClixmlValue, dictionary, int32, object, string } from "../../provider/remoting/clixml/types";
import { Defragmenter } from "../../provider/remoting/psrp/fragment";
import { decodeHostCall, encodeHostResponse, type HostCall } from "../../provider/remoting/psrp/hostCall";
import { decodePublicKey, encodePublicKey } from "../../provider/remoting/psrp/keyExchange";
import { bodyOf, decodeMessage, type Message } from "../../provider/remoting/psrp/message";
import type { ClientPipeline, PipelineEvent } from "../../provider/remoting/psrp/pipeline";
import {
  type Command,
  decodeCreatePipeline,
  encodeCreatePipeline,
} from "../../provider/remoting/psrp/pipelineMessages";
import {
  decodeInitRunspacePool,
  decodeKeyMessage,
  encodeInitRunspacePool,
  encodeKeyMessage,
  encodeSessionCapability,
  OUR_CAPABILITY,
} from "../../provider/remoting/psrp/poolMessages";
import { type ClientPoolEvent, ClientRunspacePool } from "../../provider/remoting/psrp/runspacePool";
import { isFault } from "../../provider/remoting/wsman/fault";
import type { WsmanFault } from "../../provider/remoting/wsman/wsmanFault";
import type { Operation } from "../../provider/remoting/wsman/names";
import {
  decodeRequest,
  encodeCommand,
  encodeCreate,
  encodeDelete,
  encodeReceive,
  encodeSend,
  type ReceivedRequest,
  type ShellRequestHeader,
} from "../../provider/remoting/wsman/requests";
import { decodeResponse } from "../../provider/remoting/wsman/responses";
import { parseXml, type XmlElement } from "../../provider/remoting/xml";

/**
 * Conversations of another client with a real Windows server (PowerShell 5.1), recorded by the pypsrp project
 * (github.com/jborean93/pypsrp, MIT). They aren't part of this project; EXCHANGE_PSRP_RECORDINGS names their directory.
 */
const directory = process.env["EXCHANGE_PSRP_RECORDINGS"] ?? "";
const describeRecordings = directory === "" ? describe.skip : describe;
const suffix = directory === "" ? " (skipped: set EXCHANGE_PSRP_RECORDINGS to the directory of the recordings)" : "";
const files = directory === "" ? ["none"] : readdirSync(directory).filter((file) => file.endsWith(".yml"));

interface Exchange {
  readonly request: string;
  readonly response: string;
}

function load(file: string): readonly Exchange[] {
  const { messages } = parse(readFileSync(join(directory, file), "utf8")) as { messages: readonly Exchange[] };
  return messages;
}

/** Get asks for the server's configuration or whether a shell is alive: not something that this client does. */
function isOurs(request: ReceivedRequest): boolean {
  return request.body.kind !== "other";
}

const requests = (file: string): readonly ReceivedRequest[] =>
  load(file)
    .map(({ request }) => decodeRequest(request))
    .filter(isOurs);

interface Replayed {
  readonly pool: readonly ClientPoolEvent[];
  readonly pipelines: readonly (readonly PipelineEvent[])[];
  readonly faults: readonly WsmanFault[];
  readonly commandStates: readonly string[];
  readonly sessionKeys: number;
}

/** Feeds what the server answered into our client half, stream by stream. */
function replay(file: string): Replayed {
  const pool: ClientPoolEvent[] = [];
  const pipelines = new Map<string, { readonly pipeline: ClientPipeline; readonly events: PipelineEvent[] }>();
  const faults: WsmanFault[] = [];
  const commandStates: string[] = [];
  let sessionKeys = 0;
  let client: ClientRunspacePool | undefined;
  for (const exchange of load(file)) {
    const request = decodeRequest(exchange.request);
    if (!isOurs(request)) continue;
    if (request.body.kind === "Create") {
      client = new ClientRunspacePool({ id: request.body.shellId ?? "", host: "none" });
      client.open();
    }
    if (client === undefined) throw new Error("The conversation doesn't begin with Create.");
    const operation = request.body.kind as Operation;
    const response = atOnce(
      decodeResponse(exchange.response, {
        operation,
        messageId: request.messageId.replace("uuid:", ""),
      }),
    );
    if (response.kind === "fault") faults.push(response.fault);
    if (response.kind === "created") expect(response.shell.shellId.toLowerCase()).toBe(client.id);
    if (response.kind === "commandStarted") {
      // The recorded client writes GUIDs in another byte order than .NET, and the server gives back what it got.
      const pipeline = client.createPipeline(pidOf(request), [{ name: "Get-Something", parameters: {} }]);
      pipelines.set(response.commandId, { pipeline, events: [] });
    }
    if (response.kind !== "received") continue;
    if (response.commandState !== undefined) commandStates.push(response.commandState.state);
    for (const { commandId, bytes } of response.streams) {
      if (commandId !== undefined) {
        const target = pipelines.get(commandId);
        target?.events.push(...target.pipeline.receive(bytes));
      } else if (isSessionKey(bytes)) {
        // Made for the recorded client's key, which nobody has any more: read as far as it goes.
        const [message] = new Defragmenter().push(bytes);
        if (message === undefined) throw new Error("The session key came in pieces.");
        expect(decodeKeyMessage(bodyOf(decodeMessage(message)), "EncryptedSessionKey")).toHaveLength(268);
        sessionKeys += 1;
      } else {
        pool.push(...client.receive(bytes));
      }
    }
  }
  return { pool, pipelines: [...pipelines.values()].map(({ events }) => events), faults, commandStates, sessionKeys };
}

/** PID of the message that a Command begins with, as our half reads it. */
function pidOf({ body }: ReceivedRequest): string {
  if (body.kind !== "Command") throw new Error("Only a Command names a pipeline.");
  return decodeMessage(body.fragments.subarray(21)).pipelineId ?? "";
}

function isSessionKey(fragment: Uint8Array): boolean {
  return decodeMessage(fragment.subarray(21)).type === "ENCRYPTED_SESSION_KEY";
}

/** What an event says, in a word or two. */
function brief(event: PipelineEvent): string {
  switch (event.kind) {
    case "output":
      return `output ${displayOf(event.value) ?? event.value.kind}`;
    case "error":
      return `error ${event.record.fullyQualifiedErrorId}`;
    case "state":
      return event.error === undefined ? event.state : `${event.state} ${event.error.fullyQualifiedErrorId}`;
    case "hostCall":
      return `${event.call.isVoid ? "told" : "asked"} ${event.call.method ?? ""}`;
    case "progress":
      return "progress";
    case "ignored":
      return `ignored ${event.typeNumber}`;
    default:
      return `${event.kind} ${event.message}`;
  }
}

/** A tree without prefixes, order of attributes, and whitespace between elements. */
function tree(element: XmlElement): unknown {
  return {
    name: `{${element.namespace}}${element.name}`,
    attributes: [...element.attributes].sort(([left], [right]) => (left < right ? -1 : 1)),
    text: element.children.length > 0 ? element.text.trim() : element.text,
    children: element.children.map(tree),
  };
}

const treeOf = (xml: string): unknown => tree(atOnce(parseXml(xml)));
const clixmlTree = (value: ClixmlValue): unknown => treeOf(encodeClixml(value));

/** All messages that the recorded client sent, put together from their fragments. */
function sentMessages(file: string): { readonly message: Message; readonly tree: unknown }[] {
  const streams = new Map<string, Defragmenter>();
  const messages: { readonly message: Message; readonly tree: unknown }[] = [];
  const push = (stream: string, bytes: Uint8Array): void => {
    const defragmenter = streams.get(stream) ?? new Defragmenter();
    streams.set(stream, defragmenter);
    for (const one of defragmenter.push(bytes)) {
      const message = decodeMessage(one);
      const text = new TextDecoder().decode(message.body);
      messages.push({ message, tree: text === "" ? undefined : treeOf(text) });
    }
  };
  for (const { body } of requests(file)) {
    if (body.kind === "Create") push("stdin", body.creationXml);
    if (body.kind === "Command") push(body.commandId ?? "", body.fragments);
    if (body.kind !== "Send") continue;
    for (const { name, commandId, bytes } of body.streams) push(name === "pr" ? "pr" : (commandId ?? "stdin"), bytes);
  }
  return messages;
}

function sent(file: string, type: Message["type"]): { readonly message: Message; readonly tree: unknown }[] {
  return sentMessages(file).filter(({ message }) => message.type === type);
}

describeRecordings(`conversations with a real Windows server${suffix}`, () => {
  it.each(files)("answers in %s are read to the last byte, and nothing in them is unknown", (file) => {
    const { pool, pipelines } = replay(file);
    expect(pool.map((event) => (event.kind === "state" ? event.state : event.kind))).toEqual([
      "capability",
      "applicationPrivateData",
      "Opened",
    ]);
    expect(pipelines.flat().filter((event) => event.kind === "ignored")).toEqual([]);
  });

  it.each(files)("requests in %s have the shape of ours, header and body", (file) => {
    for (const exchange of load(file)) {
      const request = decodeRequest(exchange.request);
      if (!isOurs(request)) continue;
      expect(treeOf(ours(request, exchange.request))).toEqual(treeOf(exchange.request));
    }
  });

  it.each(files)("opening messages in %s are the ones we send", (file) => {
    const [capability] = sent(file, "SESSION_CAPABILITY");
    expect(clixmlTree(encodeSessionCapability(OUR_CAPABILITY))).toEqual(capability?.tree);
    const [init] = sent(file, "INIT_RUNSPACEPOOL");
    if (init === undefined) throw new Error("There is no INIT_RUNSPACEPOOL.");
    const { host, maxRunspaces } = decodeInitRunspacePool(bodyOf(init.message));
    expect(clixmlTree(encodeInitRunspacePool(host.isHostNull ? "none" : "prompts", maxRunspaces))).toEqual(init.tree);
  });

  it.each(["psrp_multiple_commands.yml", "psrp_pshost_ui_mocked_methods.yml", "psrp_key_exchange_timeout.yml"])(
    "public keys in %s are read and written as the recorded client wrote them",
    (file) => {
      const [key] = sent(file, "PUBLIC_KEY");
      if (key === undefined) throw new Error("There is no PUBLIC_KEY.");
      const blob = decodeKeyMessage(bodyOf(key.message), "PublicKey");
      const written = encodePublicKey(decodePublicKey(blob));
      expect(Buffer.from(written).equals(blob)).toBe(true);
      expect(clixmlTree(encodeKeyMessage("PublicKey", written))).toEqual(key.tree);
    },
  );

  it("a pipeline of one cmdlet is written as the recorded client wrote it, but for the stream options", () => {
    const recorded = sent("psrp_with_jea_configuration.yml", "CREATE_PIPELINE")[0];
    if (recorded === undefined) throw new Error("There is no CREATE_PIPELINE.");
    const [commands] = decodeCreatePipeline(bodyOf(recorded.message)).statements;
    expect(commands).toEqual([
      {
        name: "Get-Item",
        isScript: false,
        parameters: [
          { name: "Path", value: string("WSMan:\\localhost\\Service\\AllowUnencrypted"), isNameAlone: false },
        ],
      },
    ]);
    const command: Command = { name: "Get-Item", parameters: { Path: "WSMan:\\localhost\\Service\\AllowUnencrypted" } };
    // The recorded client asks for invocation info with every record (15); we don't (0): it may repeat parameters.
    const written = encodeClixml(encodeCreatePipeline([command])).replace(
      "<ToString>0</ToString><I32>0</I32>",
      "<ToString>AddInvocationInfo</ToString><I32>15</I32>",
    );
    expect(treeOf(written)).toEqual(recorded.tree);
  });

  it.each(files)("pipelines in %s are read by the server half", (file) => {
    for (const { message } of sent(file, "CREATE_PIPELINE")) {
      const { statements } = decodeCreatePipeline(bodyOf(message));
      expect(statements.flat().length).toBeGreaterThan(0);
      expect(statements.flat().every((command) => command.name !== "")).toBe(true);
    }
  });

  it("answers to host calls are written as the recorded client wrote them", () => {
    const file = "psrp_pshost_ui_mocked_methods.yml";
    const calls = replay(file)
      .pipelines.flat()
      .flatMap((event) => (event.kind === "hostCall" && !event.call.isVoid ? [event.call] : []));
    const recorded = sent(file, "PIPELINE_HOST_RESPONSE");
    const resultOf = (index: number): ClixmlValue => {
      const message = recorded[index]?.message;
      if (message === undefined) throw new Error("There is no such answer.");
      const found = decodeClixmlValue(message.body);
      return (found.kind === "Obj" && found.extended.get("mr")) || { kind: "Nil" };
    };
    const results: readonly ClixmlValue[] = [
      string("ReadLine response"),
      resultOf(1), // a secure string, made with a key that nobody has any more
      dictionary([["prompt field", string("prompt response")]]),
      resultOf(3), // a credential with a secure string
      int32(1),
    ];
    expect(calls.map((call) => call.method)).toEqual([
      "ReadLine",
      "ReadLineAsSecureString",
      "Prompt",
      "PromptForCredential2",
      "PromptForChoice",
    ]);
    const written = calls.map((call: HostCall, index) =>
      clixmlTree(encodeHostResponse(call, { result: results[index] ?? object() })),
    );
    expect(written).toEqual(recorded.map((one) => one.tree));
  });

  it("host calls of the recorded server come back as they were when the server half writes them", () => {
    const calls = sentByServer("psrp_pshost_ui_mocked_methods.yml", "PIPELINE_HOST_CALL");
    expect(calls.length).toBeGreaterThan(10);
    for (const { message } of calls) {
      const value = bodyOf(message);
      expect(decodeHostCall(decodeClixmlValue(encodeClixml(value)))).toEqual(decodeHostCall(value));
    }
  });
});

describeRecordings(`what the recorded server said${suffix}`, () => {
  it("a terminating error fails the pipeline, with its identifier and text", () => {
    const [events = []] = replay("psrp_error_failed.yml").pipelines;
    expect(events.map(brief)).toEqual([
      "progress",
      "output before",
      "Failed Microsoft.PowerShell.Commands.WriteErrorException",
    ]);
    const last = events.at(-1);
    expect(last?.kind === "state" && last.error).toMatchObject({
      message: "error",
      exception: {
        typeNames: [
          "Microsoft.PowerShell.Commands.WriteErrorException",
          "System.SystemException",
          "System.Exception",
          "System.Object",
        ],
        hresult: -2146233087,
      },
      category: { number: 0, activity: "Write-Error", message: "NotSpecified: (:) [Write-Error], WriteErrorException" },
      scriptStackTrace: "at <ScriptBlock>, <No file>: line 1",
    });
  });

  it("a restricted endpoint refuses script text and runs cmdlets", () => {
    const { pipelines } = replay("psrp_with_jea_configuration.yml");
    expect(pipelines.map((events) => events.map(brief).at(-1))).toEqual(["Completed", "Failed ScriptsNotAllowed"]);
  });

  it("nothing to say within the time limit is a fault of its own", () => {
    const { faults, pipelines } = replay("psrp_long_running_cmdlet.yml");
    expect(faults.map((fault) => isFault(fault, "TimedOut"))).toEqual([true, true]);
    expect(pipelines[0]?.map(brief).at(-1)).toBe("Completed");
  });

  it("a shell or command that is gone is a fault of its own", () => {
    const [fault] = replay("psrp_receive_failure.yml").faults;
    expect(fault).toMatchObject({ role: "Sender", subcode: "InvalidSelectors", detail: "UnexpectedSelectors" });
    expect(fault?.message).toMatch(/^The Windows Remote Shell received a request .* invalid command identifier\.$/);
    expect(fault !== undefined && isFault(fault, "InvalidSelectors")).toBe(true);
    // Here Get got the fault: the provider's part is inside.
    const inner = load("psrp_is_alive_invalid_selectors.yml").find(({ response }) =>
      response.includes("ProviderFault"),
    );
    const messageId = decodeRequest(inner?.request ?? "").messageId.replace("uuid:", "");
    const response = atOnce(decodeResponse(inner?.response ?? "", { operation: "Receive", messageId }));
    expect(response).toMatchObject({
      kind: "fault",
      fault: { code: 2150858843, provider: { provider: "Shell provider", code: 2150858843 } },
    });
  });

  it("a pipeline that waits for a host call says so, and ends when it is done", () => {
    const { commandStates, pipelines } = replay("psrp_pshost_ui_mocked_methods.yml");
    expect(commandStates.slice(0, -1).every((state) => state === "Pending")).toBe(true);
    expect(commandStates.at(-1)).toBe("Done");
    expect(pipelines[0]?.map(brief)).toContain("asked PromptForChoice");
    expect(pipelines[0]?.map(brief)).toContain("told WriteProgress");
    expect(pipelines[0]?.map(brief)).toContain("warning WriteWarningLine");
    expect(pipelines[0]?.at(-1)).toEqual({ kind: "state", state: "Completed", error: undefined });
  });

  it("keys are exchanged where the recorded client asked for it", () => {
    expect(replay("psrp_multiple_commands.yml").sessionKeys).toBe(1);
    expect(replay("psrp_open_runspace.yml").sessionKeys).toBe(0);
  });

  it("text of any kind arrives as it was, emoji and what looks like an escape too", () => {
    const outputs = replay("psrp_multiple_commands.yml").pipelines.flat();
    const texts = outputs.flatMap((event) => (event.kind === "output" ? [stringOf(event.value)] : []));
    expect(texts).toContain("こんにちは - actual_x000A_string\nnewline: \u{10437}");
  });

  it("its PowerShell is one that the key exchange still works with", () => {
    const [capability] = replay("psrp_open_runspace.yml").pool;
    expect(capability).toEqual({
      kind: "capability",
      capability: { protocolVersion: "2.3", psVersion: "2.0", serializationVersion: "1.1.0.1" },
    });
  });
});

function sentByServer(file: string, type: Message["type"]): { readonly message: Message }[] {
  const defragmenters = new Map<string, Defragmenter>();
  const messages: { readonly message: Message }[] = [];
  for (const exchange of load(file)) {
    const request = decodeRequest(exchange.request);
    if (request.body.kind !== "Receive") continue;
    const messageId = request.messageId.replace("uuid:", "");
    const response = atOnce(decodeResponse(exchange.response, { operation: "Receive", messageId }));
    if (response.kind !== "received") continue;
    for (const { commandId = "", bytes } of response.streams) {
      const defragmenter = defragmenters.get(commandId) ?? new Defragmenter();
      defragmenters.set(commandId, defragmenter);
      messages.push(...defragmenter.push(bytes).map((one) => ({ message: decodeMessage(one) })));
    }
  }
  return messages.filter(({ message }) => message.type === type);
}

/** The request that we would make to say the same. */
function ours(request: ReceivedRequest, xml: string): string {
  const { body } = request;
  const bare = (identifier: string): string => identifier.replace("uuid:", "");
  const sessionId = /SessionId[^>]*>uuid:([^<]*)</.exec(xml)?.[1] ?? "";
  const header: ShellRequestHeader = {
    to: request.to,
    resourceUri: request.resourceUri,
    sessionId,
    messageId: bare(request.messageId),
    operationTimeoutSeconds: request.operationTimeoutSeconds ?? 0,
    maxEnvelopeBytes: request.maxEnvelopeBytes ?? 0,
    shellId: request.shellId ?? "",
  };
  switch (body.kind) {
    case "Create": {
      const { shellId, ...unbound } = header;
      expect(shellId).toBe("");
      const { idleTimeoutSeconds, creationXml } = body;
      const idle = idleTimeoutSeconds === undefined ? {} : { idleTimeoutSeconds };
      return encodeCreate(unbound, { runspacePoolId: body.shellId ?? "", creationXml, ...idle });
    }
    case "Command":
      return encodeCommand(header, { pipelineId: body.commandId ?? "", firstFragments: body.fragments });
    case "Send": {
      const [stream] = body.streams;
      if (stream === undefined || body.streams.length > 1) throw new Error("A Send with one stream was expected.");
      const name = stream.name === "pr" ? "pr" : "stdin";
      return encodeSend(header, { pipelineId: stream.commandId, stream: name, fragments: stream.bytes });
    }
    case "Receive":
      return encodeReceive(header, { pipelineId: body.commandId });
    case "Delete":
      return encodeDelete(header);
    default:
      throw new Error("No recorded client signals.");
  }
}
