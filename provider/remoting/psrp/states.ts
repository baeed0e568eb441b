/** MS-PSRP 2.2.3.4; the index is the number on the wire. The values from 6 on differ between versions of PowerShell. */
export const RUNSPACE_POOL_STATES = [
  "BeforeOpen",
  "Opening",
  "Opened",
  "Closed",
  "Closing",
  "Broken",
  "NegotiationSent",
  "NegotiationSucceeded",
  "Connecting",
  "Disconnected",
] as const;
export type RunspacePoolState = (typeof RUNSPACE_POOL_STATES)[number];

/** MS-PSRP 2.2.3.5; the index is the number on the wire. */
export const PIPELINE_STATES = [
  "NotStarted",
  "Running",
  "Stopping",
  "Stopped",
  "Completed",
  "Failed",
  "Disconnected",
] as const;
export type PipelineState = (typeof PIPELINE_STATES)[number];

/** States after which a pipeline sends nothing more. */
export function isFinal(state: PipelineState): boolean {
  return state === "Stopped" || state === "Completed" || state === "Failed";
}
