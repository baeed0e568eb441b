/** `urn:pulumi:<stack>::<project>::<types>::<name>`: the name, which may have colons of its own. */
export function nameIn(urn: string): string {
  return urn.split("::").slice(3).join("::");
}
