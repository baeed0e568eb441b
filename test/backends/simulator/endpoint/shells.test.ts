import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import type { Endpoint } from "../../../../provider/backends/simulator/endpoint/endpoint";
import { encodeCommand, encodeCreate, encodeSend } from "../../../../provider/remoting/wsman/requests";
import { defaultOrganisation, EX01, withFaults } from "../../simulatedServer";
import { cmdlet, endOf, RawClient, type RawClientOptions, serve } from "./rawClient";

/** The endpoint's clock, which tests may move. */
let now: number;
/** Called with the signal of each pause: a Receive pauses for the time that the client gives it. */
let paused: (signal: AbortSignal) => void;
let endpoint: Endpoint;
const slow = { slowMilliseconds: 600_000 };

async function start(faults = {}): Promise<void> {
  now = Date.now();
  paused = () => undefined;
  const organisation = withFaults(await defaultOrganisation(), EX01, faults);
  ({ endpoint } = await serve(organisation, {
    env: {
      now: () => new Date(now),
      pause: (milliseconds, signal) => {
        paused(signal);
        return wait(milliseconds, undefined, { signal });
      },
    },
  }));
}

/** The signal of the next pause that begins: it fires when the Receive has ended. */
function nextPause(): Promise<AbortSignal> {
  return new Promise((resolve) => {
    paused = resolve;
  });
}

beforeEach(() => start());
afterEach(async () => {
  await endpoint.close();
});

const client = (options?: RawClientOptions): RawClient => new RawClient(endpoint, options);
const fault = (code: number): unknown =>
  expect.objectContaining({ kind: "fault", fault: expect.objectContaining({ code }) });
const [TIMED_OUT, NOT_FOUND, ABORTED, INVALID] = [0x80338029, 0x8033805b, 995, 0x8033800f];

describe("a shell", () => {
  it("is made under the name that the client chose, for as long as the client wants at most", async () => {
    const one = client();
    one.pool.open();
    const creationXml = one.pool.take(100_000)?.bytes ?? new Uint8Array();
    const create = (idleTimeoutSeconds: number) =>
      one.post("Create", (header) =>
        encodeCreate(header, { runspacePoolId: one.pool.id, creationXml, idleTimeoutSeconds }),
      );
    expect(await create(60)).toMatchObject({ shell: { shellId: one.shellId, idleTimeoutSeconds: 60 } });
    expect(await create(60)).toEqual(fault(INVALID));
  });

  it("is refused without the messages that open a pool", async () => {
    const runspacePoolId = randomUUID();
    for (const creationXml of [new Uint8Array(), Buffer.from("not fragments, but longer than a header")]) {
      const answer = await client().post("Create", (header) => encodeCreate(header, { runspacePoolId, creationXml }));
      expect(answer).toEqual(fault(INVALID));
    }
    expect(endpoint.shellCount()).toBe(0);
  });

  it("is gone when it has been idle for too long", async () => {
    const one = await client().open();
    now += 900_000;
    expect(await one.run(cmdlet("Get-ExchangeServer"))).not.toHaveLength(0);
    now += 900_001;
    expect(endpoint.shellCount()).toBe(0);
    expect(await one.receive()).toEqual(fault(NOT_FOUND));
  });

  it("isn't idle while a Receive waits", async () => {
    await endpoint.close();
    await start(slow);
    const one = await client().open();
    const pipeline = await one.start(cmdlet("Get-ExchangeCertificate"));
    const gone = new AbortController();
    const begun = nextPause();
    const waiting = one.receive(pipeline.id, gone.signal);
    await begun;
    now += 1_000_000;
    expect(endpoint.shellCount()).toBe(1);
    gone.abort();
    await expect(waiting).rejects.toThrow();
  });

  it("belongs to its user", async () => {
    const headersOf = (user: string) => ({ Authorization: `Basic ${Buffer.from(`${user}:x`).toString("base64")}` });
    const one = await client({ headers: headersOf("one") }).open();
    const other = client({ headers: headersOf("other") });
    other.shellId = one.shellId;
    other.cookie = one.cookie;
    expect(await other.delete()).toEqual(fault(NOT_FOUND));
  });

  it("counts against its user's quota until it is deleted", async () => {
    endpoint.behave({ maxShellsPerUser: 2 });
    const one = await client().open();
    await client().open();
    expect(await client().create()).toEqual(fault(2150859173));
    await one.delete();
    expect(await client().create()).toMatchObject({ kind: "created" });
  });

  it("takes no more commands than its quota allows before some are terminated", async () => {
    endpoint.behave({ maxCommandsPerShell: 1 });
    const one = await client().open();
    const pipeline = await one.start(cmdlet("Get-ExchangeServer"));
    await one.finish(pipeline);
    await expect(one.start(cmdlet("Get-ExchangeServer"))).rejects.toThrow("2150859241");
    await one.signal(pipeline.id, "terminate");
    expect(endOf(await one.run(cmdlet("Get-ExchangeServer"))).state).toBe("Completed");
  });

  it("refuses streams, identifiers and fragments that make no sense", async () => {
    const one = await client().open();
    const nonsense = Buffer.from("not fragments, but longer than a header");
    const send = (stream: "stdin" | "pr", pipelineId?: string) =>
      one.post("Send", (header) =>
        encodeSend(header, { stream, fragments: nonsense, pipelineId }).replace('Name="pr"', 'Name="stderr"'),
      );
    expect(await send("pr")).toEqual(fault(INVALID));
    expect(await send("stdin", randomUUID())).toEqual(fault(NOT_FOUND));
    expect(await send("stdin")).toEqual(fault(INVALID));
    const started = await one.post("Command", (header) =>
      encodeCommand(header, { pipelineId: "no-guid", firstFragments: nonsense }),
    );
    expect(started).toEqual(fault(INVALID));
    const pipelineId = randomUUID();
    const command = (header: ReturnType<RawClient["header"]>): string =>
      encodeCommand(header, { pipelineId, firstFragments: nonsense });
    expect(await one.post("Command", command)).toEqual(fault(INVALID));
    expect(await one.receive(pipelineId)).toEqual(fault(NOT_FOUND));
  });
});

describe("Receive", () => {
  it("ends with a fault when there is nothing to say within the time that the client gives", async () => {
    const one = await client({ operationTimeoutSeconds: 0.05 }).open();
    expect(await one.receive()).toEqual(fault(TIMED_OUT));
    expect(await one.receive()).toEqual(fault(TIMED_OUT));
  });

  it("ends when its shell is deleted", async () => {
    const one = await client().open();
    const begun = nextPause();
    const waiting = one.receive();
    await begun;
    await one.delete();
    expect(await waiting).toEqual(fault(ABORTED));
  });

  it("ends when its command is terminated, and the command isn't known any more", async () => {
    await endpoint.close();
    await start(slow);
    const one = await client().open();
    const pipeline = await one.start(cmdlet("Get-ExchangeCertificate"));
    const begun = nextPause();
    const waiting = one.receive(pipeline.id);
    await begun;
    await one.signal(pipeline.id, "terminate");
    expect(await waiting).toEqual(fault(ABORTED));
    expect(await one.receive(pipeline.id)).toEqual(fault(NOT_FOUND));
  });

  it("of a client that hung up takes nothing from the next one", async () => {
    const one = await client().open();
    const gone = new AbortController();
    const begun = nextPause();
    const hungUp = one.receive(undefined, gone.signal);
    const noticed = once(await begun, "abort");
    gone.abort();
    await expect(hungUp).rejects.toThrow();
    await noticed;
    await one.exchangeKeys();
    expect(one.pool.hasSessionKey).toBe(true);
  });

  it("never exceeds the envelope that the client takes", async () => {
    const one = await client({ maxEnvelopeBytes: 8192 }).open();
    const pipeline = await one.start(cmdlet("Get-ExchangeCertificate"));
    const sizes: number[] = [];
    for (;;) {
      const response = await one.receive(pipeline.id);
      if (response.kind !== "received") throw new Error("nothing was received");
      sizes.push(response.streams.reduce((sum, { bytes }) => sum + Math.ceil(bytes.length / 3) * 4, 0));
      if (response.commandState?.state === "Done") break;
    }
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.max(...sizes)).toBeLessThan(8192);
  });

  it("puts each fragment into an element of its own", async () => {
    endpoint.behave({ maxFragmentBytes: 100 });
    const one = client();
    await one.create();
    const response = await one.receive();
    if (response.kind !== "received") throw new Error("nothing was received");
    expect(response.streams.length).toBeGreaterThan(3);
    for (const { bytes } of response.streams) expect(bytes.length).toBeLessThanOrEqual(100);
  });
});

describe("Signal", () => {
  it("stops a command, which says so", async () => {
    await endpoint.close();
    await start(slow);
    const one = await client().open();
    const pipeline = await one.start(cmdlet("Get-ExchangeCertificate"));
    expect(await one.signal(pipeline.id, "stop")).toEqual({ kind: "signalled" });
    expect(endOf(await one.finish(pipeline))).toMatchObject({
      state: "Stopped",
      error: { fullyQualifiedErrorId: "PipelineStopped" },
    });
  });

  it("stops a command that waits for an answer", async () => {
    const one = await client().open();
    const thumbprint = (await defaultOrganisation()).servers[EX01]?.iis.frontEnd ?? "";
    const pipeline = await one.start(cmdlet("Remove-ExchangeCertificate", { Thumbprint: thumbprint }));
    const asked = await one.receive(pipeline.id);
    expect(asked).toMatchObject({ kind: "received", commandState: { state: "Pending" } });
    await one.signal(pipeline.id, "stop");
    expect(endOf(await one.finish(pipeline)).state).toBe("Stopped");
  });
});
