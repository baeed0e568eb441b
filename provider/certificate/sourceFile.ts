import type { Stats } from "node:fs";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

import { messageOf } from "../errors";

export interface SourceFileLimits {
  /** A longer file isn't read. Default: {@link MAX_SOURCE_BYTES}. */
  readonly maxBytes?: number | undefined;
  /** Ends the reading; the promise is rejected with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A PFX with a chain has some kilobytes, a file with all public authorities a quarter of a megabyte. */
const MAX_SOURCE_BYTES = 4 * 1024 * 1024;

/** Why a file isn't read, for the end of a sentence: "it is a directory". */
export class SourceFileRefused extends Error {}

/**
 * Reads a file of certificates or keys. Links are followed, as in certbot's `live/` and in mounted secrets; what they
 * lead to has to be a regular file, because a pipe may never give anything and a device never ends.
 *
 * @throws SourceFileRefused for a file that isn't there, may not be read, is no regular file or is too long
 */
export async function readSourceFile(path: string, limits: SourceFileLimits = {}): Promise<Uint8Array> {
  const { maxBytes = MAX_SOURCE_BYTES, signal } = limits;
  signal?.throwIfAborted();
  let file: FileHandle | undefined;
  try {
    // Without blocking: opening a pipe would otherwise wait for somebody who writes into it.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    const kind = kindOf(stats);
    if (kind !== undefined) throw new SourceFileRefused(`it is ${kind}, not a file`);
    if (stats.size > maxBytes) throw tooLong(maxBytes);
    return await readAtMost(file, maxBytes, signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof SourceFileRefused) throw error;
    throw new SourceFileRefused(reasonOf(error), { cause: error });
  } finally {
    await file?.close();
  }
}

/** In pieces: a file below /proc says that it has no length, and one that grows says the wrong one. */
async function readAtMost(file: FileHandle, maxBytes: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    signal?.throwIfAborted();
    const { bytesRead, buffer } = await file.read(new Uint8Array(PIECE), 0, PIECE);
    if (bytesRead === 0) return Buffer.concat(pieces);
    length += bytesRead;
    if (length > maxBytes) throw tooLong(maxBytes);
    pieces.push(buffer.subarray(0, bytesRead));
  }
}

const PIECE = 64 * 1024;

function tooLong(maxBytes: number): SourceFileRefused {
  return new SourceFileRefused(`it has more than ${maxBytes / 1024 / 1024} MiB, which no certificate has`);
}

function kindOf(stats: Stats): string | undefined {
  if (stats.isFile()) return undefined;
  if (stats.isDirectory()) return "a directory";
  if (stats.isFIFO()) return "a pipe";
  if (stats.isSocket()) return "a socket";
  return "a device";
}

function reasonOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null)?.code;
  switch (code) {
    case "ENOENT":
      return "it isn't there";
    case "EACCES":
    case "EPERM":
      return "this account may not read it";
    case "ELOOP":
      return "its links lead in a circle";
    case "ENOTDIR":
      return "a part of its path isn't a directory";
    case "ENXIO":
      return "it is a socket, not a file";
    case "ENAMETOOLONG":
      return "its path is too long";
    default:
      return messageOf(error);
  }
}
