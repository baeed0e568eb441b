import { messageOf } from "../../errors";
import { INPUT_KEYS } from "../../inputs";
import type { Bag, Failure } from "../../lifecycle/requests";
import { describeBlocker } from "../../plan/planText";

/** A failure as the engine takes it. */
export interface EngineFailure {
  readonly property: string;
  readonly reason: string;
}

const PUBLIC_SOURCE_KEYS: ReadonlySet<string> = new Set(["thumbprint", "pfxFile", "passwordEnv", "selfSigned"]);

/**
 * Failures in a form that shows no secret. The engine prints the value of the property that a failure names, in clear,
 * even when that is a secret (seen with CLI 3.246.0: `property certificate value {map[... privateKey:{-----BEGIN ...`).
 * A failure of the resource as a whole has no value to print, so the property moves into the sentence.
 */
export function failuresForEngine(failures: readonly Failure[], inputs: Bag, now: Date): EngineFailure[] {
  return failures.map((failure) => {
    const { property } = failure;
    const reason = reasonOf(failure, now);
    return property !== "" && mayHoldSecret(property, inputs[property])
      ? { property: "", reason: `${property}: ${reason}` }
      : { property, reason };
  });
}

function reasonOf(failure: Failure, now: Date): string {
  switch (failure.kind) {
    case "mistake":
      return failure.reason;
    case "blocker":
      return describeBlocker(failure.blocker, { server: failure.server, now });
    case "error":
      return messageOf(failure.error);
  }
}

function mayHoldSecret(property: string, value: unknown): boolean {
  // What isn't an input may be anything, a password in the wrong place too.
  if (!(INPUT_KEYS as readonly string[]).includes(property)) return true;
  if (property !== "certificate") return false;
  if (typeof value !== "object" || value === null) return value !== undefined;
  return Object.keys(value).some((key) => !PUBLIC_SOURCE_KEYS.has(key));
}
