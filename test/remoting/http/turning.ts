import type { BodySealing } from "../../../provider/remoting/http/authentication";

/** Not a cipher: each byte turned over, and the sum of them as a signature. */
export const turning: BodySealing = {
  protocol: "application/HTTP-Kerberos-session-encrypted",
  seal: (clear) => ({ signature: Uint8Array.of(...sum(clear)), data: clear.map((byte) => byte ^ 0xff) }),
  open: ({ signature, data }) => {
    const clear = data.map((byte) => byte ^ 0xff);
    if (!Buffer.from(signature).equals(Buffer.from(sum(clear)))) throw new Error("wrong signature");
    return clear;
  },
};

function sum(bytes: Uint8Array): readonly number[] {
  const total = bytes.reduce((left, byte) => left + byte, 0);
  return [1, 2, total & 0xff, (total >> 8) & 0xff];
}
