import { encodeBase64 } from "../base64";
import type { Steps } from "../steps";
import { childOf, childrenOf, escapeXml, type XmlElement, type XmlLimits } from "../xml";
import { formatDuration, parseDuration } from "./duration";
import { decodeFault, encodeFaultBody, type FaultParts } from "./fault";
import type { WsmanFault } from "./wsmanFault";
import { ACTIONS, ANONYMOUS, COMMAND_STATE, FAULT_ACTION, NAMESPACES, type Operation } from "./names";
import { envelopeInvalid, openEnvelope, readStreams, type ReceivedStream } from "./requests";

/** What a server answered. A fault is an answer too: whether it is an error depends on what was asked. */
export type WsmanResponse =
  | { readonly kind: "fault"; readonly fault: WsmanFault }
  | { readonly kind: "created"; readonly shell: CreatedShell }
  | { readonly kind: "commandStarted"; readonly commandId: string }
  | {
      readonly kind: "received";
      readonly streams: readonly ReceivedStream[];
      readonly commandState: CommandState | undefined;
    }
  | { readonly kind: "sent" | "signalled" | "deleted" };

export interface CreatedShell {
  /** To be used from now on, as it stands: the server may have chosen another than was asked for. */
  readonly shellId: string;
  readonly idleTimeoutSeconds: number | undefined;
  /** Who the server takes us for. */
  readonly owner: string | undefined;
}

/** MS-WSMV 2.2.4.7. `Pending` comes while a host call waits for its answer: neither an end nor an error. */
export interface CommandState {
  readonly state: "Done" | "Pending" | "Running" | "other";
  readonly commandId: string | undefined;
  readonly exitCode: number | undefined;
}

interface ExpectedResponse {
  readonly operation: Operation;
  readonly messageId: string;
}

/**
 * Reads the answer to a request: MS-WSMV 3.1.4. `messageId` is that of the request, without `uuid:`; an answer to
 * another one is refused. In steps.
 *
 * @throws RemotingError `XmlRefused` or `EnvelopeInvalid`.
 */
export function* decodeResponse(xml: string, expected: ExpectedResponse, limits?: XmlLimits): Steps<WsmanResponse> {
  const { header, body } = yield* openEnvelope(xml, limits);
  const relatesTo = childOf(header, "RelatesTo", NAMESPACES.a)?.text.trim().toLowerCase();
  if (relatesTo !== undefined && relatesTo !== `uuid:${expected.messageId.toLowerCase()}`) {
    throw envelopeInvalid("answers another request than the one that was made");
  }
  const fault = decodeFault(body);
  if (fault !== undefined) return { kind: "fault", fault };
  const action = childOf(header, "Action", NAMESPACES.a)?.text.trim();
  if (action !== `${ACTIONS[expected.operation]}Response`) {
    throw envelopeInvalid(`isn't the answer to a ${expected.operation}`);
  }
  switch (expected.operation) {
    case "Create":
      return { kind: "created", shell: createdShell(body) };
    case "Command": {
      const commandId = inShell(inShell(body, "CommandResponse"), "CommandId")?.text.trim() ?? "";
      if (commandId === "") throw envelopeInvalid("started a command without naming it");
      return { kind: "commandStarted", commandId };
    }
    case "Receive": {
      const response = inShell(body, "ReceiveResponse");
      return { kind: "received", streams: yield* readStreams(response), commandState: commandState(response) };
    }
    case "Send":
      return { kind: "sent" };
    case "Signal":
      return { kind: "signalled" };
    case "Delete":
      return { kind: "deleted" };
  }
}

/** MS-WSMV 2.2.4.36: the identifier in the reference of ResourceCreated counts, the Shell's own comes second. */
function createdShell(body: XmlElement): CreatedShell {
  const created = childOf(body, "ResourceCreated", NAMESPACES.x);
  const parameters = childOf(created, "ReferenceParameters", NAMESPACES.a);
  const selectors = childrenOf(childOf(parameters, "SelectorSet", NAMESPACES.w), "Selector", NAMESPACES.w);
  const shell = inShell(body, "Shell");
  const shellId =
    selectors.find((selector) => selector.attributes.get("Name") === "ShellId")?.text.trim() ??
    inShell(shell, "ShellId")?.text.trim() ??
    "";
  if (shellId === "") throw envelopeInvalid("created a shell without naming it");
  const idle = inShell(shell, "IdleTimeOut")?.text;
  return {
    shellId,
    idleTimeoutSeconds: idle === undefined ? undefined : parseDuration(idle),
    owner: inShell(shell, "Owner")?.text.trim(),
  };
}

function commandState(response: XmlElement | undefined): CommandState | undefined {
  const element = inShell(response, "CommandState");
  if (element === undefined) return undefined;
  const state = (element.attributes.get("State") ?? "").split("/").at(-1) ?? "";
  const exitCode = inShell(element, "ExitCode")?.text.trim() ?? "";
  return {
    state: state === "Done" || state === "Pending" || state === "Running" ? state : "other",
    commandId: element.attributes.get("CommandId"),
    exitCode: /^-?\d{1,10}$/.test(exitCode) ? Number(exitCode) : undefined,
  };
}

function inShell(parent: XmlElement | undefined, name: string): XmlElement | undefined {
  return childOf(parent, name, NAMESPACES.rsp);
}

/** Server half: what every response says. */
export interface ResponseHeader {
  /** GUID, new for each response. */
  readonly messageId: string;
  /** The request's MessageID as it was sent, `uuid:` included. */
  readonly relatesTo: string;
}

export function encodeCreateResponse(
  header: ResponseHeader,
  shell: {
    readonly to: string;
    readonly resourceUri: string;
    readonly shellId: string;
    readonly owner: string;
    readonly idleTimeoutSeconds: number;
  },
): string {
  const shellId = escapeXml(shell.shellId);
  const resourceUri = escapeXml(shell.resourceUri);
  const fields: readonly (readonly [string, string])[] = [
    ["ShellId", shellId],
    ["ResourceUri", resourceUri],
    ["Owner", escapeXml(shell.owner)],
    ["IdleTimeOut", formatDuration(shell.idleTimeoutSeconds)],
    ["InputStreams", "stdin pr"],
    ["OutputStreams", "stdout"],
    ["State", "Connected"],
  ];
  return envelope(`${ACTIONS.Create}Response`, header, [
    `<x:ResourceCreated><a:Address>${escapeXml(shell.to)}</a:Address><a:ReferenceParameters>`,
    `<w:ResourceURI>${resourceUri}</w:ResourceURI>`,
    `<w:SelectorSet><w:Selector Name="ShellId">${shellId}</w:Selector></w:SelectorSet>`,
    `</a:ReferenceParameters></x:ResourceCreated>`,
    `<rsp:Shell>${fields.map(([name, text]) => `<rsp:${name}>${text}</rsp:${name}>`).join("")}</rsp:Shell>`,
  ]);
}

export function encodeCommandResponse(header: ResponseHeader, commandId: string): string {
  return envelope(`${ACTIONS.Command}Response`, header, [
    `<rsp:CommandResponse><rsp:CommandId>${escapeXml(commandId)}</rsp:CommandId></rsp:CommandResponse>`,
  ]);
}

/** `commandState` ends a command's answer when it is done, or says that it waits for a host call. */
export function encodeReceiveResponse(
  header: ResponseHeader,
  body: {
    readonly commandId?: string | undefined;
    readonly fragments: readonly Uint8Array[];
    readonly commandState?: "Done" | "Pending" | undefined;
  },
): string {
  const commandId = body.commandId === undefined ? "" : ` CommandId="${escapeXml(body.commandId)}"`;
  const streams = body.fragments.map(
    (fragments) => `<rsp:Stream Name="stdout"${commandId}>${encodeBase64(fragments)}</rsp:Stream>`,
  );
  const exitCode = body.commandState === "Done" ? "<rsp:ExitCode>0</rsp:ExitCode>" : "";
  const state =
    body.commandState === undefined
      ? ""
      : `<rsp:CommandState${commandId} State="${COMMAND_STATE}${body.commandState}">${exitCode}</rsp:CommandState>`;
  return envelope(`${ACTIONS.Receive}Response`, header, [
    `<rsp:ReceiveResponse>${streams.join("")}${state}</rsp:ReceiveResponse>`,
  ]);
}

/** Send, Signal and Delete: nothing but that it was done. */
export function encodeEmptyResponse(header: ResponseHeader, operation: "Send" | "Signal" | "Delete"): string {
  const body = operation === "Delete" ? "" : `<rsp:${operation}Response/>`;
  return envelope(`${ACTIONS[operation]}Response`, header, [body]);
}

export function encodeFault(header: ResponseHeader, fault: FaultParts): string {
  return envelope(FAULT_ACTION, header, [encodeFaultBody(fault)]);
}

function envelope(action: string, header: ResponseHeader, body: readonly string[]): string {
  const { s, a, x, w, p, rsp } = NAMESPACES;
  return (
    `<s:Envelope xml:lang="en-US" xmlns:s="${s}" xmlns:a="${a}" xmlns:x="${x}" xmlns:w="${w}" xmlns:rsp="${rsp}" xmlns:p="${p}">` +
    `<s:Header><a:Action>${action}</a:Action><a:MessageID>uuid:${escapeXml(header.messageId.toUpperCase())}</a:MessageID>` +
    `<a:To>${ANONYMOUS}</a:To><a:RelatesTo>${escapeXml(header.relatesTo)}</a:RelatesTo></s:Header>` +
    `<s:Body>${body.join("")}</s:Body></s:Envelope>`
  );
}
