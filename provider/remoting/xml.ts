import { SaxesParser } from "saxes";
import { isRemotingError, RemotingError } from "./errors";
import { STEP_BYTES, type Steps } from "./steps";

/** One element with its children in document order. Comments and processing instructions are dropped. */
export interface XmlElement {
  /** Name without prefix. */
  readonly name: string;
  /** Namespace URI; empty when there is none. */
  readonly namespace: string;
  /** By local name. When two prefixes carry the same local name, the first counts. Declarations of namespaces are left out. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** The element's own text and CDATA, joined; whitespace kept. */
  readonly text: string;
  /** What whoever reads along has made of it. */
  meaning: unknown;
}

/** What may be read in all, by several documents together: each element and attribute takes one. */
export interface ElementBudget {
  left: number;
}

export interface XmlLimits {
  /** Deepest nesting of elements; the root is at depth 1. Default 64. */
  readonly maxDepth?: number;
  /** Longest document, in UTF-16 code units. Default 33,554,432 (32 Mi). */
  readonly maxLength?: number;
  /** Most elements and attributes, declarations of namespaces included, in a document. Default 250,000. */
  readonly maxElements?: number;
  /** Shared with other documents. Default: none. */
  readonly budget?: ElementBudget | undefined;
}

export const XML_LIMITS = { maxDepth: 64, maxLength: 32 * 1024 * 1024, maxElements: 250_000 } as const;

/** Of one element; all are there before it is looked at. */
const MAX_ATTRIBUTES = 1000;

/** Most elements have no attributes, and a map of its own for each would take more room than all else. */
const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();

const XMLNS_NAMESPACE = "http://www.w3.org/2000/xmlns/";

interface OpenElement {
  readonly element: XmlElement & { readonly children: XmlElement[] };
  readonly texts: string[];
}

/**
 * Reads a whole document that a server sent, so an untrusted one: namespaces are resolved, a DOCTYPE is refused (and
 * with it every entity but the five of XML), depth, length and number of elements are bounded. In steps; `onClose` is
 * told of each element when all of it has been read, its children before it.
 *
 * @throws RemotingError `XmlRefused`. The message names the place, never the content.
 */
export function* parseXml(
  text: string,
  limits: XmlLimits = {},
  onClose?: (element: XmlElement) => void,
): Steps<XmlElement> {
  const { maxDepth, maxLength, maxElements, budget } = { ...XML_LIMITS, budget: undefined, ...limits };
  if (text.length > maxLength) {
    throw refused(`it has ${text.length} characters, more than the limit of ${maxLength}`);
  }
  const parser = new SaxesParser({ xmlns: true });
  const open: OpenElement[] = [];
  let root: XmlElement | undefined;
  let elements = 0;
  const count = (): void => {
    elements += 1;
    if (elements > maxElements) throw refused(`it has more elements and attributes than the limit of ${maxElements}`);
    if (budget === undefined) return;
    budget.left -= 1;
    if (budget.left < 0) throw refused("with what came before, it has more elements and attributes than are taken");
  };
  let attributesOfTag = 0;

  parser.on("doctype", () => {
    throw refused("it has a DOCTYPE, which neither SOAP nor CLIXML allows");
  });
  // While the tag is being read: all attributes of one could be too many to hold.
  parser.on("attribute", () => {
    count();
    attributesOfTag += 1;
    if (attributesOfTag > MAX_ATTRIBUTES) throw refused(`an element has more attributes than ${MAX_ATTRIBUTES}`);
  });
  parser.on("opentag", (tag) => {
    count();
    attributesOfTag = 0;
    if (open.length >= maxDepth) throw refused(`it is nested deeper than the limit of ${maxDepth}`);
    let attributes: Map<string, string> | undefined;
    for (const attribute of Object.values(tag.attributes)) {
      if (attribute.uri === XMLNS_NAMESPACE || attributes?.has(attribute.local) === true) continue;
      attributes ??= new Map();
      attributes.set(attribute.local, attribute.value);
    }
    const element = {
      name: tag.local,
      namespace: tag.uri,
      attributes: attributes ?? NO_ATTRIBUTES,
      children: [],
      text: "",
      meaning: undefined,
    };
    open.at(-1)?.element.children.push(element);
    root ??= element;
    open.push({ element, texts: [] });
  });
  const addText = (piece: string): void => {
    open.at(-1)?.texts.push(piece);
  };
  parser.on("text", addText);
  parser.on("cdata", addText);
  parser.on("closetag", () => {
    const closed = open.pop();
    if (closed === undefined) return;
    (closed.element as { text: string }).text = closed.texts.join("");
    onClose?.(closed.element);
  });
  // No more handlers: with a seventh V8 takes the parser for a dictionary, and parsing takes four times as long.
  try {
    for (let start = 0; start < text.length; start += STEP_BYTES) {
      if (start > 0) yield;
      parser.write(text.slice(start, start + STEP_BYTES));
    }
    parser.close();
  } catch (error) {
    if (isRemotingError(error)) throw error;
    throw refused(`it is not well-formed (line ${parser.line}, column ${parser.column})`);
  }
  if (root === undefined) throw refused("it has no element");
  return root;
}

/** The text of bytes that must be UTF-8; a byte order mark, which Windows servers send, is dropped. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw refused("it is not UTF-8");
  }
}

/** First child with that name (and namespace, when given). */
export function childOf(element: XmlElement | undefined, name: string, namespace?: string): XmlElement | undefined {
  return element?.children.find(
    (child) => child.name === name && (namespace === undefined || child.namespace === namespace),
  );
}

/** All children with that name (and namespace, when given). */
export function childrenOf(element: XmlElement | undefined, name: string, namespace?: string): XmlElement[] {
  return (element?.children ?? []).filter(
    (child) => child.name === name && (namespace === undefined || child.namespace === namespace),
  );
}

/**
 * Escapes text for an element or a quoted attribute. Everything below U+0020 but tab, line feed and carriage return
 * can't be written in XML 1.0 at all and is refused; a carriage return is written as a reference, because a parser
 * would turn it into a line feed.
 */
export function escapeXml(text: string): string {
  if (PLAIN.test(text)) return text;
  // eslint-disable-next-line no-control-regex -- these are exactly the characters that XML 1.0 has no way to write
  if (/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Surrogate}/u.test(text)) {
    throw new RemotingError("XmlUnwritable", "A text holds a character that XML can't carry.");
  }
  return text.replace(/[&<>"'\r\n\t]/g, (char) => XML_ESCAPES.get(char) ?? char);
}

/** Most texts: nothing to escape. */
const PLAIN = /^[ !#-%(-;=?-~]*$/;

const XML_ESCAPES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&apos;"],
  ["\r", "&#13;"],
  ["\n", "&#10;"],
  ["\t", "&#9;"],
]);

/** The parser's own message may quote the document, so it is never kept as the cause. */
function refused(why: string): RemotingError {
  return new RemotingError("XmlRefused", `Refused the XML that the other side sent: ${why}.`);
}
