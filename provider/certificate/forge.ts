import type * as NodeForge from "node-forge";

/** What we use of node-forge that its type package leaves out, or knows too narrowly. */
interface Untyped {
  readonly asn1: {
    fromDer(
      bytes: string,
      options: { readonly strict: boolean; readonly parseAllBytes: boolean; readonly decodeBitStrings: boolean },
    ): NodeForge.asn1.Asn1;
    /** `type` is the tag's number; of a context-specific value it is no member of `asn1.Type`. */
    create(
      tagClass: NodeForge.asn1.Class,
      type: number,
      constructed: boolean,
      value: string | NodeForge.asn1.Asn1[],
    ): NodeForge.asn1.Asn1;
  };
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
