import { UNKNOWN } from "../../unknowns";

/** What a Node program sends in place of every value that isn't known yet, whatever its type. */
const UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The same, one text per type. Source: pulumi/pulumi, pkg/resource/plugin/rpc.go. */
const UNKNOWN_TEXTS: ReadonlySet<unknown> = new Set([
  UNKNOWN_TEXT,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** Values of the engine as the life cycle takes them. */
export function fromEngine<T>(value: T): T {
  return exchanged(value, (one) => (UNKNOWN_TEXTS.has(one) ? UNKNOWN : one)) as T;
}

/** Values of the life cycle as the engine takes them. */
export function toEngine<T>(value: T): T {
  return exchanged(value, (one) => (one === UNKNOWN ? UNKNOWN_TEXT : one)) as T;
}

function exchanged(value: unknown, exchange: (one: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => exchanged(one, exchange));
  if (typeof value !== "object" || value === null) return exchange(value);
  return Object.fromEntries(
    Object.entries(value).map(([key, one]: [string, unknown]) => [key, exchanged(one, exchange)]),
  );
}
