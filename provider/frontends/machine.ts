import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";

import { makeSelfSigned } from "../certificate/selfSigned";
import { readSourceFile } from "../certificate/sourceFile";
import type { DeploymentEnv } from "../lifecycle/deployment";
import type { Noticeboard } from "../lifecycle/noticeboard";
import { sleep } from "../lifecycle/timeLimit";
import { cleaned } from "../sentence";
import { noticeboardFiles } from "./engine/noticeboardFiles";

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

/** For the processes of the run of the engine at that address. It ends with this process. */
export function noticeboard(engine: () => string | undefined): Noticeboard {
  const board = noticeboardFiles({ temporary: tmpdir(), engine });
  process.once("exit", () => {
    board.end();
  });
  return board;
}

/** The engine tells a provider's process to end when it has done, and kills it some seconds later. */
export const CLOSING_MILLISECONDS = 1500;
