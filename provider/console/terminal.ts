import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import type { CommandLineIo } from "./io";

/** The process's own terminal. Prompts go to standard error, so that standard output holds nothing but the answer. */
export function processIo(): CommandLineIo {
  return {
    workingDirectory: process.cwd(),
    environment: process.env,
    out: (line) => process.stdout.write(`${line}\n`),
    error: (line) => process.stderr.write(`${line}\n`),
    isInteractive: process.stdin.isTTY && process.stderr.isTTY,
    ask,
    readStandardInput: () => text(process.stdin),
    interrupted,
  };
}

/** The second signal has its usual effect. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      process.off("SIGINT", end);
      process.off("SIGTERM", end);
      resolve();
    };
    process.on("SIGINT", end);
    process.on("SIGTERM", end);
  });
}

function ask(prompt: string, { hidden } = { hidden: false }): Promise<string | undefined> {
  process.stderr.write(prompt);
  const nowhere = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  // The prompt is written by hand: readline would repeat it when the line is edited, and that text is hidden.
  const lines = createInterface({ input: process.stdin, output: hidden ? nowhere : process.stderr, terminal: true });
  return new Promise((resolve) => {
    let typed: string | undefined;
    lines.once("line", (line) => {
      typed = line;
      lines.close();
    });
    // Ctrl-D and Ctrl-C: nobody answers.
    lines.once("SIGINT", () => {
      lines.close();
    });
    lines.once("close", () => {
      if (hidden || typed === undefined) process.stderr.write("\n");
      resolve(typed);
    });
  });
}
