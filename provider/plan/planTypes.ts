import type { ConnectorCertificateName } from "../backends/backend";
import type { Unfitness, Unusable } from "../certificate/fitness";
import type { Thumbprint } from "../certificate/thumbprint";
import type { CertificateStatus, ExchangeService, NameService, ServerFqdn, UmService } from "../model";
import type { BindingIdentity, SelfSignedWish } from "./desired";
import type { NotReady } from "./connectors";
import type { OnServerBlocker, OnServerNotice } from "./onServerNotices";
import type { RemovalReason } from "./removal";
import type { Reserved } from "./reserved";

/**
 * A certificate in a plan: a known one, the one that will be made, or one that nobody knows yet, because another
 * resource of the program is going to make it. The last comes up in previews only.
 */
export type CertificateRef =
  | { readonly kind: "known"; readonly thumbprint: Thumbprint }
  | { readonly kind: "made" }
  | { readonly kind: "unknown" };

/** A certificate as people recognise it. */
export interface NamedCertificate {
  readonly thumbprint: Thumbprint;
  /** The common name; without one the first DNS name. */
  readonly name: string;
  readonly subject: string;
  readonly issuer: string;
  /** ISO 8601; undefined for a certificate that can't be read. */
  readonly notAfter: string | undefined;
}

/** A service that leaves another certificate because of a step. */
export interface TakeOver {
  readonly service: ExchangeService;
  readonly from: NamedCertificate;
  /** X509CertificateName until then; only for IMAP and POP. */
  readonly formerName?: string | undefined;
}

/** A connector as its cmdlets know it: a send connector by name, a receive connector by `SERVER\\Name`. */
export interface ConnectorRef {
  readonly type: "send" | "receive";
  readonly identity: string;
}

/** Connectors that name the certificate that goes, and don't find the one that comes. */
export interface ConnectorsLeft {
  readonly connectors: readonly ConnectorRef[];
  readonly certificate: NamedCertificate;
  /** Until when what they name works. ISO 8601. */
  readonly until: string;
  /** False while nobody knows the certificate that comes. */
  readonly isCertain: boolean;
}

/** One thing to do on the server, with its reason. The order of steps is the order of their execution. */
export type Step =
  | { readonly kind: "makeCertificate"; readonly wish: SelfSignedWish }
  | {
      readonly kind: "importCertificate";
      readonly certificate: CertificateRef;
      /** What the server shows beside it; a made one is found again by it. */
      readonly friendlyName: string | undefined;
      readonly privateKeyExportable: boolean;
      /** `gone`: it was there, and somebody removed it. */
      readonly because: "absent" | "gone" | "made";
    }
  | {
      readonly kind: "enable";
      readonly certificate: CertificateRef;
      readonly services: readonly ExchangeService[];
      /** What happens to the default SMTP certificate: only meaningful when SMTP is among the services. */
      readonly defaultSmtp: "keep" | "replace" | "notConcerned";
      /** Only meaningful when IIS is among the services. */
      readonly requireSsl: boolean;
      readonly takeOvers: readonly TakeOver[];
      /** Which certificate loses the default SMTP role by it; undefined where that can't be told. */
      readonly formerDefault?: NamedCertificate | undefined;
      readonly because: "missing" | "defaultSmtpWanted" | "successor";
    }
  | {
      readonly kind: "setCertificateName";
      readonly service: NameService;
      readonly name: string | undefined;
      readonly previousName: string | undefined;
      readonly takeOvers: readonly TakeOver[];
      readonly because: "declared" | "cleared";
    }
  | {
      readonly kind: "setConnector";
      readonly type: "send" | "receive";
      readonly connector: string;
      /** It is to name this one. */
      readonly certificate: CertificateRef;
      /** `<I>issuer<S>subject` of it, as far as these are known before it is made. */
      readonly name: ConnectorCertificateName;
      /** What it names so far, `<I>issuer<S>subject`. */
      readonly previous: string | undefined;
      /** Other source servers aren't ready yet: it is set if they are when the step comes. */
      readonly waits?: boolean;
      /** The state holds that it names it: a run that was killed has left it empty. */
      readonly isPutBack?: boolean;
    }
  | {
      readonly kind: "removeCertificate";
      readonly certificate: NamedCertificate;
      /** Its key may be on that server alone: this can't be undone. */
      readonly onlyThere: boolean;
      /** Send connectors whose names are cleared for that moment. */
      readonly gap?: readonly string[] | undefined;
    };

/** What must be true afterwards; verified by reading the server again. */
export type Goal =
  | { readonly kind: "present"; readonly certificate: CertificateRef }
  | { readonly kind: "holds"; readonly certificate: CertificateRef; readonly service: ExchangeService }
  | { readonly kind: "releases"; readonly thumbprint: Thumbprint; readonly service: ExchangeService }
  | { readonly kind: "absent"; readonly thumbprint: Thumbprint }
  | {
      readonly kind: "connectorNames";
      readonly type: "send" | "receive";
      readonly connector: string;
      readonly certificate: CertificateRef;
    }
  | { readonly kind: "defaultSmtpIs"; readonly certificate: CertificateRef }
  | { readonly kind: "certificateNameIs"; readonly service: NameService; readonly name: string | undefined };

/** Something worth knowing that stops nothing. */
export type Notice =
  | { readonly kind: "defaultSmtpStays"; readonly certificate: NamedCertificate }
  | { readonly kind: "defaultSmtpStaysDangling"; readonly thumbprint: Thumbprint }
  | { readonly kind: "defaultSmtpStaysExpired"; readonly certificate: NamedCertificate }
  | { readonly kind: "defaultSmtpReplaced"; readonly from: NamedCertificate | Thumbprint | undefined }
  | { readonly kind: "defaultSmtpLeftBehind"; readonly certificate: NamedCertificate; readonly daysLeft: number }
  | { readonly kind: "defaultSmtpUnknown"; readonly reason: string }
  | {
      readonly kind: "sharedByName";
      readonly service: NameService;
      readonly name: string;
      readonly others: readonly NamedCertificate[];
    }
  | {
      readonly kind: "driftedTo";
      readonly service: ExchangeService;
      readonly holders: readonly NamedCertificate[];
      /** Somebody else may hold it without the server's having said so. */
      readonly mayHaveOthers: boolean;
    }
  | { readonly kind: "takeOverUnknown"; readonly service: ExchangeService }
  | {
      readonly kind: "staysBehind";
      readonly service: ExchangeService;
      readonly certificate: NamedCertificate;
      /** Why it isn't known whether the certificate holds it at all. */
      readonly unknown?: string | undefined;
    }
  | {
      readonly kind: "releasedTo";
      readonly service: ExchangeService;
      readonly holder: CertificateRef;
      readonly from: NamedCertificate;
    }
  | { readonly kind: "forgotten"; readonly service: ExchangeService }
  | { readonly kind: "alreadyReleased"; readonly service: ExchangeService }
  | { readonly kind: "successorHasIt"; readonly service: ExchangeService; readonly successor: Thumbprint }
  | { readonly kind: "successorLater"; readonly services: readonly ExchangeService[] }
  | OnServerNotice
  | { readonly kind: "comes"; readonly certificate: NamedCertificate }
  | { readonly kind: "goes"; readonly certificate: NamedCertificate }
  /** Names that clients look for, and that the certificate that comes doesn't have. */
  | { readonly kind: "namesLost"; readonly names: readonly string[]; readonly from: NamedCertificate }
  | { readonly kind: "namesGained"; readonly names: readonly string[] }
  | { readonly kind: "endsEarlier"; readonly notAfter: string; readonly than: NamedCertificate }
  | ({ readonly kind: "connectorsStay" } & ConnectorsLeft)
  | {
      readonly kind: "successorGets";
      readonly certificate: NamedCertificate;
      readonly services: readonly string[];
      /** Names of the certificate that gives up the services. */
      readonly lacks: readonly string[];
      /** The certificate of the Web Management Service. */
      readonly isWmsvc: boolean;
    }
  | { readonly kind: "certificateNotKnownYet" }
  /** What Enable-ExchangeCertificate writes depends on the names of a certificate that isn't known yet. */
  | {
      readonly kind: "nameNotKnownYet";
      readonly service: NameService;
      readonly holders: readonly NamedCertificate[];
    }
  | { readonly kind: "unreadableCertificates"; readonly thumbprints: readonly Thumbprint[] }
  /** Left by a run of our own that failed; somebody else may have it meanwhile. */
  | { readonly kind: "notDoneYet"; readonly service: ExchangeService; readonly holders: readonly NamedCertificate[] }
  | { readonly kind: "lifeLeft"; readonly certificate: NamedCertificate }
  /** A new binding of a certificate that holds everything: an adoption, which calls nothing. */
  | {
      readonly kind: "alreadyThere";
      readonly certificate: NamedCertificate;
      readonly services: readonly ExchangeService[];
    }
  | {
      readonly kind: "expiresSoon";
      readonly daysLeft: number;
      readonly notAfter: string;
      /** It was chosen on the server, where somebody else renews it. */
      readonly isChosen?: true;
    }
  | {
      readonly kind: "outOfDates";
      readonly notBefore: string;
      readonly notAfter: string;
      readonly when: "expired" | "notYetValid";
    }
  | { readonly kind: "statusNotValid"; readonly status: CertificateStatus }
  | {
      readonly kind: "statusUncertain";
      readonly status: CertificateStatus | undefined;
      readonly reason: string | undefined;
    }
  | { readonly kind: "servicesUnknown"; readonly services: readonly ExchangeService[]; readonly reason: string }
  | { readonly kind: "connectorWillMatch"; readonly connectors: readonly string[] }
  | { readonly kind: "edgeSubscriptionsBreak"; readonly edgeServers: readonly string[] }
  /** Clients or servers mind it; it works all the same. */
  | { readonly kind: "unfit"; readonly flaw: Unfitness }
  | { readonly kind: "chainLeadsNowhere"; readonly issuer: string }
  | { readonly kind: "chainHasStrays"; readonly subjects: readonly string[] }
  | { readonly kind: "chainHasRoot"; readonly subject: string }
  /** The old one could be shown as a client by SMTP, the new one can't. `connectors`: send connectors that name it. */
  | { readonly kind: "clientUseLost"; readonly from: NamedCertificate; readonly connectors: readonly string[] }
  | { readonly kind: "eccUnverified" }
  | { readonly kind: "eccNeedsSwitch" }
  /** Nothing is to be done now; a change would be refused. */
  | { readonly kind: "wouldBeRefused"; readonly blocker: Blocker }
  | { readonly kind: "keyStorageProviderDropped" }
  | { readonly kind: "chainReordered" }
  | { readonly kind: "comesFromBinding"; readonly binding: BindingIdentity }
  | { readonly kind: "foundAgain"; readonly thumbprint: Thumbprint }
  | { readonly kind: "leftOnServer"; readonly server: ServerFqdn; readonly thumbprint: Thumbprint | undefined }
  /** The binding moves to another server, and asks for the certificate on the old one to be removed. */
  | {
      readonly kind: "removedElsewhere";
      readonly server: ServerFqdn;
      readonly thumbprint: Thumbprint | undefined;
      /** How long it stays there as a way back. */
      readonly days: number;
    }
  /** Replaced certificates on a server that the binding has left, and that couldn't be read. */
  | { readonly kind: "notLookedElsewhere"; readonly thumbprints: readonly Thumbprint[]; readonly reason: string }
  | { readonly kind: "notAsked"; readonly reason: string }
  | { readonly kind: "connectorWaits"; readonly connector: string; readonly for: readonly NotReady[] }
  | {
      readonly kind: "connectorDrifted";
      readonly type: "send" | "receive";
      readonly connector: string;
      readonly actual: string | undefined;
    }
  /** A run that was killed in the gap of a removal may have left it so. */
  | { readonly kind: "connectorLeftEmpty"; readonly connector: string }
  | { readonly kind: "connectorsForgotten"; readonly connectors: readonly string[] }
  /** The replaced certificate goes once the new one is in place. */
  | {
      readonly kind: "removedAtEnd";
      readonly certificate: NamedCertificate;
      readonly onlyThere: boolean;
      /** Send connectors whose names are cleared for that moment. */
      readonly gap?: readonly string[] | undefined;
    }
  /** Services that nobody has to take over: they go with the certificate. */
  | {
      readonly kind: "goesWithIt";
      readonly services: readonly ExchangeService[];
      readonly certificate: NamedCertificate;
    }
  /** No longer declared, and yet held by the new certificate too, which has the same name. */
  | { readonly kind: "comesAlong"; readonly services: readonly ExchangeService[] }
  | {
      readonly kind: "keptDeclared";
      readonly thumbprint: Thumbprint;
      readonly by: readonly string[];
      /** From now on they alone decide about it. */
      readonly decides?: boolean;
    }
  /** Another binding, looked at before, has announced that it goes at the end. */
  | { readonly kind: "keptAfterAll"; readonly thumbprint: Thumbprint; readonly by: string }
  /** Replaced certificates that stay, all for the same reasons. */
  | {
      readonly kind: "keptOld" | "keptForNow";
      readonly certificates: readonly NamedCertificate[];
      readonly reasons: readonly RemovalReason[];
    };

/** A reason why the wish is refused. `property` is the top-level input it belongs to. */
export type Blocker = { readonly property: string } & (
  | {
      readonly kind: "certificateAbsent";
      readonly thumbprint: Thumbprint;
      readonly gone: boolean;
      /** It was chosen on the server. */
      readonly isChosen?: true;
    }
  | { readonly kind: "unreadableCertificate"; readonly thumbprint: Thumbprint }
  | OnServerBlocker
  | {
      readonly kind: "reservedCertificate";
      readonly what: Reserved;
      readonly thumbprint: Thumbprint;
    }
  | {
      readonly kind: "outOfDates";
      readonly when: "expired" | "notYetValid";
      readonly notBefore: string;
      readonly notAfter: string;
    }
  | { readonly kind: "statusNotValid"; readonly status: CertificateStatus }
  | { readonly kind: "noPrivateKey"; readonly thumbprint: Thumbprint }
  | { readonly kind: "umNotOnThisVersion"; readonly services: readonly ExchangeService[]; readonly version: string }
  | { readonly kind: "umStartupMode"; readonly service: UmService; readonly mode: string }
  | { readonly kind: "umStartupModeUnknown"; readonly service: UmService; readonly reason: string }
  | { readonly kind: "eccNotSupported"; readonly version: string; readonly services: readonly ExchangeService[] }
  | { readonly kind: "keyAlgorithmNotSupported" }
  | { readonly kind: "unusable"; readonly why: Unusable }
  /** Our own connection goes through IIS and wouldn't take that certificate. */
  | { readonly kind: "breaksOwnChannel"; readonly why: "name" | "selfSigned"; readonly name: string }
  | { readonly kind: "breaksOwnChannel"; readonly why: "issuer"; readonly issuer: string }
  | { readonly kind: "servicesUnknown"; readonly services: readonly ExchangeService[]; readonly reason: string }
  | { readonly kind: "defaultSmtpUnknown"; readonly reason: string }
  | { readonly kind: "defaultSmtpMissing" }
  | {
      readonly kind: "nameNeeded";
      readonly service: NameService;
      readonly subject: string;
      /** Why Enable-ExchangeCertificate finds no name by itself. */
      readonly why: "wildcard" | "noHostName";
    }
  | {
      readonly kind: "nameNotCovered";
      readonly service: NameService;
      readonly name: string;
      readonly dnsNames: readonly string[];
    }
  | {
      readonly kind: "cannotRelease";
      readonly service: ExchangeService;
      readonly certificate: NamedCertificate;
    }
  | {
      readonly kind: "successorCannotTake";
      readonly service: ExchangeService;
      readonly successor: Thumbprint | "unknown";
      readonly why: "smtp" | "sameNames" | "nameDeclared";
    }
  /** A connector names a certificate by issuer and subject. */
  | { readonly kind: "connectorNeedsSubject"; readonly names: readonly string[] }
  /** Its name is set before anything else, and nothing is done while something is refused. */
  | { readonly kind: "connectorStaysEmpty"; readonly connector: string }
  | { readonly kind: "connectorMissing"; readonly type: "send" | "receive"; readonly connector: string }
  | { readonly kind: "connectorUnknown"; readonly connector: string; readonly reason: string }
  | {
      readonly kind: "connectorClaimed";
      readonly connector: string;
      readonly binding: BindingIdentity;
      readonly other: BindingIdentity;
    }
  /** The replaced certificate couldn't be removed at the end. */
  | {
      readonly kind: "removalRefused";
      readonly certificate: NamedCertificate;
      readonly reasons: readonly RemovalReason[];
    }
  /** Another binding's update or create removes it in this run. */
  | {
      readonly kind: "removedByAnother";
      readonly thumbprint: Thumbprint;
      readonly binding: BindingIdentity;
      readonly other: BindingIdentity;
    }
  | { readonly kind: "successorAbsent"; readonly successor: Thumbprint }
  | { readonly kind: "successorIsItself" }
  | {
      readonly kind: "successorNotUsable";
      readonly successor: Thumbprint;
      readonly why:
        | "expired"
        | "notYetValid"
        | "status"
        | "noPrivateKey"
        | "reserved"
        | "keyAlgorithm"
        | "unusable"
        | "noHostName"
        | "unreadable";
    }
  | {
      readonly kind: "claimedByAnother";
      readonly what: ExchangeService | "defaultSmtp";
      readonly binding: BindingIdentity;
      readonly other: BindingIdentity;
      readonly detail: string | undefined;
    }
);

interface PlanFacts {
  readonly notices: readonly Notice[];
}

/** What is to be done on the server, and how it's known to have been done. */
export interface Work {
  /** All of it happens there. */
  readonly server: ServerFqdn;
  readonly certificate: CertificateRef;
  readonly steps: readonly Step[];
  readonly goals: readonly Goal[];
  readonly connectorsLeft?: ConnectorsLeft | undefined;
  /** The program says which connectors name the certificate: whoever runs it sets none by hand. */
  readonly declaresConnectors?: boolean;
  /** The engine has this one deleted once all of it is done: no way leads back to it. */
  readonly removedAtEnd?: Thumbprint | undefined;
}

/** A step that lets a connector name a certificate. */
export type ConnectorStep = Extract<Step, { readonly kind: "setConnector" }>;

/** The decision about one binding. Frozen data: sentences are made of it by way of lines, effects in apply. */
export type Plan =
  /** Nothing to do, and the state says what is. */
  | ({ readonly kind: "inSync" } & PlanFacts)
  /** `steps` may be empty when only the state has to learn of the change. */
  | ({ readonly kind: "create" | "update"; readonly work: Work } & PlanFacts)
  /** Create first, then delete the old one. `work` is the creation. */
  | ({
      readonly kind: "replace";
      readonly properties: readonly string[];
      readonly because: ReplaceReason;
      /** The program asks for it; the engine may do so without telling anybody. */
      readonly deletesFirst: boolean;
      readonly work: Work;
    } & PlanFacts)
  | ({ readonly kind: "blocked"; readonly blockers: readonly Blocker[] } & PlanFacts);

export type ReplaceReason =
  | "server"
  | "certificate"
  /** Another one was chosen on the server. */
  | "chosen"
  /** Nobody knows yet which certificate it will be; it may turn out to be the same one. */
  | "notKnownYet"
  | "wish"
  | "renewal"
  | "gone"
  | "releasedServices"
  /** The engine was told to replace the resource; nothing that we know of demands it. */
  | "asked";
