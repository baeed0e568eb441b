import type { Backend, CallOptions } from "./backends/backend";
import type { CertificateFacts } from "./certificate/facts";
import type { CertificateMaterial } from "./certificate/material";
import type { Thumbprint } from "./certificate/thumbprint";
import type { Observed, ServerFqdn } from "./model";
import type { SelfSignedWish } from "./plan/desired";
import type { SendDecision, SourceOf } from "./plan/connectors";
import type { Fact } from "./plan/line";
import type { ObservedServer } from "./plan/observedServer";
import type { Step } from "./plan/planTypes";
import type { Secret } from "./secret";

/* What the executors of steps have in common. */

/** Everything impure that applying needs. */
export interface ApplyEnv {
  readonly backend: Backend;
  /** Reads the server afresh. */
  readonly observe: () => Promise<ObservedServer>;
  readonly options: CallOptions;
  readonly now: () => Date;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** What is done to one send connector is done one after the other, whichever server it is done from. */
  readonly onConnector: <T>(
    connector: { readonly type: "send" | "receive"; readonly connector: string },
    job: () => Promise<T>,
  ) => Promise<T>;
  /** The source servers of send connectors, read afresh. */
  readonly sourcesOf: (server: ObservedServer, connectors: readonly string[]) => Promise<SourceOf>;
  /** What is to be done with a send connector that is to name a certificate, by what its source servers have by now. */
  readonly decideNaming: (server: ObservedServer, connector: string, facts: CertificateFacts) => Promise<SendDecision>;
  readonly randomBytes: (count: number) => Buffer;
  readonly makeCertificate: (wish: SelfSignedWish) => Promise<CertificateMaterial>;
  /** Packs what is to be imported so that every server reads it. Slow, and it has randomness of its own. */
  readonly packPfx: (material: CertificateMaterial, password: Secret<string>) => Secret<Uint8Array>;
  /** What is done to these send connectors, beside all other gaps of the organisation that this process knows of. */
  readonly inGap: <T>(connectors: readonly string[], job: () => Promise<T>) => Promise<T>;
  /** For the part of a gap in which names are cleared: nobody decides by what is seen of a server then. */
  readonly whileCleared: <T>(job: () => Promise<T>) => Promise<T>;
  /**
   * For what has to be done although something failed: the server with a time limit of its own, which begins when this
   * is called. `inAnyCase`: also when the run has been told to end.
   */
  readonly anew: (doing: string, how?: { readonly inAnyCase?: boolean }) => WithinLimit;
  /** A line for the person who watches. */
  readonly say: (
    fact: Fact & {
      readonly kind:
        | "serverWarns"
        | "waitsFor"
        | "takesBack"
        | "removalNotDone"
        | "connectorNotSet"
        | "keptOld"
        | "keptForNow"
        | "connectorWaits"
        | "rollsBack"
        | "setsConnector";
    },
  ) => void;
  /** Labels of the bindings that declare a certificate of the server by now. */
  readonly declaredBy: (thumbprint: Thumbprint) => Observed<readonly string[]>;
  /** The call to remove it comes now, unless it is declared already: who declares it later comes too late. */
  readonly removing: (thumbprint: Thumbprint) => void;
  /** It is declared, or has to stay: the call doesn't come. */
  readonly staying: (thumbprint: Thumbprint) => void;
}

/** What heeds the time limit. */
export type WithinLimit = Pick<ApplyEnv, "backend" | "observe" | "options" | "sleep" | "sourcesOf" | "decideNaming">;

/** What the binding brings along; undefined for a certificate that is on the server. */
export type Material = () => CertificateMaterial;

/** How far an execution has come. */
export interface Progress {
  thumbprint: Thumbprint | undefined;
  material: CertificateMaterial | undefined;
  /** A changing call has been begun; what it did is known only by reading again. */
  touched: boolean;
  imported: boolean;
  isVerified: boolean;
  /** What has to wait, or what Exchange refused: no failure, and tried again by the next run. */
  readonly leftOut: Step[];
  readonly begun: Step[];
}

/** What the executor of a step works with. */
export interface Run {
  readonly server: ServerFqdn;
  readonly material: Material | undefined;
  readonly progress: Progress;
  /** With the time limit that counts now. */
  env: ApplyEnv;
}
