import type { Finding, FindingKind } from "./finding";

/** What is said of a finding. */
export interface FindingText {
  /** A sentence or two; without a full stop where it is a mere fact. */
  readonly text: string;
  /** What to do, one way each. Empty for `ok`. */
  readonly remedies: readonly string[];
}

/** How findings of some kinds are said. */
export type Texts<K extends FindingKind> = {
  readonly [Kind in K]: (finding: Extract<Finding, { readonly kind: Kind }>) => FindingText;
};

export function told(text: string, ...remedies: readonly string[]): FindingText {
  return { text, remedies };
}

/** Of what a server says. */
const LONGEST_TEXT = 160;

export function shortened(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= LONGEST_TEXT ? line : `${line.slice(0, LONGEST_TEXT)}…`;
}
