import { ExchangeBindingError, asSentence } from "../../errors";
import type { ErrorCode } from "../../errors";
import type { Deployment } from "../../lifecycle/deployment";
import type { CheckAnswer, Failure } from "../../lifecycle/requests";
import type { Blocker } from "../../plan/planTypes";
import { reasonOf } from "../engine/failuresForEngine";
import { nameIn } from "../engine/urn";

/** What is the program's or the configuration's own fault, whatever a server says. */
const OF_PROGRAM: ReadonlySet<ErrorCode> = new Set([
  "ConfigurationInvalid",
  "BackendMismatch",
  "StateUnreadable",
  "Offline",
  "Internal",
]);

/** What bindings of the program contradict each other in, or a binding itself: on a healthy server too. */
const PROGRAMS_OWN: ReadonlySet<Blocker["kind"]> = new Set([
  "claimedByAnother",
  "connectorClaimed",
  "removedByAnother",
  "successorIsItself",
  "nameNeeded",
  "nameNotCovered",
]);

interface Refused {
  readonly server: string | undefined;
  readonly reasons: readonly string[];
  readonly code: ErrorCode;
}

/**
 * Bindings that a server's state forbids. A failure of check or diff would end the registration of all resources, those
 * on healthy servers among them. So both answer that something is to be changed, and the change is refused, in its
 * preview too.
 */
export class Refusals {
  readonly #deployment: Deployment;
  readonly #checked = new Set<string>();
  readonly #refused = new Map<string, Refused>();

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
  }

  of(urn: string): Refused | undefined {
    return this.#refused.get(urn);
  }

  /** Keeps failures that depend on the server alone. Where there are others, all of them are returned. */
  keep(urn: string, { inputs, failures }: CheckAnswer): readonly Failure[] {
    this.#checked.add(urn);
    this.#refused.delete(urn);
    if (!failures.every(isOfServer)) return failures;
    if (failures.length === 0) return [];
    const server = typeof inputs["server"] === "string" ? inputs["server"] : undefined;
    const now = this.#deployment.env.now();
    this.#refused.set(urn, { server, reasons: failures.map((one) => reasonFor(one, now)), code: codeOf(failures) });
    return [];
  }

  /** The same for what diff finds. False: it isn't of that kind, or nothing comes after it that could be refused. */
  keepError(urn: string, error: unknown): boolean {
    if (!this.#checked.has(urn) || !(error instanceof ExchangeBindingError) || OF_PROGRAM.has(error.code)) return false;
    const { server } = error.facts;
    const reasons = [asSentence(error.message)];
    this.#refused.set(urn, { server: typeof server === "string" ? server : undefined, reasons, code: error.code });
    return true;
  }

  /** Throws where that binding is refused. In a preview, which ends here, with the other servers that are known to be broken. */
  refuse(urn: string, isPreview: boolean): void {
    const refused = this.#refused.get(urn);
    if (refused === undefined) return;
    const { server, reasons, code } = refused;
    const others = isPreview ? this.#othersThan(server) : [];
    const isSaid = (text: string): boolean => reasons.some((reason) => reason.toLowerCase().includes(text));
    const where = server === undefined || isSaid(server.toLowerCase()) ? "" : ` on ${server}`;
    const whose = `Binding "${nameIn(urn)}"`;
    const beginning = isSaid(whose.toLowerCase()) ? "" : `${whose}${where}: `;
    const also = others.length === 0 ? "" : ` Also refused by now: ${others.join(", ")}.`;
    throw new ExchangeBindingError(code, `${beginning}${reasons.join(" ")}${also}`, {
      facts: { server, binding: nameIn(urn) },
    });
  }

  #othersThan(server: string | undefined): readonly string[] {
    const refused = [...this.#refused.values()].flatMap((one) => one.server ?? []);
    const all = new Set<string>([...refused, ...this.#deployment.snapshots.unread()]);
    return [...all].filter((one) => one !== server).sort();
  }
}

function isOfServer(failure: Failure): boolean {
  switch (failure.kind) {
    case "mistake":
      return false;
    case "blocker":
      return !PROGRAMS_OWN.has(failure.blocker.kind);
    case "error":
      return failure.error instanceof ExchangeBindingError && !OF_PROGRAM.has(failure.error.code);
  }
}

function reasonFor(failure: Failure, now: Date): string {
  const reason = reasonOf(failure, now);
  return failure.kind === "error" ? asSentence(reason) : reason;
}

function codeOf(failures: readonly Failure[]): ErrorCode {
  const [first] = failures.flatMap((one) => (one.kind === "error" ? [one.error] : []));
  return first instanceof ExchangeBindingError ? first.code : "Refused";
}
