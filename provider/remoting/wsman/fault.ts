import { childOf, escapeXml, type XmlElement } from "../xml";
import { NAMESPACES } from "./names";
import type { WsmanFault } from "./wsmanFault";

/**
 * Codes that a client acts on, as they stand in `WSManFault/@Code` (unsigned; PowerShell prints them signed). From
 * wsmerror.h; decide by them, never by the text, which comes in the server's language.
 */
export const FAULT_CODES = {
  AccessDenied: 5,
  OperationAborted: 995,
  OperationCancelled: 1223,
  /** The XML of the request is wrong. */
  InvalidRequest: 0x8033800f,
  /** Nothing to say within OperationTimeout: on Receive the ordinary case. */
  TimedOut: 0x80338029,
  /** No shell or command of that name; also: the cookie of the back end was lost. */
  InvalidSelectors: 0x8033805b,
  /** No such configuration at this URL. */
  InvalidResourceUri: 0x8033803b,
  /** Throttled: too many requests in a time. */
  QuotaLimit: 0x8033803f,
  AccessDeniedByPlugin: 0x80338043,
  EncodingLimit: 0x80338035,
  TooManyShells: 0x803381a5,
  TooManyOperations: 0x803381a6,
  TooManyCommandsInShell: 2150859241,
  RequestTooLarge: 0x80338047,
  ResponseTooLarge: 0x80338048,
  /** The shell was closed while the request waited. */
  ShellClosed: 0x803381c4,
  /** The operation was ended because its shell or session ended. */
  OperationEnded: 0x803381de,
} as const;
export type FaultName = keyof typeof FAULT_CODES;

/** Whether a fault is the one named, by its code or, where the code is missing, by its subcode. */
export function isFault(fault: WsmanFault, name: FaultName): boolean {
  if (fault.code !== undefined) return fault.code === FAULT_CODES[name] || fault.provider?.code === FAULT_CODES[name];
  return fault.subcode === name;
}

/** Reads the fault of an envelope's body; `undefined` when there is none. */
export function decodeFault(body: XmlElement): WsmanFault | undefined {
  const fault = childOf(body, "Fault", NAMESPACES.s);
  if (fault === undefined) return undefined;
  const code = childOf(fault, "Code", NAMESPACES.s);
  const subcode = childOf(childOf(code, "Subcode", NAMESPACES.s), "Value", NAMESPACES.s);
  const reason = trimmed(childOf(childOf(fault, "Reason", NAMESPACES.s), "Text", NAMESPACES.s)?.text) ?? "";
  const detail = childOf(fault, "Detail", NAMESPACES.s);
  const wsmanFault = childOf(detail, "WSManFault", NAMESPACES.f);
  const providerFault = childOf(childOf(wsmanFault, "Message", NAMESPACES.f), "ProviderFault", NAMESPACES.f);
  return {
    role: localName(childOf(code, "Value", NAMESPACES.s)?.text) ?? "",
    subcode: localName(subcode?.text),
    reason,
    detail: trimmed(childOf(detail, "FaultDetail", NAMESPACES.w)?.text)
      ?.split("/")
      .at(-1),
    code: codeOf(wsmanFault),
    machine: wsmanFault?.attributes.get("Machine"),
    provider:
      providerFault === undefined
        ? undefined
        : {
            provider: providerFault.attributes.get("provider") ?? "",
            path: providerFault.attributes.get("path") ?? "",
            code: codeOf(childOf(providerFault, "WSManFault", NAMESPACES.f)),
          },
    message: innermostMessage(wsmanFault) ?? (reason === "" ? "a fault without a text" : reason),
  };
}

/** The text of the innermost message: WSManFault/Message, or within a ProviderFault another of them, or bare text. */
function innermostMessage(element: XmlElement | undefined): string | undefined {
  if (element === undefined) return undefined;
  for (const child of element.children) {
    const inner = innermostMessage(child);
    if (inner !== undefined) return inner;
  }
  return trimmed(element.text);
}

function codeOf(element: XmlElement | undefined): number | undefined {
  const text = element?.attributes.get("Code")?.trim() ?? "";
  return /^-?\d{1,10}$/.test(text) ? Number(text) >>> 0 : undefined;
}

function localName(qualified: string | undefined): string | undefined {
  return trimmed(qualified)?.split(":").at(-1);
}

function trimmed(text: string | undefined): string | undefined {
  const bare = text?.trim() ?? "";
  return bare === "" ? undefined : bare;
}

/** Server half: what a fault says. */
export interface FaultParts {
  readonly role: "Sender" | "Receiver";
  /** With the prefix of its namespace, `w:TimedOut`. */
  readonly subcode: `${"w" | "a" | "s"}:${string}`;
  readonly code: number;
  readonly message: string;
  /** Last part of w:FaultDetail. */
  readonly detail?: string;
}

/** Body of a fault response, in the form Windows sends. */
export function encodeFaultBody(fault: FaultParts): string {
  const detail =
    fault.detail === undefined
      ? ""
      : `<w:FaultDetail>http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/${escapeXml(fault.detail)}</w:FaultDetail>`;
  const message = escapeXml(fault.message);
  return (
    `<s:Fault><s:Code><s:Value>s:${fault.role}</s:Value><s:Subcode><s:Value>${escapeXml(fault.subcode)}</s:Value></s:Subcode>` +
    `</s:Code><s:Reason><s:Text xml:lang="en-US">${message}</s:Text></s:Reason><s:Detail>${detail}` +
    `<f:WSManFault xmlns:f="${NAMESPACES.f}" Code="${fault.code}" Machine="localhost"><f:Message>${message}</f:Message>` +
    `</f:WSManFault></s:Detail></s:Fault>`
  );
}
