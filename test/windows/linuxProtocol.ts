import type { AcceptorBehaviour, AcceptorEvent } from "../remoting/kerberos/acceptor";

/* What the tests on Windows' Node ask the process on Linux for. */

export const USER_NAME = "operator";
/** The first is the front ends'; the other one's name leads nowhere. */
export const SERVICES = ["HTTP/localhost", "HTTP/elsewhere.contoso.test"] as const;

export interface AcceptorWish {
  readonly service: (typeof SERVICES)[number];
  /** URL of what is behind it. */
  readonly target: string;
  readonly credentials?: { readonly user: string; readonly password: string } | undefined;
  readonly behaviour: Partial<AcceptorBehaviour>;
  readonly tls?: { readonly certificate: string; readonly privateKey: string } | undefined;
}

export type LinuxRequest =
  | ({ readonly what: "start" } & AcceptorWish)
  | { readonly what: "stop" | "forgetEvents"; readonly id: number }
  | { readonly what: "behave"; readonly id: number; readonly behaviour: Partial<AcceptorBehaviour> }
  | { readonly what: "events"; readonly id: number; readonly kind: AcceptorEvent["event"] }
  /** A ticket of the user's in the ticket cache that Wine uses, or none. */
  | { readonly what: "ticket"; readonly lifetimeSeconds?: number }
  | { readonly what: "noTicket" };

/** In HARNESS_WINDOWS, as JSON. */
export interface WindowsHarness {
  /** Of the process on Linux. */
  readonly port: number;
  readonly password: string;
}
