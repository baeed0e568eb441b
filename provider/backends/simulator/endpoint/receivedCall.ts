import type { Secret } from "../../../secret";
import {
  booleanOf,
  bytesOf,
  cipherTextOf,
  displayOf,
  integerOf,
  itemsOf,
  unwrap,
} from "../../../remoting/clixml/reading";
import type { ClixmlValue } from "../../../remoting/clixml/types";
import type { ErrorRecord } from "../../../remoting/psrp/errorRecord";
import type { CreatePipeline, ReceivedCommand } from "../../../remoting/psrp/pipelineMessages";
import type { CmdletCall, CmdletValue } from "../cmdlet";
import type { ParameterDefinition } from "../parameterDefinition";
import { findCmdlet } from "../cmdletDefinitions";
import { notRecognised } from "../errorTexts";
import type { EndpointBehaviour } from "./behaviour";
import { type Bindable, bindArguments, type BoundArgument, isRefusal } from "./boundArguments";
import { COMMON_PARAMETERS, SWITCH } from "./commonParameters";
import { bindingRefused, recordOf, scriptRefused } from "./errorRecords";

/** What a pipeline is to do. */
export type ReceivedCall =
  | {
      readonly kind: "call";
      readonly call: CmdletCall;
      /** -ErrorAction Stop: an error ends the pipeline as failed. */
      readonly stopsOnError: boolean;
      /** Properties that Select-Object is to keep. */
      readonly projection: readonly string[] | undefined;
    }
  | { readonly kind: "refused"; readonly error: ErrorRecord };

/** Common parameters have no effect here, but for -ErrorAction, which the simulator's cmdlets know. */
const WITHOUT_EFFECT = COMMON_PARAMETERS.filter(({ name }) => name !== "ErrorAction");
const COMMON_BINDABLES: readonly Bindable[] = WITHOUT_EFFECT.map(({ name, type }) => ({
  name,
  isSwitch: type === SWITCH,
}));

/**
 * Reads a pipeline as an endpoint without language does: one cmdlet by name, perhaps with `Select-Object` behind it.
 * `decrypt` reads secure strings and throws when there is no session key yet.
 */
export function readCall(
  request: CreatePipeline,
  projection: EndpointBehaviour["projection"],
  decrypt: (cipherText: Uint8Array) => Secret<string>,
): ReceivedCall {
  const refused = (error: ErrorRecord): ReceivedCall => ({ kind: "refused", error });
  const commands = request.statements.flat();
  if (commands.some(({ isScript }) => isScript)) return refused(scriptRefused());
  const [command, second, third] = request.statements[0] ?? [];
  if (command === undefined || third !== undefined || request.statements.length > 1) {
    const message = "This simulated endpoint runs one cmdlet at a time, with at most one Select-Object behind it.";
    return refused(bindingRefused(command?.name ?? "", "PipelineNotSupported", message));
  }
  const missing = [command, ...(second === undefined ? [] : [second])].find(({ name }) => !isKnown(name, projection));
  if (missing !== undefined) return refused(recordOf(notRecognised(missing.name)).record);
  if (isSelectObject(command)) {
    return refused(bindingRefused("Select-Object", "InputObjectMissing", "Select-Object has nothing to select from."));
  }
  const selected = second === undefined ? undefined : readSelection(second, projection);
  if (selected !== undefined && !Array.isArray(selected)) return refused(selected as ErrorRecord);

  const definitions = findCmdlet(command.name)?.parameters ?? [];
  const bound = bindArguments(command, [...definitions.map(asBindable), ...COMMON_BINDABLES]);
  if (isRefusal(bound)) return refused(bound);
  const parameters = readParameters(bound, definitions, decrypt);
  const errorAction = Object.entries(parameters).find(([name]) => name.toLowerCase() === "erroraction")?.[1];
  return {
    kind: "call",
    call: { name: command.name, parameters },
    stopsOnError: typeof errorAction === "string" && /^(stop|1)$/i.test(errorAction),
    projection: selected,
  };
}

function isKnown(name: string, projection: EndpointBehaviour["projection"]): boolean {
  return findCmdlet(name) !== undefined || (projection !== "absent" && isSelectObject({ name }));
}

function isSelectObject({ name }: Pick<ReceivedCommand, "name">): boolean {
  return name.toLowerCase() === "select-object";
}

/** Names that the restricted Select-Object of PowerShell's own proxies takes. */
const RESTRICTED_PROPERTIES = new Set(
  // prettier-ignore
  ["ModuleName", "Namespace", "OutputType", "Count", "HelpUri", "Name", "CommandType", "ResolvedCommandName",
   "DefaultParameterSet", "CmdletBinding", "Parameters"].map((name) => name.toLowerCase()),
);

/** The properties that `Select-Object` is to keep, or why it can't be used here. */
export function readSelection(
  command: ReceivedCommand,
  projection: EndpointBehaviour["projection"],
): readonly string[] | ErrorRecord {
  const unsupported = (message: string): ErrorRecord => bindingRefused(command.name, "NamedParameterNotFound", message);
  if (!isSelectObject(command)) {
    return unsupported(`${command.name} takes nothing from a pipeline on this simulated endpoint.`);
  }
  const properties: string[] = [];
  const bound = bindArguments(command, [{ name: "Property", isSwitch: false }]);
  if (isRefusal(bound)) return bound;
  for (const { name, value } of bound) {
    if (name !== undefined && name.toLowerCase() !== "property") {
      return unsupported(`A parameter cannot be found that matches parameter name '${name}'.`);
    }
    properties.push(...(itemsOf(value) ?? [value]).map((item) => displayOf(item) ?? ""));
  }
  const strange = properties.find((property) => !RESTRICTED_PROPERTIES.has(property.toLowerCase()));
  if (projection !== "refused" || strange === undefined) return properties;
  const message =
    `Cannot validate argument on parameter 'Property'. The argument "${strange}" does not belong to the set ` +
    "that the ValidateSet attribute specifies.";
  return bindingRefused("Select-Object", "ParameterArgumentValidationError", message);
}

function asBindable({ name, kind }: ParameterDefinition): Bindable {
  return { name, isSwitch: kind === "switch" };
}

function readParameters(
  bound: readonly BoundArgument[],
  definitions: readonly ParameterDefinition[],
  decrypt: (cipherText: Uint8Array) => Secret<string>,
): Readonly<Record<string, CmdletValue>> {
  const read: Record<string, CmdletValue> = {};
  let position = 0;
  for (const { name, value } of bound) {
    const definition = name === undefined ? atPosition(definitions, position++) : named(definitions, name);
    const key = definition?.name ?? name ?? "";
    if (WITHOUT_EFFECT.some((one) => one.name.toLowerCase() === key.toLowerCase())) continue;
    read[key] = readValue(value, definition, decrypt);
  }
  return read;
}

function atPosition(definitions: readonly ParameterDefinition[], position: number): ParameterDefinition | undefined {
  return definitions.find((definition) => definition.position === position);
}

function named(definitions: readonly ParameterDefinition[], name: string): ParameterDefinition | undefined {
  return definitions.find((definition) => definition.name.toLowerCase() === name.toLowerCase());
}

/** A value as PowerShell would hand it to the cmdlet. A switch without a value arrives as true, or as null. */
function readValue(
  value: ClixmlValue,
  definition: ParameterDefinition | undefined,
  decrypt: (cipherText: Uint8Array) => Secret<string>,
): CmdletValue {
  const bare = unwrap(value) ?? value;
  if (bare.kind === "Nil") return definition?.kind === "switch" ? true : null;
  const cipherText = cipherTextOf(value);
  if (cipherText !== undefined) return decrypt(cipherText);
  const bytes = bytesOf(value);
  if (bytes !== undefined) return bytes;
  const items = itemsOf(value);
  if (items !== undefined) return readItems(items, definition);
  const flag = booleanOf(value);
  if (flag !== undefined) return flag;
  const number = integerOf(value);
  if (number !== undefined && definition?.kind === "number") return number;
  return displayOf(value) ?? "";
}

/** A list of texts, or the numbers of a byte[] that was sent item by item. */
function readItems(items: readonly ClixmlValue[], definition: ParameterDefinition | undefined): CmdletValue {
  if (definition?.kind !== "bytes") return items.map((item) => displayOf(item) ?? "");
  return Uint8Array.from(items, (item) => integerOf(item) ?? 0);
}
