import { randomBytes } from "node:crypto";

import { makeSelfSigned } from "../certificate/selfSigned";
import { readSourceFile } from "../certificate/sourceFile";
import type { DeploymentEnv } from "../lifecycle/deployment";
import { sleep } from "../lifecycle/timeLimit";
import { cleaned } from "../sentence";

export const now = (): Date => new Date();

/** The machine and this process, as a deployment takes them, for every front end: its files, clock, chance, environment. */
export const machine: Omit<DeploymentEnv, "say" | "note"> = {
  directory: process.cwd(),
  environment: process.env,
  readFile: readSourceFile,
  now,
  randomBytes,
  sleep,
  makeCertificate: ({ subject, ...wish }) =>
    makeSelfSigned({ ...wish, ...(subject === undefined ? {} : { subject }) }, { now: now(), randomBytes }),
  trace:
    process.env["EXCHANGE_TRACE"] === "1"
      ? (line) => {
          console.error(cleaned(line, Number.POSITIVE_INFINITY));
        }
      : undefined,
};

/** The engine tells a provider's process to end when it has done, and kills it some seconds later. */
export const CLOSING_MILLISECONDS = 1500;
