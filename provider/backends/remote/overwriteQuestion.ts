import { type ChoicePrompt, choiceAnswer, choicePromptOf } from "../../remoting/psrp/hostCall";
import type { HostRule } from "../../remoting/session";

/**
 * Answers "Overwrite the existing default SMTP certificate?", and no other question. Which question it is, and which
 * choice is which, is told by what is the same in every language: the new certificate's thumbprint stands in it, and
 * PowerShell's choices are Yes, Yes to All, No, No to All (with Suspend after them), or Yes and No.
 */
export function overwriteRule(thumbprint: string, replace: boolean): HostRule {
  return (call) => {
    const prompt = choicePromptOf(call);
    if (prompt === undefined || !prompt.message.toUpperCase().includes(thumbprint)) return undefined;
    const index = replace ? yesOf(prompt) : noOf(prompt);
    return index === undefined ? undefined : choiceAnswer(index);
  };
}

const labelIs = (prompt: ChoicePrompt, wanted: string): number | undefined => {
  const index = prompt.choices.findIndex(({ label }) => label.replace("&", "").toLowerCase() === wanted);
  return index === -1 ? undefined : index;
};

function yesOf(prompt: ChoicePrompt): number | undefined {
  return labelIs(prompt, "yes") ?? (prompt.choices.length >= 2 ? 0 : undefined);
}

function noOf(prompt: ChoicePrompt): number | undefined {
  const byPlace = prompt.choices.length === 2 ? 1 : prompt.choices.length >= 4 ? 2 : undefined;
  return labelIs(prompt, "no") ?? byPlace;
}
