/** Stands for a value that a preview doesn't know yet, whatever its type. A front end puts it in and takes it out. */
export const UNKNOWN: unique symbol = Symbol("a value that isn't known yet");

/** Whether a value is unknown, or holds one anywhere inside. */
export function containsUnknown(value: unknown): boolean {
  if (value === UNKNOWN) return true;
  if (Array.isArray(value)) return value.some(containsUnknown);
  return typeof value === "object" && value !== null && Object.values(value).some(containsUnknown);
}
