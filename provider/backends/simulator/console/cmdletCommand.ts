import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { makeSelfSigned } from "../../../certificate/selfSigned";
import { messageOf } from "../../../errors";
import { cleanedMessage } from "../../../sentence";
import type { CmdletCall, CmdletContext, CmdletQuestion, CmdletValue } from "../cmdlet";
import type { CmdletDefinition } from "../cmdletDefinition";
import { runOnStore, waitForServer, type RunResult, type SessionEnv } from "../cmdletSession";
import type { StateStore } from "../stateFile";
import { confirm } from "./confirmation";
import { formatJson, formatList } from "./formatList";
import type { CommandLineIo } from "../../../console/io";
import type { Options } from "./options";
import { readPassword } from "../../../console/password";
import { parseArguments } from "./powershellArguments";
import type { View } from "./commandText";
import { selectProperties, shownObjects } from "./shownObjects";
import { UsageMistake } from "../../../console/usageMistake";

/** What a cmdlet of the command line ended with: 0, or 1 when it failed. */
export type ExitCode = 0 | 1;

/** `New-ExchangeCertificate` makes certificates that last that long. */
const FIVE_YEARS_IN_DAYS = 1826;

/** A cmdlet as it was typed, and what it needs. */
export interface TypedCmdlet {
  readonly cmdlet: CmdletDefinition;
  /** Its arguments. */
  readonly words: readonly string[];
  readonly view: View | undefined;
  readonly options: Options;
}

/** Runs a cmdlet as it was typed. Throws {@link UsageMistake}. */
export async function cmdletCommand(
  { cmdlet, words, view, options }: TypedCmdlet,
  store: StateStore,
  io: CommandLineIo,
  env: SessionEnv,
): Promise<ExitCode> {
  const parsed = parseArguments(words, cmdlet);
  if (parsed.kind === "refused") throw new UsageMistake(parsed.message);
  const call: CmdletCall = {
    name: cmdlet.name,
    parameters: { ...parsed.parameters, ...(await importParameters(cmdlet, parsed.parameters, options, io)) },
  };

  await waitForServer(store, call, env, { session: undefined, signal: new AbortController().signal });
  const result = await runWithCertificate(store, call, env, (question) => answer(question, options, io));
  if (result.kind === "unanswered") {
    throw new UsageMistake(
      io.isInteractive ? "There was no answer; nothing was changed." : unansweredText(result.question),
    );
  }

  for (const warning of result.warnings) io.error(`WARNING: ${cleanedMessage(warning)}`);
  if (result.kind === "failed") {
    const { message, categoryInfo, fullyQualifiedErrorId } = result.error;
    io.error(`${cmdlet.name} : ${cleanedMessage(message)}`);
    if (categoryInfo !== "") io.error(`    + CategoryInfo          : ${categoryInfo}`);
    io.error(`    + FullyQualifiedErrorId : ${fullyQualifiedErrorId}`);
    return 1;
  }
  if (parsed.parameters["WhatIf"] === true) io.error("What if: nothing was changed.");
  const isTyped = cmdlet.name === "Get-ExchangeCertificate" || view !== undefined;
  const shown = isTyped ? shownObjects(result.output, view) : { text: formatList(result.output), warnings: [] };
  for (const warning of shown.warnings) io.error(`WARNING: ${warning}`);
  if (options.json) io.out(formatJson(selectProperties(result.output, view?.properties ?? []).objects));
  else if (result.output.length > 0) io.out(shown.text);
  return 0;
}

/** The file and the password of an import: what a client reads before it calls the cmdlet. */
async function importParameters(
  cmdlet: CmdletDefinition,
  given: Readonly<Record<string, CmdletValue>>,
  options: Options,
  io: CommandLineIo,
): Promise<Readonly<Record<string, CmdletValue>>> {
  const takesFile = cmdlet.parameters.some(({ kind }) => kind === "bytes");
  if (!takesFile) {
    if (options.pfx === undefined && options.passwordEnv === undefined && !options.passwordStdin) return {};
    throw new UsageMistake(`${cmdlet.name} takes no file and no password: --pfx and --password-… are for imports.`);
  }
  if (options.pfx === undefined) {
    // -FileName is for the server to read, and old versions only have it.
    if ("FileName" in given) return passwordParameter("the file", options, io);
    throw new UsageMistake(`Which certificate? Give the PFX with --pfx <path>.`);
  }
  const path = resolve(io.workingDirectory, options.pfx);
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await readFile(path));
  } catch (error) {
    throw new UsageMistake(`The PFX ${path} can't be read: ${messageOf(error)}`, { cause: error });
  }
  return { FileData: bytes, ...(await passwordParameter(path, options, io)) };
}

async function passwordParameter(
  file: string,
  options: Options,
  io: CommandLineIo,
): Promise<Readonly<Record<string, CmdletValue>>> {
  // Without a terminal the file is taken to have no password.
  const password = await readPassword(file, "nothing was imported", options, io);
  return password === undefined ? {} : { Password: password };
}

async function answer(
  question: CmdletQuestion,
  options: Options,
  io: CommandLineIo,
): Promise<"yes" | "no" | undefined> {
  if (options.answer !== undefined) return options.answer;
  return io.isInteractive ? confirm(question, (prompt) => io.ask(prompt)) : undefined;
}

/** What to do where there is nobody to ask. */
function unansweredText({ kind, caption, message }: CmdletQuestion): string {
  const ways = {
    overwriteDefaultSmtpCertificate: [
      "There is no terminal to ask on, and nothing was changed. Run it again with one of:",
      "  -Force        Yes: the certificate becomes the default SMTP certificate",
      "  --answer No   No: it gets the services, and the default SMTP certificate stays what it is (Exchange itself",
      "                has no parameter for this)",
    ],
    removeCertificate: [
      "There is no terminal to ask on, and nothing was changed. To remove it without being asked, run it again with",
      "'-Confirm:$false' (in quotes, or a Unix shell takes the $false away).",
    ],
  };
  return [caption, message, "", ...ways[kind]].join("\n");
}

type Wish = Parameters<NonNullable<CmdletContext["makeCertificate"]>>[0];

/** Ends a run in which the cmdlet has said what certificate it wants; never leaves this file. */
class CertificateWanted extends Error {
  readonly wish: Wish;

  constructor(wish: Wish) {
    super("a certificate is wanted");
    this.wish = wish;
  }
}

/**
 * Runs a cmdlet; where it wants a new certificate, the certificate is made while nothing is locked (that is slow), and
 * the cmdlet runs anew with it.
 */
async function runWithCertificate(
  store: StateStore,
  call: CmdletCall,
  env: SessionEnv,
  answerQuestion: (question: CmdletQuestion) => Promise<"yes" | "no" | undefined>,
): Promise<RunResult> {
  const wanted: SessionEnv = {
    ...env,
    makeCertificate: (wish) => {
      throw new CertificateWanted(wish);
    },
  };
  try {
    return await runOnStore(store, call, wanted, { answer: answerQuestion });
  } catch (error) {
    if (!(error instanceof CertificateWanted)) throw error;
    const { subject, dnsNames, keySize } = error.wish;
    const wish = { subject, dnsNames, keySize, validityDays: FIVE_YEARS_IN_DAYS };
    const { der } = await makeSelfSigned(wish, { now: env.now(), randomBytes });
    return runOnStore(store, call, { ...env, makeCertificate: () => der }, { answer: answerQuestion });
  }
}
