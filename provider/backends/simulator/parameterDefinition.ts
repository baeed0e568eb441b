import { hasFileName } from "../../builds";
import type { ExchangeVersion } from "../../model";

/**
 * What a parameter takes. `text` a string, `list` strings (one alone will do), `bytes` a Uint8Array, `secret` a
 * Secret. A `switch` is true by being there; `false` is PowerShell's `-Confirm:$false`.
 */
export type ParameterKind = "text" | "list" | "switch" | "boolean" | "number" | "bytes" | "secret";

export interface ParameterDefinition {
  readonly name: string;
  readonly kind: ParameterKind;
  /** What it is for, in a line. */
  readonly help: string;
  readonly mandatory?: boolean;
  /** Place of the value when it's given without a name, from 0. */
  readonly position?: number;
  /** `$null` means something: it clears. */
  readonly clearable?: boolean;
  /** Only on versions that still read files by themselves. */
  readonly namesFile?: boolean;
}

/** Whether the version has the parameter. */
export function hasParameter(parameter: ParameterDefinition, version: ExchangeVersion): boolean {
  return parameter.namesFile !== true || hasFileName(version);
}
