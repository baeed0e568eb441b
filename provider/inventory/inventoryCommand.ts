import type { Backend } from "../backends/backend";
import type { Inventory } from "../backends/inventory";
import type { CommandLineIo } from "../console/io";
import { safeJson } from "../console/safeJson";
import { isBindingError } from "../errors";
import type { ServerFqdn } from "../model";
import { cleanedMessage } from "../sentence";
import { inventoryTable } from "./inventoryTable";
import { close, readServers } from "./readServers";
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
    const reading = { backend, signal: interruption.signal, timeoutSeconds: request.timeoutSeconds };
    const entries = await readServers(servers, reading, (snapshot) => serverInventory(snapshot, moment));
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
    await close(backend);
  }
}
