import type * as NodeForge from "node-forge";

/** What we use of node-forge that its type package leaves out. */
interface Untyped {
  readonly asn1: {
    fromDer(
      bytes: string,
      options: { readonly strict: boolean; readonly parseAllBytes: boolean; readonly decodeBitStrings: boolean },
    ): NodeForge.asn1.Asn1;
  };
  readonly pki: {
    readonly pbe: {
      getCipherForPKCS12PBE(
        oid: string,
        params: NodeForge.asn1.Asn1,
        password: string | null,
      ): NodeForge.cipher.BlockCipher;
    };
  };
}

type Forge = typeof NodeForge & Untyped;

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
