import type { Inventory } from "../backends/inventory";
import type { CommandLineIo } from "../console/io";
import { safeJson } from "../console/safeJson";
import type { ServerFqdn } from "../model";
import { inventoryTable } from "./inventoryTable";
import { readServers, withReading } from "./readServers";
import type { ReadingRequest } from "./readServers";
import { exitCodeOf, serverInventory, type InventoryMoment } from "./serverInventory";

/** What `exchange-certificates inventory` was told. */
export interface InventoryRequest extends ReadingRequest {
  readonly servers: readonly ServerFqdn[];
  readonly endsWithin: number | undefined;
  readonly json: boolean;
  /** Of this package. */
  readonly version: string;
}

/** Reads the servers and lists what they have. 0, 1 when a server couldn't be read, 3 when something in use ends soon. */
export async function inventoryCommand(request: InventoryRequest, io: CommandLineIo): Promise<0 | 1 | 3> {
  const { servers, endsWithin } = request;
  return withReading(request, io, async (reading) => {
    const moment: InventoryMoment = { now: new Date(), endsWithin };
    const entries = await readServers(servers, reading, (snapshot) => serverInventory(snapshot, moment));
    const exitCode = exitCodeOf(entries);
    const inventory: Inventory = {
      inventory: 1,
      package: request.version,
      readAt: moment.now.toISOString(),
      backend: reading.backend.kind,
      endsWithin: endsWithin ?? null,
      exitCode,
      servers: entries,
    };
    io.out(request.json ? safeJson(inventory) : inventoryTable(inventory));
    return exitCode;
  });
}
