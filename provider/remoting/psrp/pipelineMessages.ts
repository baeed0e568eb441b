import { Secret } from "../../secret";
import { booleanOf, displayOf, integerOf, itemsOf, propertyOf, stringOf } from "../clixml/reading";
import {
  boolean,
  bytes,
  type ClixmlObject,
  type ClixmlValue,
  enumValue,
  int32,
  list,
  NIL,
  object,
  propertyBag,
  secureString,
  string,
} from "../clixml/types";
import { RemotingError } from "../errors";
import { encodeErrorRecord, type ErrorRecord } from "./errorRecord";
import { messageInvalid } from "./message";
import {
  decodeHostInfo,
  encodeApartmentState,
  encodeHostInfo,
  exceptionOf,
  type HostInfo,
  type StateMessage,
} from "./poolMessages";
import { PIPELINE_STATES, type PipelineState } from "./states";

/**
 * What a parameter may hold. Switches are `true`; `null` clears; a Secret goes as a SecureString; bytes as byte[];
 * any other CLIXML value goes as it is.
 */
export type CommandArgument =
  string | number | boolean | null | Uint8Array | Secret<string> | readonly string[] | ClixmlValue;

/** A cmdlet with its named parameters. Never script text: there is no way to send any. */
export interface Command {
  readonly name: string;
  readonly parameters: Readonly<Record<string, CommandArgument>>;
}

/** `Verb-Noun`, with its module's name in front where need be; nothing that PowerShell could take for code. */
const COMMAND_NAME = /^(?:[A-Za-z0-9.]+\\)?[A-Za-z]+-[A-Za-z0-9]+$/;
const PARAMETER_NAME = /^[A-Za-z][A-Za-z0-9]*$/;

const PSOBJECT_LIST = [
  "System.Collections.Generic.List`1[[System.Management.Automation.PSObject, System.Management.Automation, Version=1.0.0.0, Culture=neutral, PublicKeyToken=31bf3856ad364e35]]",
  "System.Object",
];

/**
 * CREATE_PIPELINE, MS-PSRP 2.2.2.10 and 2.2.3.11: cmdlets, the output of each being the input of the next, no other
 * input, and the pool's host.
 *
 * @throws RemotingError `StateInvalid` when a name isn't one of a cmdlet or parameter.
 */
export function encodeCreatePipeline(commands: readonly Command[]): ClixmlObject {
  if (commands.length === 0) throw new RemotingError("StateInvalid", "A pipeline needs at least one command.");
  return propertyBag({
    NoInput: boolean(true),
    ApartmentState: encodeApartmentState(),
    RemoteStreamOptions: enumValue("System.Management.Automation.Runspaces.RemoteStreamOptions", "0", 0),
    AddToHistory: boolean(false),
    HostInfo: encodeHostInfo({ isHostNull: true, isHostUINull: true, isHostRawUINull: true, useRunspaceHost: true }),
    PowerShell: propertyBag({
      IsNested: boolean(false),
      ExtraCmds: NIL,
      Cmds: list(commands.map(encodeCommand), PSOBJECT_LIST),
      History: NIL,
      RedirectShellErrorOutputPipe: boolean(false),
    }),
    IsNested: boolean(false),
  });
}

/** MS-PSRP 2.2.3.12. */
function encodeCommand(command: Command): ClixmlObject {
  if (!COMMAND_NAME.test(command.name)) {
    throw new RemotingError("StateInvalid", "A command must be the name of a cmdlet (Verb-Noun).");
  }
  const none = (): ClixmlObject => enumValue("System.Management.Automation.Runspaces.PipelineResultTypes", "None", 0);
  return propertyBag({
    Cmd: string(command.name),
    IsScript: boolean(false),
    UseLocalScope: NIL,
    MergeMyResult: none(),
    MergeToResult: none(),
    MergePreviousResults: none(),
    Args: list(Object.entries(command.parameters).map(encodeParameter), PSOBJECT_LIST),
    MergeError: none(),
    MergeWarning: none(),
    MergeVerbose: none(),
    MergeDebug: none(),
    MergeInformation: none(),
  });
}

/** MS-PSRP 2.2.3.13. */
function encodeParameter([name, argument]: readonly [string, CommandArgument]): ClixmlObject {
  if (!PARAMETER_NAME.test(name)) throw new RemotingError("StateInvalid", "A parameter's name must be a word.");
  return propertyBag({ N: string(name), V: argumentValue(argument) });
}

function argumentValue(argument: CommandArgument): ClixmlValue {
  if (argument === null) return NIL;
  if (typeof argument === "string") return string(argument);
  if (typeof argument === "number") return int32(argument);
  if (typeof argument === "boolean") return boolean(argument);
  if (argument instanceof Uint8Array) return bytes(argument);
  if (argument instanceof Secret) return secureString(argument);
  if (isTexts(argument)) return list(argument.map((item) => string(item)));
  return argument;
}

function isTexts(argument: readonly string[] | ClixmlValue): argument is readonly string[] {
  return Array.isArray(argument);
}

/** A command as the server half receives it. */
export interface ReceivedCommand {
  readonly name: string;
  readonly isScript: boolean;
  /** In order; a positional argument has no name. */
  readonly parameters: readonly ReceivedArgument[];
}

export interface ReceivedArgument {
  readonly name: string | undefined;
  readonly value: ClixmlValue;
  /**
   * Only the name was sent, as script blocks do with `-Server ex01`: its value, unless it is a switch, comes next, as
   * an argument without a name.
   */
  readonly isNameAlone: boolean;
}

export interface CreatePipeline {
  /** The statements, each a pipeline of commands. Usually one. */
  readonly statements: readonly (readonly ReceivedCommand[])[];
  readonly noInput: boolean;
  readonly host: HostInfo;
}

export function decodeCreatePipeline(value: ClixmlValue): CreatePipeline {
  const powerShell = propertyOf(value, "PowerShell");
  const statement = (from: ClixmlValue | undefined): ReceivedCommand[] | undefined =>
    itemsOf(propertyOf(from, "Cmds"))?.map(decodeCommand);
  // With several statements ExtraCmds holds them all, and Cmds the first again: 2.2.3.11.
  const extra = itemsOf(propertyOf(powerShell, "ExtraCmds"))?.map((item) => statement(item) ?? []) ?? [];
  const first = statement(powerShell);
  if (first === undefined || first.length === 0) throw messageInvalid("CREATE_PIPELINE", "without commands");
  return {
    statements: extra.length > 0 ? extra : [first],
    noInput: booleanOf(propertyOf(value, "NoInput")) ?? true,
    host: decodeHostInfo(propertyOf(value, "HostInfo")),
  };
}

function decodeCommand(value: ClixmlValue): ReceivedCommand {
  return {
    name: stringOf(propertyOf(value, "Cmd")) ?? "",
    isScript: booleanOf(propertyOf(value, "IsScript")) ?? false,
    parameters: (itemsOf(propertyOf(value, "Args")) ?? []).map(decodeArgument),
  };
}

/** MS-PSRP 2.2.3.13, in the forms that PowerShell sends: `Server`, `-Server:` with a value, `-Server` without one. */
function decodeArgument(argument: ClixmlValue): ReceivedArgument {
  const name = stringOf(propertyOf(argument, "N"));
  const value = propertyOf(argument, "V") ?? NIL;
  const isNameAlone = name !== undefined && /^-.*[^:]$/.test(name) && value.kind === "Nil";
  return { name: name?.replace(/^-/, "").replace(/:$/, ""), value, isNameAlone };
}

/** GET_COMMAND_METADATA, MS-PSRP 2.2.2.14: the names of what is asked for, with wildcards. */
export function decodeGetCommandMetadata(value: ClixmlValue): readonly string[] {
  return (itemsOf(propertyOf(value, "Name")) ?? []).flatMap((name) => displayOf(name) ?? []);
}

/** MS-PSRP 2.2.2.21. */
export function encodePipelineState(state: PipelineState, error?: ErrorRecord): ClixmlObject {
  return propertyBag({
    PipelineState: int32(PIPELINE_STATES.indexOf(state)),
    ExceptionAsErrorRecord: error === undefined ? undefined : encodeErrorRecord(error),
  });
}

export function decodePipelineState(value: ClixmlValue): StateMessage<PipelineState> {
  const state = PIPELINE_STATES[integerOf(propertyOf(value, "PipelineState")) ?? -1];
  if (state === undefined) throw messageInvalid("PIPELINE_STATE", "without a state that is known");
  return { state, error: exceptionOf(value) };
}

export type InformationalKind = "Debug" | "Verbose" | "Warning";

/** DEBUG_RECORD, VERBOSE_RECORD, WARNING_RECORD: MS-PSRP 2.2.2.22 to 2.2.2.24 and 2.2.3.16. */
export function encodeInformationalRecord(kind: InformationalKind, message: string): ClixmlObject {
  return object({
    typeNames: [
      `System.Management.Automation.${kind}Record`,
      "System.Management.Automation.InformationalRecord",
      "System.Object",
    ],
    display: message,
    extended: new Map<string, ClixmlValue>([
      ["InformationalRecord_Message", string(message)],
      ["InformationalRecord_SerializeInvocationInfo", boolean(false)],
    ]),
  });
}

export function decodeInformationalRecord(value: ClixmlValue): string {
  return displayOf(propertyOf(value, "InformationalRecord_Message")) ?? displayOf(value) ?? "";
}

/** INFORMATION_RECORD, MS-PSRP 2.2.2.26: the text of what was written, tags left out. */
export function decodeInformationRecord(value: ClixmlValue): string {
  const data = propertyOf(value, "MessageData");
  return displayOf(data) ?? displayOf(propertyOf(data, "Message")) ?? displayOf(value) ?? "";
}

/** PROGRESS_RECORD: MS-PSRP 2.2.2.25. */
export interface Progress {
  readonly activity: string;
  readonly statusDescription: string;
  /** 0 to 100, or -1 when not known. */
  readonly percentComplete: number;
  readonly isCompleted: boolean;
}

const PROGRESS_TYPE = "System.Management.Automation.ProgressRecordType";

export function encodeProgress(progress: Progress): ClixmlObject {
  return propertyBag({
    Activity: string(progress.activity),
    ActivityId: int32(0),
    StatusDescription: string(progress.statusDescription),
    CurrentOperation: NIL,
    ParentActivityId: int32(-1),
    PercentComplete: int32(progress.percentComplete),
    Type: progress.isCompleted ? enumValue(PROGRESS_TYPE, "Completed", 1) : enumValue(PROGRESS_TYPE, "Processing", 0),
    SecondsRemaining: int32(-1),
  });
}

export function decodeProgress(value: ClixmlValue): Progress {
  return {
    activity: displayOf(propertyOf(value, "Activity")) ?? "",
    statusDescription: displayOf(propertyOf(value, "StatusDescription")) ?? "",
    percentComplete: integerOf(propertyOf(value, "PercentComplete")) ?? -1,
    isCompleted: integerOf(propertyOf(value, "Type")) === 1,
  };
}
