import { cleaned } from "../sentence";
import type { CommandLineIo } from "./io";

/**
 * A terminal that shows nothing but what is harmless: whatever a server, a certificate or a file says, no control
 * character and no command for a pipeline's log gets out. What is clean goes through as it is, line breaks too.
 */
export function cleanIo(io: CommandLineIo): CommandLineIo {
  return {
    ...io,
    out: (text) => {
      io.out(cleanedLines(text));
    },
    error: (text) => {
      io.error(cleanedLines(text));
    },
    ask: (prompt, options) => io.ask(cleanedLines(prompt), options),
  };
}

/** Each line by itself: our own texts have several. A line break in a foreign text is its writer's to clean away. */
function cleanedLines(text: string): string {
  return text
    .split("\n")
    .map((line) => cleaned(line, Number.POSITIVE_INFINITY))
    .join("\n");
}
