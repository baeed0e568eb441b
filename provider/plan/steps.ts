import type { Plan, Step } from "./planTypes";

/** What a plan does, in this order. */
export function stepsOf(plan: Plan): readonly Step[] {
  return plan.kind === "inSync" || plan.kind === "blocked" ? [] : plan.work.steps;
}
