import type { Backend } from "../backends/backend";
import type { Inventory, InventoryEntry } from "../backends/inventory";
import type { CommandLineIo } from "../console/io";
import { safeJson } from "../console/safeJson";
import { ExchangeBindingError, isBindingError, messageOf, type ErrorCode } from "../errors";
import type { ServerFqdn } from "../model";
import { untilAborted } from "../remoting/untilAborted";
import { cleanedMessage } from "../sentence";
import { inventoryTable } from "./inventoryTable";
import { exitCodeOf, serverInventory, type InventoryMoment } from "./serverInventory";

/** What `exchange-certificates inventory` was told. */
export interface InventoryRequest {
  readonly servers: readonly ServerFqdn[];
  /** Opens the backend, and asks for a password where one is missing. Throws `ConfigurationInvalid`. */
  readonly openBackend: () => Promise<Backend>;
  /** Longest time for the reading of one server, seconds. Default 60. */
  readonly timeoutSeconds: number | undefined;
  readonly endsWithin: number | undefined;
  readonly json: boolean;
  /** Of this package. */
  readonly version: string;
}

const DEFAULT_TIMEOUT_SECONDS = 60;
/** Servers that are read at a time. A fixed endpoint lets an account have 18 sessions. */
const SIDE_BY_SIDE = 6;

/** Reads the servers and lists what they have. 0, 1 when a server couldn't be read, 3 when something in use ends soon. */
export async function inventoryCommand(request: InventoryRequest, io: CommandLineIo): Promise<0 | 1 | 3> {
  const { servers, endsWithin } = request;
  let backend: Backend;
  try {
    backend = await request.openBackend();
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
    const moment: InventoryMoment = { now: new Date(), endsWithin };
    const reading = {
      backend,
      moment,
      signal: interruption.signal,
      milliseconds: (request.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS) * 1000,
    };
    const entries = await sideBySide(servers, (server) => readServer(server, reading));
    const exitCode = exitCodeOf(entries);
    const inventory: Inventory = {
      inventory: 1,
      package: request.version,
      readAt: moment.now.toISOString(),
      backend: backend.kind,
      endsWithin: endsWithin ?? null,
      exitCode,
      servers: entries,
    };
    io.out(request.json ? safeJson(inventory) : inventoryTable(inventory));
    return exitCode;
  } finally {
    await backend.close();
  }
}

interface Reading {
  readonly backend: Backend;
  readonly moment: InventoryMoment;
  /** Ends everything. */
  readonly signal: AbortSignal;
  /** Longest time for one server. */
  readonly milliseconds: number;
}

/** One server; what goes wrong with it is told as its own, and hides no other. */
async function readServer(
  server: ServerFqdn,
  { backend, moment, signal, milliseconds }: Reading,
): Promise<InventoryEntry> {
  const limit = AbortSignal.timeout(milliseconds);
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
    return serverInventory(snapshot, moment);
  } catch (error) {
    const failed = (code: ErrorCode, message: string): InventoryEntry => ({ server, outcome: "failed", code, message });
    if (isBindingError(error)) return failed(error.code, error.message);
    if (signal.aborted) return failed("TimedOut", `Reading ${server}: it was interrupted.`);
    if (!limit.aborted) return failed("Internal", `Reading ${server}: ${messageOf(error)}`);
    return failed(
      "TimedOut",
      `Reading ${server}: no answer within ${milliseconds / 1000} seconds. Look whether it is up, or allow more (--timeout).`,
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
