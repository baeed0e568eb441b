import type { CmdletCall, CmdletContext, CmdletOutcome } from "./cmdlet";
import type { Organisation } from "./organisation";

/** Runs one cmdlet on a simulated organisation. */
export function runCmdlet(organisation: Organisation, call: CmdletCall, context: CmdletContext): CmdletOutcome {
  void context;
  return {
    kind: "failed",
    organisation,
    warnings: [],
    error: {
      code: "CmdletNotAvailable",
      message: `The term '${call.name}' is not recognized.`,
      categoryInfo: "",
      fullyQualifiedErrorId: "CommandNotFoundException",
    },
  };
}
