import { valueOr } from "../model";
import type { DesiredBinding, PreviousBinding } from "./desired";
import { outOfDates } from "./guards";
import { findCertificate } from "./holdings";
import type { ObservedServer } from "./observedServer";
import type { Blocker, Notice, Step } from "./planTypes";
import { named, namedUnreadable, refOf } from "./target";
import type { PlanContext, Target } from "./target";

/** What SMTP and the default SMTP certificate need. */
export interface SmtpWork {
  readonly step: Step | undefined;
  readonly blockers: readonly Blocker[];
  readonly notices: readonly Notice[];
}

export interface SmtpRequest {
  readonly desired: DesiredBinding;
  /** The binding as the state has it, where it keeps its certificate. */
  readonly kept: PreviousBinding | undefined;
  readonly target: Target;
  readonly server: ObservedServer;
  readonly context: Pick<PlanContext, "now">;
}

const NOTHING: SmtpWork = { step: undefined, blockers: [], notices: [] };

/** SMTP and the default SMTP certificate: whether to enable, and how the overwrite question will be answered. */
export function workForSmtp(
  { desired, kept, target, server, context: { now } }: SmtpRequest,
  isMissing: boolean,
): SmtpWork {
  if (!desired.services.includes("SMTP")) return NOTHING;
  const ref = refOf(target);
  const isTarget = (thumbprint: string | undefined): boolean => ref.kind === "known" && ref.thumbprint === thumbprint;
  const current = server.defaultSmtpThumbprint;
  const becomes = desired.replaceDefaultSmtpCertificate && !(current.kind === "known" && isTarget(current.value));
  if (!isMissing && !becomes) return NOTHING;
  if (current.kind === "unknown") {
    const { reason } = current;
    // An unchanged binding stays as it is: what isn't known is no reason to change anything, nor to refuse it.
    const isUnchanged = !isMissing && kept?.replaceDefaultSmtpCertificate === true;
    return isUnchanged
      ? { ...NOTHING, notices: [{ kind: "defaultSmtpUnknown", reason }] }
      : { ...NOTHING, blockers: [{ kind: "defaultSmtpUnknown", property: "replaceDefaultSmtpCertificate", reason }] };
  }
  const notices: Notice[] = [];
  const holder = current.value === undefined ? undefined : findCertificate(server, current.value);
  const unreadable = server.unreadable.find(({ thumbprint }) => thumbprint === current.value);
  if (becomes) {
    notices.push({
      kind: "defaultSmtpReplaced",
      from: unreadable ? namedUnreadable(unreadable.thumbprint) : holder ? named(holder.facts) : current.value,
    });
    const edgeServers = valueOr(server.edgeSubscriptions, []);
    if (edgeServers.length > 0) notices.push({ kind: "edgeSubscriptionsBreak", edgeServers });
  } else if (current.value === undefined) {
    // Exchange fills an empty attribute by itself when SMTP is enabled: nobody asked for that.
    return { ...NOTHING, blockers: [{ kind: "defaultSmtpMissing", property: "replaceDefaultSmtpCertificate" }] };
  } else if (unreadable !== undefined) {
    notices.push({ kind: "defaultSmtpStays", certificate: namedUnreadable(unreadable.thumbprint) });
  } else if (holder === undefined) {
    notices.push({ kind: "defaultSmtpStaysDangling", thumbprint: current.value });
  } else if (outOfDates(holder.facts, now) !== undefined) {
    notices.push({ kind: "defaultSmtpStaysExpired", certificate: named(holder.facts) });
  } else if (!isTarget(current.value)) {
    notices.push({ kind: "defaultSmtpStays", certificate: named(holder.facts) });
  }
  const step: Step = {
    kind: "enable",
    certificate: ref,
    services: ["SMTP"],
    defaultSmtp: becomes ? "replace" : "keep",
    requireSsl: desired.requireSsl,
    takeOvers: [],
    formerDefault: becomes && holder !== undefined ? named(holder.facts) : undefined,
    because: isMissing ? "missing" : "defaultSmtpWanted",
  };
  return { step, blockers: [], notices };
}
