import { hasUnifiedMessaging } from "../../builds";
import type { CmdletBody } from "./cmdletRun";
import type { ServerState } from "./organisation";
import type { ParameterDefinition } from "./parameterDefinition";

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

/** Roles hide cmdlets from an account; a server without unified messaging doesn't have its cmdlets. */
export function isVisible({ name, unifiedMessaging }: CmdletDefinition, { version, faults }: ServerState): boolean {
  const isHidden = faults.hiddenCmdlets?.some((one) => one.toLowerCase() === name.toLowerCase()) === true;
  return !isHidden && (!unifiedMessaging || hasUnifiedMessaging(version));
}
