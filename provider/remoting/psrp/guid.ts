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

function swapFields(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from([3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map((index) => bytes[index] ?? 0));
}
