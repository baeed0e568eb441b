import { Secret } from "../../secret";
import { encodeBase64 } from "../base64";
import { RemotingError } from "../errors";
import { escapeXml, XML_LIMITS } from "../xml";
import { escapeClixml } from "./escaping";
import { type ClixmlContent, type ClixmlObject, type ClixmlValue, INTEGER_RANGES } from "./types";

export interface EncodeOptions {
  /** Encrypts the clear text of a secure string (MS-PSRP 2.2.5.1.24). Without it, clear text is refused. */
  readonly protect?: (clear: Secret<string>) => Uint8Array;
}

/**
 * Encodes one value as a PSRP message carries it (MS-PSRP 2.2.5): no XML declaration, no namespace, no whitespace.
 * RefIds count from 0 in the order of the text; the same object a second time becomes a `Ref`, a list of type names
 * that was written before a `TNRef`.
 *
 * @throws RemotingError `XmlUnwritable` when clear text has no `protect`, when values are nested deeper than 64 levels,
 * or when a value is a stub of decoding that has no wire form.
 */
export function encodeClixml(value: ClixmlValue, options: EncodeOptions = {}): string {
  return write(value, undefined, 1, { options, objects: new Map(), typeNames: new Map() });
}

/** A document of several values, as Export-Clixml writes one: MS-PSRP 2.2.5.3.1. */
export function encodeClixmlDocument(values: readonly ClixmlValue[], options: EncodeOptions = {}): string {
  const writing: Writing = { options, objects: new Map(), typeNames: new Map() };
  const body = values.map((value) => write(value, undefined, 2, writing)).join("");
  return `<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">${body}</Objs>`;
}

interface Writing {
  readonly options: EncodeOptions;
  readonly objects: Map<ClixmlObject, number>;
  readonly typeNames: Map<string, number>;
}

function write(value: ClixmlValue, name: string | undefined, depth: number, writing: Writing): string {
  if (depth > XML_LIMITS.maxDepth) {
    throw new RemotingError("XmlUnwritable", `A value is nested deeper than ${XML_LIMITS.maxDepth} levels.`);
  }
  switch (value.kind) {
    case "Nil":
      return element("Nil", name, "");
    case "S":
    case "URI":
    case "XD":
    case "SBK":
      return element(value.kind, name, escapeXml(escapeClixml(value.value)));
    case "DT":
    case "TS":
    case "D":
    case "G":
    case "Version":
      return element(value.kind, name, escapeXml(value.value));
    case "B":
      return element("B", name, value.value ? "true" : "false");
    case "Sg":
    case "Db":
      return element(value.kind, name, float(value.value));
    case "By":
    case "SB":
    case "U16":
    case "I16":
    case "U32":
    case "I32":
    case "C":
      return element(value.kind, name, whole(value.kind, value.value));
    case "I64":
    case "U64":
      return element(value.kind, name, String(value.value));
    case "BA":
      return element("BA", name, encodeBase64(value.value));
    case "SS":
      return element("SS", name, encodeBase64(cipherText(value.value, writing.options)));
    case "PR":
      return element("PR", name, [...value.fields].map(([key, text]) => progressField(key, text)).join(""));
    case "Obj":
      return writeObject(value, name, depth, writing);
    case "Ref":
    case "unknown":
      throw new RemotingError("XmlUnwritable", "A value that could not be read can't be written either.");
  }
}

/** MS-PSRP 2.2.5.2; the order of the parts is PowerShell's own. */
function writeObject(value: ClixmlObject, name: string | undefined, depth: number, writing: Writing): string {
  const known = writing.objects.get(value);
  if (known !== undefined) return `<Ref${nameAttribute(name)} RefId="${known}" />`;
  const refId = writing.objects.size;
  writing.objects.set(value, refId);
  const parts = [
    writeTypeNames(value.typeNames, writing),
    value.display === undefined ? "" : element("ToString", undefined, escapeXml(escapeClixml(value.display))),
    value.content === undefined ? "" : writeContent(value.content, depth + 1, writing),
    writeProperties("Props", value.adapted, depth + 1, writing),
    writeProperties("MS", value.extended, depth + 1, writing),
  ];
  return `<Obj${nameAttribute(name)} RefId="${refId}">${parts.join("")}</Obj>`;
}

function writeTypeNames(names: readonly string[], writing: Writing): string {
  if (names.length === 0) return "";
  let key = "";
  for (const name of names) key += `${name.length}:${name}`;
  const known = writing.typeNames.get(key);
  if (known !== undefined) return `<TNRef RefId="${known}" />`;
  const refId = writing.typeNames.size;
  writing.typeNames.set(key, refId);
  const texts = names.map((typeName) => element("T", undefined, escapeXml(escapeClixml(typeName))));
  return `<TN RefId="${refId}">${texts.join("")}</TN>`;
}

function writeContent(content: ClixmlContent, depth: number, writing: Writing): string {
  if (content.kind === "primitive") return write(content.value, undefined, depth, writing);
  if (content.kind === "DCT") {
    const entries = content.entries.map(
      ([key, value]) => `<En>${write(key, "Key", depth + 2, writing)}${write(value, "Value", depth + 2, writing)}</En>`,
    );
    return `<DCT>${entries.join("")}</DCT>`;
  }
  const items = content.items.map((item) => write(item, undefined, depth + 1, writing));
  return `<${content.kind}>${items.join("")}</${content.kind}>`;
}

function writeProperties(
  tag: "Props" | "MS",
  properties: ReadonlyMap<string, ClixmlValue>,
  depth: number,
  writing: Writing,
): string {
  if (properties.size === 0) return "";
  const written = [...properties].map(([name, value]) => write(value, name, depth + 1, writing));
  return `<${tag}>${written.join("")}</${tag}>`;
}

function progressField(key: string, text: string): string {
  if (!/^[A-Za-z]{1,8}$/.test(key))
    throw new RemotingError("XmlUnwritable", "A progress record has an unusable field.");
  return element(key, undefined, escapeXml(escapeClixml(text)));
}

function element(tag: string, name: string | undefined, escaped: string): string {
  const start = `<${tag}${nameAttribute(name)}`;
  return escaped === "" && tag === "Nil" ? `${start} />` : `${start}>${escaped}</${tag}>`;
}

function nameAttribute(name: string | undefined): string {
  return name === undefined ? "" : ` N="${escapeXml(escapeClixml(name))}"`;
}

function whole(kind: string, value: number): string {
  const [least, most] = INTEGER_RANGES.get(kind) ?? [0, 0];
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RemotingError("XmlUnwritable", `A number doesn't fit the type ${kind}.`);
  }
  return String(value);
}

function float(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "INF";
  if (value === Number.NEGATIVE_INFINITY) return "-INF";
  return Object.is(value, -0) ? "-0" : String(value);
}

function cipherText(value: Uint8Array | Secret<string>, options: EncodeOptions): Uint8Array {
  if (!(value instanceof Secret)) return value;
  if (options.protect === undefined) {
    throw new RemotingError("XmlUnwritable", "A secure string can't be sent before the session key is there.");
  }
  return options.protect(value);
}
