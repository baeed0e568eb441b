import { tlsCertificateNameOf } from "../backends/connectorName";
import { inSingleQuotes } from "../powershellQuotes";
import type { Sentence } from "../sentence";
import { isClean } from "../sentence";

/*
 * Commands that people paste. They are exact: foreign text stands in them in single quotes, and where it can't be shown
 * as it is, the command reads or builds it itself. Nothing of a command is ever cleaned.
 */

declare const expressionBrand: unique symbol;
/** A PowerShell expression of characters that may be shown anywhere. */
export type Expression = string & { readonly [expressionBrand]: never };

/** Longer text isn't pasted by anybody. */
const LONGEST = 500;

/** Whether foreign text can stand in a command as it is. */
export function isPrintable(text: string): boolean {
  return text.length <= LONGEST && isClean(text) && isClean(inSingleQuotes(text));
}

/**
 * A text as PowerShell reads it back exactly: in single quotes, or put together from the codes of its characters.
 * Undefined for one that is too long for a line.
 */
export function quoted(text: string): Expression | undefined {
  if (isPrintable(text)) return inSingleQuotes(text) as Expression;
  if (text.length > LONGEST) return undefined;
  const codes = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  return `(-join [char[]](${codes.join(",")}))` as Expression;
}

/**
 * `<I>issuer<S>subject` of a certificate on a server. Where the names can't be shown as they are, the command asks the
 * server for them: then `before` is a statement that has to come first.
 */
export function tlsCertificateNameExpression(
  server: string,
  certificate: { readonly thumbprint: string; readonly issuer: string; readonly subject: string },
): { readonly before: string; readonly expression: Expression } {
  const name = tlsCertificateNameOf(certificate);
  if (isPrintable(name)) return { before: "", expression: inSingleQuotes(name) as Expression };
  return {
    before: `$c = Get-ExchangeCertificate -Server ${server} -Thumbprint ${certificate.thumbprint}; `,
    expression: '"<I>$($c.Issuer)<S>$($c.Subject)"' as Expression,
  };
}

/** A command of our own words and of expressions. What isn't an expression must be ours: a cmdlet, an FQDN, digits. */
export function commandOf(texts: TemplateStringsArray, ...parts: readonly string[]): Sentence {
  return texts.reduce((text, next, i) => `${text}${parts[i - 1] ?? ""}${next}`) as Sentence;
}
