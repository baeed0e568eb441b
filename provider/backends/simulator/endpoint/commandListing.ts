import { displayOf, itemsOf } from "../../../remoting/clixml/reading";
import {
  boolean,
  type ClixmlValue,
  dictionary,
  enumValue,
  int32,
  list,
  NIL,
  object,
  string,
} from "../../../remoting/clixml/types";
import type { ErrorRecord } from "../../../remoting/psrp/errorRecord";
import type { CreatePipeline } from "../../../remoting/psrp/pipelineMessages";
import { isVisible } from "../cmdletDefinition";
import { hasParameter, type ParameterDefinition, type ParameterKind } from "../parameterDefinition";
import { CMDLETS } from "../cmdletDefinitions";
import { VERIFIED_TEXTS, notRecognised } from "../errorTexts";
import type { ServerState } from "../organisation";
import type { EndpointBehaviour } from "./behaviour";
import { bindArguments, type BoundArgument, isRefusal } from "./boundArguments";
import {
  COMMON_PARAMETERS,
  commonParameter,
  type CommonParameter,
  SHOULD_PROCESS_PARAMETERS,
  SWITCH,
} from "./commonParameters";
import { bindingRefused, recordOf } from "./errorRecords";
import { readSelection } from "./receivedCall";
import { isWildcard, matchesWildcard } from "./wildcard";

/*
 * Get-Command, which tells what an account's roles let it see. A restricted endpoint has it in the form that
 * Import-PSSession needs: few parameters, and Select-Object behind it.
 */

/** A cmdlet as one account sees it. */
interface VisibleCmdlet {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly definitions: readonly ParameterDefinition[];
}

/** What an account sees in a session on that server. */
function visibleCmdlets(server: ServerState): readonly VisibleCmdlet[] {
  return CMDLETS.filter((one) => isVisible(one, server)).map(({ name, parameters }) => {
    const definitions = parameters.filter((one) => hasParameter(one, server.version));
    return { name, parameters: definitions.map((one) => one.name), definitions };
  });
}

export type Listing =
  | { readonly kind: "listed"; readonly output: readonly ClixmlValue[]; readonly errors: readonly ErrorRecord[] }
  | { readonly kind: "refused"; readonly error: ErrorRecord };

/** Parameters that PowerShell's restricted form of Get-Command has. */
const PARAMETERS = ["name", "module", "argumentlist", "commandtype", "listimported", "showcommandinfo"];
const BINDABLE = PARAMETERS.map((name) => ({ name, isSwitch: name === "listimported" || name === "showcommandinfo" }));

/** Runs `Get-Command`, perhaps with `Select-Object` behind it; `undefined` for any other pipeline. */
export async function runGetCommand(
  request: CreatePipeline,
  behaviour: EndpointBehaviour,
  serverOf: () => Promise<ServerState | undefined>,
): Promise<Listing | undefined> {
  const [command, second, third] = request.statements[0] ?? [];
  const isMeant = command?.name.toLowerCase() === "get-command" && !command.isScript && second?.isScript !== true;
  if (!isMeant || third !== undefined || request.statements.length > 1) return undefined;
  const bound = bindArguments(command, BINDABLE);
  if (isRefusal(bound)) return { kind: "refused", error: bound };
  const strange = bound.find(({ name }) => name !== undefined && !PARAMETERS.includes(name.toLowerCase()));
  if (strange !== undefined) {
    const message = VERIFIED_TEXTS.parameterNotFound(strange.name ?? "");
    return { kind: "refused", error: bindingRefused(command.name, "NamedParameterNotFound", message) };
  }
  if (second !== undefined && second.name.toLowerCase() === "select-object" && behaviour.projection === "absent") {
    return { kind: "refused", error: recordOf(notRecognised(second.name)).record };
  }
  const selected = second === undefined ? undefined : readSelection(second, behaviour.projection);
  if (selected !== undefined && !isNames(selected)) return { kind: "refused", error: selected };

  const server = await serverOf();
  const cmdlets = server === undefined ? [] : visibleCmdlets(server);
  const wanted = namesOf(bound);
  const found = cmdlets.filter(({ name }) => wanted.length === 0 || wanted.some((one) => matchesWildcard(name, one)));
  const missing = wanted.filter((one) => !isWildcard(one) && !found.some(({ name }) => matchesWildcard(name, one)));
  return {
    kind: "listed",
    output: found.map((one) => (selected === undefined ? commandInfo(one) : selectedInfo(one, selected))),
    errors: missing.map(notFound),
  };
}

function isNames(selected: readonly string[] | ErrorRecord): selected is readonly string[] {
  return Array.isArray(selected);
}

function namesOf(bound: readonly BoundArgument[]): readonly string[] {
  const given = bound.find(({ name }) => name === undefined || name.toLowerCase() === "name")?.value;
  return given === undefined ? [] : (itemsOf(given) ?? [given]).flatMap((item) => displayOf(item) ?? []);
}

/** Of Get-Command, which goes on with the next name. */
function notFound(name: string): ErrorRecord {
  const { record } = recordOf({
    ...notRecognised(name),
    categoryInfo: `ObjectNotFound: (${name}:String) [Get-Command], CommandNotFoundException`,
    fullyQualifiedErrorId: "CommandNotFoundException,Microsoft.PowerShell.Commands.GetCommandCommand",
  });
  return record;
}

/**
 * What GET_COMMAND_METADATA is answered with (MS-PSRP 3.2.5.4.14): how many commands there are, then each of them, in
 * the form that PowerShell's own server half sends and Import-PSSession makes its proxies from.
 */
export function commandMetadata(names: readonly string[], server: ServerState | undefined): readonly ClixmlValue[] {
  const cmdlets = server === undefined ? [] : visibleCmdlets(server);
  const found = cmdlets.filter(({ name }) => names.length === 0 || names.some((one) => matchesWildcard(name, one)));
  return [counted("Selected.Microsoft.PowerShell.Commands.GenericMeasureInfo", found.length), ...found.map(metadataOf)];
}

/** `Get-FormatData`, which Import-PSSession asks for too, alone or counted. There is none here. */
export function runGetFormatData(request: CreatePipeline): readonly ClixmlValue[] | undefined {
  const [command, second, third] = request.statements[0] ?? [];
  if (command?.name.toLowerCase() !== "get-formatdata" || command.isScript || request.statements.length > 1) {
    return undefined;
  }
  if (second === undefined) return [];
  const isCount = second.name.toLowerCase() === "measure-object" && !second.isScript && third === undefined;
  return isCount ? [counted("Microsoft.PowerShell.Commands.GenericMeasureInfo", 0)] : undefined;
}

function counted(typeName: string, count: number): ClixmlValue {
  return object({
    typeNames: [typeName, "System.Management.Automation.PSCustomObject", "System.Object"],
    extended: new Map([["Count", int32(count)]]),
  });
}

function metadataOf({ name, definitions }: VisibleCmdlet): ClixmlValue {
  const isCommon = (one: ParameterDefinition): boolean => commonParameter(one.name) !== undefined;
  const isChanging = definitions.some((one) => one.name === "WhatIf");
  const shown = [
    ...definitions.filter((one) => !isCommon(one)).map(({ name, kind }) => ({ name, type: PARAMETER_TYPES[kind] })),
    ...COMMON_PARAMETERS,
    ...(isChanging ? SHOULD_PROCESS_PARAMETERS : []),
  ];
  const parameters = shown.map((one) => [one.name, parameterMetadata(one)] as const);
  return object({
    typeNames: [`Selected.${CMDLET_INFO[0] ?? ""}`, "System.Management.Automation.PSCustomObject", "System.Object"],
    extended: new Map<string, ClixmlValue>([
      ["Name", string(name)],
      ["Namespace", string("Microsoft.Exchange.Management.PowerShell.E2010")],
      ["HelpUri", string("")],
      ["CommandType", commandType()],
      ["ResolvedCommandName", NIL],
      ["OutputType", list([], ["System.Collections.ObjectModel.ReadOnlyCollection`1", "System.Object"])],
      ["Parameters", dictionary(parameters, ["System.Collections.Generic.Dictionary`2", "System.Object"])],
    ]),
  });
}

/** .NET's type for each kind, as a client has to name it in its proxy. */
const PARAMETER_TYPES: Readonly<Record<ParameterKind, string>> = {
  text: "System.String",
  list: "System.String[]",
  switch: SWITCH,
  boolean: "System.Boolean",
  number: "System.Int32",
  bytes: "System.Byte[]",
  secret: "System.Security.SecureString",
};

/** A cmdlet's own parameters have no aliases here. */
function parameterMetadata({
  name,
  type,
  alias,
}: Omit<CommonParameter, "alias"> & Partial<CommonParameter>): ClixmlValue {
  const aliases = alias === undefined ? [] : [string(alias)];
  return object({
    typeNames: ["System.Management.Automation.ParameterMetadata", "System.Object"],
    display: "System.Management.Automation.ParameterMetadata",
    adapted: new Map<string, ClixmlValue>([
      ["Name", string(name)],
      ["ParameterType", string(type)],
      ["Aliases", list(aliases, ["System.Collections.ObjectModel.Collection`1", "System.Object"])],
      ["IsDynamic", boolean(false)],
      ["SwitchParameter", boolean(type === SWITCH)],
    ]),
  });
}

const CMDLET_INFO = [
  "System.Management.Automation.CmdletInfo",
  "System.Management.Automation.CommandInfo",
  "System.Object",
];

function commandType(): ClixmlValue {
  return enumValue("System.Management.Automation.CommandTypes", "Cmdlet", 8);
}

/** Complex properties don't travel: objects are one level deep. */
function commandInfo({ name }: VisibleCmdlet): ClixmlValue {
  return object({
    typeNames: CMDLET_INFO,
    display: name,
    adapted: new Map<string, ClixmlValue>([
      ["Name", string(name)],
      ["CommandType", commandType()],
    ]),
  });
}

function selectedInfo(cmdlet: VisibleCmdlet, properties: readonly string[]): ClixmlValue {
  const value = (property: string): ClixmlValue => {
    switch (property.toLowerCase()) {
      case "name":
        return string(cmdlet.name);
      case "commandtype":
        return commandType();
      case "parameters":
        return dictionary(
          cmdlet.parameters.map((name) => [name, string("System.Management.Automation.ParameterMetadata")] as const),
        );
      default:
        return NIL;
    }
  };
  return object({
    typeNames: [`Selected.${CMDLET_INFO[0] ?? ""}`, "System.Management.Automation.PSCustomObject", "System.Object"],
    extended: new Map(properties.map((property) => [property, value(property)])),
  });
}
