/**
 * JSON in which the order of keys says nothing: the engine's protocol doesn't keep it. `replace` as JSON.stringify takes
 * it.
 */
export function sortedJson(
  value: unknown,
  replace: (key: string, part: unknown) => unknown = (_key, part) => part,
): string | undefined {
  return JSON.stringify(value, (key, given: unknown) => {
    const part = replace(key, given);
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)));
  });
}
