import { inSingleQuotes } from "../powershellQuotes";
import { Secret } from "../secret";
import { integerOf } from "./clixml/reading";
import type { ClixmlValue } from "./clixml/types";
import type { RemotingErrorCode } from "./errors";
import type { TlsPeer } from "./http/tls";
import type { ErrorRecord } from "./psrp/errorRecord";
import { type HostCall, choicePromptOf } from "./psrp/hostCall";
import type { Command, CommandArgument } from "./psrp/pipelineMessages";
import type { WsmanFault } from "./wsman/wsmanFault";
import type { Operation } from "./wsman/names";

/**
 * What happens between us and a server, for whoever has to find out why it doesn't work. No event holds a body, a
 * header's value, a password, a key or the bytes of a file: they are left out here, so that no listener can leak them.
 */
export type TraceEvent =
  | { readonly kind: "connecting"; readonly host: string; readonly port: number; readonly isTls: boolean }
  /** `peer` is undefined over plain http. */
  | { readonly kind: "connected"; readonly peer: TlsPeer | undefined }
  | { readonly kind: "connectionFailed"; readonly code: RemotingErrorCode; readonly message: string }
  | {
      readonly kind: "authentication";
      /** `Basic`, `Kerberos`. */
      readonly scheme: string;
      readonly outcome: "begun" | "accepted" | "refused";
      /** What the server answered, where it did. */
      readonly status?: number | undefined;
      /** The service principal name, where there is one. */
      readonly service?: string | undefined;
      /** Who we are. */
      readonly principal?: string | undefined;
      /** Whether both sides agreed on that; false: it is what this system says about the credentials used. */
      readonly isPrincipalAgreed?: boolean | undefined;
      readonly isEncrypted?: boolean | undefined;
    }
  /** Cookies that the server has set: their names. */
  | { readonly kind: "cookies"; readonly names: readonly string[] }
  | {
      readonly kind: "request";
      readonly operation: Operation;
      /** Of the last answer; undefined when there was none. */
      readonly status: number | undefined;
      /** Bytes of HTTP bodies, encryption included. */
      readonly sent: number;
      readonly received: number;
      readonly milliseconds: number;
      /** The server that says it answered (X-FEServer). */
      readonly frontEnd: string | undefined;
      readonly fault: Pick<WsmanFault, "code" | "subcode"> | undefined;
      /** Why there is no good answer. */
      readonly failure: RemotingErrorCode | undefined;
    }
  /** `powerShell`: the server's version, where it says so. */
  | { readonly kind: "opened"; readonly protocolVersion: string; readonly powerShell: string | undefined }
  | { readonly kind: "keyExchange"; readonly outcome: "begun" | "done" }
  | { readonly kind: "pipelineBegun"; readonly commands: readonly TracedCommand[] }
  | {
      readonly kind: "pipelineEnded";
      readonly state: string;
      readonly objects: number;
      readonly errors: readonly TracedError[];
      readonly warnings: readonly string[];
    }
  | { readonly kind: "pipelineFailed"; readonly code: RemotingErrorCode | "Internal"; readonly mayHaveRun: boolean }
  | { readonly kind: "question"; readonly method: string; readonly message: string; readonly answer: string }
  /** The same again, because of that. */
  | {
      readonly kind: "retry";
      readonly cmdlet: string;
      readonly code: RemotingErrorCode;
      readonly message: string;
      readonly how: "anew" | "inANewSession";
    }
  /** A change of unknown fate: the server was read, and it turned out so. */
  | { readonly kind: "looked"; readonly cmdlet: string; readonly code: RemotingErrorCode; readonly isDone: boolean }
  | { readonly kind: "closing"; readonly why: "asked" | "idle" };

/** Where it happens. What isn't known at that place is left out. */
export interface TraceScope {
  /** Counted from 1 by whoever opens sessions. */
  readonly session?: number;
  /** TCP connections of one session, counted from 1. */
  readonly connection?: number;
  /** Identifier of the pipeline. */
  readonly pipeline?: string | undefined;
}

/** Listens. Must not throw. Absent where nobody listens; then no event is made at all. */
export type Trace = (event: TraceEvent, scope?: TraceScope) => void;

export function within(trace: Trace | undefined, outer: TraceScope): Trace | undefined {
  return (
    trace &&
    ((event, inner) => {
      trace(event, { ...outer, ...inner });
    })
  );
}

/** A cmdlet and its parameters, fit to be shown. */
export interface TracedCommand {
  readonly name: string;
  readonly parameters: readonly (readonly [name: string, shown: string])[];
}

export function traceCommand({ name, parameters }: Command): TracedCommand {
  return { name, parameters: Object.entries(parameters).map(([one, value]) => [one, shownArgument(value)]) };
}

const REDACTED = "[redacted]";

function shownArgument(argument: CommandArgument): string {
  if (argument === null) return "$null";
  if (typeof argument === "string") return quoted(argument);
  if (typeof argument === "number") return String(argument);
  if (typeof argument === "boolean") return argument ? "$true" : "$false";
  if (argument instanceof Secret) return REDACTED;
  if (argument instanceof Uint8Array) return shownBytes(argument);
  if (Array.isArray(argument)) return (argument as readonly string[]).map(quoted).join(",");
  const value = argument as ClixmlValue;
  if (value.kind === "SS") return REDACTED;
  if (value.kind === "BA") return shownBytes(value.value);
  return `<${value.kind}>`;
}

function shownBytes(bytes: Uint8Array): string {
  return `<${bytes.length} bytes>`;
}

/** As PowerShell would want it typed: quoted where it isn't one word. */
function quoted(text: string): string {
  return /^[A-Za-z0-9_.:@\\/-]+$/.test(text) ? text : inSingleQuotes(text);
}

export interface TracedError {
  readonly fullyQualifiedErrorId: string;
  readonly category: string;
  readonly message: string;
}

export function traceError({ fullyQualifiedErrorId, category, message }: ErrorRecord): TracedError {
  return { fullyQualifiedErrorId, category: category.message, message };
}

/** A host call that wants an answer, and the answer. Only choices are shown: anything else may be a password. */
export function traceQuestion(call: HostCall, said: ClixmlValue | undefined): TraceEvent {
  const prompt = choicePromptOf(call);
  const index = said === undefined ? undefined : integerOf(said);
  const label = index === undefined ? undefined : prompt?.choices[index]?.label;
  return {
    kind: "question",
    method: call.method ?? `host method ${call.methodNumber}`,
    message: prompt?.message ?? "",
    answer: said === undefined ? "refused" : label === undefined ? "answered" : label.replace("&", ""),
  };
}

/** One HTTP request and its answer. Lengths in bytes, of the bodies. */
export interface HttpExchange {
  readonly status: number;
  readonly sent: number;
  readonly received: number;
  readonly frontEnd: string | undefined;
}

export function traceFault(fault: WsmanFault | undefined): Pick<WsmanFault, "code" | "subcode"> | undefined {
  return fault && { code: fault.code, subcode: fault.subcode };
}
