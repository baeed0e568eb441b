import type { ErrorCode } from "../../errors";
import type { CmdletContext, CmdletError, CmdletObject, CmdletOutcome } from "./cmdlet";
import { type ErrorKind, exchangeError, VERIFIED_TEXTS } from "./errorTexts";
import type { Organisation, ServerState } from "./organisation";
import type { BoundParameters } from "./parameters";

/** One run of a cmdlet, after its parameters were bound and its servers found. */
export interface CmdletRun {
  readonly organisation: Organisation;
  /** Its name. */
  readonly cmdlet: string;
  readonly parameters: BoundParameters;
  /** The server it runs on. For a cmdlet about the organisation: the one the session is on. */
  readonly target: ServerState;
  /** Whether the call named the target itself. */
  readonly targetNamed: boolean;
  /** The server the session is on. */
  readonly session: ServerState;
  readonly context: CmdletContext;
}

export type CmdletBody = (run: CmdletRun) => CmdletOutcome;

export function completed(
  organisation: Organisation,
  output: readonly CmdletObject[] = [],
  warnings: readonly string[] = [],
): CmdletOutcome {
  return { kind: "completed", organisation, output, warnings };
}

/** Ends with an error. `organisation` is what had become of it by then. */
export function failed(
  organisation: Organisation,
  error: CmdletError,
  warnings: readonly string[] = [],
): CmdletOutcome {
  return { kind: "failed", organisation, error, warnings };
}

type Category = ErrorKind["category"];

/** An error that the service on the target server reported. */
export function rpcError(run: CmdletRun, code: ErrorCode, text: string, category?: Category): CmdletError {
  return plainError(run, code, VERIFIED_TEXTS.rpcPrefix(run.target.name) + text, category);
}

/** An error that the cmdlet found by itself. */
export function plainError(run: CmdletRun, code: ErrorCode, message: string, category?: Category): CmdletError {
  const origin = {
    cmdlet: run.cmdlet,
    session: run.session.name,
    now: run.context.now,
    requestId: run.context.newGuid(),
  };
  return exchangeError(origin, code, message, { category });
}

/** The organisation with that server in its new state; the same reference when it is the same. */
export function withServer(organisation: Organisation, server: ServerState): Organisation {
  if (organisation.servers[server.fqdn] === server) return organisation;
  return { ...organisation, servers: { ...organisation.servers, [server.fqdn]: server } };
}
