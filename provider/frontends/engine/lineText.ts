import type { ToldLine } from "../../lifecycle/requests";
import { describeLine } from "../../plan/lineText";
import { joined, sentence } from "../../sentence";
import type { Sentence } from "../../sentence";
import { nameIn } from "./urn";

/** A line for a place where lines of many bindings stand: server and label come first. */
export function lineForConsole(told: ToldLine, now: Date): Sentence {
  // Joined, because a command in a line is never cut off.
  return joined([sentence`[${told.server}] ${told.identity.label}`, textOf(told, now)], ": ");
}

/**
 * A line for a place that shows whose it is. The engine's rows show the last name only, so a binding with parents is
 * told by its label; the first line of a group names the server, unless it speaks of it anyhow.
 */
export function lineForRow(told: ToldLine, now: Date, isFirst: boolean): Sentence {
  const { identity, server } = told;
  const text = textOf(told, now);
  const placed = isFirst && !text.includes(server) ? joined([sentence`on ${server}`, text], ": ") : text;
  return identity.label === nameIn(identity.urn) ? placed : joined([sentence`${identity.label}`, placed], ": ");
}

function textOf({ server, line }: ToldLine, now: Date): Sentence {
  return describeLine(line, { server, now });
}
