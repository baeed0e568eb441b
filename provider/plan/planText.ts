import type { Thumbprint } from "../certificate/thumbprint";
import type { ServerFqdn } from "../model";
import { describeBlocker } from "./blockerText";
import { describeLine, goalInWords } from "./lineText";
import { linesOfForgetting, linesOfPlan } from "./lines";
import { describeNotice } from "./noticeText";
import type { CertificateRef, Goal, Plan } from "./planTypes";
import type { TextContext } from "./words";

export { describeBlocker, describeNotice };

/** A plan as sentences, for callers that have no use for lines. */
export function describePlan(plan: Plan, context: TextContext): readonly string[] {
  return linesOfPlan(plan).map((line) => describeLine(line, context));
}

/** What was to come about, for the error that says it didn't. */
export function describeGoal(goal: Goal, resolve: (ref: CertificateRef) => Thumbprint | undefined): string {
  return goalInWords(goal, resolve);
}

/** The line that a delete with "retain" leaves behind. */
export function describeRetained(
  server: ServerFqdn,
  thumbprint: Thumbprint,
  held: readonly string[] | undefined,
): string {
  return linesOfForgetting(thumbprint, held, true)
    .map((line) => describeLine(line, { server, now: new Date(0) }))
    .join(" ");
}

/** The same when somebody has removed the certificate before. */
export function describeGone(server: ServerFqdn, thumbprint: Thumbprint): string {
  return linesOfForgetting(thumbprint, undefined, false)
    .map((line) => describeLine(line, { server, now: new Date(0) }))
    .join(" ");
}

export type { TextContext };
