import * as z from "./zod";

import { EXCHANGE_SERVICES } from "./model";
import type { ServerFqdn } from "./model";
import { describeFollowUp } from "./plan/followUpText";
import type { FollowUp } from "./plan/followUps";
import { isClean } from "./sentence";

const CODED = /^utf16:((?:[0-9A-F]{4})*)$/;

/** A name as outputs hold it: by its code units where it can't be shown as it is, because the engine shows outputs. */
function coded(name: string): string {
  if (isClean(name) && !CODED.test(name)) return name;
  const units = Array.from({ length: name.length }, (_, i) => name.charCodeAt(i).toString(16).padStart(4, "0"));
  return `utf16:${units.join("").toUpperCase()}`;
}

function decoded(text: string): string {
  const units = CODED.exec(text)?.[1];
  return units === undefined ? text : units.replace(/.{4}/g, (unit) => String.fromCharCode(parseInt(unit, 16)));
}

const name = z.string().transform(decoded);

/** What is left to do, as the state holds it: `followUpTasks`. */
export const followUpsSchema = z.array(
  z.intersection(
    z.object({ since: z.iso.date() }),
    z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("restartIis") }),
      z.object({
        kind: z.literal("restartServices"),
        service: z.enum(EXCHANGE_SERVICES),
        windowsServices: z.array(z.string()).readonly(),
      }),
      z.object({ kind: z.literal("hybrid") }),
      z.object({ kind: z.literal("hybridWizard") }),
      z.object({ kind: z.literal("edgeSubscription"), edgeServers: z.array(name).readonly() }),
      z.object({
        kind: z.literal("connector"),
        connector: z.object({ type: z.enum(["send", "receive"]), identity: name }),
        until: z.string(),
        value: z.object({ thumbprint: z.string(), issuer: name, subject: name }),
      }),
    ]),
  ),
) satisfies z.ZodType<readonly FollowUp[]>;

/** Whoever adds a task gives it a form here: otherwise this doesn't compile. */
export type StoredFollowUp = FollowUp extends z.infer<typeof followUpsSchema>[number] ? FollowUp : never;

/** The outputs that tell what is left to do: as data, and as sentences for whoever looks at the stack. */
export function followUpOutputs(
  { earlier, all }: { readonly earlier: readonly FollowUp[]; readonly all: readonly StoredFollowUp[] },
  server: ServerFqdn,
): { readonly followUps: readonly string[]; readonly followUpTasks: readonly FollowUp[] } {
  const isNew = (one: FollowUp): boolean => !earlier.includes(one);
  return {
    // The moment is the one at which it arose: the same task reads the same whenever it is written down.
    followUps: all.map((one) => describeFollowUp(one, isNew(one), { server, now: new Date(one.since) })),
    followUpTasks: all.map(withCodedNames),
  };
}

function withCodedNames(task: FollowUp): FollowUp {
  if (task.kind === "edgeSubscription") return { ...task, edgeServers: task.edgeServers.map(coded) };
  if (task.kind !== "connector") return task;
  const { connector, value } = task;
  return {
    ...task,
    connector: { ...connector, identity: coded(connector.identity) },
    value: { ...value, issuer: coded(value.issuer), subject: coded(value.subject) },
  };
}
