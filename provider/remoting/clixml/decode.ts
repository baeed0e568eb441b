import { decodeBase64 } from "../base64";
import { RemotingError } from "../errors";
import { atOnce, type Steps } from "../steps";
import { decodeUtf8, parseXml, type XmlElement, type XmlLimits } from "../xml";
import { unescapeClixml } from "./escaping";
import {
  type ClixmlContent,
  type ClixmlNumber,
  type ClixmlObject,
  type ClixmlText,
  type ClixmlValue,
  INTEGER_RANGES,
  LIST_KINDS,
  NIL,
  NUMBER_KINDS,
  TEXT_KINDS,
} from "./types";

/** Limits on what is read; beyond them the whole document is refused. Nesting counts XML elements, `Obj` and `MS` each. */
export type ClixmlLimits = XmlLimits;

/**
 * Decodes CLIXML (MS-PSRP 2.2.5): the values of an `Objs` document (what Export-Clixml writes), or the one value that a
 * PSRP message holds. Bytes must be UTF-8, with or without a byte order mark; nothing at all is no value, which is how
 * messages without a body arrive.
 *
 * Elements that aren't known become `unknown` values and never fail the rest. Names are matched without namespace. A
 * RefId that is used twice means the object that came last before the reference.
 *
 * @throws RemotingError `XmlRefused` (not well-formed, DOCTYPE, a limit) or `ClixmlInvalid` (a number that is none, ...).
 */
export function decodeClixml(input: string | Uint8Array, limits: ClixmlLimits = {}): ClixmlValue[] {
  return atOnce(decodeClixmlInSteps(input, limits));
}

/** {@link decodeClixml} in steps. */
export function* decodeClixmlInSteps(input: string | Uint8Array, limits: ClixmlLimits = {}): Steps<ClixmlValue[]> {
  const text = (typeof input === "string" ? input : decodeUtf8(input)).replace(/^\uFEFF/, "");
  if (text.trim() === "") return [];
  const references: References = { objects: new Map(), typeNames: new Map() };
  // Each value is made as soon as its element has been read, so that no walk over all of them is left for the end.
  const root = yield* parseXml(text, limits, (element) => {
    if (element.name === "TN") readTypeNames(element, references);
    else if (isValue(element.name)) element.meaning = readOrRemember(element, references);
  });
  if (root.name !== "Objs") return [valueOf(root)];
  return root.children.map(valueOf);
}

/** {@link decodeClixml} for messages: the first value, or null when there is none. */
export function decodeClixmlValue(input: string | Uint8Array, limits: ClixmlLimits = {}): ClixmlValue {
  return decodeClixml(input, limits)[0] ?? NIL;
}

/** A value that can't be read; an error only where somebody wants it. */
class Unreadable {
  readonly error: unknown;
  constructor(error: unknown) {
    this.error = error;
  }
}

function readOrRemember(element: XmlElement, references: References): ClixmlValue | Unreadable {
  try {
    const value = readValue(element, references);
    // What it was made of isn't needed any more.
    (element as { children: readonly XmlElement[] }).children = NOTHING;
    return value;
  } catch (error) {
    return new Unreadable(error);
  }
}

const NOTHING: readonly XmlElement[] = [];

/** What was made of an element, or the element itself where this version doesn't know it. */
function valueOf(element: XmlElement): ClixmlValue {
  const { meaning } = element;
  if (meaning instanceof Unreadable) throw meaning.error;
  return (meaning as ClixmlValue | undefined) ?? { kind: "unknown", element: element.name, text: element.text };
}

interface References {
  /** Finished objects only: an enclosing object can't be referred to from inside. */
  readonly objects: Map<string, ClixmlObject>;
  readonly typeNames: Map<string, readonly string[]>;
}

const TEXTS: ReadonlySet<string> = new Set(TEXT_KINDS);
const NUMBERS: ReadonlySet<string> = new Set(NUMBER_KINDS);
const LISTS: ReadonlySet<string> = new Set(LIST_KINDS);
/** Of the texts, those whose content 2.2.5.1 calls an encoded string. */
const ESCAPED_TEXTS: ReadonlySet<string> = new Set<ClixmlText["kind"]>(["S", "URI", "XD", "SBK"]);

const OTHER_VALUES: ReadonlySet<string> = new Set(["Nil", "Obj", "Ref", "B", "I64", "U64", "BA", "SS", "PR"]);

function isValue(name: string): boolean {
  return TEXTS.has(name) || NUMBERS.has(name) || OTHER_VALUES.has(name);
}

function readValue(element: XmlElement, references: References): ClixmlValue {
  const { name } = element;
  if (TEXTS.has(name)) {
    const value = ESCAPED_TEXTS.has(name) ? unescapeClixml(element.text) : element.text.trim();
    return { kind: name as ClixmlText["kind"], value };
  }
  if (NUMBERS.has(name)) return readNumber(element, name as ClixmlNumber["kind"]);
  switch (name) {
    case "Nil":
      return NIL;
    case "Obj":
      return readObject(element, references);
    case "Ref": {
      const refId = element.attributes.get("RefId") ?? "";
      return references.objects.get(refId) ?? { kind: "Ref", refId };
    }
    case "B":
      return { kind: "B", value: readBoolean(element) };
    case "I64":
    case "U64":
      return { kind: name, value: readBigInt(element, name) };
    case "BA":
    case "SS":
      return { kind: name, value: readBase64(element) };
    case "PR":
      return {
        kind: "PR",
        fields: new Map(element.children.map((child) => [child.name, unescapeClixml(child.text)])),
      };
    default:
      return { kind: "unknown", element: name, text: element.text };
  }
}

/** MS-PSRP 2.2.5.2. The children come in any order; of what may stand there once, PowerShell takes the last. */
function readObject(element: XmlElement, references: References): ClixmlObject {
  let typeNames: readonly string[] = NO_NAMES;
  let display: string | undefined;
  let content: ClixmlContent | undefined;
  const adapted = new Properties();
  const extended = new Properties();
  for (const child of element.children) {
    switch (child.name) {
      case "TN":
        typeNames = namesOf(child);
        break;
      case "TNRef":
        typeNames = references.typeNames.get(child.attributes.get("RefId") ?? "") ?? typeNames;
        break;
      case "ToString":
        display = unescapeClixml(child.text);
        break;
      case "Props":
        adapted.read(child);
        break;
      case "MS":
        extended.read(child);
        break;
      default:
        content ??= readContent(child);
    }
  }
  const value: ClixmlObject = {
    kind: "Obj",
    typeNames,
    display,
    content,
    adapted: adapted.values,
    extended: extended.values,
  };
  const refId = element.attributes.get("RefId");
  if (refId !== undefined) references.objects.set(refId, value);
  return value;
}

/** Shared: most objects lack one or the other, and a map of its own for each would take more room than all else. */
const NO_PROPERTIES: ReadonlyMap<string, ClixmlValue> = new Map();
const NO_NAMES: readonly string[] = [];

/** MS-PSRP 2.2.5.2.3. */
function readTypeNames(element: XmlElement, references: References): void {
  const refId = element.attributes.get("RefId");
  if (refId !== undefined) references.typeNames.set(refId, namesOf(element));
}

function namesOf(element: XmlElement): readonly string[] {
  return element.children.filter((child) => child.name === "T").map((child) => unescapeClixml(child.text));
}

/** Of one object; real ones have some hundred. */
const MAX_PROPERTIES = 10_000;

/** MS-PSRP 2.2.5.2.8: the attribute `N` names a property. One without a name can't be asked for and is left out. */
class Properties {
  values: ReadonlyMap<string, ClixmlValue> = NO_PROPERTIES;
  #own: Map<string, ClixmlValue> | undefined;
  #count = 0;

  /** Takes in one element of them; there may be several, and a later one counts. */
  read({ children }: XmlElement): void {
    if (children.length === 0) return;
    this.#count += children.length;
    if (this.#count > MAX_PROPERTIES) throw invalid("Obj", `has more than ${MAX_PROPERTIES} properties`);
    this.values = this.#own ??= new Map();
    for (const child of children) {
      const value = valueOf(child);
      const name = child.attributes.get("N");
      if (name !== undefined) this.#own.set(unescapeClixml(name), value);
    }
  }
}

function readContent(element: XmlElement): ClixmlContent | undefined {
  if (LISTS.has(element.name)) {
    return { kind: element.name as (typeof LIST_KINDS)[number], items: element.children.map(valueOf) };
  }
  if (element.name === "DCT") {
    return { kind: "DCT", entries: element.children.filter((child) => child.name === "En").map(readEntry) };
  }
  const value = valueOf(element);
  return value.kind === "unknown" ? undefined : { kind: "primitive", value };
}

/** MS-PSRP 2.2.5.2.6.4: two children, named Key and Value. */
function readEntry(entry: XmlElement): readonly [ClixmlValue, ClixmlValue] {
  let key: ClixmlValue = NIL;
  let value: ClixmlValue = NIL;
  for (const child of entry.children) {
    const read = valueOf(child);
    if (child.attributes.get("N") === "Key") key = read;
    else if (child.attributes.get("N") === "Value") value = read;
  }
  return [key, value];
}

function readBoolean(element: XmlElement): boolean {
  switch (element.text.trim().toLowerCase()) {
    case "true":
    case "1":
      return true;
    case "false":
    case "0":
      return false;
    default:
      throw invalid("B", "is neither true nor false");
  }
}

function readNumber(element: XmlElement, kind: ClixmlNumber["kind"]): ClixmlNumber {
  const text = element.text.trim();
  const range = INTEGER_RANGES.get(kind);
  if (range === undefined) return { kind, value: readFloat(text, kind) };
  const value = /^[+-]?\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= range[0] && value <= range[1])) throw invalid(kind, "is not a whole number in the range of its type");
  return { kind, value: value === 0 ? 0 : value }; // no negative zero
}

/** XML Schema's lexical form of float and double, and the words that .NET writes for infinity. */
function readFloat(text: string, kind: string): number {
  switch (text) {
    case "INF":
    case "Infinity":
      return Number.POSITIVE_INFINITY;
    case "-INF":
    case "-Infinity":
      return Number.NEGATIVE_INFINITY;
    case "NaN":
      return Number.NaN;
    default:
      if (!/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?$/.test(text)) throw invalid(kind, "is not a number");
      return Number(text);
  }
}

function readBigInt(element: XmlElement, kind: "I64" | "U64"): bigint {
  const text = element.text.trim();
  const value = /^-?\d{1,20}$/.test(text) ? BigInt(text) : undefined;
  const fits = value !== undefined && value === (kind === "I64" ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value));
  if (!fits) throw invalid(kind, "is not a whole number in the range of its type");
  return value;
}

function readBase64(element: XmlElement): Uint8Array {
  const bytes = decodeBase64(element.text);
  if (bytes === undefined) throw invalid(element.name, "is not base64");
  return bytes;
}

function invalid(kind: string, why: string): RemotingError {
  return new RemotingError("ClixmlInvalid", `The other side sent CLIXML whose element ${kind} ${why}.`);
}
