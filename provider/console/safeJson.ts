/** Everything that a sentence would show as its number, but the line breaks of the indentation. */
const HIDDEN = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu;

/** What a log of GitHub Actions or Azure Pipelines takes for a command. The second character is escaped. */
const COMMAND_OPENERS = /:(?=:)|#(?=#)/g;

/**
 * JSON in lines of two blanks' indentation, in ASCII where a terminal or the log of a pipeline could be made to act
 * upon it. What is read from it is the same text to the character.
 */
export function safeJson(value: unknown): string {
  return JSON.stringify(value, null, 2)
    .replace(HIDDEN, escaped)
    .replace(COMMAND_OPENERS, (character) => escaped(character));
}

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, at) => {
    const code = character.charCodeAt(at).toString(16).padStart(4, "0");
    return `\\u${code}`;
  }).join("");
}
