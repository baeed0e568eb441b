/** The steps of a walk to one server, in their order. Those after a failure that ends the walk are left out. */
export const STEPS = [
  "settings",
  "name",
  "connection",
  "TLS",
  "web server",
  "clock",
  "authentication",
  "session",
  "cmdlets",
  "reading",
  "services",
] as const;
export type Step = (typeof STEPS)[number];

/** `warn`: it works, but something is to be known or mended. `skip`: it wasn't looked at, and the text says why. */
export type Outcome = "ok" | "warn" | "fail" | "skip";

/** What one look has shown. */
export interface Finding {
  readonly step: Step;
  readonly outcome: Outcome;
  /** A sentence or two; without a full stop where it is a mere fact. */
  readonly text: string;
  /** What to do, one way each. Empty for `ok`. */
  readonly remedies: readonly string[];
}

export function ok(step: Step, text: string): Finding {
  return { step, outcome: "ok", text, remedies: [] };
}

export function skip(step: Step, text: string): Finding {
  return { step, outcome: "skip", text, remedies: [] };
}

export function warn(step: Step, text: string, ...remedies: readonly string[]): Finding {
  return { step, outcome: "warn", text, remedies };
}

export function fail(step: Step, text: string, ...remedies: readonly string[]): Finding {
  return { step, outcome: "fail", text, remedies };
}

/** The worst of several; `ok` for none. */
export function worstOf(findings: readonly Finding[]): Outcome {
  return (
    (["fail", "warn", "ok", "skip"] as const).find((one) => findings.some(({ outcome }) => outcome === one)) ?? "ok"
  );
}
