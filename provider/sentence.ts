/*
 * Foreign text in sentences. What a server, a certificate, a file or an environment says may hold characters that steer
 * a terminal, turn the reading direction round, or begin a command of a CI system. Here it is made harmless, and visible.
 */

declare const sentenceBrand: unique symbol;

/** Text in one line that may be shown anywhere: every foreign part of it has been cleaned. Made by {@link sentence}. */
export type Sentence = string & { readonly [sentenceBrand]: never };

/** The longest foreign text that goes into a sentence, in characters; of a longer one the beginning is shown. */
const LONGEST_PART = 4000;
/** The longest text of an error. */
const LONGEST_MESSAGE = 16_000;

/**
 * Controls, formats (bidi, zero-width), lone surrogates, line and paragraph separators, and what is drawn as nothing.
 * All of them are shown as `\u{1B}`.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu;

/**
 * What begins a command in the log of a CI system: `::error::` at the begin of a line (GitHub), `##[error]` anywhere
 * (GitHub, Azure DevOps), `##vso[…]` (Azure DevOps), `##teamcity[…]`. Sources: actions/runner, ActionCommand.cs; Azure
 * DevOps, "Logging commands"; TeamCity, "Service messages".
 */
const COMMAND_OPENERS = /(?<![\p{L}\p{N}_]):(?=:\p{L})|#(?=#[\p{L}\p{N}_-]*\[)/gu;

/**
 * Text that may be shown: in one line, what can't be seen made visible, openers of CI commands broken by a blank, cut
 * off where it is too long. What is clean stays as it is, so that cleaning twice does no harm.
 */
export function cleaned(text: string, longest = LONGEST_PART): Sentence {
  const visible = text.replace(HIDDEN, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16).toUpperCase()}}`;
  });
  return cut(visible.replace(COMMAND_OPENERS, "$& "), longest) as Sentence;
}

function cut(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const mark = " (cut off)";
  // Not between the halves of a pair: a half would have to be made visible again.
  return `${text.slice(0, longest - mark.length).replace(/[\uD800-\uDBFF]$/, "")}${mark}`;
}

/** Whether a text can be shown exactly as it is. */
export function isClean(text: string): text is Sentence {
  return cleaned(text, Number.POSITIVE_INFINITY) === text;
}

/**
 * Makes a sentence. Every part put in is cleaned, unless it is a sentence already, which cleaning leaves as it is:
 *
 *     sentence`the issuer is ${facts.issuer}`
 */
export function sentence(texts: TemplateStringsArray, ...parts: readonly (string | number)[]): Sentence {
  const joined = texts.reduce((text, next, i) => `${text}${cleaned(String(parts[i - 1] ?? ""))}${next}`);
  // Also what comes about where two parts meet.
  return cleaned(joined, LONGEST_MESSAGE);
}

/** Sentences with something between them, none of them cut off. */
export function joined(sentences: readonly Sentence[], between: string): Sentence {
  return sentences.join(between) as Sentence;
}

/** A whole message, whoever wrote it: line breaks, which libraries put in, become blanks; the rest is cleaned. */
export function cleanedMessage(message: string): Sentence {
  // Line by line: a pattern for the blanks on both sides of a break takes quadratic time where there are many blanks.
  const lines = message.split(/[\r\n]+/);
  const bare = lines.map((line, index) => {
    const begun = index === 0 ? line : line.trimStart();
    return index === lines.length - 1 ? begun : begun.trimEnd();
  });
  return cleaned(bare.join(" "), LONGEST_MESSAGE);
}
