import koffi from "koffi";

/**
 * Sets variables for native code of this process, such as MIT's library. Jest's `process.env` is a copy that never
 * gets there. Not while a native call runs on another thread.
 */
export function setNativeEnvironment(variables: Readonly<Record<string, string>>): void {
  const setenv = koffi.load(null).func("setenv", "int", ["str", "str", "int"]) as (
    name: string,
    value: string,
    overwrite: number,
  ) => number;
  for (const [name, value] of Object.entries(variables)) {
    if (setenv(name, value, 1) !== 0) throw new Error(`${name} can't be set.`);
  }
}
