import type { ExchangeVersion } from "../model";
import type { ErrorCode } from "../errors";
import type { RemotingErrorCode } from "../remoting/errors";
import type { TlsPeer } from "../remoting/http/tls";

/* What a walk may find, as data: findingText.ts makes the sentences. */

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

/** `warn`: it works, but something is to be known or mended. `skip`: it wasn't looked at, and the kind says why. */
export type Outcome = "ok" | "warn" | "fail" | "skip";

/** How we say who we are. */
export type Authentication = "kerberos" | "basic";

/** Where and how a finding is made, and what it is. A kind belongs to one step and has one outcome. */
interface Of<S extends Step, O extends Outcome, K extends string> {
  readonly step: S;
  readonly outcome: O;
  readonly kind: K;
}

type SettingsFinding =
  | (Of<"settings", "ok", "settingsUsable"> & UsableSettings)
  /** `problem`: a sentence of whoever read them. */
  | (Of<"settings", "fail", "settingsUnusable"> & { readonly problem: string })
  | Of<"settings", "fail", "backendIsSimulator">
  | Of<"settings", "fail", "backendIsAdapter">;

/** What is going to be used, nothing of it secret. */
export interface UsableSettings {
  readonly authentication: Authentication;
  readonly username: string | undefined;
  readonly hasPassword: boolean;
  /** As it was written, a query included. */
  readonly endpoint: string;
  readonly tlsServerName: string | undefined;
  readonly caFile: string | undefined;
  readonly ticketCache: string | undefined;
  /** Node's name of the system that doctor runs on. */
  readonly platform: string;
}

type NameFinding =
  | (Of<"name", "ok", "nameIsAddress"> & { readonly host: string })
  | (Of<"name", "warn", "nameIsAddressForKerberos"> & { readonly host: string })
  | (Of<"name", "ok", "nameFound"> & FoundName)
  /** `addresses`: those of this machine. */
  | (Of<"name", "warn", "nameLeadsBack"> & FoundName)
  | (Of<"name", "warn", "nameOfSeveral"> & FoundName)
  /** `code`: Node's. */
  | (Of<"name", "fail", "nameNotFound"> & { readonly host: string; readonly code: string });

interface FoundName {
  readonly host: string;
  readonly addresses: readonly string[];
}

type ConnectionFinding =
  | (Of<"connection", "ok", "connected"> & { readonly address: string; readonly milliseconds: number })
  | (Of<"connection", "fail", "connectionTimedOut"> & { readonly address: string; readonly seconds: number })
  | (Of<"connection", "fail", "nobodyListens"> & { readonly address: string })
  | (Of<"connection", "fail", "unreachable"> & { readonly address: string; readonly code: string });

type TlsFinding =
  | Of<"TLS", "skip", "plainHttp">
  | (Of<"TLS", "ok", "peerTrusted"> & { readonly peer: TlsPeer; readonly days: number; readonly expected: string })
  | (Of<"TLS", "warn", "peerNotVerified"> & { readonly peer: TlsPeer; readonly days: number })
  | (Of<"TLS", "warn", "peerEndsSoon"> & { readonly notAfter: Date })
  | (Of<"TLS", "fail", "tlsTimedOut"> & { readonly seconds: number })
  | Of<"TLS", "fail", "noTls">
  /** `says`: of the certificate, a sentence or two. */
  | (Of<"TLS", "fail", "peerRefused"> & { readonly wrong: "name" | "trust" | "dates"; readonly says: string })
  | (Of<"TLS", "fail", "tlsRefused"> & { readonly says: string });

/** `frontEnd`: the server that says it answered. */
interface StrangerFacts {
  readonly frontEnd: string | undefined;
}

type WebServerFinding =
  | (Of<"web server", "ok", "offersFit"> & StrangerFacts & { readonly offers: readonly string[] })
  | (Of<"web server", "ok", "offersUntold"> & StrangerFacts)
  | (Of<"web server", "warn", "offersOthers"> &
      StrangerFacts & { readonly offers: readonly string[]; readonly authentication: Authentication })
  | (Of<"web server", "fail", "nothingThere"> & StrangerFacts & { readonly path: string })
  | (Of<"web server", "fail", "nobodyLetIn"> & StrangerFacts)
  | (Of<"web server", "fail", "notRunning"> & StrangerFacts)
  | (Of<"web server", "fail", "pointsElsewhere"> & StrangerFacts & { readonly status: number })
  | (Of<"web server", "warn", "strangerLetIn"> & StrangerFacts & { readonly status: number })
  | (Of<"web server", "fail", "noAnswerInTime"> & { readonly scheme: string; readonly seconds: number })
  /** `code`: Node's name for it, or a sentence. */
  | (Of<"web server", "fail", "noAnswer"> & { readonly scheme: string; readonly code: string });

type ClockFinding =
  | Of<"clock", "skip", "clockUntold">
  | Of<"clock", "ok", "clocksAgree">
  | (Of<"clock", "ok", "clocksDiffer"> & ClockDifference)
  | (Of<"clock", "warn", "clocksFarApart"> & ClockDifference)
  | (Of<"clock", "fail", "clocksTooFarForKerberos"> & ClockDifference);

interface ClockDifference {
  readonly seconds: number;
  readonly isServerBehind: boolean;
}

/** Who we are there, as far as it was said. */
export interface Identity {
  readonly scheme: string;
  readonly who: string | undefined;
  /** Nobody agreed on who we are: it is what this system says of the credentials. */
  readonly isAssumed: boolean;
  readonly service: string | undefined;
  readonly isEncrypted: boolean;
}

type AuthenticationFinding =
  | (Of<"authentication", "ok", "signedIn"> & { readonly identity: Identity })
  | Of<"authentication", "warn", "notAsked">
  /** `begun`: what had begun. */
  | (Of<"authentication", "fail", "undecidedInTime"> & {
      readonly seconds: number;
      readonly begun: Identity | undefined;
      readonly authentication: Authentication;
      readonly platform: string;
    })
  | Of<"authentication", "skip", "undecided">
  | (Of<"authentication", "fail", "methodNotTaken"> & {
      readonly offers: readonly string[];
      readonly authentication: Authentication;
    })
  /** `identity`: where `says` doesn't tell. */
  | (Of<"authentication", "fail", "kerberosRefused"> & {
      readonly says: string;
      readonly identity: Identity | undefined;
      readonly platform: string;
    })
  | (Of<"authentication", "fail", "passwordRefused"> & { readonly username: string | undefined });

interface OpenSession {
  readonly protocolVersion: string | undefined;
  readonly powerShell: string | undefined;
  readonly frontEnd: string | undefined;
}

type SessionFinding =
  | (Of<"session", "ok", "sessionOpen"> & OpenSession)
  | (Of<"session", "warn", "sessionOfAnother"> & OpenSession)
  | (Of<"session", "fail", "sessionTimedOut"> & { readonly seconds: number })
  | (Of<"session", "fail", "sessionRefused"> & {
      readonly code: RemotingErrorCode;
      readonly says: string;
      readonly httpStatus: number | undefined;
    });

/** A needed cmdlet that can't be seen, or not with all that is sent. */
export interface Lack {
  readonly cmdlet: string;
  /** `undefined`: the cmdlet itself. */
  readonly parameters: readonly string[] | undefined;
  /** What is impossible without it. */
  readonly without: string;
}

interface SeenCmdlets {
  /** How many are needed. */
  readonly count: number;
  readonly areParametersTold: boolean;
}

type CmdletsFinding =
  | (Of<"cmdlets", "skip", "cmdletsNotListed"> & { readonly why: string })
  | (Of<"cmdlets", "ok", "cmdletsAllSeen"> & SeenCmdlets)
  | (Of<"cmdlets", "ok", "cmdletsSeen"> & SeenCmdlets & { readonly seen: number })
  | (Of<"cmdlets", "warn", "roleLacking"> & { readonly role: string; readonly lacks: readonly [Lack, ...Lack[]] })
  | (Of<"cmdlets", "fail", "vitalLacking"> & { readonly role: string; readonly lack: Lack });

/** What kept an asking step from an answer. */
type AskingFinding =
  | (Of<AskingStep, "fail", "askingTimedOut"> & { readonly seconds: number })
  | (Of<AskingStep, "fail", "askingBroke"> & { readonly says: string })
  | (Of<AskingStep, "fail", "serverNameless"> & { readonly cmdlet: string })
  /** `known`: the organisation's servers. */
  | (Of<AskingStep, "fail", "noSuchServer"> & { readonly server: string; readonly known: readonly string[] })
  /** `says`: the server's words, where it had some. */
  | (Of<AskingStep, "fail", "cmdletFailed"> & {
      readonly cmdlet: string;
      readonly says: string | undefined;
      readonly state: string;
      readonly code: ErrorCode;
    });

export type AskingStep = "cmdlets" | "reading";

/** Parts of a snapshot that may be unknown. */
export const PARTS = [
  "version",
  "defaultSmtpThumbprint",
  "imapCertificateName",
  "popCertificateName",
  "umStartupMode",
  "umCallRouterStartupMode",
  "sendConnectors",
  "receiveConnectors",
  "authCertificates",
  "federationThumbprints",
  "edgeSubscriptions",
] as const;
export type Part = (typeof PARTS)[number];

type ReadingFinding =
  | (Of<"reading", "ok", "read"> & {
      readonly server: string;
      readonly certificates: number;
      readonly version: ExchangeVersion | undefined;
    })
  | (Of<"reading", "fail", "otherAnswered"> & { readonly server: string; readonly asked: string })
  /** `endpointFor`: the version that the endpoint's server may not have the cmdlets of. */
  | (Of<"reading", "warn", "partsUnknown"> & {
      readonly parts: readonly Part[];
      readonly reason: string;
      readonly endpointFor: ExchangeVersion | undefined;
    });

type ServicesFinding =
  | Of<"services", "skip", "noCertificate">
  | (Of<"services", "warn", "servicesUntold"> & {
      readonly unknown: number;
      readonly certificates: number;
      readonly reason: string;
    })
  | (Of<"services", "ok", "servicesTold"> & { readonly by: "projection" | "objects" });

/** What one look has shown. */
export type Finding =
  | SettingsFinding
  | NameFinding
  | ConnectionFinding
  | TlsFinding
  | WebServerFinding
  | ClockFinding
  | AuthenticationFinding
  | SessionFinding
  | CmdletsFinding
  | AskingFinding
  | ReadingFinding
  | ServicesFinding;

export type FindingKind = Finding["kind"];

/** The worst of several; `ok` for none. */
export function worstOf(findings: readonly { readonly outcome: Outcome }[]): Outcome {
  return (
    (["fail", "warn", "ok", "skip"] as const).find((one) => findings.some(({ outcome }) => outcome === one)) ?? "ok"
  );
}
