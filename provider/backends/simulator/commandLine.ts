import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { isBindingError, messageOf } from "../../errors";
import { simulatorFile } from "../simulatorFile";
import { storeNotices } from "./certificateStore";
import { CMDLETS, findCmdlet } from "./cmdletDefinitions";
import type { SessionEnv } from "./cmdletSession";
import { cmdletCommand } from "./console/cmdletCommand";
import { typedCommand } from "./console/commandText";
import { addCertificateCommand, addServerCommand, connectorCommand } from "./console/farmCommands";
import { switchFault } from "./console/faultCommand";
import { cmdletHelp, generalHelp, serveHelp } from "./console/helpText";
import { cleanIo } from "../../console/cleanIo";
import type { CommandLineIo } from "../../console/io";
import { alternatives, nearNames } from "../../console/nearNames";
import { readSimulatorOptions, type Options } from "./console/options";
import { organisationTable } from "./console/organisationTable";
import { serveCommand } from "./console/serveCommand";
import { processIo } from "../../console/terminal";
import { UsageMistake } from "../../console/usageMistake";
import { twinCommand } from "./console/twinCommand";
import { openDefaultStore } from "./defaultStore";
import { openStateFile, type StateStore } from "./stateFile";

const COMMANDS = [
  "show",
  "init",
  "reset",
  "add-server",
  "add-certificate",
  "connector",
  "fault",
  "serve",
  "help",
] as const;
/** Those that take nothing behind them. */
const BARE: ReadonlySet<string> = new Set(["show", "init", "reset", "serve"]);

/** 0 when it did what was asked; 1 when a cmdlet or the file failed; 2 when the command couldn't be understood. */
export type CommandLineExitCode = 0 | 1 | 2;

/** Runs `exchange-simulator`. Every mistake and failure is told on standard error; nothing is thrown. */
export async function runCommandLine(argv: readonly string[], terminal: CommandLineIo): Promise<CommandLineExitCode> {
  const io = cleanIo(terminal);
  try {
    return await dispatch(argv, io);
  } catch (error) {
    io.error(messageOf(error));
    return error instanceof UsageMistake ? 2 : isBindingError(error) ? 1 : failUnexpectedly(error, io);
  }
}

/** A mistake of ours: the stack is what helps. It holds no secrets, because secrets never are part of a message. */
function failUnexpectedly(error: unknown, io: CommandLineIo): 1 {
  if (error instanceof Error && error.stack !== undefined) io.error(error.stack);
  return 1;
}

async function dispatch(argv: readonly string[], io: CommandLineIo): Promise<CommandLineExitCode> {
  const { options, words: typed } = readSimulatorOptions(argv);
  const { words, view } = typedCommand(typed);
  const [name, ...rest] = words;

  if (options.version) {
    io.out(packageVersion());
    return 0;
  }
  if (name === undefined || name.toLowerCase() === "help") {
    const about = name === undefined ? undefined : rest[0];
    io.out(about === undefined ? generalHelp() : helpFor(about));
    return name === undefined && !options.help ? 2 : 0;
  }
  if (options.help) {
    io.out(helpFor(name));
    return 0;
  }

  const cmdlet = findCmdlet(name);
  const file = simulatorFile(options.file, io);
  const [misplaced] = options.serve.keys();
  if (misplaced !== undefined && name.toLowerCase() !== "serve") {
    throw new UsageMistake(`--${misplaced} is an option of: exchange-simulator serve`);
  }
  if (options.from !== undefined && name.toLowerCase() !== "init") {
    throw new UsageMistake("--from is an option of: exchange-simulator init");
  }
  if (cmdlet !== undefined) {
    return cmdletCommand({ cmdlet, words: rest, view, options }, openStateFile(file, {}), io, sessionEnv(io));
  }
  if (view !== undefined) throw new UsageMistake("Only a cmdlet has objects to show; | goes behind one.");
  return otherCommand(name, rest, options, { file, io });
}

async function otherCommand(
  name: string,
  words: readonly string[],
  options: Options,
  { file, io }: { readonly file: string; readonly io: CommandLineIo },
): Promise<CommandLineExitCode> {
  const command = COMMANDS.find((one) => one === name.toLowerCase());
  if (command !== undefined && BARE.has(command) && words.length > 0) {
    throw new UsageMistake(`${command} takes nothing behind it, but there is "${words.join(" ")}".`);
  }
  switch (command) {
    case "show":
      return show(file, io);
    case "init":
      return options.from === undefined ? init(file, io) : twinCommand(options.from, file, io);
    case "reset":
      return reset(file, options, io);
    case "add-server":
      return addServerCommand({ words, store: openStateFile(file, {}), io }, { now: new Date(), randomBytes });
    case "add-certificate":
      return addCertificateCommand({ words, store: openStateFile(file, {}), io });
    case "connector":
      return connectorCommand({ words, store: openStateFile(file, {}), io });
    case "fault":
      return fault(words, file, io);
    case "serve":
      return serveCommand(options, file, makingStore(file, io), io);
    default:
      throw new UsageMistake(unknownCommand(name));
  }
}

/** The store of a command that may begin an organisation, and says so. */
function makingStore(file: string, io: CommandLineIo): StateStore {
  return openDefaultStore(file, () => {
    io.error(`There was no organisation in ${file} yet: a new one was made.`);
  });
}

async function show(file: string, io: CommandLineIo): Promise<CommandLineExitCode> {
  const organisation = await openStateFile(file, {}).read();
  io.out(`Simulated organisation in ${file}; no Exchange server is touched.\n`);
  io.out(organisationTable(organisation, new Date()));
  for (const notice of storeNotices(organisation)) io.error(notice);
  return 0;
}

async function init(file: string, io: CommandLineIo): Promise<CommandLineExitCode> {
  const made: string[] = [];
  await openDefaultStore(file, () => made.push(file)).read();
  io.error(made.length > 0 ? `Made ${file}.` : `There is an organisation in ${file} already; it stays as it is.`);
  return 0;
}

async function reset(file: string, options: Options, io: CommandLineIo): Promise<CommandLineExitCode> {
  if (existsSync(file) && !options.yes) {
    if (!io.isInteractive) {
      throw new UsageMistake(
        `${file} would be made anew, and what it holds would be lost. If that is meant, add --yes.`,
      );
    }
    const typed = await io.ask(`Make ${file} anew? What it holds will be lost. [y/N] `);
    if (!/^y(es)?$/i.test(typed?.trim() ?? "")) {
      io.error("Nothing was changed.");
      return 0;
    }
  }
  // Deleted rather than changed: a file that can't be read any more is one reason for a reset.
  await rm(file, { force: true });
  await openDefaultStore(file, () => undefined).read();
  io.error(`Made ${file} anew.`);
  return 0;
}

async function fault(words: readonly string[], file: string, io: CommandLineIo): Promise<CommandLineExitCode> {
  const outcome = await openStateFile(file, {}).update((organisation) => {
    const result = switchFault(organisation, words);
    return { organisation: result.kind === "changed" ? result.organisation : organisation, result };
  });
  if (outcome.kind === "refused") throw new UsageMistake(outcome.message);
  io.out(outcome.message);
  return 0;
}

function helpFor(name: string): string {
  const cmdlet = findCmdlet(name);
  if (cmdlet !== undefined) return cmdletHelp(cmdlet);
  if (name.toLowerCase() === "serve") return serveHelp();
  if (COMMANDS.some((command) => command === name.toLowerCase())) return generalHelp();
  throw new UsageMistake(unknownCommand(name));
}

function unknownCommand(name: string): string {
  const near = nearNames(name, [...CMDLETS.map((cmdlet) => cmdlet.name), ...COMMANDS]);
  const hint = near.length === 0 ? "" : ` Did you mean ${alternatives(near)}?`;
  return `There is no command or cmdlet "${name}".${hint} All of them: exchange-simulator --help`;
}

function packageVersion(): string {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- read when it is asked for
  const { version } = require("../../../package.json") as { readonly version: string };
  return version;
}

function sessionEnv(io: CommandLineIo): SessionEnv {
  return {
    readFile: (path) => {
      try {
        return new Uint8Array(readFileSync(resolve(io.workingDirectory, path)));
      } catch {
        return undefined;
      }
    },
    now: () => new Date(),
    newGuid: randomUUID,
    pause: (milliseconds, signal) => wait(milliseconds, undefined, { signal }),
  };
}

/** What `bin/exchange-simulator.js` runs. */
export async function main(): Promise<void> {
  // `exchange-simulator show | head` closes the pipe early; that is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  process.exitCode = await runCommandLine(process.argv.slice(2), processIo());
}
