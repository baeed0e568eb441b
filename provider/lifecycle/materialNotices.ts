import type { ReadInputs } from "../inputs";
import { describeNotice } from "../plan/planText";
import type { Plan } from "../plan/planTypes";
import type { TextContext } from "../plan/words";

/** What there is to say about the given file itself, when it is going to be imported. */
export function materialNotices(read: ReadInputs, plan: Plan, context: TextContext): readonly string[] {
  const isImported =
    (plan.kind === "create" || plan.kind === "update" || plan.kind === "replace") &&
    plan.work.steps.some((step) => step.kind === "importCertificate");
  if (!isImported) return [];
  return (read.source?.material?.().notices ?? []).map((kind) => describeNotice({ kind }, context));
}
