import { createHash, randomBytes } from "node:crypto";
import { overwriteRule } from "../../../provider/backends/remote/overwriteQuestion";
import type { Thumbprint } from "../../../provider/certificate/thumbprint";
import { displayOf, entryOf, itemsOf, propertyOf } from "../../../provider/remoting/clixml/reading";
import type { CommandArgument } from "../../../provider/remoting/psrp/pipelineMessages";
import { openSession, type PipelineResult, type Session, sessionEnv } from "../../../provider/remoting/session";
import { Secret } from "../../../provider/secret";
import { describePeers } from "./peers";
import {
  type PsrpcoreServer,
  type ReceivedPipeline,
  type Report,
  type ServerOptions,
  startPsrpcoreServer,
  type Step,
} from "./psrpcoreServer";

const TERMINATE = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/signal/Terminate";

const limit = (): AbortSignal => AbortSignal.timeout(300_000);

let server: PsrpcoreServer | undefined;
let session: Session | undefined;

afterEach(async () => {
  await session?.close();
  const report = await server?.report();
  await server?.close();
  [server, session] = [undefined, undefined];
  // Whatever a test is about: the server had no cause for complaint, and nothing is left behind.
  expect({ complaints: report?.complaints, open: report?.open }).toEqual({ complaints: [], open: 0 });
});

async function connect(options: ServerOptions, changes: Parameters<PsrpcoreServer["session"]>[0] = {}) {
  const started = await startPsrpcoreServer(options);
  server = started;
  const opened = await openSession(started.session(changes), sessionEnv, limit());
  session = opened;
  const run = (name: string, parameters: Readonly<Record<string, CommandArgument>> = {}): Promise<PipelineResult> =>
    opened.run([{ name, parameters }], { signal: limit() });
  return { server: started, session: opened, run };
}

/** A session, and what became of one cmdlet that does these steps. */
async function play(...steps: readonly Step[]): Promise<PipelineResult> {
  return (await connect({ script: { "Get-Thing": steps } })).run("Get-Thing");
}

function pipelineOf({ shells }: Report, index = 0): ReceivedPipeline {
  const pipeline = shells[0]?.pipelines[index];
  if (pipeline === undefined) throw new Error("The server knows of no such pipeline.");
  return pipeline;
}

const texts = ({ output }: PipelineResult): (string | undefined)[] => output.map(displayOf);

describePeers("our session on a server of psrpcore's", () => {
  it("opens one pool with one shell of the same name, says what it can and who it is, and deletes it at the end", async () => {
    const { server, session, run } = await connect(
      { applicationPrivateData: { SupportedVersions: "15.2", Any: "thing" }, requestsKey: true },
      { maxConnections: 3 },
    );
    expect((await run("Get-Nothing")).state).toBe("Completed");
    const [open] = (await server.report()).shells;
    expect(open).toMatchObject({
      state: "Opened",
      capability: ["2.3", "2.0", "1.1.0.1"],
      runspaces: [1, 3],
      host: { isNull: false, isUiNull: false, isRawUiNull: true, hasDefaults: false },
      events: ["SessionCapabilityEvent", "InitRunspacePoolEvent"],
      runspacePoolId: open?.id,
    });
    await server.reportWhen((report) => pipelineOf(report).signals.length > 0);
    await session.close();
    expect(session.isUsable).toBe(false);
    const report = await server.report();
    expect(report).toMatchObject({ open: 0, shells: [{ state: "Closed", openPipelinesAtDelete: 0 }] });
    expect(pipelineOf(report)).toMatchObject({ state: "Completed", signals: [TERMINATE] });
  });

  it("sends values of every kind, and every character, as psrpcore understands them", async () => {
    const { server, run } = await connect({});
    const awkward = "ä€😀 <&>\"' _x000A_ _X_x000A tab\t line\r\n end\u0001 \uD800 _x";
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    await run("Set-Thing", {
      Text: awkward,
      Empty: "",
      Number: -2_147_483_648,
      Yes: true,
      No: false,
      Nothing: null,
      Bytes: bytes,
      NoBytes: new Uint8Array(),
      Texts: ["one", awkward],
      NoTexts: [],
      Password: new Secret(awkward.replace("\uD800", "")),
    });
    const [command] = pipelineOf(await server.report()).commands;
    const ofStrings = { names: ["System.Collections.ArrayList", "System.Object"] };
    expect(command).toEqual({
      name: "Set-Thing",
      isScript: false,
      parameters: {
        Text: { type: "PSString", value: awkward },
        Empty: { type: "PSString", value: "" },
        Number: { type: "PSInt", value: -2_147_483_648 },
        Yes: { type: "bool", value: true },
        No: { type: "bool", value: false },
        Nothing: { type: "null" },
        Bytes: expect.objectContaining({ type: "PSByteArray", sha256: sha256(bytes), length: 256 }),
        NoBytes: expect.objectContaining({ type: "PSByteArray", length: 0 }),
        Texts: { type: "PSList", value: ["one", awkward].map((value) => ({ type: "PSString", value })), ...ofStrings },
        NoTexts: { type: "PSList", value: [], ...ofStrings },
        Password: { type: "PSSecureString", value: awkward.replace("\uD800", "") },
      },
    });
  });

  it("exchanges keys once, however many pipelines need them at the same time", async () => {
    const { server, run } = await connect({ requestsKey: true }, { maxConnections: 4 });
    const passwords = Array.from({ length: 6 }, (_, index) => `Kennwort ${index} ü`);
    await Promise.all(passwords.map((one) => run("Set-Thing", { Password: new Secret(one) })));
    const [shell] = (await server.report()).shells;
    expect(shell?.events).toEqual(["SessionCapabilityEvent", "InitRunspacePoolEvent", "PublicKeyEvent"]);
    const received = shell?.pipelines.map(({ commands }) => commands[0]?.parameters["Password"]?.value);
    expect(received?.sort()).toEqual(passwords);
  });

  it("passes over events and refuses questions of the pool that come with the key", async () => {
    const { server, run } = await connect({ withKey: ["event", "question"] });
    expect((await run("Set-Thing", { Password: new Secret("Kennwort") })).state).toBe("Completed");
    const report = await server.reportWhen(({ shells }) => shells[0]?.poolAnswers.length === 1);
    expect(report.shells[0]?.poolAnswers).toEqual(["HostCallRefused"]);
  });

  it("tells why a pool broke, and that nothing was done", async () => {
    const { run, session } = await connect({ withKey: ["broken"] });
    await expect(run("Set-Thing", { Password: new Secret("Kennwort") })).rejects.toMatchObject({
      code: "PoolBroken",
      message: expect.stringContaining("The pool broke down."),
      facts: { fate: "notDone", record: { fullyQualifiedErrorId: "Broken" } },
    });
    expect(session.isUsable).toBe(false);
  });

  it("reads objects with their types, texts and properties, lists and nothing", async () => {
    const { output } = await play(
      { output: "text _x000A_ <ä>\n" },
      { output: 42 },
      { output: null },
      { output: ["one", 2, [true]] },
      { output: { guid: "01234567-89ab-cdef-0123-456789abcdef" } },
      {
        output: {
          types: ["Microsoft.Exchange.Thing", "System.Object"],
          text: "EX01\\Thing",
          properties: { Name: "Thing", Flag: true, List: ["a", { text: "b" }] },
          notes: { Added: { types: ["X.Y"], text: "inner", properties: { Depth: 2 } }, Name: "added" },
        },
      },
    );
    expect(output.slice(0, 3)).toEqual([
      { kind: "S", value: "text _x000A_ <ä>\n" },
      { kind: "I32", value: 42 },
      { kind: "Nil" },
    ]);
    expect(itemsOf(output[3])).toEqual([
      { kind: "S", value: "one" },
      { kind: "I32", value: 2 },
      expect.objectContaining({ content: { kind: "LST", items: [{ kind: "B", value: true }] } }),
    ]);
    expect(output[4]).toEqual({ kind: "G", value: "01234567-89ab-cdef-0123-456789abcdef" });
    const thing = output[5];
    expect(thing).toMatchObject({ typeNames: ["Microsoft.Exchange.Thing", "System.Object"], display: "EX01\\Thing" });
    expect(displayOf(propertyOf(thing, "name"))).toBe("added");
    expect(displayOf(propertyOf(thing, "flag"))).toBe("True");
    expect(itemsOf(propertyOf(thing, "List"))?.map(displayOf)).toEqual(["a", "b"]);
    expect(propertyOf(propertyOf(thing, "Added"), "Depth")).toEqual({ kind: "I32", value: 2 });
    expect(entryOf(thing, "Name")).toBeUndefined();
  });

  it("keeps output and warnings in order, and passes over everything that is told to a person", async () => {
    const result = await play(
      { verbose: "verbose" },
      { output: "first" },
      { warning: "one <&> ä" },
      { progress: "half" },
      { debug: "debug" },
      { writeLine: "to the screen" },
      { hostProgress: "on the screen" },
      { information: "information" },
      { warning: "two" },
      { output: "second" },
    );
    expect({ ...result, output: texts(result) }).toEqual({
      state: "Completed",
      output: ["first", "second"],
      warnings: ["one <&> ä", "two"],
      errors: [],
    });
  });

  it("keeps errors beside the output of a pipeline that completes all the same", async () => {
    const error = {
      message: "The certificate with thumbprint AB wasn't found. ä",
      id: "[Server=EX01,RequestId=0e1f],Microsoft.Exchange.GetThing",
      category: "ObjectNotFound",
      activity: "Get-Thing",
      reason: "ManagementObjectNotFoundException",
      targetName: "AB",
      targetType: "String",
      target: "AB",
      types: ["Microsoft.Exchange.Data.ManagementObjectNotFoundException"],
    };
    const result = await play({ output: "before" }, { error }, { error: { message: "bare" } }, { output: "after" });
    expect(result.state).toBe("Completed");
    expect(texts(result)).toEqual(["before", "after"]);
    expect(result.errors).toHaveLength(2);
    expect(result.errors[0]).toMatchObject({
      message: error.message,
      fullyQualifiedErrorId: error.id,
      target: "AB",
      category: {
        number: 13,
        activity: "Get-Thing",
        reason: "ManagementObjectNotFoundException",
        targetName: "AB",
        targetType: "String",
        message: "ObjectNotFound (AB:String) [Get-Thing], ManagementObjectNotFoundException",
      },
      exception: { typeNames: [error.types[0], "System.Exception", "System.Object"], message: error.message },
    });
    expect(result.errors[1]).toMatchObject({ message: "bare", fullyQualifiedErrorId: "", category: { number: 0 } });
  });

  it("keeps the error that ends a pipeline, after those before it, with what was said about it", async () => {
    const result = await play(
      { error: { message: "first", id: "First" } },
      { fail: { message: "inner", details: "what to tell", id: "Second", category: "InvalidArgument", reason: "X" } },
    );
    expect(result.state).toBe("Failed");
    expect(result.errors.map(({ message, fullyQualifiedErrorId }) => [message, fullyQualifiedErrorId])).toEqual([
      ["first", "First"],
      ["what to tell", "Second"],
    ]);
    expect(result.errors[1]).toMatchObject({ category: { number: 5, reason: "X" }, exception: { message: "inner" } });
  });

  it("asks again when the server had nothing to say within OperationTimeout", async () => {
    const script = { "Get-Thing": [{ pause: 1.5 }, { output: "late" }, { pause: 1.5 }] };
    const { server, run } = await connect({ script }, { operationTimeoutSeconds: 1 });
    expect(texts(await run("Get-Thing"))).toEqual(["late"]);
    expect(pipelineOf(await server.report()).requests["Receive"]).toBeGreaterThanOrEqual(4);
  });

  it("puts long answers together again, whatever number of fragments and Receives they take", async () => {
    const piece = 'ä<&>"_x000A_\n';
    const many = Array.from({ length: 300 }, (_, index) => ({ output: `object ${index}` }));
    const script = { "Get-Thing": [{ output: { long: piece, times: 60_000 } }, ...many] };
    const { server, run } = await connect({ script });
    const [long, ...others] = texts(await run("Get-Thing"));
    expect(long === piece.repeat(60_000)).toBe(true);
    expect(others).toEqual(many.map(({ output }) => output));
    expect(pipelineOf(await server.report()).requests["Receive"]).toBeGreaterThan(3);
  });

  it("sends what is larger than an envelope in several, for two pipelines at the same time", async () => {
    const { server, run } = await connect({}, { maxConnections: 2 });
    const both = [randomBytes(2_000_000), randomBytes(2_000_000)];
    const results = await Promise.all(
      both.map((FileData, index) => run("Import-Thing", { FileData, Name: `${index}` })),
    );
    expect(results.map(({ state }) => state)).toEqual(["Completed", "Completed"]);
    const report = await server.report();
    for (const index of [0, 1]) {
      const { commands, requests } = pipelineOf(report, index);
      const { FileData, Name } = commands[0]?.parameters ?? {};
      const bytes = both[Number(Name?.value)] ?? new Uint8Array();
      expect(FileData).toMatchObject({ length: 2_000_000, sha256: sha256(bytes) });
      expect(requests).toMatchObject({ Command: 1 });
      expect(requests["Send"]).toBeGreaterThan(3);
    }
  });

  it("runs as many pipelines at once as the pool has runspaces, and no more", async () => {
    const script = { "Get-Thing": [{ meet: 4 }, { output: "met" }] };
    const { server, run } = await connect({ script }, { maxConnections: 4 });
    const results = await Promise.all(Array.from({ length: 12 }, (_, Number) => run("Get-Thing", { Number })));
    expect(results.flatMap(texts)).toEqual(Array<string>(12).fill("met"));
    const [shell] = (await server.report()).shells;
    expect(shell?.runspaces).toEqual([1, 4]);
    const numbers = shell?.pipelines.map(({ commands }) => commands[0]?.parameters["Number"]?.value);
    expect(new Set(numbers)).toEqual(new Set(Array(12).keys()));
  });

  it.each<[string, ServerOptions]>([
    ["one fragment in each answer", { fragmentBytes: 200, fragmentsPerReceive: 1 }],
    ["fragments with one byte each, all at once", { fragmentBytes: 22 }],
    ["one fragment with one byte in each answer", { fragmentBytes: 22, fragmentsPerReceive: 1 }],
  ])("understands %s", async (_what, options) => {
    const steps: Step[] = [{ output: "äöü" }, { warning: "warned" }, { output: "second" }];
    const { run } = await connect({ ...options, script: { "Get-Thing": steps } });
    const result = await run("Get-Thing");
    expect(result).toMatchObject({ state: "Completed", warnings: ["warned"] });
    expect(texts(result)).toEqual(["äöü", "second"]);
  });

  it("understands fragments that carry nothing, which psrpcore makes where a header is all that finds room", async () => {
    const lengths = Array.from({ length: 60 }, (_, index) => "x".repeat(index));
    const script = { "Get-Thing": lengths.map((output) => ({ output })) };
    const { server, run } = await connect({ script, fragmentBytes: 64, batched: true });
    expect(texts(await run("Get-Thing"))).toEqual(lengths);
    expect((await server.report()).shells[0]?.emptyFragments).toBeGreaterThan(0);
  });

  it("stops what runs at the server when the caller gives up, and works on", async () => {
    const script = { "Get-Slow": [{ output: "begun" }, { untilStopped: null }], "Get-Thing": [{ output: "there" }] };
    const { server, session, run } = await connect({ script }, { maxConnections: 1 });
    const controller = new AbortController();
    const slow = session.run([{ name: "Get-Slow", parameters: {} }], { signal: controller.signal });
    const failure = expect(slow).rejects.toMatchObject({ code: "Aborted" });
    await server.reportWhen(({ shells }) => shells[0]?.pipelines[0]?.state === "Running");
    controller.abort();
    await failure;
    const report = await server.reportWhen((one) => pipelineOf(one).signals.length > 0);
    expect(pipelineOf(report)).toMatchObject({ state: "Stopped", signals: [TERMINATE] });
    expect(texts(await run("Get-Thing"))).toEqual(["there"]);
    expect((await server.report()).shells).toHaveLength(1);
  });

  it("ends what runs when it is closed, and leaves no shell", async () => {
    const { server, session, run } = await connect({ script: { "Get-Slow": [{ untilStopped: null }] } });
    const failure = expect(run("Get-Slow")).rejects.toMatchObject({ code: "SessionClosed" });
    await server.reportWhen(({ shells }) => shells[0]?.pipelines[0]?.state === "Running");
    await session.close();
    await failure;
    expect(await server.report()).toMatchObject({ open: 0, shells: [{ state: "Closed" }] });
    expect(pipelineOf(await server.report()).state).toBe("Stopped");
  });

  it("answers a question by its rule, and refuses every other one, so that the cmdlet fails instead of hanging", async () => {
    const [right, wrong] = ["A".repeat(40), "B".repeat(40)] as [Thumbprint, Thumbprint];
    const choices = ["&Yes", "Yes to &All", "&No", "No to A&ll", "&Suspend"];
    const ask = (thumbprint: string): Step => ({
      ask: { caption: "Confirm", message: `Replace it with certificate: '${thumbprint}'`, choices, default: 0 },
    });
    const script = {
      "Set-Right": [ask(right)],
      "Set-Wrong": [ask(wrong), { output: "never" }],
      "Set-Line": [{ readLine: null }],
    };
    const { server, session } = await connect({ script });
    const run = (name: string, replace: boolean): Promise<PipelineResult> =>
      session.run([{ name, parameters: {} }], { signal: limit(), answer: overwriteRule(right, replace) });
    expect(await run("Set-Right", true)).toMatchObject({ state: "Completed", errors: [] });
    expect(await run("Set-Right", false)).toMatchObject({ state: "Completed", errors: [] });
    for (const name of ["Set-Wrong", "Set-Line"]) {
      const { state, output, errors } = await run(name, true);
      expect({ state, output, ids: errors.map((one) => one.fullyQualifiedErrorId) }).toEqual({
        state: "Failed",
        output: [],
        ids: ["HostCallRefused"],
      });
    }
    const [shell] = (await server.report()).shells;
    const refused = expect.objectContaining({
      errorId: "HostCallRefused",
      error: expect.stringMatching(/nobody is there/),
    });
    expect(shell?.pipelines.map(({ answers }) => answers)).toEqual([
      [{ method: "PromptForChoice", result: { type: "PSInt", value: 0 } }],
      [{ method: "PromptForChoice", result: { type: "PSInt", value: 2 } }],
      [refused],
      [refused],
    ]);
  });
});

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
