import type { Thumbprint } from "../certificate/thumbprint";
import type { ExchangeService, NameService } from "../model";
import type { SelfSignedWish } from "./desired";
import type { FollowUp, FollowUpTask } from "./followUps";
import type { RollBackStep } from "./rollBack";
import type { WayBack } from "./wayBack";
import type { Blocker, CertificateRef, Goal, NamedCertificate, Notice, ReplaceReason, TakeOver } from "./planTypes";

/*
 * What is said about a binding, as data. A line is made by a pure function of lines.ts, and only lineText.ts makes a
 * sentence of it; whoever wants to know what a line says looks at its kind and facts.
 */

/**
 * When a line is shown. `plan`: before anything is done, in a preview as in an up, which can't be told apart.
 * `change`: when it has been done. `refresh`: nobody wants to change anything.
 */
export type Phase = "plan" | "change" | "refresh";

export type Severity = "info" | "warning";

/** One thing that a change does to a server. */
export type Deed =
  | { readonly kind: "made" }
  | { readonly kind: "imported"; readonly certificate: CertificateRef }
  | { readonly kind: "enabled"; readonly certificate: CertificateRef; readonly service: ExchangeService }
  | { readonly kind: "becameDefaultSmtp"; readonly certificate: CertificateRef }
  | { readonly kind: "named"; readonly service: NameService; readonly name: string | undefined }
  | { readonly kind: "removed"; readonly thumbprint: Thumbprint }
  | {
      readonly kind: "connectorSet";
      readonly type: "send" | "receive";
      readonly connector: string;
      readonly certificate: CertificateRef;
    };

export type Fact =
  | Notice
  /** `deletesFirst`: the resource has the option; otherwise nobody tells us the engine's order. */
  | { readonly kind: "replaces"; readonly because: ReplaceReason; readonly deletesFirst: boolean }
  | { readonly kind: "makes"; readonly wish: SelfSignedWish }
  | {
      readonly kind: "imports";
      readonly certificate: CertificateRef;
      readonly because: "absent" | "gone" | "made";
    }
  | {
      readonly kind: "enables";
      readonly certificate: CertificateRef;
      readonly services: readonly ExchangeService[];
      readonly because: "missing" | "defaultSmtpWanted" | "successor";
      readonly takeOvers: readonly TakeOver[];
    }
  | {
      readonly kind: "setsName";
      readonly service: NameService;
      readonly name: string | undefined;
      readonly previousName: string | undefined;
      readonly takeOvers: readonly TakeOver[];
    }
  | {
      readonly kind: "setsConnector";
      readonly type: "send" | "receive";
      readonly connector: string;
      readonly certificate: CertificateRef;
      readonly previous: string | undefined;
      readonly waits: boolean;
    }
  | {
      readonly kind: "removes";
      readonly certificate: NamedCertificate;
      readonly onlyThere: boolean;
      readonly gap?: readonly string[] | undefined;
    }
  /** What a change that failed has done. */
  | { readonly kind: "rollsBack"; readonly steps: readonly RollBackStep[] }
  /** The server doesn't accept what was imported. */
  | { readonly kind: "takesBack"; readonly thumbprint: Thumbprint }
  /** Exchange didn't let a certificate go, and said why. */
  | { readonly kind: "removalNotDone"; readonly certificate: NamedCertificate; readonly message: string }
  /** A send connector of another binding has waited for this one, and couldn't be set. */
  | { readonly kind: "connectorNotSet"; readonly connector: string; readonly message: string }
  /** The engine deletes a binding before its successor is there. */
  | { readonly kind: "keptUntilReplaced"; readonly thumbprint: Thumbprint }
  | { readonly kind: "afterwards"; readonly task: FollowUpTask }
  /** Left of this run or of an earlier one. */
  | { readonly kind: "stillToDo"; readonly followUp: FollowUp; readonly isNew: boolean }
  /** After a take-over: the call that undoes it. */
  | ({ readonly kind: "wayBack" } & WayBack)
  | { readonly kind: "refused"; readonly blocker: Blocker }
  /** Done by a run that was killed: who had the services before can't be known any more. */
  | { readonly kind: "formerHolderUnknown"; readonly services: readonly ExchangeService[] }
  /** A change that failed on its way. */
  | {
      readonly kind: "stopped";
      readonly done: readonly Deed[];
      /** The call was begun, and nobody knows what became of it. */
      readonly uncertain: readonly Deed[];
      readonly undone: readonly Deed[];
    }
  | { readonly kind: "serverWarns"; readonly warning: string }
  /** Active Directory is in between. */
  | { readonly kind: "waitsFor"; readonly goals: readonly Goal[] }
  /** In a refresh: what differs from what is declared, besides services that somebody took. */
  | { readonly kind: "isGone"; readonly certificate: CertificateRef }
  | {
      readonly kind: "nameDiffers";
      readonly service: NameService;
      readonly actual: string | undefined;
      readonly declared: string | undefined;
    }
  | { readonly kind: "notDefaultSmtp"; readonly certificate: CertificateRef }
  | { readonly kind: "needsReplacement"; readonly because: ReplaceReason }
  /** A delete that forgets. `held` is undefined where nobody knows. */
  | { readonly kind: "staysOnServer"; readonly thumbprint: Thumbprint; readonly held: readonly string[] | undefined }
  | { readonly kind: "wasGoneBefore"; readonly thumbprint: Thumbprint };

type Told<F> = F extends unknown ? F & { readonly severity: Severity; readonly phase: Phase } : never;

/** One line about a binding on a server. */
export type Line = Told<Fact>;

const SEVERITY: Readonly<Record<Fact["kind"], Severity>> = {
  defaultSmtpStays: "info",
  defaultSmtpStaysDangling: "warning",
  defaultSmtpStaysExpired: "warning",
  defaultSmtpReplaced: "info",
  defaultSmtpLeftBehind: "warning",
  defaultSmtpUnknown: "warning",
  sharedByName: "info",
  driftedTo: "warning",
  takeOverUnknown: "warning",
  staysBehind: "warning",
  releasedTo: "info",
  forgotten: "info",
  alreadyReleased: "info",
  successorHasIt: "info",
  successorLater: "info",
  onServerChosen: "info",
  onServerInstead: "warning",
  onServerStays: "warning",
  comes: "info",
  goes: "info",
  namesLost: "warning",
  namesGained: "info",
  endsEarlier: "warning",
  connectorsStay: "warning",
  successorGets: "info",
  certificateNotKnownYet: "info",
  nameNotKnownYet: "info",
  unreadableCertificates: "info",
  notDoneYet: "warning",
  lifeLeft: "info",
  expiresSoon: "warning",
  outOfDates: "warning",
  statusNotValid: "warning",
  statusUncertain: "info",
  servicesUnknown: "warning",
  connectorWillMatch: "info",
  edgeSubscriptionsBreak: "warning",
  unfit: "warning",
  chainLeadsNowhere: "warning",
  chainHasStrays: "info",
  chainHasRoot: "info",
  clientUseLost: "warning",
  eccUnverified: "warning",
  eccNeedsSwitch: "info",
  wouldBeRefused: "warning",
  keyStorageProviderDropped: "info",
  chainReordered: "info",
  comesFromBinding: "info",
  foundAgain: "info",
  leftOnServer: "info",
  notAsked: "warning",
  replaces: "info",
  makes: "info",
  imports: "info",
  enables: "info",
  setsName: "info",
  removes: "info",
  setsConnector: "info",
  connectorWaits: "warning",
  connectorDrifted: "warning",
  connectorLeftEmpty: "warning",
  connectorsForgotten: "info",
  removedAtEnd: "info",
  removedElsewhere: "info",
  notLookedElsewhere: "warning",
  goesWithIt: "info",
  comesAlong: "info",
  keptDeclared: "info",
  keptAfterAll: "info",
  keptOld: "warning",
  keptForNow: "info",
  keptUntilReplaced: "info",
  rollsBack: "warning",
  takesBack: "warning",
  formerHolderUnknown: "info",
  removalNotDone: "warning",
  connectorNotSet: "warning",
  alreadyThere: "info",
  afterwards: "info",
  stillToDo: "info",
  wayBack: "info",
  refused: "warning",
  stopped: "warning",
  serverWarns: "warning",
  waitsFor: "info",
  isGone: "warning",
  nameDiffers: "warning",
  notDefaultSmtp: "warning",
  needsReplacement: "info",
  staysOnServer: "info",
  wasGoneBefore: "info",
};

/** A fact as a line: how grave it is follows from its kind. */
export function lineOf(phase: Phase, fact: Fact): Line {
  return { ...fact, phase, severity: SEVERITY[fact.kind] };
}
