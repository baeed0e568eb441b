import { generateKeyPairSync, randomBytes } from "node:crypto";
import fc from "fast-check";
import { cipherTextOf, displayOf, integerOf, stringOf } from "../../../provider/remoting/clixml/reading";
import { bytes, type ClixmlValue, int32, propertyBag, string, version } from "../../../provider/remoting/clixml/types";
import { errorRecord } from "../../../provider/remoting/psrp/errorRecord";
import { choiceAnswer, choicePromptOf, choicePromptParameters } from "../../../provider/remoting/psrp/hostCall";
import type {
  ClientPipeline,
  PipelineEvent,
  ServerPipeline,
  ServerPipelineEvent,
} from "../../../provider/remoting/psrp/pipeline";
import type { Command, ReceivedCommand } from "../../../provider/remoting/psrp/pipelineMessages";
import {
  type ClientPoolEvent,
  ClientRunspacePool,
  type ServerPoolEvent,
  ServerRunspacePool,
} from "../../../provider/remoting/psrp/runspacePool";
import { Secret } from "../../../provider/secret";

const POOL = "76056a84-51dc-4f24-9262-ca2a55464b2b";
const PIPELINE = "e888e1df-c962-41d6-befd-f2c82d0abcca";
const keyPair = generateKeyPairSync("rsa", { modulusLength: 2048 });

/** A client and a server, and what each did with the other's bytes. `size` is what a request has room for. */
function session(size = 32_768) {
  const client = new ClientRunspacePool({ id: POOL, host: "prompts" });
  const server = new ServerRunspacePool({ randomBytes });
  return {
    client,
    server,
    toServer: (): ServerPoolEvent[] => {
      const events: ServerPoolEvent[] = [];
      for (let next = client.take(size); next !== undefined; next = client.take(size)) {
        events.push(...server.receive(next.stream, next.bytes));
      }
      return events;
    },
    toClient: (): ClientPoolEvent[] => {
      const events: ClientPoolEvent[] = [];
      for (let next = server.take(size, 1); next !== undefined; next = server.take(size, 1)) {
        events.push(...client.receive(next.bytes));
      }
      return events;
    },
  };
}

function opened(size?: number): ReturnType<typeof session> {
  const both = session(size);
  both.client.open();
  both.toServer();
  both.server.accept([["PSVersionTable", version("5.1")]]);
  both.toClient();
  return both;
}

function withKeys(size?: number): ReturnType<typeof session> {
  const both = opened(size);
  both.client.exchangeKeys(keyPair);
  both.toServer();
  both.toClient();
  return both;
}

function pump(pipeline: ClientPipeline, server: ServerPipeline, size = 32_768) {
  return {
    toServer: (): ServerPipelineEvent[] => {
      const events: ServerPipelineEvent[] = [];
      for (let next = pipeline.take(size); next !== undefined; next = pipeline.take(size)) {
        events.push(...server.receive(next.stream, next.bytes));
      }
      return events;
    },
    toClient: (): PipelineEvent[] => {
      const events: PipelineEvent[] = [];
      for (let next = server.take(size, 1); next !== undefined; next = server.take(size, 1)) {
        events.push(...pipeline.receive(next.bytes));
      }
      return events;
    },
  };
}

function run(both: ReturnType<typeof session>, commands: readonly Command[], size?: number) {
  const pipeline = both.client.createPipeline(PIPELINE, commands);
  const server = both.server.createPipeline(pipeline.id);
  const pumps = pump(pipeline, server, size);
  const [created] = pumps.toServer();
  if (created?.kind !== "create") throw new Error("The server saw no CREATE_PIPELINE.");
  return { pipeline, server, request: created.request, ...pumps };
}

describe("opening a runspace pool", () => {
  it("goes through capability, private data and state", () => {
    const { client, server, toServer, toClient } = session();
    expect(client.state).toBe("BeforeOpen");
    client.open();
    expect(client.state).toBe("Opening");
    const events = toServer();
    expect(events).toEqual([
      {
        kind: "init",
        capability: { protocolVersion: "2.3", psVersion: "2.0", serializationVersion: "1.1.0.1" },
        init: {
          minRunspaces: 1,
          maxRunspaces: 1,
          host: { isHostNull: false, isHostUINull: false, isHostRawUINull: true, useRunspaceHost: false },
          applicationArguments: { kind: "Nil" },
        },
      },
    ]);
    expect(server.id).toBe(POOL);
    server.accept([["PSVersionTable", version("5.1")]]);
    expect(toClient()).toEqual([
      { kind: "capability", capability: { protocolVersion: "2.3", psVersion: "2.0", serializationVersion: "1.1.0.1" } },
      { kind: "applicationPrivateData", data: new Map([["PSVersionTable", version("5.1")]]) },
      { kind: "state", state: "Opened", error: undefined },
    ]);
    expect(client.state).toBe("Opened");
  });

  it("tells why the server broke the pool", () => {
    const { client, server, toServer, toClient } = session();
    client.open();
    toServer();
    server.break(errorRecord({ message: "No room.", fullyQualifiedErrorId: "Full", category: "LimitsExceeded" }));
    expect(toClient()).toMatchObject([
      { kind: "state", state: "Broken", error: { message: "No room.", fullyQualifiedErrorId: "Full" } },
    ]);
    expect(client.state).toBe("Broken");
  });

  it.each<[string, (both: ReturnType<typeof session>) => unknown]>([
    [
      "opening twice",
      ({ client }) => {
        client.open();
        client.open();
      },
    ],
    ["a pipeline before it is open", ({ client }) => client.createPipeline(PIPELINE, [])],
    [
      "keys before it is open",
      ({ client }) => {
        client.exchangeKeys(keyPair);
      },
    ],
    ["a server's pipeline before it is open", ({ server }) => server.createPipeline(PIPELINE)],
  ])("doesn't allow %s", (_title, act) => {
    expect(() => act(session())).toThrow(expect.objectContaining({ code: "StateInvalid" }));
  });

  it("names the state it is in and the one it needs", () => {
    const { client } = session();
    expect(() => client.createPipeline(PIPELINE, [])).toThrow(
      "A runspace pool must be in the state Opened to run a pipeline; it is in the state BeforeOpen.",
    );
    client.closed();
    expect(client.state).toBe("Closed");
  });

  it("is broken by bytes that aren't PSRP, and says so without quoting them", () => {
    const { client } = session();
    client.open();
    expect(() => client.receive(new Uint8Array(40).fill(0x41))).toThrow(
      expect.objectContaining({ code: "FragmentInvalid" }),
    );
    expect(client.state).toBe("Broken");
    client.closed();
    expect(client.state).toBe("Broken");
  });
});

describe("a pipeline", () => {
  const commands: readonly Command[] = [
    { name: "Get-ExchangeCertificate", parameters: { Server: "ex01.contoso.com", Verbose: true } },
    {
      name: "Microsoft.PowerShell.Utility\\Select-Object",
      parameters: { Property: ["Thumbprint", "Services"], First: 5, Skip: null },
    },
  ];

  it("carries cmdlets with named parameters and never script text", () => {
    const { request } = run(opened(), commands);
    expect(request.noInput).toBe(true);
    expect(request.host.useRunspaceHost).toBe(true);
    expect(request.statements).toHaveLength(1);
    const [get, select] = request.statements[0] ?? [];
    expect(get).toEqual<ReceivedCommand>({
      name: "Get-ExchangeCertificate",
      isScript: false,
      parameters: [
        { name: "Server", value: string("ex01.contoso.com"), isNameAlone: false },
        { name: "Verbose", value: { kind: "B", value: true }, isNameAlone: false },
      ],
    });
    expect(select?.name).toBe("Microsoft.PowerShell.Utility\\Select-Object");
    expect(select?.parameters.map(({ name }) => name)).toEqual(["Property", "First", "Skip"]);
    expect(select?.parameters[0]?.value).toMatchObject({
      content: { kind: "LST", items: [string("Thumbprint"), string("Services")] },
    });
    expect(select?.parameters.slice(1).map(({ value }) => value)).toEqual([int32(5), { kind: "Nil" }]);
  });

  it.each([
    "$host",
    "Get-Item; Remove-Item",
    "Get-Item -Path x",
    "& calc",
    "Get-Item|Out-Null",
    "",
    "-Item",
    "Get-",
    "Get-Itém",
  ])("refuses %j as a cmdlet's name", (name) => {
    expect(() => opened().client.createPipeline(PIPELINE, [{ name, parameters: {} }])).toThrow("name of a cmdlet");
  });

  it("refuses names of parameters that aren't words, and pipelines without commands", () => {
    const { client } = opened();
    expect(() => client.createPipeline(PIPELINE, [{ name: "Get-Item", parameters: { "Path;x": "y" } }])).toThrow(
      "must be a word",
    );
    expect(() => client.createPipeline(PIPELINE, [])).toThrow("at least one command");
    expect(() => client.createPipeline("no guid", commands)).toThrow("needs a GUID");
  });

  it("brings output, errors, warnings and the rest in the order they were written", () => {
    const { server, pipeline, toClient } = run(opened(), commands);
    server.writeOutput(propertyBag({ Thumbprint: string("A") }));
    server.writeInformational("Warning", "careful");
    server.writeInformational("Verbose", "chatty");
    server.writeInformational("Debug", "deep");
    server.writeProgress({ activity: "Working", statusDescription: "half", percentComplete: 50, isCompleted: false });
    server.writeError(
      errorRecord({
        message: "not found",
        fullyQualifiedErrorId: "X,Y",
        category: "ObjectNotFound",
        activity: "Get-It",
      }),
    );
    server.writeOutput(int32(7));
    server.finish("Completed");
    const events = toClient();
    expect(events.map((event) => event.kind)).toEqual([
      "output",
      "warning",
      "verbose",
      "debug",
      "progress",
      "error",
      "output",
      "state",
    ]);
    expect(events[1]).toEqual({ kind: "warning", message: "careful" });
    expect(events[4]).toEqual({
      kind: "progress",
      progress: { activity: "Working", statusDescription: "half", percentComplete: 50, isCompleted: false },
    });
    expect(events[5]).toMatchObject({
      record: {
        message: "not found",
        fullyQualifiedErrorId: "X,Y",
        category: { number: 13, activity: "Get-It", message: "ObjectNotFound: (:) [Get-It], Exception" },
      },
    });
    expect(events[7]).toEqual({ kind: "state", state: "Completed", error: undefined });
    expect(pipeline.state).toBe("Completed");
    expect(server.isDrained).toBe(true);
  });

  it("fails with the terminating error", () => {
    const { server, pipeline, toClient } = run(opened(), commands);
    server.finish(
      "Failed",
      errorRecord({
        message: "no such cmdlet",
        fullyQualifiedErrorId: "CommandNotFoundException",
        category: "ObjectNotFound",
      }),
    );
    expect(toClient()).toMatchObject([
      { kind: "state", state: "Failed", error: { fullyQualifiedErrorId: "CommandNotFoundException" } },
    ]);
    expect(pipeline.state).toBe("Failed");
    expect(() => {
      server.writeOutput(int32(1));
    }).toThrow("in the state Failed");
  });

  it("puts out no more than may be kept of it, counted over all messages", () => {
    const both = opened();
    const { server, pipeline } = run(both, commands);
    const many = propertyBag(Object.fromEntries(Array.from({ length: 999 }, (_one, index) => [`P${index}`, int32(1)])));
    let kept = 0;
    const send = (): void => {
      server.writeOutput(many);
      for (let next = server.take(32_768); next !== undefined; next = server.take(32_768)) {
        kept += pipeline.receive(next.bytes).length;
      }
    };
    expect(() => {
      for (let i = 0; i < 1000; i++) send();
    }).toThrow("with what came before");
    // An element and an attribute for each property, and some for each object.
    expect(kept).toBe(99);
  });

  it("may say as much as it likes of what nobody keeps", () => {
    const { server, pipeline } = run(opened(), commands);
    for (let i = 0; i < 30_000; i++) server.writeInformational("Verbose", "chatty");
    server.writeOutput(string("one"));
    const kinds = new Set<string>();
    for (let next = server.take(500_000); next !== undefined; next = server.take(500_000)) {
      for (const event of pipeline.receive(next.bytes)) kinds.add(event.kind);
    }
    expect([...kinds]).toEqual(["verbose", "output"]);
  });

  it("is read in steps, one for some thousand bytes, and tells each event at once", () => {
    const { server, pipeline } = run(opened(), commands);
    for (let i = 0; i < 100; i++) server.writeOutput(string("x".repeat(10_000)));
    let steps = 0;
    const seen: number[] = [];
    for (let next = server.take(2_000_000); next !== undefined; next = server.take(2_000_000)) {
      const told: PipelineEvent[] = [];
      for (const _step of pipeline.receiveInSteps(next.bytes, (event) => told.push(event))) {
        steps += 1;
        seen.push(told.length);
      }
    }
    expect(steps).toBeGreaterThanOrEqual(25);
    expect(Math.max(...seen.map((count, index) => count - (seen[index - 1] ?? 0)))).toBeLessThanOrEqual(4);
  });

  it("gives the same events wherever its stream is split", () => {
    const { server, pipeline } = run(opened(), commands);
    server.writeOutput(string("one"));
    server.writeInformational("Warning", "zwei");
    server.finish("Completed");
    const stream = server.take(10_000)?.bytes ?? new Uint8Array();
    const expected = [
      { kind: "output", value: string("one") },
      { kind: "warning", message: "zwei" },
      { kind: "state", state: "Completed", error: undefined },
    ];
    const byteByByte = [...stream].flatMap((byte) => pipeline.receive(Uint8Array.of(byte)));
    expect(byteByByte).toEqual(expected);
  });

  it("doesn't take messages of another pipeline", () => {
    const both = opened();
    const first = both.client.createPipeline(PIPELINE, commands);
    const other = run(both, commands);
    const second = both.server.createPipeline("24e6f3ff-24a4-4b86-9545-49c5285d0a91");
    second.receive("stdin", both.client.createPipeline(second.id, commands).take(99_999)?.bytes ?? new Uint8Array());
    second.writeOutput(int32(1));
    expect(() => first.receive(second.take(9999)?.bytes ?? new Uint8Array())).toThrow("another pipeline");
    expect(other.pipeline.state).toBe("Running");
  });

  it("is created in as many fragments as the requests have room for", () => {
    const big = new Uint8Array(5000).fill(7);
    const { request } = run(opened(), [{ name: "Import-ExchangeCertificate", parameters: { FileData: big } }], 300);
    expect(request.statements[0]?.[0]?.parameters[0]?.value).toEqual(bytes(big));
  });

  it("is answered with the identifier in the bytes that the client wrote, whose order isn't everywhere that of .NET", () => {
    const both = opened();
    const created = both.client.createPipeline(PIPELINE, commands).take(99_999)?.bytes ?? new Uint8Array();
    const server = both.server.createPipeline("df1e88e8-62c9-d641-befd-f2c82d0abcca");
    server.receive("stdin", created);
    server.finish("Completed");
    const answer = server.take(99_999)?.bytes ?? new Uint8Array();
    const pid = (fragment: Uint8Array): string => Buffer.from(fragment.subarray(21 + 24, 21 + 40)).toString("hex");
    expect(pid(answer)).toBe(pid(created));
  });

  it("can't be created twice on one command", () => {
    const both = opened();
    const { server } = run(both, commands);
    const again = both.client.createPipeline(PIPELINE, commands).take(99_999)?.bytes ?? new Uint8Array();
    expect(() => server.receive("stdin", again)).toThrow("created twice");
  });
});

describe("secure strings", () => {
  const command = { name: "Import-ExchangeCertificate", parameters: { Password: new Secret("hünter2") } };

  it("reach the server only as cipher text, which its key reads", () => {
    const both = withKeys();
    expect(both.client.hasSessionKey).toBe(true);
    const pipeline = both.client.createPipeline(PIPELINE, [command]);
    const sent = pipeline.take(99_999)?.bytes ?? new Uint8Array();
    expect(Buffer.from(sent).toString("utf8")).not.toContain("hünter2");
    expect(Buffer.from(sent).toString("utf16le")).not.toContain("hünter2");
    const [created] = both.server.createPipeline(PIPELINE).receive("stdin", sent);
    const value = created?.kind === "create" ? created.request.statements[0]?.[0]?.parameters[0]?.value : undefined;
    expect(both.server.decrypt(cipherTextOf(value) ?? new Uint8Array()).reveal()).toBe("hünter2");
  });

  it("are refused before the keys are exchanged", () => {
    const both = opened();
    expect(() => both.client.createPipeline(PIPELINE, [command])).toThrow("before the session key is there");
    expect(() => both.client.decrypt(new Uint8Array(16))).toThrow("before the session key is there");
    expect(() => both.server.decrypt(new Uint8Array(16))).toThrow("before the keys were exchanged");
  });

  it("may be asked for by the server", () => {
    const both = opened();
    both.server.requestPublicKey();
    expect(both.toClient()).toEqual([{ kind: "publicKeyRequested" }]);
    both.client.exchangeKeys(keyPair);
    expect(both.toServer()).toEqual([{ kind: "keysExchanged" }]);
    expect(both.toClient()).toEqual([{ kind: "sessionKeyReady" }]);
  });

  it("don't come with a key that nobody asked for", () => {
    const both = opened();
    const stranger = new ClientRunspacePool({ id: POOL, host: "none" });
    stranger.open();
    const server = new ServerRunspacePool({ randomBytes });
    server.receive("stdin", stranger.take(9999)?.bytes ?? new Uint8Array());
    server.accept();
    stranger.receive(server.take(9999)?.bytes ?? new Uint8Array());
    stranger.exchangeKeys(keyPair);
    server.receive("stdin", stranger.take(9999)?.bytes ?? new Uint8Array());
    expect(() => both.client.receive(server.take(9999)?.bytes ?? new Uint8Array())).toThrow("nobody asked for");
  });
});

describe("host calls", () => {
  const prompt = {
    caption: "Confirm",
    message: "Overwrite the existing default SMTP certificate?",
    choices: [
      { label: "&Yes", helpMessage: "Continue" },
      { label: "&No", helpMessage: "Skip" },
    ],
    defaultChoice: 0,
  };
  const command = [{ name: "Enable-ExchangeCertificate", parameters: { Services: "SMTP" } }];

  function asked() {
    const running = run(opened(), command);
    const callId = running.server.callHost("PromptForChoice", choicePromptParameters(prompt));
    const [event] = running.toClient();
    if (event?.kind !== "hostCall") throw new Error("The client saw no host call.");
    return { ...running, callId, call: event.call };
  }

  it("ask a question with choices, and the answer goes back on the stream pr", () => {
    const { pipeline, server, call, callId } = asked();
    expect(choicePromptOf(call)).toEqual(prompt);
    expect(call).toMatchObject({ method: "PromptForChoice", methodNumber: 26, isVoid: false, callId });
    expect(pipeline.unanswered).toEqual([call]);
    pipeline.respond(call, choiceAnswer(1));
    const sent = pipeline.take(9999);
    expect(sent?.stream).toBe("pr");
    const [answer] = server.receive("pr", sent?.bytes ?? new Uint8Array());
    expect(answer).toMatchObject({ kind: "hostResponse", response: { callId, methodNumber: 26, error: undefined } });
    expect(answer?.kind === "hostResponse" && integerOf(answer.response.result)).toBe(1);
    expect(pipeline.unanswered).toEqual([]);
  });

  it("are answered through the shell's own stream too, as some clients do", () => {
    const both = opened();
    const running = run(both, command);
    const callId = running.server.callHost("ReadLine", []);
    const [event] = running.toClient();
    if (event?.kind !== "hostCall") throw new Error("The client saw no host call.");
    running.pipeline.respond(event.call, string("yes"));
    const events = both.server.receive("pr", running.pipeline.take(9999)?.bytes ?? new Uint8Array());
    expect(events).toMatchObject([{ kind: "hostResponse", response: { callId, result: string("yes") } }]);
  });

  it("are refused with an error that names the method", () => {
    const { pipeline, server, call } = asked();
    pipeline.refuse(call, "nobody is here to answer");
    const [answer] = server.receive("pr", pipeline.take(9999)?.bytes ?? new Uint8Array());
    expect(answer).toMatchObject({
      response: {
        result: undefined,
        error: { message: "PromptForChoice: nobody is here to answer", fullyQualifiedErrorId: "HostCallRefused" },
      },
    });
  });

  it("are answered once, and void ones never", () => {
    const { pipeline, call, server, toClient } = asked();
    pipeline.respond(call, choiceAnswer(0));
    expect(() => {
      pipeline.respond(call, choiceAnswer(0));
    }).toThrow("answered once");
    server.tellHost("WriteLine2", [string("hello")]);
    const [event] = toClient();
    if (event?.kind !== "hostCall") throw new Error("The client saw no host call.");
    expect(event.call).toMatchObject({ isVoid: true, method: "WriteLine2" });
    expect(displayOf(event.call.parameters[0])).toBe("hello");
    expect(() => {
      pipeline.refuse(event.call, "no");
    }).toThrow("only when it wants an answer");
  });

  it("lapse when the pipeline ends", () => {
    const { pipeline, server, toClient } = asked();
    server.finish("Stopped");
    toClient();
    expect(pipeline.unanswered).toEqual([]);
  });
});

describe("any conversation", () => {
  const value: fc.Arbitrary<ClixmlValue> = fc.oneof(
    fc.string().map(string),
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map(int32),
    fc.uint8Array({ maxLength: 300 }).map(bytes),
    fc
      .dictionary(
        fc.string({ minLength: 1 }).filter((name) => name !== "__proto__"),
        fc.string().map(string),
        { noNullPrototype: true },
      )
      .map(propertyBag),
  );

  it("brings over every output, whatever fits into one request", () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 8 }), fc.integer({ min: 22, max: 500 }), (values, size) => {
        const { server, toClient } = run(opened(), [{ name: "Get-It", parameters: {} }], size);
        for (const one of values) server.writeOutput(one);
        server.finish("Completed");
        const events = toClient();
        expect(events.slice(0, -1)).toEqual(values.map((one) => ({ kind: "output", value: one })));
      }),
      { numRuns: 50 },
    );
  });

  it("never ends in anything but an event or an error of its own, whatever bytes come", () => {
    const { server, pipeline } = run(opened(), [{ name: "Get-It", parameters: {} }]);
    server.writeOutput(string("x"));
    server.writeError(errorRecord({ message: "m", fullyQualifiedErrorId: "i", category: "NotSpecified" }));
    server.finish("Completed");
    const stream = server.take(99_999)?.bytes ?? new Uint8Array();
    expect(pipeline.id).toBe(PIPELINE);
    fc.assert(
      fc.property(fc.nat({ max: stream.length - 1 }), fc.nat({ max: 255 }), (at, byte) => {
        const fresh = opened().client.createPipeline(PIPELINE, [{ name: "Get-It", parameters: {} }]);
        const damaged = new Uint8Array(stream);
        damaged[at] = byte;
        try {
          fresh.receive(damaged);
        } catch (error) {
          expect(error).toMatchObject({ name: "RemotingError" });
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("a refused or hostile server", () => {
  it("can't open a pool without saying what it can, nor with another protocol", () => {
    const { client, server, toServer } = session();
    client.open();
    toServer();
    server.accept();
    const all = server.take(9999, 1)?.bytes ?? new Uint8Array();
    const damaged = Buffer.from(all);
    damaged.write("9.3", damaged.indexOf("2.3"));
    expect(() => client.receive(damaged)).toThrow("protocol version other than 2.x");
    const fresh = new ClientRunspacePool({ id: POOL, host: "none" });
    fresh.open();
    server.take(9999, 1);
    expect(() => fresh.receive(server.take(9999, 1)?.bytes ?? new Uint8Array())).toThrow("without saying what it can");
  });

  it("may send messages that a client has no use for", () => {
    const both = opened();
    const { pipeline } = run(both, [{ name: "Get-It", parameters: {} }]);
    const other = opened();
    other.server.requestPublicKey();
    expect(pipeline.receive(other.server.take(9999)?.bytes ?? new Uint8Array())).toEqual([
      { kind: "ignored", typeNumber: 0x00010007 },
    ]);
  });

  it("sees nothing of text in the clear but what was meant for it", () => {
    const { request } = run(withKeys(), [
      { name: "Set-It", parameters: { Name: "plain", Password: new Secret("hidden") } },
    ]);
    expect(stringOf(request.statements[0]?.[0]?.parameters[0]?.value)).toBe("plain");
    expect(JSON.stringify(request, (_key, part: unknown) => (part instanceof Map ? [...part] : part))).not.toContain(
      "hidden",
    );
  });
});
