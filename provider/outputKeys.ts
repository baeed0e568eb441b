import { FACT_KEYS } from "./certificate/facts";

/** Outputs that no input gives: most exist only once the server has been asked. */
export const OUTPUT_KEYS = [
  ...FACT_KEYS,
  "heldServices",
  "displayedServices",
  "isDefaultSmtpCertificate",
  "status",
  "exchangeVersion",
  "takenOver",
  "staysBehind",
  "supersedes",
  "followUps",
  "followUpTasks",
  "backend",
  "stateVersion",
] as const;
