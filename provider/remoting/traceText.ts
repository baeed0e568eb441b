import { oneLine } from "./oneLine";
import type { Trace, TracedError, TraceEvent, TraceScope } from "./trace";

/**
 * Makes lines of events: seconds since the beginning, where it happens (`s1` session, `c2` connection of it, `p3`
 * pipeline), and what. `write` gets a line without its end.
 */
export function traceLines(write: (line: string) => void, now: () => Date): Trace {
  const started = now().getTime();
  const pipelines = new Map<string, number>();
  const numberOf = (pipeline: string): number => {
    // Servers and clients spell identifiers in either case.
    const key = pipeline.toLowerCase();
    const known = pipelines.get(key);
    if (known !== undefined) return known;
    pipelines.set(key, pipelines.size + 1);
    return pipelines.size;
  };
  const place = ({ session, connection, pipeline }: TraceScope): string =>
    [
      ...(session === undefined ? [] : [`s${session}`]),
      ...(connection === undefined ? [] : [`c${connection}`]),
      ...(pipeline === undefined ? [] : [`p${numberOf(pipeline)}`]),
    ].join(" ");
  return (event, scope = {}) => {
    const seconds = ((now().getTime() - started) / 1000).toFixed(3);
    const where = place(scope);
    for (const text of describeEvent(event)) write(`trace ${seconds} ${where === "" ? "-" : where} ${oneLine(text)}`);
  };
}

/** What stands in a server's text must not end our line, nor steer a terminal. */
const LONGEST_TEXT = 300;

function shortened(text: string): string {
  const line = oneLine(text);
  return line.length <= LONGEST_TEXT ? line : `${line.slice(0, LONGEST_TEXT)}…`;
}

/** One line for each thing worth a line of its own. */
export function describeEvent(event: TraceEvent): readonly string[] {
  switch (event.kind) {
    case "connecting":
      return [`connecting to ${event.host}:${event.port}${event.isTls ? " with TLS" : ", plain http"}`];
    case "connected":
      return [event.peer === undefined ? "connected" : `connected, ${peerText(event.peer)}`];
    case "connectionFailed":
      return [`not connected: ${event.code}: ${shortened(event.message)}`];
    case "authentication":
      return [authenticationText(event)];
    case "cookies":
      return [`the server set ${event.names.length === 1 ? "the cookie" : "the cookies"} ${event.names.join(", ")}`];
    case "request":
      return [requestText(event)];
    case "opened": {
      const { protocolVersion, powerShell } = event;
      return [
        `session open, protocol ${protocolVersion}${powerShell === undefined ? "" : `, PowerShell ${powerShell}`}`,
      ];
    }
    case "keyExchange":
      return [
        event.outcome === "begun" ? "agreeing on a key for secure strings" : "the key for secure strings is there",
      ];
    case "pipelineBegun":
      return [event.commands.map(commandText).join(" | ")];
    case "pipelineEnded":
      return [
        ...event.warnings.map((warning) => `warning: ${shortened(warning)}`),
        ...event.errors.map(errorText),
        `${event.state}, ${counted(event.objects, "object")}, ${counted(event.errors.length, "error")}`,
      ];
    case "pipelineFailed":
      return [`no answer: ${event.code}; it ${event.mayHaveRun ? "may have run" : "did not run"}`];
    case "question":
      return [`asked by ${event.method}: "${shortened(event.message)}": ${event.answer}`];
    case "retry": {
      const how = event.how === "anew" ? "again after a pause" : "again in a new session";
      return [`${event.cmdlet}: ${how}, because of ${event.code}: ${shortened(event.message)}`];
    }
    case "looked":
      return [
        `${event.cmdlet}: its fate was unknown (${event.code}); the server shows that it is ${event.isDone ? "" : "not "}done`,
      ];
    case "closing":
      return [event.why === "idle" ? "closing the session, which nobody has used for a while" : "closing the session"];
  }
}

function peerText(peer: NonNullable<Extract<TraceEvent, { readonly kind: "connected" }>["peer"]>): string {
  const { version, subject, issuer, names, thumbprint, notAfter } = peer;
  const until = Number.isNaN(notAfter.getTime()) ? "" : `, until ${notAfter.toISOString().slice(0, 10)}`;
  const shown = names.length > 10 ? [...names.slice(0, 10), `and ${names.length - 10} more`] : names;
  return (
    `${version}, certificate ${thumbprint} of "${subject}" for ${shown.join(", ") || "no name"}, ` +
    `issued by "${issuer}"${until}`
  );
}

function authenticationText(event: Extract<TraceEvent, { readonly kind: "authentication" }>): string {
  const { scheme, outcome, status, service, principal, isEncrypted } = event;
  const details = [
    ...(service === undefined ? [] : [`to ${service}`]),
    ...(principal === undefined ? [] : [`as ${principal}`]),
    ...(status === undefined ? [] : [`HTTP ${status}`]),
    ...(isEncrypted === true ? ["bodies encrypted"] : []),
  ];
  return [`${scheme} ${outcome}`, ...details].join(", ");
}

function requestText(event: Extract<TraceEvent, { readonly kind: "request" }>): string {
  const { operation, status, sent, received, milliseconds, frontEnd, fault, failure } = event;
  const faultText =
    fault === undefined
      ? undefined
      : `fault ${[fault.code, fault.subcode].filter((one) => one !== undefined).join(" ")}`;
  const parts = [
    `${operation}: ${status === undefined ? "no answer" : `HTTP ${status}`}`,
    `${sent} bytes out`,
    `${received} bytes in`,
    `${milliseconds} ms`,
    ...(frontEnd === undefined ? [] : [`front end ${frontEnd}`]),
    ...(faultText === undefined ? [] : [faultText]),
    ...(failure === undefined ? [] : [failure]),
  ];
  return parts.join(", ");
}

function commandText({
  name,
  parameters,
}: {
  name: string;
  parameters: readonly (readonly [string, string])[];
}): string {
  return [name, ...parameters.map(([parameter, value]) => `-${parameter} ${shortened(value)}`)].join(" ");
}

function errorText({ fullyQualifiedErrorId, category, message }: TracedError): string {
  const id = fullyQualifiedErrorId === "" ? "without an identifier" : oneLine(fullyQualifiedErrorId);
  return `error ${id}${category === "" ? "" : ` (${oneLine(category)})`}: ${shortened(message)}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
