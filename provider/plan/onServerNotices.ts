import type { OnServerWish } from "./desired";
import type { Ambiguity, ByWildcard, Choice, NotChosen, Unfit, Unsuited } from "./onServer";
import type { NamedCertificate } from "./planTypes";
import { named } from "./target";

export type OnServerNotice =
  /** Which one it is, and why not the others that have the names. */
  | {
      readonly kind: "onServerChosen";
      readonly certificate: NamedCertificate;
      readonly notBefore: string;
      readonly names: readonly string[];
      readonly byWildcards: readonly ByWildcard[];
      readonly others: readonly NotChosen[];
    }
  /** What was bound won't do any more or is gone. */
  | { readonly kind: "onServerInstead"; readonly certificate: NamedCertificate; readonly of: Unfit }
  | {
      readonly kind: "onServerStays";
      readonly certificate: NamedCertificate;
      readonly why: Ambiguity | { readonly kind: "none"; readonly unsuited: Unsuited };
      readonly others: readonly NotChosen[];
    };

/** What a choice is refused for. */
export type OnServerBlocker =
  | { readonly kind: "onServerAmbiguous"; readonly why: Ambiguity; readonly others: readonly NotChosen[] }
  | { readonly kind: "onServerNone"; readonly names: readonly string[]; readonly others: readonly NotChosen[] };

/** What a choice is worth telling; what it is refused for is a {@link blockerOf}. */
export function noticesOf(choice: Choice, { dnsNames: names }: OnServerWish): readonly OnServerNotice[] {
  switch (choice.kind) {
    case "chosen": {
      const { certificate: facts, insteadOf, byWildcards, others } = choice;
      const certificate = named(facts);
      return [
        ...(insteadOf === undefined ? [] : [{ kind: "onServerInstead", certificate, of: insteadOf } as const]),
        { kind: "onServerChosen", certificate, notBefore: facts.notBefore, names, byWildcards, others },
      ];
    }
    case "ambiguous": {
      const { stays, why, others } = choice;
      return stays === undefined ? [] : [{ kind: "onServerStays", certificate: named(stays), why, others }];
    }
    case "none": {
      const { stays, others } = choice;
      if (stays === undefined) return [];
      const why = { kind: "none", unsuited: stays.why } as const;
      return [{ kind: "onServerStays", certificate: named(stays.certificate), why, others }];
    }
  }
}

/** What a choice that binds nothing is refused for. */
export function blockerOf(
  choice: Choice,
  { dnsNames: names }: OnServerWish,
): (OnServerBlocker & { readonly property: string }) | undefined {
  switch (choice.kind) {
    case "chosen":
      return undefined;
    case "ambiguous":
      return { kind: "onServerAmbiguous", property: "certificate", why: choice.why, others: choice.others };
    case "none":
      return { kind: "onServerNone", property: "certificate", names, others: choice.others };
  }
}
