import type { CheckFailure } from "../inputs";
import type { ServerFqdn } from "../model";
import type { BindingIdentity } from "../plan/desired";
import type { Line } from "../plan/line";
import type { Blocker } from "../plan/planTypes";
import type { TimeLimit } from "./timeLimit";

/*
 * What a front end asks of the life cycle, and what it is answered. Values that a preview doesn't know yet are UNKNOWN;
 * inputs and outputs are plain JSON otherwise.
 */

export type Bag = Readonly<Record<string, unknown>>;

/** What ends an operation besides the binding's own `timeoutSeconds`. */
export interface Limits {
  /** Ends it earlier: somebody wants the run to stop. */
  readonly signal?: AbortSignal | undefined;
  /** Takes the place of `timeoutSeconds`. */
  readonly limit?: TimeLimit | undefined;
}

/** The limits of an operation on a binding, its own where nobody nearer set one. */
export function limitsOf({ timeoutSeconds }: { readonly timeoutSeconds: number }, { signal, limit }: Limits): Limits {
  return { signal, limit: limit ?? { seconds: timeoutSeconds } };
}

export interface CheckRequest extends Limits {
  readonly inputs: Bag;
  /** The inputs in the state; empty for a new binding. */
  readonly oldInputs: Bag;
}

/** Something that is there: its id, and the outputs in the state. */
export interface StateRequest extends Limits {
  readonly id: string;
  readonly state: Bag;
}

export interface ReadRequest extends StateRequest {
  /** It is to become a binding: what is there becomes what is declared, and what may not be one is refused. */
  readonly isImport?: boolean;
}

export interface CreateRequest extends Limits {
  /** As checked. */
  readonly inputs: Bag;
}

export interface ChangeRequest extends StateRequest {
  /** As checked. */
  readonly inputs: Bag;
}

/** What is wrong with a wish: a mistake in the inputs, what stands in the way, or why that couldn't be found out. */
export type Failure =
  | (CheckFailure & { readonly kind: "mistake" })
  | { readonly kind: "blocker"; readonly property: string; readonly server: ServerFqdn; readonly blocker: Blocker }
  | { readonly kind: "error"; readonly property: string; readonly error: unknown };

export interface CheckAnswer {
  /** Normal forms, and what is known of the certificate. */
  readonly inputs: Bag;
  readonly failures: readonly Failure[];
}

/** A property that differs: of the inputs, or what the server shows of it. */
export interface Difference {
  /** `services[1]`, `imapCertificateName`. */
  readonly path: string;
  readonly kind: "add" | "update" | "delete";
  /** Whether the inputs themselves differ from those in the state; otherwise the server does. */
  readonly ofInputs: boolean;
}

/** What a change of the program, or drift, does to the binding. */
export interface Decision {
  readonly kind: "none" | "update" | "replace";
  readonly differences: readonly Difference[];
  /** Inputs for whose sake it is replaced. */
  readonly replaces: readonly string[];
}

export interface CreateAnswer {
  readonly id: string;
  readonly outputs: Bag;
}

/** `gone`: the server answered, and the certificate isn't there. */
export type ReadAnswer =
  | { readonly kind: "gone" }
  | { readonly kind: "there"; readonly id: string; readonly outputs: Bag; readonly inputs: Bag };

/** A line about a binding. */
export interface ToldLine {
  readonly identity: BindingIdentity;
  readonly server: ServerFqdn;
  readonly line: Line;
}

/** An operation that failed after something on the server may have changed: what the state must remember of it. */
export class HalfDone extends Error {
  readonly id: string;
  readonly outputs: Bag;

  constructor(cause: Error, { id, outputs }: CreateAnswer) {
    super(cause.message, { cause });
    this.name = "HalfDone";
    this.id = id;
    this.outputs = outputs;
  }
}
