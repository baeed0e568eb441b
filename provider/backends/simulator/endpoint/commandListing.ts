import { displayOf, itemsOf } from "../../../remoting/clixml/reading";
import { type ClixmlValue, dictionary, enumValue, NIL, object, string } from "../../../remoting/clixml/types";
import type { ErrorRecord } from "../../../remoting/psrp/errorRecord";
import type { CreatePipeline, ReceivedCommand } from "../../../remoting/psrp/pipelineMessages";
import type { ExchangeVersion } from "../../../model";
import { CMDLETS, hasParameter, type CmdletDefinition } from "../cmdletDefinitions";
import { VERIFIED_TEXTS, notRecognised } from "../errorTexts";
import type { ServerState } from "../organisation";
import type { EndpointBehaviour } from "./behaviour";
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
}

/** What an account sees in a session on that server. */
function visibleCmdlets({ version, faults }: ServerState): readonly VisibleCmdlet[] {
  const hidden = (faults.hiddenCmdlets ?? []).map((name) => name.toLowerCase());
  return CMDLETS.filter((one) => isOf(one, version) && !hidden.includes(one.name.toLowerCase())).map(
    ({ name, parameters }) => ({
      name,
      parameters: parameters.filter((one) => hasParameter(one, version)).map((one) => one.name),
    }),
  );
}

function isOf({ unifiedMessaging }: CmdletDefinition, version: ExchangeVersion): boolean {
  return unifiedMessaging !== true || version.minor < 2;
}

export type Listing =
  | { readonly kind: "listed"; readonly output: readonly ClixmlValue[]; readonly errors: readonly ErrorRecord[] }
  | { readonly kind: "refused"; readonly error: ErrorRecord };

/** Parameters that PowerShell's restricted form of Get-Command has. */
const PARAMETERS = ["name", "module", "argumentlist", "commandtype", "listimported", "showcommandinfo"];

/** Runs `Get-Command`, perhaps with `Select-Object` behind it; `undefined` for any other pipeline. */
export async function runGetCommand(
  request: CreatePipeline,
  behaviour: EndpointBehaviour,
  serverOf: () => Promise<ServerState | undefined>,
): Promise<Listing | undefined> {
  const [command, second, third] = request.statements[0] ?? [];
  const isMeant = command?.name.toLowerCase() === "get-command" && !command.isScript && second?.isScript !== true;
  if (!isMeant || third !== undefined || request.statements.length > 1) return undefined;
  const strange = command.parameters.find(({ name }) => name !== undefined && !PARAMETERS.includes(name.toLowerCase()));
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
  const wanted = namesOf(command);
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

function namesOf({ parameters }: ReceivedCommand): readonly string[] {
  const given = parameters.find(({ name }) => name === undefined || name.toLowerCase() === "name")?.value;
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
