import { hasFileName, hasUnifiedMessaging } from "../../builds";
import type { ExchangeVersion } from "../../model";
import type { CmdletBody } from "./cmdletRun";
import type { ServerState } from "./organisation";

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

/** All there is to know of a cmdlet. */
export interface CmdletDefinition {
  readonly name: string;
  /** What it does, in a line. */
  readonly synopsis: string;
  readonly body: CmdletBody;
  readonly parameters: readonly ParameterDefinition[];
  /** Which server it runs on: named by -Server, named by -Identity, or none because it's about the organisation. */
  readonly server: "Server" | "Identity" | "none";
  /** The certificate cmdlets ask a service on that server; the others only look into Active Directory. */
  readonly viaRpc: boolean;
  /** Only where there is unified messaging. */
  readonly unifiedMessaging: boolean;
}

/** Whether the version has the parameter. */
export function hasParameter(parameter: ParameterDefinition, version: ExchangeVersion): boolean {
  return parameter.namesFile !== true || hasFileName(version);
}

/** Roles hide cmdlets from an account; a server without unified messaging doesn't have its cmdlets. */
export function isVisible({ name, unifiedMessaging }: CmdletDefinition, { version, faults }: ServerState): boolean {
  const isHidden = faults.hiddenCmdlets?.some((one) => one.toLowerCase() === name.toLowerCase()) === true;
  return !isHidden && (!unifiedMessaging || hasUnifiedMessaging(version));
}
