import type { Operation } from "../../../remoting/wsman/names";
import type { Refusal } from "./wsmanFaults";

/**
 * How the endpoint behaves where real ones differ, or where it isn't known how they do. Nothing may depend on one of
 * these alone.
 */
export interface EndpointBehaviour {
  /**
   * Whether `| Select-Object` may be used. `refused`: its -Property takes other names only, as in the restricted form
   * that PowerShell itself defines. `absent`: there is no such cmdlet.
   */
  readonly projection: "allowed" | "refused" | "absent";
  /** `demanded`: a request without the cookie of its shell lands on another back end, where the shell isn't. */
  readonly cookie: "none" | "set" | "demanded";
  /**
   * What frames SerializationData: nothing, `#sig#` with an HMAC, or `#sig#` with one that doesn't verify.
   * `byVersion`: as the server's version does by default.
   */
  readonly signing: "byVersion" | "none" | "valid" | "invalid";
  /** Shells that one user may have at a time. */
  readonly maxShellsPerUser: number;
  /** Commands of a shell that nobody has terminated. */
  readonly maxCommandsPerShell: number;
  /** An idle shell is gone after so long, unless the client asked for less. */
  readonly idleTimeoutSeconds: number;
  /** Longest request; what IIS reads ahead for this directory. */
  readonly maxRequestBytes: number;
  /** Largest PSRP fragment. */
  readonly maxFragmentBytes: number;
  /** The servers' time zone, in which dates are displayed and sent. */
  readonly utcOffsetMinutes: number;
}

export const DEFAULT_BEHAVIOUR: EndpointBehaviour = {
  projection: "allowed",
  cookie: "demanded",
  signing: "byVersion",
  maxShellsPerUser: 18,
  maxCommandsPerShell: 1000,
  idleTimeoutSeconds: 900,
  maxRequestBytes: 512_000,
  maxFragmentBytes: 32_768,
  utcOffsetMinutes: 0,
};

/** What can go wrong with a request. */
export type RequestFault =
  /** The connection ends before anything was done. */
  | { readonly kind: "requestLost" }
  /** It is done, but the connection ends after so many bytes of the HTTP response; 0 for none at all. */
  | { readonly kind: "responseCut"; readonly atByte: number }
  /** Its shell is gone: idle for too long, or the back end was restarted. */
  | { readonly kind: "shellExpired" }
  /** Refused with a fault of WS-Management. */
  | { readonly kind: Refusal }
  /** Its runspace pool breaks, and says so to whoever listens to the pool. */
  | { readonly kind: "poolBroken" }
  /** HTTP 401. */
  | { readonly kind: "unauthorized" }
  /** HTTP 403 with a page, as where SSL is required. */
  | { readonly kind: "forbidden" }
  /** HTTP 404. */
  | { readonly kind: "notFound" }
  /** HTTP 503, without a body of SOAP. */
  | { readonly kind: "unavailable" }
  /** The response waits for so long. */
  | { readonly kind: "slow"; readonly milliseconds: number };

/** A fault and the requests it befalls. */
export interface InjectedFault {
  readonly fault: RequestFault;
  /** Only requests of this operation. Default: any. */
  readonly operation?: Operation;
  /** So many matching requests are spared first. Default 0. */
  readonly after?: number;
  /** So many requests are hit. Default 1. */
  readonly times?: number;
}

interface Waiting {
  readonly injected: InjectedFault;
  spared: number;
  hit: number;
}

/** The faults that are still to happen. */
export class FaultPlan {
  #waiting: Waiting[] = [];

  add(injected: InjectedFault): void {
    this.#waiting.push({ injected, spared: 0, hit: 0 });
  }

  clear(): void {
    this.#waiting = [];
  }

  /** The fault for this request, which counts as one request for all that wait. */
  take(operation: Operation | undefined): RequestFault | undefined {
    let chosen: RequestFault | undefined;
    for (const waiting of this.#waiting) {
      const { injected } = waiting;
      if (injected.operation !== undefined && injected.operation !== operation) continue;
      if (waiting.spared < (injected.after ?? 0)) waiting.spared += 1;
      else if (chosen === undefined) {
        waiting.hit += 1;
        chosen = injected.fault;
      }
    }
    this.#waiting = this.#waiting.filter(({ injected, hit }) => hit < (injected.times ?? 1));
    return chosen;
  }
}
