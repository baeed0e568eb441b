import { z } from "zod";

import { EXCHANGE_SERVICES } from "./model";
import type { ServerFqdn } from "./model";
import { describeFollowUp } from "./plan/followUpText";
import type { FollowUp } from "./plan/followUps";

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
      z.object({ kind: z.literal("edgeSubscription"), edgeServers: z.array(z.string()).readonly() }),
      z.object({
        kind: z.literal("connector"),
        connector: z.object({ type: z.enum(["send", "receive"]), identity: z.string() }),
        until: z.string(),
        value: z.object({ thumbprint: z.string(), issuer: z.string(), subject: z.string() }),
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
    followUpTasks: all,
  };
}
