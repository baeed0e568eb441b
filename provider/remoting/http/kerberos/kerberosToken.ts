import { RemotingError } from "../../errors";
import type { SealedBody } from "../authentication";

/*
 * Wrap tokens of RFC 4121 4.2.6.2, and how MS-WSMV 2.2.9.1.1.2 wants them cut in two. Before rotation a token is
 *
 *     header (16) | encrypted: confounder (16), clear text, copy of the header (16) | checksum
 *
 * All encryption types of AES keep lengths as they are, so that everything but the clear text is overhead.
 */

const HEADER_BYTES = 16;
const CONFOUNDER_BYTES = 16;
const EC_OFFSET = 4;
const RRC_OFFSET = 6;
const IS_SEALED = 2;

/**
 * Cuts a token of ours, made of `clearLength` bytes: what stands behind the message is rotated to its front, so that
 * the signature is all that isn't the message. Throws RemotingError `AuthenticationRefused`.
 */
export function splitToken(token: Uint8Array, clearLength: number): SealedBody {
  const form = checkOwn(token);
  const overhead = token.length - clearLength;
  const tail = overhead - HEADER_BYTES - CONFOUNDER_BYTES;
  if (form.ec !== 0 || form.rrc !== 0 || tail < HEADER_BYTES) throw ownRefused("has a form that isn't known here.");
  const cut = token.length - tail;
  const signature = Buffer.concat([
    token.subarray(0, HEADER_BYTES),
    token.subarray(cut),
    token.subarray(HEADER_BYTES, HEADER_BYTES + CONFOUNDER_BYTES),
  ]);
  signature.writeUInt16BE(tail, RRC_OFFSET);
  return { signature, data: Buffer.from(token.subarray(HEADER_BYTES + CONFOUNDER_BYTES, cut)) };
}

/** Puts a token of the server's together. Throws RemotingError `HttpUnexpected` for what isn't an encrypted one. */
export function joinToken({ signature, data }: SealedBody): Buffer {
  checkAnswer(signature);
  return Buffer.concat([signature, data]);
}

/** What a message of ours begins with. Throws RemotingError `AuthenticationRefused` where it isn't an encrypted one. */
export function checkOwn(signature: Uint8Array): Form {
  const form = headerOf(signature);
  if (typeof form === "string") throw ownRefused(form);
  return form;
}

/** The same of a message of the server's. Throws RemotingError `HttpUnexpected`. */
export function checkAnswer(signature: Uint8Array): void {
  const form = headerOf(signature);
  if (typeof form === "string") throw new RemotingError("HttpUnexpected", `the server's encrypted answer ${form}`);
}

function ownRefused(what: string): RemotingError {
  return new RemotingError("AuthenticationRefused", `our own message ${what}`, { facts: { fate: "notDone" } });
}

/** "Extra count" and "right rotation count" of the header. */
interface Form {
  readonly ec: number;
  readonly rrc: number;
}

/** The numbers in the header, or what is wrong with it. */
function headerOf(token: Uint8Array): Form | string {
  const bytes = Buffer.from(token.buffer, token.byteOffset, token.byteLength);
  if (bytes[0] === 0x60) {
    return (
      "is encrypted with RC4 or DES (RFC 1964), which isn't taken. Let the account that the web server runs as support " +
      "AES (msDS-SupportedEncryptionTypes), change its password once, and get a new ticket."
    );
  }
  if (bytes.length < HEADER_BYTES || bytes.readUInt16BE() !== 0x0504 || bytes[3] !== 0xff) {
    return "isn't a message of Kerberos (RFC 4121).";
  }
  if (((bytes[2] ?? 0) & IS_SEALED) === 0) return "is signed, but isn't encrypted.";
  return { ec: bytes.readUInt16BE(EC_OFFSET), rrc: bytes.readUInt16BE(RRC_OFFSET) };
}
