import type { ReadInputs } from "../inputs";
import { lineOf } from "../plan/line";
import type { Line } from "../plan/line";
import type { Plan } from "../plan/planTypes";

/** What there is to say about the given file itself, when it is going to be imported. */
export function materialNotices(read: ReadInputs, plan: Plan): readonly Line[] {
  const isImported =
    (plan.kind === "create" || plan.kind === "update" || plan.kind === "replace") &&
    plan.work.steps.some((step) => step.kind === "importCertificate");
  if (!isImported) return [];
  return (read.source?.material?.().notices ?? []).map((kind) => lineOf("plan", { kind }));
}
