import { setTimeout } from "node:timers/promises";

import type { Backend, ServerSnapshot } from "../backends/backend";
import type { CommandLineIo } from "../console/io";
import { ExchangeBindingError, isBindingError, messageOf, type ErrorCode } from "../errors";
import type { ServerFqdn } from "../model";
import { untilAborted } from "../remoting/untilAborted";
import { cleanedMessage } from "../sentence";

const DEFAULT_TIMEOUT_SECONDS = 60;
/** Servers that are read at a time. A fixed endpoint lets an account have 18 sessions. */
const SIDE_BY_SIDE = 6;

/** A server that couldn't be read. */
export interface NotRead {
  readonly server: ServerFqdn;
  readonly outcome: "failed";
  readonly code: ErrorCode;
  readonly message: string;
}

export interface Reading {
  readonly backend: Backend;
  /** Ends everything. */
  readonly signal: AbortSignal;
  /** Longest time for one server. Default 60. */
  readonly timeoutSeconds: number | undefined;
}

/** What a command that reads servers was told. */
export interface ReadingRequest {
  /** Opens the backend, and asks for a password where one is missing. Throws `ConfigurationInvalid`. */
  readonly openBackend: () => Promise<Backend>;
  /** Longest time for the reading of one server, seconds. Default 60. */
  readonly timeoutSeconds: number | undefined;
}

const CLOSING_MILLISECONDS = 5000;

/**
 * Opens the backend for a command, and closes it when that has done. 1 where it can't be opened, which is said. What
 * can't be closed ends by its own time-out, and changes nothing in what was read.
 */
export async function withReading<Code extends number>(
  { openBackend, timeoutSeconds }: ReadingRequest,
  io: Pick<CommandLineIo, "error" | "interrupted">,
  run: (reading: Reading) => Promise<Code>,
): Promise<Code | 1> {
  let backend: Backend;
  try {
    backend = await openBackend();
  } catch (error) {
    if (!isBindingError(error)) throw error;
    io.error(cleanedMessage(error.message));
    return 1;
  }
  const interruption = new AbortController();
  void io.interrupted().then(() => {
    interruption.abort();
  });
  try {
    return await run({ backend, signal: interruption.signal, timeoutSeconds });
  } finally {
    await Promise.race([
      backend.close().catch(() => undefined),
      setTimeout(CLOSING_MILLISECONDS, undefined, { ref: false }),
    ]);
  }
}

/** Reads servers side by side, and gives what becomes of each, in their order. One that fails hides no other. */
export function readServers<T>(
  servers: readonly ServerFqdn[],
  reading: Reading,
  use: (snapshot: ServerSnapshot) => T,
): Promise<readonly (T | NotRead)[]> {
  return sideBySide(servers, (server) => readServer(server, reading, use));
}

async function readServer<T>(
  server: ServerFqdn,
  { backend, signal, timeoutSeconds = DEFAULT_TIMEOUT_SECONDS }: Reading,
  use: (snapshot: ServerSnapshot) => T,
): Promise<T | NotRead> {
  const limit = AbortSignal.timeout(timeoutSeconds * 1000);
  try {
    if (signal.aborted) throw new ExchangeBindingError("TimedOut", `Reading ${server}: it was interrupted before.`);
    const both = AbortSignal.any([signal, limit]);
    // An adapter of somebody's own may not listen to the signal.
    const snapshot = await untilAborted(backend.readSnapshot(server, { signal: both }), both);
    if (snapshot.server !== server) {
      throw new ExchangeBindingError(
        "ServerMismatch",
        `Reading ${server}: ${snapshot.server} answered instead. Name the server itself, not a load-balanced or alias name.`,
      );
    }
    return use(snapshot);
  } catch (error) {
    const failed = (code: ErrorCode, message: string): NotRead => ({ server, outcome: "failed", code, message });
    if (isBindingError(error)) return failed(error.code, error.message);
    if (signal.aborted) return failed("TimedOut", `Reading ${server}: it was interrupted.`);
    if (!limit.aborted) return failed("Internal", `Reading ${server}: ${messageOf(error)}`);
    return failed(
      "TimedOut",
      `Reading ${server}: no answer within ${String(timeoutSeconds)} seconds. Look whether it is up, or allow more (--timeout).`,
    );
  }
}

/** Results in the order of the items; never more than some at a time. */
async function sideBySide<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(SIDE_BY_SIDE, items.length) }, worker));
  return results;
}
