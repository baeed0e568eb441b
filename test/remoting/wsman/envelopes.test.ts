import { atOnce } from "../../../provider/remoting/steps";
import fc from "fast-check";
import { isRemotingError } from "../../../provider/remoting/errors";
import { encodeFragment } from "../../../provider/remoting/psrp/fragment";
import { ACTIONS } from "../../../provider/remoting/wsman/names";
import {
  decodeRequest,
  encodeCommand,
  encodeCreate,
  encodeDelete,
  encodeReceive,
  encodeSend,
  encodeSignal,
  fragmentRoom,
  type ShellRequestHeader,
} from "../../../provider/remoting/wsman/requests";
import {
  decodeResponse,
  encodeCommandResponse,
  encodeCreateResponse,
  encodeEmptyResponse,
  encodeFault,
  encodeReceiveResponse,
} from "../../../provider/remoting/wsman/responses";

const POOL = "76056a84-51dc-4f24-9262-ca2a55464b2b";
const PIPELINE = "e888e1df-c962-41d6-befd-f2c82d0abcca";
const MESSAGE = "f249dbe7-0e83-4f39-ae4a-28324cf61227";
const SESSION = "aecf49af-7164-43e6-b10a-e38e8c4986ad";
const URL = "https://ex01.contoso.com/PowerShell/?a=1&b=2";
const RESOURCE = "http://schemas.microsoft.com/powershell/Microsoft.Exchange";
const fragments = Uint8Array.of(1, 2, 3);

const header: ShellRequestHeader = {
  to: URL,
  resourceUri: RESOURCE,
  sessionId: SESSION,
  messageId: MESSAGE,
  operationTimeoutSeconds: 20,
  maxEnvelopeBytes: 153_600,
  shellId: "Mixed-Case-Id",
};
const { shellId, ...unbound } = header;
const response = { messageId: SESSION, relatesTo: `uuid:${MESSAGE.toUpperCase()}` };

describe("requests", () => {
  it("say in their header what a server must know", () => {
    expect(decodeRequest(encodeDelete(header))).toEqual({
      messageId: `uuid:${MESSAGE.toUpperCase()}`,
      to: URL,
      resourceUri: RESOURCE,
      shellId: "Mixed-Case-Id",
      operationTimeoutSeconds: 20,
      maxEnvelopeBytes: 153_600,
      options: new Map(),
      body: { kind: "Delete" },
    });
  });

  it("to create carry the pool's first fragments and protocol version, and no shell yet", () => {
    const request = decodeRequest(
      encodeCreate(unbound, { runspacePoolId: POOL, creationXml: fragments, idleTimeoutSeconds: 900 }),
    );
    expect(request.shellId).toBeUndefined();
    expect(request.options).toEqual(new Map([["protocolversion", "2.3"]]));
    expect(request.body).toEqual({
      kind: "Create",
      shellId: POOL.toUpperCase(),
      creationXml: fragments,
      idleTimeoutSeconds: 900,
    });
  });

  it("to run a pipeline carry its identifier in upper case and its first fragments", () => {
    const { body } = decodeRequest(encodeCommand(header, { pipelineId: PIPELINE, firstFragments: fragments }));
    expect(body).toMatchObject({ kind: "Command", commandId: PIPELINE.toUpperCase() });
    expect(body.kind === "Command" && [...body.fragments]).toEqual([1, 2, 3]);
  });

  it.each([
    ["stdin", PIPELINE],
    ["pr", PIPELINE],
    ["stdin", undefined],
  ] as const)("to send go to the stream %s of %s", (stream, pipelineId) => {
    expect(decodeRequest(encodeSend(header, { pipelineId, stream, fragments })).body).toEqual({
      kind: "Send",
      streams: [{ name: stream, commandId: pipelineId?.toUpperCase(), bytes: fragments }],
    });
  });

  it("to receive ask for the pool or for a pipeline", () => {
    expect(decodeRequest(encodeReceive(header)).body).toEqual({ kind: "Receive", commandId: undefined });
    expect(decodeRequest(encodeReceive(header, { pipelineId: PIPELINE })).body).toEqual({
      kind: "Receive",
      commandId: PIPELINE.toUpperCase(),
    });
  });

  it("to stop spell the signal as the specification does", () => {
    expect(decodeRequest(encodeSignal(header, { pipelineId: PIPELINE, signal: "stop" })).body).toMatchObject({
      code: "powershell/signal/crtl_c",
    });
    expect(decodeRequest(encodeSignal(header, { pipelineId: PIPELINE, signal: "terminate" })).body).toMatchObject({
      code: "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/signal/Terminate",
    });
  });

  it("of another kind keep their action", () => {
    const action = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get";
    expect(decodeRequest(encodeDelete(header).replace(ACTIONS.Delete, action)).body).toEqual({ kind: "other", action });
  });

  it("can't be broken open by a URL or an identifier", () => {
    const hostile = `x"><w:Selector Name="ShellId">other</w:Selector>`;
    const request = decodeRequest(encodeDelete({ ...header, to: hostile, shellId: hostile, resourceUri: hostile }));
    expect(request).toMatchObject({ to: hostile, shellId: hostile, resourceUri: hostile });
  });

  it("have just as much room as the envelope allows", () => {
    fc.assert(
      fc.property(fc.integer({ min: 3000, max: 512_000 }), (maxEnvelopeBytes) => {
        const build = (bytes: Uint8Array): string =>
          encodeSend({ ...header, maxEnvelopeBytes }, { stream: "stdin", fragments: bytes });
        const room = fragmentRoom(maxEnvelopeBytes, build);
        expect(Buffer.byteLength(build(new Uint8Array(room)))).toBeLessThanOrEqual(maxEnvelopeBytes);
        expect(Buffer.byteLength(build(new Uint8Array(room + 3)))).toBeGreaterThan(maxEnvelopeBytes);
      }),
      { numRuns: 20 },
    );
    expect(fragmentRoom(10, () => "")).toBe(22);
  });
});

describe("responses", () => {
  it("to Create name the shell, which may be another than was asked for", () => {
    const xml = encodeCreateResponse(response, {
      to: URL,
      resourceUri: RESOURCE,
      shellId: "Chosen-By-Server",
      owner: "CONTOSO\\admin",
      idleTimeoutSeconds: 900,
    });
    expect(atOnce(decodeResponse(xml, { operation: "Create", messageId: MESSAGE }))).toEqual({
      kind: "created",
      shell: { shellId: "Chosen-By-Server", idleTimeoutSeconds: 900, owner: "CONTOSO\\admin" },
    });
  });

  it("to Command name the command", () => {
    expect(
      atOnce(decodeResponse(encodeCommandResponse(response, "ABC"), { operation: "Command", messageId: MESSAGE })),
    ).toEqual({
      kind: "commandStarted",
      commandId: "ABC",
    });
  });

  it.each([
    ["done", "Done", { state: "Done", commandId: "ABC", exitCode: 0 }],
    ["waiting for a host call", "Pending", { state: "Pending", commandId: "ABC", exitCode: undefined }],
    ["going on", undefined, undefined],
  ] as const)("to Receive bring streams, and say when the command is %s", (_title, commandState, expected) => {
    const bytes = encodeFragment({ objectId: 1n, fragmentId: 0n, isStart: true, isEnd: true, blob: fragments });
    const xml = encodeReceiveResponse(response, { commandId: "ABC", fragments: [bytes, fragments], commandState });
    expect(atOnce(decodeResponse(`\uFEFF${xml}`, { operation: "Receive", messageId: MESSAGE }))).toEqual({
      kind: "received",
      streams: [
        { name: "stdout", commandId: "ABC", bytes },
        { name: "stdout", commandId: "ABC", bytes: fragments },
      ],
      commandState: expected,
    });
  });

  it.each([
    ["Send", "sent"],
    ["Signal", "signalled"],
    ["Delete", "deleted"],
  ] as const)("to %s say that it was done", (operation, kind) => {
    expect(atOnce(decodeResponse(encodeEmptyResponse(response, operation), { operation, messageId: MESSAGE }))).toEqual(
      {
        kind,
      },
    );
  });

  it("may be faults, whatever was asked", () => {
    const xml = encodeFault(response, { role: "Receiver", subcode: "w:TimedOut", code: 2150858793, message: "slow" });
    expect(atOnce(decodeResponse(xml, { operation: "Receive", messageId: MESSAGE }))).toMatchObject({
      kind: "fault",
      fault: { subcode: "TimedOut", code: 2150858793, message: "slow" },
    });
  });

  it.each<[string, string]>([
    ["answer another request", encodeEmptyResponse({ ...response, relatesTo: "uuid:OTHER" }, "Send")],
    ["answer another operation", encodeEmptyResponse(response, "Delete")],
    ["aren't envelopes", "<a/>"],
    [
      "are envelopes of SOAP 1.1",
      `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>`,
    ],
    ["have no body", `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"/>`],
  ])("are refused when they %s", (_title, xml) => {
    expect(() => atOnce(decodeResponse(xml, { operation: "Send", messageId: MESSAGE }))).toThrow(
      expect.objectContaining({ code: "EnvelopeInvalid" }),
    );
  });

  it("are refused when they leave out what they are there for", () => {
    const nameless = encodeCommandResponse(response, "");
    expect(() => atOnce(decodeResponse(nameless, { operation: "Command", messageId: MESSAGE }))).toThrow(
      "without naming it",
    );
    const shell = encodeCreateResponse(response, {
      to: URL,
      resourceUri: RESOURCE,
      shellId: "",
      owner: "",
      idleTimeoutSeconds: 1,
    });
    expect(() => atOnce(decodeResponse(shell, { operation: "Create", messageId: MESSAGE }))).toThrow(
      "without naming it",
    );
    const stream = encodeReceiveResponse(response, { fragments: [fragments] }).replace("AQID", "A*ID");
    expect(() => atOnce(decodeResponse(stream, { operation: "Receive", messageId: MESSAGE }))).toThrow("base64");
  });

  it("that are cut off at any character are refused as XML", () => {
    const whole = encodeReceiveResponse(response, { fragments: [fragments], commandState: "Done" });
    for (let length = 0; length < whole.length; length++) {
      const read = (): unknown =>
        atOnce(decodeResponse(whole.slice(0, length), { operation: "Receive", messageId: MESSAGE }));
      expect(read).toThrow(expect.objectContaining({ code: "XmlRefused" }));
    }
  });

  it("that are HTML, or have a document type, are refused as XML", () => {
    for (const xml of [
      "<html><body>Service Unavailable<br></body></html>",
      `<!DOCTYPE x>${encodeDelete(header)}`,
      "",
    ]) {
      try {
        atOnce(decodeResponse(xml, { operation: "Send", messageId: MESSAGE }));
        throw new Error("It was read.");
      } catch (error) {
        expect(isRemotingError(error, "XmlRefused")).toBe(true);
      }
    }
  });
});

it("identifiers of shells are sent back exactly as the server wrote them", () => {
  expect(decodeRequest(encodeReceive(header)).shellId).toBe(shellId);
});
