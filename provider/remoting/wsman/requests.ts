import { decodeBase64, encodeBase64 } from "../base64";
import { RemotingError } from "../errors";
import { atOnce, type Steps } from "../steps";
import { childOf, childrenOf, escapeXml, parseXml, type XmlElement, type XmlLimits } from "../xml";
import { formatDuration, parseDuration } from "./duration";
import { ACTIONS, ANONYMOUS, NAMESPACES, type Operation, POWERSHELL_NAMESPACE, type Signal, SIGNALS } from "./names";

/** What the header of every request says: DSP0226 6, MS-WSMV 2.2.4. */
export interface RequestHeader {
  /** The connection URL. */
  readonly to: string;
  /** `http://schemas.microsoft.com/powershell/` and the configuration's name. */
  readonly resourceUri: string;
  /** GUID, the same for the whole session. */
  readonly sessionId: string;
  /** GUID, new for each request. */
  readonly messageId: string;
  /** How long the server may take before it answers with a TimedOut fault. */
  readonly operationTimeoutSeconds: number;
  /** Longest envelope that the client takes; 153,600 before the server has said protocol 2.2 or later, then 512,000. */
  readonly maxEnvelopeBytes: number;
  /** Of messages; default `en-US`. */
  readonly locale?: string;
}

/** Header of a request to a shell that is there. */
export interface ShellRequestHeader extends RequestHeader {
  /** As CreateResponse named it. */
  readonly shellId: string;
}

/** Create: MS-WSMV 3.1.4.5.1, MS-PSRP 3.1.5.3.1. `creationXml` are the first fragments of the pool. */
export function encodeCreate(
  header: RequestHeader,
  body: { readonly runspacePoolId: string; readonly creationXml: Uint8Array; readonly idleTimeoutSeconds?: number },
): string {
  const idle =
    body.idleTimeoutSeconds === undefined ? "" : element("rsp:IdleTimeOut", formatDuration(body.idleTimeoutSeconds));
  return envelope("Create", header, {
    options: `<w:Option MustComply="true" Name="protocolversion">2.3</w:Option>`,
    body:
      `<rsp:Shell ShellId="${identifier(body.runspacePoolId)}">` +
      `<rsp:InputStreams>stdin pr</rsp:InputStreams><rsp:OutputStreams>stdout</rsp:OutputStreams>${idle}` +
      `<creationXml xmlns="${POWERSHELL_NAMESPACE}">${encodeBase64(body.creationXml)}</creationXml></rsp:Shell>`,
  });
}

/** Command: MS-WSMV 3.1.4.11, MS-PSRP 3.1.5.3.3. `firstFragments` begin with CREATE_PIPELINE. */
export function encodeCommand(
  header: ShellRequestHeader,
  body: { readonly pipelineId: string; readonly firstFragments: Uint8Array },
): string {
  return envelope("Command", header, {
    options: `<w:Option Name="WINRS_SKIP_CMD_SHELL">False</w:Option>`,
    body:
      `<rsp:CommandLine CommandId="${identifier(body.pipelineId)}"><rsp:Command />` +
      `<rsp:Arguments>${encodeBase64(body.firstFragments)}</rsp:Arguments></rsp:CommandLine>`,
  });
}

/** Send: MS-WSMV 3.1.4.13, MS-PSRP 3.1.5.3.5. Without `pipelineId` the fragments are the pool's. */
export function encodeSend(
  header: ShellRequestHeader,
  body: { readonly pipelineId?: string | undefined; readonly stream: "stdin" | "pr"; readonly fragments: Uint8Array },
): string {
  const attributes = `Name="${body.stream}"${commandId(body.pipelineId)}`;
  return envelope("Send", header, {
    body: `<rsp:Send><rsp:Stream ${attributes}>${encodeBase64(body.fragments)}</rsp:Stream></rsp:Send>`,
  });
}

/** Receive: MS-WSMV 3.1.4.14, MS-PSRP 3.1.5.3.7. Without `pipelineId` the pool's messages are asked for. */
export function encodeReceive(
  header: ShellRequestHeader,
  body: { readonly pipelineId?: string | undefined } = {},
): string {
  return envelope("Receive", header, {
    options: `<w:Option Name="WSMAN_CMDSHELL_OPTION_KEEPALIVE">True</w:Option>`,
    body: `<rsp:Receive><rsp:DesiredStream${commandId(body.pipelineId)}>stdout</rsp:DesiredStream></rsp:Receive>`,
  });
}

/** Signal: MS-WSMV 3.1.4.12, MS-PSRP 3.1.5.3.9. `stop` stops a running pipeline, `terminate` forgets a finished one. */
export function encodeSignal(
  header: ShellRequestHeader,
  body: { readonly pipelineId: string; readonly signal: Signal },
): string {
  return envelope("Signal", header, {
    body: `<rsp:Signal${commandId(body.pipelineId)}><rsp:Code>${SIGNALS[body.signal]}</rsp:Code></rsp:Signal>`,
  });
}

/** Delete: MS-WSMV 3.1.4.4, MS-PSRP 3.1.5.3.11. Ends the shell, its pool and all its pipelines. */
export function encodeDelete(header: ShellRequestHeader): string {
  return envelope("Delete", header, { body: "" });
}

/**
 * How many bytes of fragments an envelope of at most `maxEnvelopeBytes` has room for; `build` makes the envelope around
 * its fragments. At least 22, the smallest fragment there is.
 */
export function fragmentRoom(maxEnvelopeBytes: number, build: (fragments: Uint8Array) => string): number {
  const overhead = Buffer.byteLength(build(new Uint8Array()), "utf8");
  return Math.max(22, Math.floor((maxEnvelopeBytes - overhead) / 4) * 3);
}

interface EnvelopeParts {
  readonly options?: string;
  readonly body: string;
}

function envelope(operation: Operation, header: RequestHeader | ShellRequestHeader, parts: EnvelopeParts): string {
  const { s, a, w, p, rsp } = NAMESPACES;
  const locale = escapeXml(header.locale ?? "en-US");
  const options =
    parts.options === undefined ? "" : `<w:OptionSet s:mustUnderstand="true">${parts.options}</w:OptionSet>`;
  const selectors =
    "shellId" in header
      ? `<w:SelectorSet><w:Selector Name="ShellId">${escapeXml(header.shellId)}</w:Selector></w:SelectorSet>`
      : "";
  return (
    `<s:Envelope xmlns:s="${s}" xmlns:a="${a}" xmlns:w="${w}" xmlns:p="${p}" xmlns:rsp="${rsp}"><s:Header>` +
    `<a:Action s:mustUnderstand="true">${ACTIONS[operation]}</a:Action>` +
    `<p:DataLocale s:mustUnderstand="false" xml:lang="${locale}" /><w:Locale s:mustUnderstand="false" xml:lang="${locale}" />` +
    `<w:MaxEnvelopeSize s:mustUnderstand="true">${header.maxEnvelopeBytes}</w:MaxEnvelopeSize>` +
    `<a:MessageID>uuid:${identifier(header.messageId)}</a:MessageID>` +
    `<w:OperationTimeout>${formatDuration(header.operationTimeoutSeconds)}</w:OperationTimeout>` +
    `<a:ReplyTo><a:Address s:mustUnderstand="true">${ANONYMOUS}</a:Address></a:ReplyTo>` +
    `<w:ResourceURI s:mustUnderstand="true">${escapeXml(header.resourceUri)}</w:ResourceURI>` +
    `<p:SessionId s:mustUnderstand="false">uuid:${identifier(header.sessionId)}</p:SessionId>` +
    `<a:To>${escapeXml(header.to)}</a:To>${options}${selectors}</s:Header><s:Body>${parts.body}</s:Body></s:Envelope>`
  );
}

/** Windows writes identifiers in upper case, and compares shells' names letter by letter. */
function identifier(guid: string): string {
  return escapeXml(guid.toUpperCase());
}

function commandId(pipelineId: string | undefined): string {
  return pipelineId === undefined ? "" : ` CommandId="${identifier(pipelineId)}"`;
}

function element(name: string, text: string): string {
  return `<${name}>${text}</${name}>`;
}

/** A request as the server half reads it. Identifiers stand as they were sent. */
export interface ReceivedRequest {
  /** With its prefix `uuid:`, to be given back in RelatesTo. */
  readonly messageId: string;
  readonly to: string;
  readonly resourceUri: string;
  readonly shellId: string | undefined;
  readonly operationTimeoutSeconds: number | undefined;
  readonly maxEnvelopeBytes: number | undefined;
  readonly options: ReadonlyMap<string, string>;
  readonly body: ReceivedBody;
}

export type ReceivedBody =
  | {
      readonly kind: "Create";
      readonly shellId: string | undefined;
      readonly creationXml: Uint8Array;
      readonly idleTimeoutSeconds: number | undefined;
    }
  | { readonly kind: "Command"; readonly commandId: string | undefined; readonly fragments: Uint8Array }
  | { readonly kind: "Send"; readonly streams: readonly ReceivedStream[] }
  | { readonly kind: "Receive"; readonly commandId: string | undefined }
  | { readonly kind: "Signal"; readonly commandId: string | undefined; readonly code: string }
  | { readonly kind: "Delete" }
  | { readonly kind: "other"; readonly action: string };

export interface ReceivedStream {
  readonly name: string;
  readonly commandId: string | undefined;
  readonly bytes: Uint8Array;
}

/** Server half: reads any request. Throws RemotingError `XmlRefused` or `EnvelopeInvalid`. */
export function decodeRequest(xml: string, limits?: XmlLimits): ReceivedRequest {
  const { header, body } = atOnce(openEnvelope(xml, limits));
  const text = (name: string, namespace: string): string => childOf(header, name, namespace)?.text.trim() ?? "";
  const selectors = childrenOf(childOf(header, "SelectorSet", NAMESPACES.w), "Selector", NAMESPACES.w);
  const options = childrenOf(childOf(header, "OptionSet", NAMESPACES.w), "Option", NAMESPACES.w);
  const maxEnvelopeBytes = text("MaxEnvelopeSize", NAMESPACES.w);
  return {
    messageId: text("MessageID", NAMESPACES.a),
    to: text("To", NAMESPACES.a),
    resourceUri: text("ResourceURI", NAMESPACES.w),
    shellId: selectors.find((selector) => selector.attributes.get("Name") === "ShellId")?.text.trim(),
    operationTimeoutSeconds: parseDuration(text("OperationTimeout", NAMESPACES.w)),
    maxEnvelopeBytes: /^\d{1,9}$/.test(maxEnvelopeBytes) ? Number(maxEnvelopeBytes) : undefined,
    options: new Map(options.map((option) => [option.attributes.get("Name") ?? "", option.text.trim()])),
    body: receivedBody(text("Action", NAMESPACES.a), body),
  };
}

function receivedBody(action: string, body: XmlElement): ReceivedBody {
  const inShell = (name: string, parent = body): XmlElement | undefined => childOf(parent, name, NAMESPACES.rsp);
  switch (action) {
    case ACTIONS.Create: {
      const shell = inShell("Shell");
      const idle = inShell("IdleTimeOut", shell)?.text;
      return {
        kind: "Create",
        shellId: shell?.attributes.get("ShellId"),
        creationXml: base64Of(childOf(shell, "creationXml", POWERSHELL_NAMESPACE)),
        idleTimeoutSeconds: idle === undefined ? undefined : parseDuration(idle),
      };
    }
    case ACTIONS.Command: {
      const line = inShell("CommandLine");
      // PowerShell's own client may split the text over several Arguments elements.
      const pieces = childrenOf(line, "Arguments", NAMESPACES.rsp).map(base64Of);
      return { kind: "Command", commandId: line?.attributes.get("CommandId"), fragments: Buffer.concat(pieces) };
    }
    case ACTIONS.Send:
      return { kind: "Send", streams: atOnce(readStreams(inShell("Send"))) };
    case ACTIONS.Receive: {
      const receive = inShell("Receive");
      return { kind: "Receive", commandId: inShell("DesiredStream", receive)?.attributes.get("CommandId") };
    }
    case ACTIONS.Signal: {
      const signal = inShell("Signal");
      return {
        kind: "Signal",
        commandId: signal?.attributes.get("CommandId"),
        code: inShell("Code", signal)?.text.trim() ?? "",
      };
    }
    case ACTIONS.Delete:
      return { kind: "Delete" };
    default:
      return { kind: "other", action };
  }
}

/** `rsp:Stream` elements of a Send or of a ReceiveResponse, in steps: MS-WSMV 2.2.4.23 and 2.2.4.38. */
export function* readStreams(parent: XmlElement | undefined): Steps<ReceivedStream[]> {
  const streams: ReceivedStream[] = [];
  for (const stream of childrenOf(parent, "Stream", NAMESPACES.rsp)) {
    if (streams.length > 0 && streams.length % STREAMS_IN_A_STEP === 0) yield;
    streams.push({
      name: stream.attributes.get("Name") ?? "",
      commandId: stream.attributes.get("CommandId"),
      bytes: base64Of(stream),
    });
  }
  return streams;
}

const STREAMS_IN_A_STEP = 500;

function base64Of(element: XmlElement | undefined): Uint8Array {
  const bytes = decodeBase64(element?.text ?? "");
  if (bytes === undefined) throw envelopeInvalid("holds something that isn't base64");
  return bytes;
}

/** The header and body of an envelope. */
interface OpenEnvelope {
  readonly header: XmlElement | undefined;
  readonly body: XmlElement;
}

/** Far more than the streams of the largest envelope that we say we take. */
const ENVELOPE_LIMITS: XmlLimits = { maxElements: 50_000 };

/** The header and body of an envelope: SOAP 1.2. Its version is told by the namespace. */
export function* openEnvelope(xml: string, limits?: XmlLimits): Steps<OpenEnvelope> {
  const root = yield* parseXml(xml.replace(/^\uFEFF/, ""), { ...ENVELOPE_LIMITS, ...limits });
  if (root.name !== "Envelope" || root.namespace !== NAMESPACES.s) throw envelopeInvalid("isn't a SOAP 1.2 envelope");
  const body = childOf(root, "Body", NAMESPACES.s);
  if (body === undefined) throw envelopeInvalid("has no body");
  return { header: childOf(root, "Header", NAMESPACES.s), body };
}

export function envelopeInvalid(what: string): RemotingError {
  return new RemotingError("EnvelopeInvalid", `The other side sent a WS-Management envelope that ${what}.`);
}
