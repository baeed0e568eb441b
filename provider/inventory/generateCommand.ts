import type { Backend } from "../backends/backend";
import type { CommandLineIo } from "../console/io";
import { isBindingError } from "../errors";
import type { ServerFqdn } from "../model";
import { observedFrom } from "../observe";
import type { ObservedServer } from "../plan/observedServer";
import { cleanedMessage } from "../sentence";
import { adoptionOf, importFile, leftOutText, program } from "./generated";
import { close, readServers } from "./readServers";
import type { NotRead } from "./readServers";

/** What `exchange-certificates generate` was told. */
export interface GenerateRequest {
  readonly servers: readonly ServerFqdn[];
  /** Opens the backend, and asks for a password where one is missing. Throws `ConfigurationInvalid`. */
  readonly openBackend: () => Promise<Backend>;
  /** Longest time for the reading of one server, seconds. Default 60. */
  readonly timeoutSeconds: number | undefined;
  readonly as: "import" | "program";
}

/**
 * Reads the servers and writes what declares the certificates that hold services there. What is left out is told beside
 * it. 0, or 1 when a server couldn't be read.
 */
export async function generateCommand(request: GenerateRequest, io: CommandLineIo): Promise<0 | 1> {
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
    const reading = { backend, signal: interruption.signal, timeoutSeconds: request.timeoutSeconds };
    const read = await readServers<ObservedServer>(request.servers, reading, (snapshot) => observedFrom(snapshot));
    const isFailed = (one: ObservedServer | NotRead): one is NotRead => "outcome" in one;
    const failed = read.filter(isFailed);
    const adoption = adoptionOf(read.flatMap((one) => (isFailed(one) ? [] : [one])));
    for (const { message } of failed) io.error(cleanedMessage(message));
    if (request.as === "program") io.out(program(adoption, new Date()));
    else {
      // A file of JSON has no comments.
      for (const one of adoption.leftOut) io.error(`Left out: ${leftOutText(one)}.`);
      io.out(importFile(adoption));
    }
    return failed.length > 0 ? 1 : 0;
  } finally {
    await close(backend);
  }
}
