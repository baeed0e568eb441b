import { displayOf, integerOf, itemsOf, propertyOf, stringOf } from "../clixml/reading";
import {
  type ClixmlObject,
  type ClixmlValue,
  enumValue,
  int32,
  int64,
  list,
  propertyBag,
  string,
} from "../clixml/types";
import { decodeErrorRecord, encodeErrorRecord, type ErrorRecord, errorRecord } from "./errorRecord";
import { messageInvalid } from "./message";

/** MS-PSRP 2.2.3.17; the index is the identifier, which begins at 1. */
// prettier-ignore
const METHODS = [
  "", "GetName", "GetVersion", "GetInstanceId", "GetCurrentCulture", "GetCurrentUICulture", "SetShouldExit",
  "EnterNestedPrompt", "ExitNestedPrompt", "NotifyBeginApplication", "NotifyEndApplication", "ReadLine",
  "ReadLineAsSecureString", "Write1", "Write2", "WriteLine1", "WriteLine2", "WriteLine3", "WriteErrorLine",
  "WriteDebugLine", "WriteProgress", "WriteVerboseLine", "WriteWarningLine", "Prompt", "PromptForCredential1",
  "PromptForCredential2", "PromptForChoice", "GetForegroundColor", "SetForegroundColor", "GetBackgroundColor",
  "SetBackgroundColor", "GetCursorPosition", "SetCursorPosition", "GetWindowPosition", "SetWindowPosition",
  "GetCursorSize", "SetCursorSize", "GetBufferSize", "SetBufferSize", "GetWindowSize", "SetWindowSize",
  "GetWindowTitle", "SetWindowTitle", "GetMaxWindowSize", "GetMaxPhysicalWindowSize", "GetKeyAvailable", "ReadKey",
  "FlushInputBuffer", "SetBufferContents1", "SetBufferContents2", "GetBufferContents", "ScrollBufferContents",
  "PushRunspace", "PopRunspace", "GetIsRunspacePushed", "GetRunspace", "PromptForChoiceMultipleSelection",
] as const;

export type HostMethod = Exclude<(typeof METHODS)[number], "">;

/** Call identifier of calls that want no answer: MS-PSRP 2.2.6. */
const VOID_CALL_ID = -100n;

/** The server asks something of the client's host: MS-PSRP 2.2.2.15 and 2.2.2.27. */
export interface HostCall {
  readonly callId: bigint;
  /** `undefined` for a method that this version doesn't know. */
  readonly method: HostMethod | undefined;
  readonly methodNumber: number;
  readonly parameters: readonly ClixmlValue[];
  /** No answer is expected. Every other call must be answered, or the pipeline waits for ever. */
  readonly isVoid: boolean;
}

/** The client's answer: MS-PSRP 2.2.2.16 and 2.2.2.28. */
export interface HostResponse {
  readonly callId: bigint;
  readonly methodNumber: number;
  readonly result: ClixmlValue | undefined;
  readonly error: ErrorRecord | undefined;
}

export function decodeHostCall(value: ClixmlValue): HostCall {
  const callId = callIdOf(value);
  const methodNumber = integerOf(propertyOf(value, "mi"));
  if (callId === undefined || methodNumber === undefined) {
    throw messageInvalid("PIPELINE_HOST_CALL", "without its call or method identifier");
  }
  const name = METHODS[methodNumber];
  return {
    callId,
    method: name === "" ? undefined : name,
    methodNumber,
    parameters: itemsOf(propertyOf(value, "mp")) ?? [],
    isVoid: callId === VOID_CALL_ID,
  };
}

/** Server half. Without `callId` the call is void. */
export function encodeHostCall(method: HostMethod, parameters: readonly ClixmlValue[], callId?: bigint): ClixmlObject {
  return propertyBag({
    ci: int64(callId ?? VOID_CALL_ID),
    mi: methodIdentifier(METHODS.indexOf(method)),
    mp: list(parameters),
  });
}

export function encodeHostResponse(
  call: HostCall,
  answer: { readonly result: ClixmlValue } | { readonly error: ErrorRecord },
): ClixmlObject {
  return propertyBag({
    ci: int64(call.callId),
    mi: methodIdentifier(call.methodNumber),
    ...("result" in answer ? { mr: answer.result } : { me: encodeErrorRecord(answer.error) }),
  });
}

export function decodeHostResponse(value: ClixmlValue): HostResponse {
  const callId = callIdOf(value);
  if (callId === undefined) throw messageInvalid("PIPELINE_HOST_RESPONSE", "without its call identifier");
  const error = propertyOf(value, "me");
  return {
    callId,
    methodNumber: integerOf(propertyOf(value, "mi")) ?? 0,
    result: propertyOf(value, "mr"),
    error: error === undefined || error.kind === "Nil" ? undefined : decodeErrorRecord(error),
  };
}

/** What an unattended client answers to a call it has no rule for. */
export function hostCallRefused(call: HostCall, reason: string): ErrorRecord {
  return errorRecord({
    message: `${call.method ?? `Host method ${call.methodNumber}`}: ${reason}`,
    fullyQualifiedErrorId: "HostCallRefused",
    category: "InvalidOperation",
    exceptionTypeNames: [
      "System.Management.Automation.Host.HostException",
      "System.Management.Automation.RuntimeException",
      "System.SystemException",
      "System.Exception",
      "System.Object",
    ],
  });
}

/** A question with choices: parameters of PromptForChoice, MS-PSRP 2.2.6 with PSHostUserInterface.PromptForChoice. */
export interface ChoicePrompt {
  readonly caption: string;
  readonly message: string;
  /** Labels keep their `&`, which marks the key. */
  readonly choices: readonly { readonly label: string; readonly helpMessage: string }[];
  /** Index of the choice for Enter; -1 when there is none. */
  readonly defaultChoice: number;
}

/** The question of a PromptForChoice call; `undefined` for any other call. */
export function choicePromptOf(call: HostCall): ChoicePrompt | undefined {
  if (call.method !== "PromptForChoice") return undefined;
  const [caption, message, choices, defaultChoice] = call.parameters;
  return {
    caption: displayOf(caption) ?? "",
    message: displayOf(message) ?? "",
    choices: (itemsOf(choices) ?? []).map((choice) => ({
      label: stringOf(propertyOf(choice, "label")) ?? "",
      helpMessage: stringOf(propertyOf(choice, "helpMessage")) ?? "",
    })),
    defaultChoice: integerOf(defaultChoice) ?? -1,
  };
}

/** Server half: parameters of a PromptForChoice call. */
export function choicePromptParameters(prompt: ChoicePrompt): readonly ClixmlValue[] {
  return [
    string(prompt.caption),
    string(prompt.message),
    list(
      prompt.choices.map(({ label, helpMessage }) =>
        propertyBag({ label: string(label), helpMessage: string(helpMessage) }),
      ),
    ),
    int32(prompt.defaultChoice),
  ];
}

/** The answer to a PromptForChoice call. */
export function choiceAnswer(index: number): ClixmlValue {
  return int32(index);
}

function methodIdentifier(number: number): ClixmlObject {
  const typeName = "System.Management.Automation.Remoting.RemoteHostMethodId";
  return enumValue(typeName, METHODS[number] ?? String(number), number);
}

function callIdOf(value: ClixmlValue): bigint | undefined {
  const found = propertyOf(value, "ci");
  if (found?.kind === "I64") return found.value;
  const number = integerOf(found);
  return number === undefined ? undefined : BigInt(number);
}
