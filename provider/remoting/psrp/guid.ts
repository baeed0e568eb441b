import { RemotingError } from "../errors";

/** A GUID as text: lower case, with hyphens, no braces. */
export const NIL_GUID = "00000000-0000-0000-0000-000000000000";

const FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Reads a GUID in any case, with or without braces or the prefix `uuid:`; `undefined` when it is none. */
export function parseGuid(text: string): string | undefined {
  const bare = text
    .trim()
    .toLowerCase()
    .replace(/^uuid:/, "")
    .replace(/^\{(.*)\}$/, "$1");
  return FORM.test(bare) ? bare : undefined;
}

/** The 16 bytes of a GUID as .NET writes them: the first three fields little-endian, the rest as it stands. MS-PSRP 2.2.1. */
export function guidToBytes(guid: string): Uint8Array {
  if (!FORM.test(guid)) throw new RemotingError("MessageInvalid", "A GUID isn't of the form that .NET writes.");
  return swapFields(Buffer.from(guid.replaceAll("-", ""), "hex"));
}

/** The other direction of {@link guidToBytes}. */
export function guidFromBytes(bytes: Uint8Array): string {
  const hex = Buffer.from(swapFields(bytes)).toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}

const LITTLE_ENDIAN = [
  [0, 4],
  [4, 6],
  [6, 8],
] as const;

function swapFields(bytes: Uint8Array): Uint8Array {
  const swapped = new Uint8Array(16);
  swapped.set(bytes);
  for (const [start, end] of LITTLE_ENDIAN) swapped.subarray(start, end).reverse();
  return swapped;
}
