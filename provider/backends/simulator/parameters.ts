import { Secret } from "../../secret";
import type { ExchangeVersion } from "../../model";
import type { CmdletCall, CmdletError, CmdletValue } from "./cmdlet";
import { bindingError, UNVERIFIED_TEXTS, VERIFIED_TEXTS } from "./errorTexts";
import { hasParameter, type ParameterDefinition, type ParameterKind } from "./parameterDefinition";

/** The parameters of a call by their proper names, each of the kind its definition says. */
export interface BoundParameters {
  has(name: string): boolean;
  /** `undefined` when it wasn't given; `null` when it was cleared. */
  text(name: string): string | null | undefined;
  list(name: string): readonly string[] | undefined;
  /** A switch or a boolean; `undefined` when it wasn't given. */
  flag(name: string): boolean | undefined;
  number(name: string): number | undefined;
  bytes(name: string): Uint8Array | undefined;
  secret(name: string): Secret<string> | undefined;
}

/** Does what PowerShell's binder does before a cmdlet runs. */
export function bindParameters(
  cmdlet: { readonly name: string; readonly parameters: readonly ParameterDefinition[]; readonly viaRpc: boolean },
  call: CmdletCall,
  version: ExchangeVersion,
):
  | { readonly kind: "bound"; readonly parameters: BoundParameters }
  | { readonly kind: "refused"; readonly error: CmdletError } {
  const values = new Map<string, CmdletValue>();
  const refuse = (id: string, message: string) =>
    ({ kind: "refused", error: bindingError(cmdlet.name, id, message) }) as const;

  for (const [given, value] of Object.entries(call.parameters)) {
    const definition = cmdlet.parameters.find((one) => one.name.toLowerCase() === given.toLowerCase());
    if (definition === undefined || !hasParameter(definition, version)) {
      return refuse("NamedParameterNotFound", VERIFIED_TEXTS.parameterNotFound(given));
    }
    const converted = convert(definition, value);
    if (converted.kind === "refused") {
      const message = UNVERIFIED_TEXTS.valueRefused(definition.name, `it takes ${WANTED[definition.kind]}`);
      return refuse("ParameterArgumentTransformationError", message);
    }
    if (converted.value !== undefined) values.set(definition.name, converted.value);
  }

  const missing = cmdlet.parameters.filter((one) => one.mandatory === true && !values.has(one.name));
  if (missing.length > 0) {
    const names = missing.map((one) => one.name);
    return refuse("MissingMandatoryParameter", VERIFIED_TEXTS.parametersMissing(names));
  }
  // -Server and -Identity belong to different parameter sets, except where an identity isn't a certificate's.
  if (cmdlet.viaRpc && values.has("Identity") && (values.has("Server") || values.has("Thumbprint"))) {
    const message = "Parameter set cannot be resolved using the specified named parameters.";
    return refuse("AmbiguousParameterSet", message);
  }
  return { kind: "bound", parameters: accessors(values) };
}

const WANTED = {
  text: "a text",
  list: "one or more texts",
  switch: "no value, or $true or $false",
  boolean: "$true or $false",
  number: "a number",
  bytes: "bytes",
  secret: "a secure string",
} as const satisfies Record<ParameterKind, string>;

type Conversion = { readonly kind: "value"; readonly value: CmdletValue | undefined } | { readonly kind: "refused" };

/** Never puts the value into what it returns on refusal: it may be a password in the wrong place. */
function convert(definition: ParameterDefinition, value: CmdletValue): Conversion {
  if (value === null) return { kind: "value", value: definition.clearable === true ? null : undefined };
  const accept = (good: boolean, converted: CmdletValue = value): Conversion =>
    good ? { kind: "value", value: converted } : { kind: "refused" };
  switch (definition.kind) {
    case "text":
      return accept(typeof value === "string");
    case "list":
      return typeof value === "string" ? accept(true, [value]) : accept(Array.isArray(value));
    case "switch":
    case "boolean":
      return accept(typeof value === "boolean");
    case "number":
      return accept(!Number.isNaN(Number(value)) && value !== "", Number(value));
    case "bytes":
      return accept(value instanceof Uint8Array);
    case "secret":
      return accept(value instanceof Secret);
  }
}

function accessors(values: ReadonlyMap<string, CmdletValue>): BoundParameters {
  const when = <T extends CmdletValue>(name: string, test: (value: CmdletValue) => value is T): T | undefined => {
    const value = values.get(name);
    return value !== undefined && test(value) ? value : undefined;
  };
  return {
    has: (name) => values.has(name),
    text: (name) => when(name, (value): value is string | null => value === null || typeof value === "string"),
    list: (name) => when(name, (value): value is readonly string[] => Array.isArray(value)),
    flag: (name) => when(name, (value): value is boolean => typeof value === "boolean"),
    number: (name) => when(name, (value): value is number => typeof value === "number"),
    bytes: (name) => when(name, (value): value is Uint8Array => value instanceof Uint8Array),
    secret: (name) => when(name, (value): value is Secret<string> => value instanceof Secret),
  };
}
