import type { CmdletQuestion } from "../cmdlet";

export type Answer = "yes" | "no";

/** The choices under a confirmation question, as PowerShell prints them. */
function choices(defaultAnswer: Answer): string {
  return `[Y] Yes  [A] Yes to All  [N] No  [L] No to All  [?] Help (default is "${defaultAnswer === "yes" ? "Y" : "N"}"): `;
}

const HELP = [
  "Y, A - yes. There is only this one step, so the two mean the same.",
  "N, L - no. The step is left out; whatever else the cmdlet does is done.",
].join("\n");

/** What was typed, as an answer; `undefined` when it is none. */
function parseAnswer(text: string, defaultAnswer: Answer): Answer | undefined {
  switch (text.trim().toLowerCase()) {
    case "":
      return defaultAnswer;
    case "y":
    case "yes":
    case "a":
    case "yes to all":
      return "yes";
    case "n":
    case "no":
    case "l":
    case "no to all":
      return "no";
    default:
      return undefined;
  }
}

/**
 * Asks a confirmation question until there is an answer; `undefined` when the input ends before. `ask` shows a prompt
 * and returns the line that was typed.
 */
export async function confirm(
  question: CmdletQuestion,
  ask: (prompt: string) => Promise<string | undefined>,
): Promise<Answer | undefined> {
  const prompt = choices(question.defaultAnswer);
  let above = `\n${question.caption}\n${question.message}\n`;
  for (;;) {
    const typed = await ask(above + prompt);
    if (typed === undefined) return undefined;
    const answer = parseAnswer(typed, question.defaultAnswer);
    if (answer !== undefined) return answer;
    above = typed.trim() === "?" ? `${HELP}\n` : "";
  }
}
