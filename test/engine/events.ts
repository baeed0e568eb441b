import type { EngineProject } from "./engine";

/** What the engine shows under a row: an empty URN stands for the stack's own. */
export interface Diagnostic {
  readonly urn?: string;
  readonly severity: string;
  readonly message: string;
}

interface EngineEvent {
  readonly diagnosticEvent?: Diagnostic;
  readonly resourcePreEvent?: { readonly metadata: { readonly urn: string } };
}

/** For files of events, which are an option of those who work on the engine. */
export const WITH_EVENTS = { PULUMI_DEBUG_COMMANDS: "true" } as const;

/** The lines and the rows of a run that wrote its events into that file of the project. */
export function eventsIn(project: EngineProject, file: string): { lines: Diagnostic[]; rows: Set<string> } {
  const events = project
    .readFile(file)
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as EngineEvent);
  return {
    lines: events.flatMap(({ diagnosticEvent }) => (diagnosticEvent === undefined ? [] : [diagnosticEvent])),
    rows: new Set(events.flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata.urn ?? [])),
  };
}
