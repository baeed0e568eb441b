import type * as NodeForge from "node-forge";

/** What we use of node-forge that its type package leaves out, or knows too narrowly. */
interface Untyped {
  readonly rc2: {
    /** `bits`: the effective length of the key. */
    createDecryptionCipher(key: string, bits: number): NodeForge.cipher.BlockCipher & { start(iv: string): void };
  };
}

type Forge = Untyped & typeof NodeForge;

let loaded: Forge | undefined;

/**
 * node-forge, loaded when it is first needed: it takes longer to load than everything else in this folder together,
 * and a run that reads no certificate shouldn't pay for it.
 */
export function forge(): Forge {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the only synchronous way to load it late
  loaded ??= require("node-forge") as Forge;
  return loaded;
}
