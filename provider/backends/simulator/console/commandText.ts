import { UsageMistake } from "../../../console/usageMistake";
import { SINGLE_QUOTES } from "../../../powershellQuotes";

/* A line of PowerShell that was given in one quoted argument, as far as this console knows it. */

/** How the objects of a cmdlet are to be shown. */
export interface View {
  readonly kind: "list" | "table" | "select";
  /** Names of properties as they were typed; empty: the usual ones. */
  readonly properties: readonly string[];
}

export interface TypedCommand {
  readonly words: readonly string[];
  readonly view: View | undefined;
}

const VIEWS: Readonly<Record<string, View["kind"]>> = {
  "format-list": "list",
  fl: "list",
  "format-table": "table",
  ft: "table",
  "select-object": "select",
  select: "select",
};

/** What to do with what is beyond this console. */
const ELSEWHERE =
  "For more, use PowerShell itself: exchange-simulator serve --help tells how it connects to the simulated servers.";
const KNOWN_VIEWS = "Behind a | there may be one Format-List, Format-Table or Select-Object with names of properties";

/**
 * The words of a command. A whole line may stand in one argument, and so may what follows a `|`. Throws
 * {@link UsageMistake} for what PowerShell could do and this console can't.
 */
export function typedCommand(words: readonly string[]): TypedCommand {
  const [first = ""] = words;
  const isLine = words.length === 1 && /^\s*[a-z]+-[a-z]+[\s;|&]/i.test(first);
  const tokens = isLine
    ? tokensOf(first)
    : words.flatMap((word) => (word.trimStart().startsWith("|") ? tokensOf(word) : [word]));
  const at = tokens.indexOf("|");
  if (at === -1) return { words: tokens, view: undefined };
  const [name = "", ...rest] = tokens.slice(at + 1);
  if (rest.includes("|")) throw new UsageMistake(`${KNOWN_VIEWS}, and nothing behind it. ${ELSEWHERE}`);
  const kind = VIEWS[name.toLowerCase()];
  if (kind === undefined)
    throw new UsageMistake(`${KNOWN_VIEWS}, as in '| Format-List Thumbprint,Services'. ${ELSEWHERE}`);
  return { words: tokens.slice(0, at), view: { kind, properties: propertiesOf(rest) } };
}

function propertiesOf(words: readonly string[]): readonly string[] {
  const [first = "", ...others] = words;
  const names = /^-property$/i.test(first) ? others : words;
  return names
    .join(" ")
    .split(/[\s,]+/)
    .filter((name) => name !== "")
    .map((name) => {
      if (/^[a-z][a-z0-9]*$/i.test(name)) return name;
      const what = /[*?[\]]/.test(name) ? "Wildcards aren't known here" : "Only names of properties are known here";
      throw new UsageMistake(`${what}: write them out, as in '| Format-List Thumbprint,Services'. ${ELSEWHERE}`);
    });
}

const SINGLE_QUOTED = new RegExp(`^[${SINGLE_QUOTES}](?:[^${SINGLE_QUOTES}]|[${SINGLE_QUOTES}]{2})*[${SINGLE_QUOTES}]`);
const DOUBLED = new RegExp(`[${SINGLE_QUOTES}]([${SINGLE_QUOTES}])`, "g");

/** Words and `|`, with quotes taken away as PowerShell does. */
function tokensOf(line: string): readonly string[] {
  const tokens: string[] = [];
  let word: string | undefined;
  let rest = line;
  const take = (form: RegExp): string | undefined => {
    const [found] = form.exec(rest) ?? [];
    if (found !== undefined) rest = rest.slice(found.length);
    return found;
  };
  const end = (): void => {
    if (word !== undefined) tokens.push(word);
    word = undefined;
  };
  while (rest !== "") {
    const single = take(SINGLE_QUOTED);
    const double = single === undefined ? take(/^"(?:[^"`$]|"")*"/) : undefined;
    if (single !== undefined) word = (word ?? "") + single.slice(1, -1).replace(DOUBLED, "$1");
    else if (double !== undefined) word = (word ?? "") + double.slice(1, -1).replaceAll('""', '"');
    else if (take(/^\s+/) !== undefined) end();
    else if (take(/^\|/) !== undefined) {
      end();
      tokens.push("|");
    } else {
      const plain =
        take(/^\$(?:true|false|null)\b/i) ?? take(/^@\([^()$]*\)/) ?? take(/^[^\s'\u2018-\u201B"|;{}`$()<>&]/);
      if (plain === undefined) {
        throw new UsageMistake(
          `Variables, expressions, script blocks and several commands aren't known here. ${ELSEWHERE}`,
        );
      }
      word = (word ?? "") + plain;
    }
  }
  end();
  return tokens;
}
