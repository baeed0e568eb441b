import { type SentParameter, USED_CMDLETS, type UsedCmdletName } from "../backends/usedCmdlets";

/** What the account has to be let do. */
export interface NeededCmdlet {
  readonly name: UsedCmdletName;
  readonly parameters: readonly SentParameter<UsedCmdletName>[];
  readonly role: string;
  /** What is impossible or unknown without it. */
  readonly without: string;
  readonly isVital: boolean;
}

/** Those of unified messaging aren't among them: only old versions have them, and reading tells. */
export const NEEDED_CMDLETS: readonly NeededCmdlet[] = (Object.keys(USED_CMDLETS) as UsedCmdletName[]).flatMap(
  (name) => {
    const used = USED_CMDLETS[name];
    if (!("without" in used)) return [];
    return [{ name, parameters: used.parameters, role: used.role, without: used.without, isVital: "isVital" in used }];
  },
);
