import { RemotingError } from "../errors";
import type { BodySealing } from "./authentication";

/*
 * Encrypted bodies: MS-WSMV 2.2.9.1. One protected message is two MIME parts, the first saying what the clear text was,
 * the second holding a signature with its length in front and the encrypted data.
 */

const BOUNDARY = "Encrypted Boundary";
const SOAP = "application/soap+xml;charset=UTF-8";

export interface MimeBody {
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** Wraps a body for sending. */
export function encryptBody(sealing: BodySealing, clear: Uint8Array): MimeBody {
  const { signature, data, paddingLength = 0 } = sealing.seal(clear);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(signature.length);
  const head =
    `--${BOUNDARY}\r\n\tContent-Type: ${sealing.protocol}\r\n` +
    `\tOriginalContent: type=${SOAP};Length=${clear.length + paddingLength}\r\n` +
    `--${BOUNDARY}\r\n\tContent-Type: application/octet-stream\r\n`;
  return {
    contentType: `multipart/encrypted;protocol="${sealing.protocol}";boundary="${BOUNDARY}"`,
    body: Buffer.concat([Buffer.from(head), length, signature, data, Buffer.from(`--${BOUNDARY}--\r\n`)]),
  };
}

/** Whether a media type says that the body is encrypted. */
export function isEncrypted(contentType: string): boolean {
  return /^\s*multipart\/encrypted\b/i.test(contentType);
}

/** `Length=` of OriginalContent, and where the header ends. WinRM writes `--Encrypted Boundary`, Exchange `-- Encrypted Boundary`. */
const HEAD =
  /^\s*-- ?Encrypted Boundary\r\n(?:[^\r\n]*\r\n){1,4}?[^\r\n]*;\s*Length=(\d{1,9})[^\r\n]*\r\n-- ?Encrypted Boundary\r\n\s*Content-Type:\s*application\/octet-stream\s*?\r\n/i;
const TAIL = /-- ?Encrypted Boundary--(?:\r\n)?$/;

/** Opens a body that came. Throws RemotingError `HttpUnexpected` for any other form, and for a length that doesn't fit. */
export function decryptBody(sealing: BodySealing, body: Uint8Array): Uint8Array {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const head = HEAD.exec(bytes.subarray(0, 1024).toString("latin1"));
  const tail = TAIL.exec(bytes.subarray(-64).toString("latin1"));
  const start = head?.[0].length ?? 0;
  const end = bytes.length - (tail?.[0].length ?? 0);
  if (head === null || tail === null || end - start < 4) throw malformed("it isn't one protected message");
  const signatureLength = bytes.readUInt32LE(start);
  const dataStart = start + 4 + signatureLength;
  if (dataStart > end) throw malformed("its signature is longer than the message");
  const clear = sealing.open({ signature: bytes.subarray(start + 4, dataStart), data: bytes.subarray(dataStart, end) });
  if (clear.length !== Number(head[1])) throw malformed("its clear text hasn't the length that it says");
  return clear;
}

function malformed(what: string): RemotingError {
  return new RemotingError("HttpUnexpected", `The server's encrypted answer can't be read: ${what}.`);
}
