import { cleanIo } from "../console/cleanIo";
import type { CommandLineIo } from "../console/io";
import { processIo } from "../console/terminal";
import { UsageMistake } from "../console/usageMistake";
import type * as DoctorCommand from "../doctor/doctorCommand";
import { messageOf } from "../errors";
import type * as GenerateCommand from "../inventory/generateCommand";
import type * as InventoryCommand from "../inventory/inventoryCommand";
import { HELP_TEXT } from "./helpText";
import { readRequest } from "./options";
import { openChosenBackend, remoteSettingsOf, serversOf } from "./settings";

/**
 * 0: nothing failed. 1: something did. 2: the command couldn't be understood. 3: a certificate in use ends soon
 * (`inventory --ends-within`).
 */
export type ExitCode = 0 | 1 | 2 | 3;

/** Runs `exchange-certificates`. Every mistake is told on standard error; nothing is thrown but what is our own mistake. */
export async function runCommandLine(argv: readonly string[], terminal: CommandLineIo): Promise<ExitCode> {
  const io = cleanIo(terminal);
  try {
    const request = readRequest(argv);
    switch (request.kind) {
      case "help":
        io.out(HELP_TEXT);
        return 0;
      case "version":
        io.out(packageVersion());
        return 0;
      case "doctor": {
        const { options } = request;
        // eslint-disable-next-line @typescript-eslint/no-require-imports -- each command loads what it needs
        const { doctorCommand } = require("../doctor/doctorCommand") as typeof DoctorCommand;
        return await doctorCommand(
          {
            servers: serversOf("doctor", options, io),
            readSettings: () => remoteSettingsOf(options, io),
            timeoutSeconds: options.timeoutSeconds,
            json: options.json,
            version: packageVersion(),
          },
          io,
        );
      }
      case "generate": {
        const { options } = request;
        // eslint-disable-next-line @typescript-eslint/no-require-imports -- as above
        const { generateCommand } = require("../inventory/generateCommand") as typeof GenerateCommand;
        return await generateCommand(
          {
            servers: serversOf("generate", options, io),
            openBackend: () => openChosenBackend(options, io),
            timeoutSeconds: options.timeoutSeconds,
            as: options.as,
          },
          io,
        );
      }
      case "inventory": {
        const { options } = request;
        // eslint-disable-next-line @typescript-eslint/no-require-imports -- as above
        const { inventoryCommand } = require("../inventory/inventoryCommand") as typeof InventoryCommand;
        return await inventoryCommand(
          {
            servers: serversOf("inventory", options, io),
            openBackend: () => openChosenBackend(options, io),
            timeoutSeconds: options.timeoutSeconds,
            endsWithin: options.endsWithin,
            json: options.json,
            version: packageVersion(),
          },
          io,
        );
      }
    }
  } catch (error) {
    if (!(error instanceof UsageMistake)) throw error;
    io.error(error.message);
    return 2;
  }
}

function packageVersion(): string {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- read when it is asked for
  const { version } = require("../../package.json") as { readonly version: string };
  return version;
}

/** What `bin/exchange-certificates.js` runs. */
export async function main(): Promise<void> {
  // `exchange-certificates doctor … | head` closes the pipe early; that is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  try {
    process.exitCode = await runCommandLine(process.argv.slice(2), processIo());
  } catch (error) {
    // A mistake of ours: the stack is what helps, and it holds no secrets, because no message does.
    console.error(error instanceof Error ? error.stack : messageOf(error));
    process.exitCode = 1;
  }
  // What still waits (a name that nobody answers for, a session that is put away) waits for nothing that matters.
  process.stdout.write("", () => process.exit());
}
