import type { ClixmlValue } from "./clixml/types";
import { isRemotingError, RemotingError } from "./errors";
import type { HttpConnection } from "./http/connection";
import type { ErrorRecord } from "./psrp/errorRecord";
import type { HostCall } from "./psrp/hostCall";
import type { ClientPipeline, PipelineEvent } from "./psrp/pipeline";
import { isFinal, type PipelineState } from "./psrp/states";
import type { Piece, Shell } from "./shell";
import { inTurns } from "./turns";
import { isFault } from "./wsman/fault";
import { type Trace, traceQuestion } from "./trace";

/** Answers what a cmdlet asks of its user; `undefined` refuses, and the cmdlet fails. Calls that want no answer don't come here. */
export type HostRule = (call: HostCall) => ClixmlValue | undefined;

/** How a pipeline ended. It may say "Completed" and have errors. */
export interface PipelineResult {
  readonly state: Extract<PipelineState, "Completed" | "Failed" | "Stopped">;
  readonly output: readonly ClixmlValue[];
  /** In order; the error that ended a failed pipeline comes last. */
  readonly errors: readonly ErrorRecord[];
  readonly warnings: readonly string[];
}

/** Of everything that one pipeline sends: what Exchange itself takes for one object. */
const MAX_PIPELINE_BYTES = 75 * 1024 * 1024;

export const NOBODY_THERE = "nobody is there to answer: the client runs unattended.";

/** A pipeline that the server has begun, and what it takes to talk about it. */
interface PipelineRun {
  readonly shell: Shell;
  readonly connection: HttpConnection;
  readonly pipeline: ClientPipeline;
  readonly commandId: string;
  readonly signal: AbortSignal;
  readonly answer: HostRule;
  readonly trace: Trace | undefined;
}

/** Reads until the pipeline has ended, and answers what is asked on the way. */
export async function collect(run: PipelineRun): Promise<PipelineResult> {
  const { shell, connection, pipeline, commandId, signal } = run;
  const result = { output: [] as ClixmlValue[], errors: [] as ErrorRecord[], warnings: [] as string[] };
  let bytes = 0;
  for (;;) {
    const received = await shell.receive(connection, commandId, signal);
    for (const stream of received?.streams ?? []) {
      if (stream.commandId !== undefined && !isSameGuid(stream.commandId, commandId)) continue;
      bytes += stream.bytes.length;
      if (bytes > MAX_PIPELINE_BYTES) {
        throw new RemotingError("MessageInvalid", `A pipeline sent more than ${MAX_PIPELINE_BYTES} bytes.`);
      }
      const steps = pipeline.receiveInSteps(stream.bytes, (event) => {
        take(event, run, result);
      });
      await inTurns(steps);
    }
    const { state } = pipeline;
    if (isFinal(state)) return { ...result, state: state as PipelineResult["state"] };
    if (received?.commandState?.state === "Done") {
      throw new RemotingError("MessageInvalid", "The server ended a command without saying how it ended.");
    }
    for (const piece of piecesOf(pipeline, shell.sendRoom(commandId))) {
      await shell.send(connection, commandId, piece, signal);
    }
  }
}

function take(
  event: PipelineEvent,
  { pipeline, answer, trace }: PipelineRun,
  into: { readonly output: ClixmlValue[]; readonly errors: ErrorRecord[]; readonly warnings: string[] },
): void {
  switch (event.kind) {
    case "output":
      into.output.push(event.value);
      return;
    case "error":
      into.errors.push(event.record);
      return;
    case "warning":
      into.warnings.push(event.message);
      return;
    case "state":
      if (event.error !== undefined) into.errors.push(event.error);
      return;
    case "hostCall": {
      if (event.call.isVoid) return;
      const said = answer(event.call);
      trace?.(traceQuestion(event.call, said));
      if (said === undefined) pipeline.refuse(event.call, NOBODY_THERE);
      else pipeline.respond(event.call, said);
      return;
    }
    default:
  }
}

/** Everything that waits to be sent, in pieces for requests with that much room. */
export function piecesOf(from: { take: (maxBytes: number) => Piece | undefined }, room: number): Piece[] {
  const pieces: Piece[] = [];
  for (let piece = from.take(room); piece !== undefined; piece = from.take(room)) pieces.push(piece);
  return pieces;
}

/** The server had begun, and then it ended: that much may have been done. */
const NO_REFUSALS = ["TimedOut", "OperationAborted", "OperationCancelled", "ShellClosed", "OperationEnded"] as const;

/** The server said no, or was never reached: what was asked for didn't happen. */
export function wasRefused(error: unknown): boolean {
  if (!isRemotingError(error)) return false;
  const { fate, fault } = error.facts;
  return fate === "notDone" || (fault !== undefined && !NO_REFUSALS.some((name) => isFault(fault, name)));
}

function isSameGuid(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
