import { hasFailed } from "../backends/remote/exchangeErrors";
import type { Ask } from "../backends/remote/snapshot";
import { displayOf, entriesOf, propertyOf, stringOf } from "../remoting/clixml/reading";
import type { ClixmlValue } from "../remoting/clixml/types";
import type { Command } from "../remoting/psrp/pipelineMessages";
import type { CmdletListing, VisibleCmdlet } from "./exchangeFindings";

/** What restricted endpoints allow: the same that PowerShell's own Import-PSSession asks. */
const SELECTED: Command = { name: "Select-Object", parameters: { Property: ["Name", "Parameters"] } };

/**
 * Which of these cmdlets the account sees, and which of their parameters where the endpoint tells. Names that there
 * aren't come as errors, which end nothing. Rejects when no answer is to be had.
 */
export async function listCmdlets(names: readonly string[], ask: Ask): Promise<CmdletListing> {
  const command: Command = { name: "Get-Command", parameters: { Name: names } };
  const selected = await ask([command, SELECTED]);
  if (selected.state === "Completed") return { kind: "listed", cmdlets: selected.output.flatMap(visible) };
  const plain = await ask([command]);
  if (plain.state === "Completed") return { kind: "listed", cmdlets: plain.output.flatMap(visible) };
  return { kind: "notTold", why: hasFailed(plain) ? (plain.errors.at(-1)?.message ?? plain.state) : plain.state };
}

function visible(value: ClixmlValue): VisibleCmdlet[] {
  const name = displayOf(propertyOf(value, "Name"));
  if (name === undefined) return [];
  const parameters = entriesOf(propertyOf(value, "Parameters"))?.flatMap(([key]) => stringOf(key) ?? []);
  return [{ name, parameters }];
}
