import type { ClixmlValue } from "../../../remoting/clixml/types";
import type { ErrorRecord } from "../../../remoting/psrp/errorRecord";
import type { ReceivedCommand } from "../../../remoting/psrp/pipelineMessages";
import { commonParameter, commonParameterOfAlias } from "./commonParameters";
import { bindingRefused } from "./errorRecords";

/** A parameter as far as binding needs to know it. */
export interface Bindable {
  readonly name: string;
  /** There by being named; it takes no value. */
  readonly isSwitch: boolean;
}

export interface BoundArgument {
  /** The parameter's own name; as it was sent where there is no such parameter; `undefined` for a value alone. */
  readonly name: string | undefined;
  readonly value: ClixmlValue;
}

/**
 * Gives each name its parameter and its value as PowerShell does: the beginning of a name will do when only one
 * parameter begins so, the cmdlet's own before the common ones, and a name alone takes the next value that has none, unless it is that of a switch.
 */
export function bindArguments(
  command: ReceivedCommand,
  parameters: readonly Bindable[],
): readonly BoundArgument[] | ErrorRecord {
  const bound: BoundArgument[] = [];
  for (let index = 0; index < command.parameters.length; index++) {
    const argument = command.parameters[index];
    if (argument === undefined) break;
    const { name, value, isNameAlone } = argument;
    if (name === undefined) {
      bound.push({ name, value });
      continue;
    }
    const matches = matching(parameters, name);
    if (matches.length > 1) return ambiguous(command.name, name, matches);
    const [parameter] = matches;
    const own = parameter?.name ?? name;
    if (!isNameAlone || parameter?.isSwitch === true) {
      bound.push({ name: own, value });
      continue;
    }
    const next = command.parameters[index + 1];
    // A parameter that isn't there is told by its name; it is left out what its value may be.
    if (next?.name !== undefined || next === undefined) {
      if (parameter !== undefined) return missing(command.name, own);
      bound.push({ name: own, value });
      continue;
    }
    bound.push({ name: own, value: next.value });
    index += 1;
  }
  return bound;
}

export function isRefusal(bound: readonly BoundArgument[] | ErrorRecord): bound is ErrorRecord {
  return !Array.isArray(bound);
}

function matching(parameters: readonly Bindable[], name: string): readonly Bindable[] {
  const wanted = (commonParameterOfAlias(name)?.name ?? name).toLowerCase();
  const exact = parameters.filter((one) => one.name.toLowerCase() === wanted);
  if (exact.length > 0) return exact.slice(0, 1);
  const matches = parameters.filter((one) => one.name.toLowerCase().startsWith(wanted));
  const own = matches.filter((one) => commonParameter(one.name) === undefined);
  return own.length === 1 ? own : matches;
}

function ambiguous(command: string, name: string, matches: readonly Bindable[]): ErrorRecord {
  const possible = matches.map((one) => `-${one.name}`).join(" ");
  const message = `Parameter cannot be processed because the parameter name '${name}' is ambiguous. Possible matches include: ${possible}.`;
  return bindingRefused(command, "AmbiguousParameter", message);
}

function missing(command: string, name: string): ErrorRecord {
  const message = `Missing an argument for parameter '${name}'. Specify a parameter with a value and try again.`;
  return bindingRefused(command, "MissingArgument", message);
}
