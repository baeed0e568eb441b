import { EXCHANGE_TEXTS } from "./exchangeText";
import type { Finding, FindingKind } from "./finding";
import { REACH_TEXTS } from "./reachText";
import { SESSION_TEXTS } from "./sessionText";
import { SETTINGS_TEXTS } from "./settingsText";
import type { FindingText, Texts } from "./texts";

/** What is said about each kind of finding; a kind without a sentence doesn't compile. */
const TEXTS: Texts<FindingKind> = { ...SETTINGS_TEXTS, ...REACH_TEXTS, ...SESSION_TEXTS, ...EXCHANGE_TEXTS };

export function describeFinding(finding: Finding): FindingText {
  // That a kind's function takes the finding of that kind is what Texts says, and TypeScript can't follow it here.
  return (TEXTS[finding.kind] as (finding: Finding) => FindingText)(finding);
}
