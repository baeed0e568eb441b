import type { ToldLine } from "../../lifecycle/requests";
import { describeLine } from "../../plan/lineText";

/** A line for a place where lines of many bindings stand: server and label come first. */
export function lineForConsole(told: ToldLine, now: Date): string {
  return `[${told.server}] ${told.identity.label}: ${lineForRow(told, now)}`;
}

/** A line for a place that shows whose it is. */
export function lineForRow({ server, line }: ToldLine, now: Date): string {
  return describeLine(line, { server, now });
}
