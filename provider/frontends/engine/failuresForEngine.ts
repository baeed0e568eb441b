import { messageOf } from "../../errors";
import { INPUT_KEYS } from "../../inputs";
import type { Bag, Failure } from "../../lifecycle/requests";
import { isHarmless, isUsualVariable } from "../../shownValue";
import { describeBlocker } from "../../plan/blockerText";

/** A failure as the engine takes it. */
export interface EngineFailure {
  readonly property: string;
  readonly reason: string;
}

/**
 * Failures in a form that shows no secret. The engine prints the value of the property that a failure names, in clear,
 * even when that is a secret (seen with CLI 3.246.0: `property certificate value {map[... privateKey:{-----BEGIN ...`).
 * A failure of the resource as a whole has no value to print, so the property moves into the sentence.
 */
export function failuresForEngine(failures: readonly Failure[], inputs: Bag, now: Date): EngineFailure[] {
  return failures.map((failure) => {
    const { property } = failure;
    const reason = reasonOf(failure, now);
    return property !== "" && !mayBeShown(property, inputs[property])
      ? { property: "", reason: `${property}: ${reason}` }
      : { property, reason };
  });
}

/** A failure as a sentence. */
export function reasonOf(failure: Failure, now: Date): string {
  switch (failure.kind) {
    case "mistake":
      return failure.reason;
    case "blocker":
      return describeBlocker(failure.blocker, { server: failure.server, now });
    case "error":
      return messageOf(failure.error);
  }
}

/**
 * Whether a value has the form that is expected of that input, so that it is most likely what it should be: a key, a
 * password or a whole file may stand in any place.
 */
function mayBeShown(property: string, value: unknown): boolean {
  if (!(INPUT_KEYS as readonly string[]).includes(property)) return false;
  return property === "certificate" ? isPublicSource(value) : isPlainValue(value);
}

function isPlainValue(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((one) => typeof one !== "object" && isPlainValue(one));
  if (typeof value === "string") return isHarmless(value);
  return value === undefined || value === null || typeof value === "boolean" || typeof value === "number";
}

/** Blanks, colons and the invisible marks of dialogs are pasted along. */
const PASTED_THUMBPRINT = /^[0-9A-Fa-f\s:\u200E]{1,120}$/;
const PATH = /\.(?:pfx|p12)$/i;
const WISH_KEYS: ReadonlySet<string> = new Set(["subject", "dnsNames", "validityDays", "keySize"]);

const SHAPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  thumbprint: (value) => typeof value === "string" && PASTED_THUMBPRINT.test(value),
  pfxFile: (value) => typeof value === "string" && PATH.test(value) && isHarmless(value),
  passwordEnv: (value) => typeof value === "string" && isUsualVariable(value),
  selfSigned: (value) =>
    typeof value === "object" &&
    value !== null &&
    Object.entries(value).every(([key, part]) => WISH_KEYS.has(key) && isPlainValue(part)),
};

function isPublicSource(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return value === undefined;
  return Object.entries(value).every(([key, part]) => SHAPES[key]?.(part) === true);
}
