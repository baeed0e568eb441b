import { RemotingError } from "../errors";
import { GrowingBytes } from "../growingBytes";

/** A part of a message: MS-PSRP 2.2.4, all numbers big-endian. */
export interface Fragment {
  /** The same for all fragments of a message; counts from 1 in each direction. */
  readonly objectId: bigint;
  /** Counts from 0 within a message. */
  readonly fragmentId: bigint;
  readonly isStart: boolean;
  readonly isEnd: boolean;
  readonly blob: Uint8Array;
}

/** Bytes before the blob: object id 8, fragment id 8, flags 1, length of the blob 4. */
const FRAGMENT_HEADER_BYTES = 21;

export function encodeFragment(fragment: Fragment): Uint8Array {
  const bytes = new Uint8Array(FRAGMENT_HEADER_BYTES + fragment.blob.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, fragment.objectId);
  view.setBigUint64(8, fragment.fragmentId);
  view.setUint8(16, (fragment.isStart ? 1 : 0) | (fragment.isEnd ? 2 : 0));
  view.setUint32(17, fragment.blob.length);
  bytes.set(fragment.blob, FRAGMENT_HEADER_BYTES);
  return bytes;
}

/** Hands out object ids; one for each direction of a runspace pool, pipelines included. */
export class ObjectIds {
  #last = 0n;

  next(): bigint {
    this.#last += 1n;
    return this.#last;
  }
}

/** Bytes to send, and the WS-Man stream they belong to: `pr` carries answers to host calls (MS-PSRP 2.2.4 with 3.1.5.3). */
export interface Outgoing<Stream extends string = "stdin" | "pr"> {
  readonly stream: Stream;
  readonly bytes: Uint8Array;
}

interface Waiting<Stream> {
  readonly stream: Stream;
  readonly message: Uint8Array;
  objectId: bigint | undefined;
  offset: number;
  fragmentId: bigint;
}

/**
 * Messages waiting to be sent, cut into fragments at the moment of sending: how large one may be is known only then,
 * and differs between Create, Command and Send.
 */
export class FragmentWriter<Stream extends string = "stdin" | "pr"> {
  readonly #ids: ObjectIds;
  readonly #waiting: Waiting<Stream>[] = [];

  constructor(ids: ObjectIds) {
    this.#ids = ids;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  add(message: Uint8Array, stream: Stream): void {
    this.#waiting.push({ stream, message, objectId: undefined, offset: 0, fragmentId: 0n });
  }

  /**
   * The next fragments of one stream, at most `maxBytes` together (at least 22: a header and one byte) and at most
   * `maxFragments`; `undefined` when nothing waits.
   */
  take(maxBytes: number, maxFragments = Number.POSITIVE_INFINITY): Outgoing<Stream> | undefined {
    if (maxBytes <= FRAGMENT_HEADER_BYTES) {
      throw new RemotingError("FragmentInvalid", `A fragment can't be cut to ${maxBytes} bytes: its header takes 21.`);
    }
    const stream = this.#waiting[0]?.stream;
    if (stream === undefined) return undefined;
    const pieces: Uint8Array[] = [];
    let room = maxBytes;
    while (pieces.length < maxFragments && room > FRAGMENT_HEADER_BYTES) {
      const next = this.#waiting[0];
      if (next?.stream !== stream) break;
      const piece = this.#cut(next, room);
      room -= piece.length;
      pieces.push(piece);
    }
    return { stream, bytes: Buffer.concat(pieces) };
  }

  #cut(waiting: Waiting<Stream>, room: number): Uint8Array {
    waiting.objectId ??= this.#ids.next();
    const end = Math.min(waiting.message.length, waiting.offset + room - FRAGMENT_HEADER_BYTES);
    const isEnd = end === waiting.message.length;
    const bytes = encodeFragment({
      objectId: waiting.objectId,
      fragmentId: waiting.fragmentId,
      isStart: waiting.fragmentId === 0n,
      isEnd,
      blob: waiting.message.subarray(waiting.offset, end),
    });
    waiting.offset = end;
    waiting.fragmentId += 1n;
    if (isEnd) this.#waiting.shift();
    return bytes;
  }
}

export interface DefragmenterLimits {
  /** Longest message, in bytes. Default 33,554,432 (32 MiB). */
  readonly maxMessageBytes?: number;
}

const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;

/** What a fragment says before its blob. */
interface FragmentHeader extends Omit<Fragment, "blob"> {
  readonly blobBytes: number;
}

/**
 * Puts messages together from the bytes of one stream, which may come cut at any byte. What doesn't fit what came
 * before is refused, and so is everything after it: MS-PSRP 2.2.4 and 3.1.5.1. However the stream is cut, each byte is
 * looked at once, and a message takes no more memory than twice what has come of it.
 */
export class Defragmenter {
  readonly #maxMessageBytes: number;
  /** The header that is being read; `#headerBytes` of it are there. */
  readonly #header = new Uint8Array(FRAGMENT_HEADER_BYTES);
  #headerBytes = 0;
  /** The fragment whose blob is being read, and how much of that is still to come. */
  #fragment: FragmentHeader | undefined;
  #missingBytes = 0;
  #current: { readonly objectId: bigint; nextFragmentId: bigint; readonly message: GrowingBytes } | undefined;
  #failure: RemotingError | undefined;

  constructor(limits: DefragmenterLimits = {}) {
    this.#maxMessageBytes = limits.maxMessageBytes ?? MAX_MESSAGE_BYTES;
  }

  /** Whether bytes of an unfinished message are waiting. */
  get isInMessage(): boolean {
    return this.#headerBytes > 0 || this.#current !== undefined;
  }

  /** The messages that these bytes complete. Throws RemotingError `FragmentInvalid`. */
  push(bytes: Uint8Array): Uint8Array[] {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return this.#push(bytes);
    } catch (error) {
      if (error instanceof RemotingError) this.#failure = error;
      throw error;
    }
  }

  #push(bytes: Uint8Array): Uint8Array[] {
    const messages: Uint8Array[] = [];
    for (let rest = bytes; rest.length > 0;) {
      if (this.#fragment === undefined) {
        const piece = rest.subarray(0, FRAGMENT_HEADER_BYTES - this.#headerBytes);
        this.#header.set(piece, this.#headerBytes);
        this.#headerBytes += piece.length;
        rest = rest.subarray(piece.length);
        if (this.#headerBytes < FRAGMENT_HEADER_BYTES) break;
        this.#begin(headerOf(this.#header));
      }
      const piece = rest.subarray(0, this.#missingBytes);
      this.#current?.message.append(piece);
      this.#missingBytes -= piece.length;
      rest = rest.subarray(piece.length);
      if (this.#missingBytes > 0) break;
      const message = this.#end();
      if (message !== undefined) messages.push(message);
    }
    return messages;
  }

  /** Checked before the blob is there, so that nobody can make us wait for gigabytes. */
  #begin(fragment: FragmentHeader): void {
    const current = this.#current;
    if (fragment.blobBytes + (current?.message.length ?? 0) > this.#maxMessageBytes) {
      throw invalid(`makes its message longer than the limit of ${this.#maxMessageBytes} bytes`);
    }
    if (fragment.isStart !== (fragment.fragmentId === 0n)) throw invalid("starts a message with a wrong number");
    if (current === undefined) {
      if (!fragment.isStart) throw invalid("continues a message that didn't start");
      this.#current = { objectId: fragment.objectId, nextFragmentId: 1n, message: new GrowingBytes() };
    } else {
      if (fragment.isStart) throw invalid("starts a message inside another");
      if (fragment.objectId !== current.objectId) throw invalid("belongs to another message");
      if (fragment.fragmentId !== current.nextFragmentId) throw invalid("is out of order");
      current.nextFragmentId += 1n;
    }
    this.#fragment = fragment;
    // Nothing forbids a fragment that carries nothing. psrpcore sends some, and PowerShell takes them.
    this.#missingBytes = fragment.blobBytes;
  }

  /** The message, when its last fragment is there. */
  #end(): Uint8Array | undefined {
    const isEnd = this.#fragment?.isEnd === true;
    this.#fragment = undefined;
    this.#headerBytes = 0;
    if (!isEnd) return undefined;
    const message = this.#current?.message.bytes;
    this.#current = undefined;
    return message;
  }
}

function headerOf(bytes: Uint8Array): FragmentHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint8(16);
  if ((flags & ~3) !== 0) throw invalid("carries flags that don't exist");
  return {
    objectId: view.getBigUint64(0),
    fragmentId: view.getBigUint64(8),
    isStart: (flags & 1) !== 0,
    isEnd: (flags & 2) !== 0,
    blobBytes: view.getUint32(17),
  };
}

function invalid(what: string): RemotingError {
  return new RemotingError("FragmentInvalid", `The other side sent a PSRP fragment that ${what}.`);
}
