import { type ClixmlLimits, decodeClixmlInSteps, decodeClixmlValue } from "../clixml/decode";
import { encodeClixml, type EncodeOptions } from "../clixml/encode";
import { type ClixmlValue, NIL } from "../clixml/types";
import { RemotingError } from "../errors";
import type { Steps } from "../steps";
import { guidFromBytes, guidToBytes, NIL_GUID } from "./guid";

/** MS-PSRP 2.2.1, by the names of the specification. */
export const MESSAGE_TYPES = {
  SESSION_CAPABILITY: 0x00010002,
  INIT_RUNSPACEPOOL: 0x00010004,
  PUBLIC_KEY: 0x00010005,
  ENCRYPTED_SESSION_KEY: 0x00010006,
  PUBLIC_KEY_REQUEST: 0x00010007,
  CONNECT_RUNSPACEPOOL: 0x00010008,
  SET_MAX_RUNSPACES: 0x00021002,
  SET_MIN_RUNSPACES: 0x00021003,
  RUNSPACE_AVAILABILITY: 0x00021004,
  RUNSPACEPOOL_STATE: 0x00021005,
  CREATE_PIPELINE: 0x00021006,
  GET_AVAILABLE_RUNSPACES: 0x00021007,
  USER_EVENT: 0x00021008,
  APPLICATION_PRIVATE_DATA: 0x00021009,
  GET_COMMAND_METADATA: 0x0002100a,
  RUNSPACEPOOL_INIT_DATA: 0x0002100b,
  RESET_RUNSPACE_STATE: 0x0002100c,
  RUNSPACEPOOL_HOST_CALL: 0x00021100,
  RUNSPACEPOOL_HOST_RESPONSE: 0x00021101,
  PIPELINE_INPUT: 0x00041002,
  END_OF_PIPELINE_INPUT: 0x00041003,
  PIPELINE_OUTPUT: 0x00041004,
  ERROR_RECORD: 0x00041005,
  PIPELINE_STATE: 0x00041006,
  DEBUG_RECORD: 0x00041007,
  VERBOSE_RECORD: 0x00041008,
  WARNING_RECORD: 0x00041009,
  PROGRESS_RECORD: 0x00041010,
  INFORMATION_RECORD: 0x00041011,
  PIPELINE_HOST_CALL: 0x00041100,
  PIPELINE_HOST_RESPONSE: 0x00041101,
} as const;

export type MessageType = keyof typeof MESSAGE_TYPES;

const TYPE_NAMES: ReadonlyMap<number, MessageType> = new Map(
  (Object.keys(MESSAGE_TYPES) as MessageType[]).map((name) => [MESSAGE_TYPES[name], name]),
);

export interface Message {
  readonly destination: "client" | "server";
  /** `undefined` for a type that this version doesn't know. */
  readonly type: MessageType | undefined;
  readonly typeNumber: number;
  /** RPID. Servers leave it empty in their first messages, so nothing may depend on it. */
  readonly runspacePoolId: string;
  /** PID; `undefined` in messages of the pool. */
  readonly pipelineId: string | undefined;
  /** CLIXML in UTF-8, with or without a byte order mark; may be empty. */
  readonly body: Uint8Array;
}

/** Bytes before the body: destination 4, type 4, RPID 16, PID 16. */
const MESSAGE_HEADER_BYTES = 40;

export interface MessageParts extends EncodeOptions {
  readonly destination: "client" | "server";
  readonly type: MessageType;
  readonly runspacePoolId: string;
  readonly pipelineId?: string | undefined;
  /** `undefined` leaves the body empty. */
  readonly value: ClixmlValue | undefined;
}

/** Writes a message: MS-PSRP 2.2.1, little-endian. To the client with a byte order mark, as Windows does. */
export function encodeMessage(parts: MessageParts): Uint8Array {
  const header = new Uint8Array(MESSAGE_HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint32(0, parts.destination === "server" ? 2 : 1, true);
  view.setUint32(4, MESSAGE_TYPES[parts.type], true);
  header.set(guidToBytes(parts.runspacePoolId), 8);
  header.set(guidToBytes(parts.pipelineId ?? NIL_GUID), 24);
  const body = parts.value === undefined ? "" : encodeClixml(parts.value, parts);
  const mark = parts.destination === "client" && body !== "" ? "\uFEFF" : "";
  return Buffer.concat([header, Buffer.from(mark + body, "utf8")]);
}

/** Reads a message's header. Throws RemotingError `MessageInvalid`. */
export function decodeMessage(bytes: Uint8Array): Message {
  if (bytes.length < MESSAGE_HEADER_BYTES) {
    throw new RemotingError(
      "MessageInvalid",
      `The other side sent a PSRP message of ${bytes.length} bytes; its header takes 40.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const destination = view.getUint32(0, true);
  if (destination !== 1 && destination !== 2) {
    throw new RemotingError("MessageInvalid", "The other side sent a PSRP message to nobody.");
  }
  const typeNumber = view.getUint32(4, true);
  const pipelineId = guidFromBytes(bytes.subarray(24, 40));
  return {
    destination: destination === 2 ? "server" : "client",
    type: TYPE_NAMES.get(typeNumber),
    typeNumber,
    runspacePoolId: guidFromBytes(bytes.subarray(8, 24)),
    pipelineId: pipelineId === NIL_GUID ? undefined : pipelineId,
    body: bytes.subarray(MESSAGE_HEADER_BYTES),
  };
}

/** The value of a message's body; null when it has none. */
export function bodyOf(message: Message, limits?: ClixmlLimits): ClixmlValue {
  return decodeClixmlValue(message.body, limits);
}

/** {@link bodyOf} in steps. */
export function* bodyInSteps(message: Message, limits?: ClixmlLimits): Steps<ClixmlValue> {
  return (yield* decodeClixmlInSteps(message.body, limits))[0] ?? NIL;
}

/** For bodies that lack what their type needs. */
export function messageInvalid(type: MessageType, what: string): RemotingError {
  return new RemotingError("MessageInvalid", `The other side sent a ${type} message ${what}.`);
}
