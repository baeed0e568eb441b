import type { CommandLineIo } from "../console/io";
import type { ServerFqdn } from "../model";
import { observedFrom } from "../observe";
import type { ObservedServer } from "../plan/observedServer";
import { cleanedMessage } from "../sentence";
import { adoptionOf, importFile, leftOutText, program } from "./generated";
import { readServers, withReading } from "./readServers";
import type { NotRead, ReadingRequest } from "./readServers";

/** What `exchange-certificates generate` was told. */
export interface GenerateRequest extends ReadingRequest {
  readonly servers: readonly ServerFqdn[];
  readonly as: "import" | "program";
}

/**
 * Reads the servers and writes what declares the certificates that hold services there. What is left out is told beside
 * it. 0, or 1 when a server couldn't be read.
 */
export async function generateCommand(request: GenerateRequest, io: CommandLineIo): Promise<0 | 1> {
  return withReading(request, io, async (reading) => {
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
  });
}
