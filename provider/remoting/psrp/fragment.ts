import { RemotingError } from "../errors";

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

/**
 * Puts messages together from the bytes of one stream, which may come cut at any byte. What doesn't fit what came
 * before is refused, and so is everything after it: MS-PSRP 2.2.4 and 3.1.5.1.
 */
export class Defragmenter {
  readonly #maxMessageBytes: number;
  /** Bytes of a fragment that isn't there whole yet. */
  #rest: Uint8Array = new Uint8Array();
  #current:
    { readonly objectId: bigint; nextFragmentId: bigint; length: number; readonly blobs: Uint8Array[] } | undefined;
  #failure: RemotingError | undefined;

  constructor(limits: DefragmenterLimits = {}) {
    this.#maxMessageBytes = limits.maxMessageBytes ?? MAX_MESSAGE_BYTES;
  }

  /** Whether bytes of an unfinished message are waiting. */
  get isInMessage(): boolean {
    return this.#rest.length > 0 || this.#current !== undefined;
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
    const input = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const messages: Uint8Array[] = [];
    let offset = 0;
    while (input.length - offset >= FRAGMENT_HEADER_BYTES) {
      const fragment = this.#fragmentAt(input, offset);
      if (fragment === undefined) break;
      offset += FRAGMENT_HEADER_BYTES + fragment.blob.length;
      const message = this.#add(fragment);
      if (message !== undefined) messages.push(message);
    }
    this.#rest = new Uint8Array(input.subarray(offset));
    return messages;
  }

  #fragmentAt(input: Uint8Array, offset: number): Fragment | undefined {
    const view = new DataView(input.buffer, input.byteOffset + offset, input.length - offset);
    const flags = view.getUint8(16);
    const length = view.getUint32(17);
    if ((flags & ~3) !== 0) throw invalid("carries flags that don't exist");
    // Checked before the blob is there, so that nobody can make us wait for gigabytes.
    if (length + (this.#current?.length ?? 0) > this.#maxMessageBytes) {
      throw invalid(`makes its message longer than the limit of ${this.#maxMessageBytes} bytes`);
    }
    if (input.length - offset < FRAGMENT_HEADER_BYTES + length) return undefined;
    return {
      objectId: view.getBigUint64(0),
      fragmentId: view.getBigUint64(8),
      isStart: (flags & 1) !== 0,
      isEnd: (flags & 2) !== 0,
      blob: input.subarray(offset + FRAGMENT_HEADER_BYTES, offset + FRAGMENT_HEADER_BYTES + length),
    };
  }

  #add(fragment: Fragment): Uint8Array | undefined {
    const current = this.#current;
    if (fragment.isStart !== (fragment.fragmentId === 0n)) throw invalid("starts a message with a wrong number");
    if (current === undefined) {
      if (!fragment.isStart) throw invalid("continues a message that didn't start");
      if (fragment.isEnd) return new Uint8Array(fragment.blob);
      this.#current = {
        objectId: fragment.objectId,
        nextFragmentId: 1n,
        length: fragment.blob.length,
        blobs: [new Uint8Array(fragment.blob)],
      };
      return undefined;
    }
    if (fragment.isStart) throw invalid("starts a message inside another");
    if (fragment.objectId !== current.objectId) throw invalid("belongs to another message");
    if (fragment.fragmentId !== current.nextFragmentId) throw invalid("is out of order");
    current.nextFragmentId += 1n;
    current.length += fragment.blob.length;
    // Nothing forbids a fragment that carries nothing. psrpcore sends some, and PowerShell takes them.
    if (fragment.blob.length > 0) current.blobs.push(new Uint8Array(fragment.blob));
    if (!fragment.isEnd) return undefined;
    this.#current = undefined;
    return Buffer.concat(current.blobs);
  }
}

function invalid(what: string): RemotingError {
  return new RemotingError("FragmentInvalid", `The other side sent a PSRP fragment that ${what}.`);
}
