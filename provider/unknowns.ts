/**
 * What the engine sends in previews in place of a value that isn't known yet, one text per type. A Node program sends
 * the first for every type. Source: pulumi/pulumi, pkg/resource/plugin/rpc.go.
 */
const UNKNOWN_VALUES: ReadonlySet<unknown> = new Set([
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** Whether a value is unknown, or holds one anywhere inside. */
export function containsUnknown(value: unknown): boolean {
  if (UNKNOWN_VALUES.has(value)) return true;
  if (Array.isArray(value)) return value.some(containsUnknown);
  return typeof value === "object" && value !== null && Object.values(value).some(containsUnknown);
}
