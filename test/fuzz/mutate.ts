import { atOnce } from "../../provider/remoting/steps";
import { escapeXml, parseXml, type XmlElement } from "../../provider/remoting/xml";
import type { Random } from "./random";

/** Longest input; now and then one is blown up to this. */
const MAX_BYTES = 256 * 1024;

const TOKENS = [
  "<!DOCTYPE a [<!ENTITY b \"c\">]>", "&amp;", "&#0;", "&#x10FFFF;", "&b;", "<![CDATA[", "]]>", "<!--", "-->", "<?xml version=\"1.1\"?>",
  "<Obj>", "</Obj>", "<Ref RefId=\"0\"/>", "<TNRef RefId=\"0\"/>", "<LST>", "<DCT>", "<En>", "<MS>", "<Props>", "<Nil/>", "_x0000_", "_xD800_",
  "__proto__", "constructor", "toString", " xmlns:a=\"urn:a\"", "\uFEFF", "\r\n", "\u0000", "--Encrypted Boundary", "-- Encrypted Boundary--\r\n",
  "Length=", "#sig#", "PT", "P1D", "uuid:", "=", "==",
].map((token) => Buffer.from(token)); // prettier-ignore

const NUMBER_TEXTS = [
  "", "0", "-0", "-1", "1", "4", "5", "26", "56", "57", "255", "256", "65536", "2147483647", "2147483648", "-2147483649", "4294967295", "4294967296",
  "9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551616", "1e308", "1e999", "NaN", "INF", "-100", "0x10",
  "1".repeat(400), `0.${"9".repeat(400)}`, "true", "AAAA", "A", "====", "_x005F_x000A_", "__proto__", "2.3", "2.99999", "PT9999999999S",
  "-2144108477", "2150858793",
] as const; // prettier-ignore

const NUMBERS = [
  0, 1, 2, 3, 20, 21, 22, 39, 40, 127, 128, 255, 256, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
];

/** The input with one to six changes of its bytes. */
export function mutateBytes(input: Uint8Array, corpus: readonly Uint8Array[], random: Random): Uint8Array {
  let bytes: Buffer = Buffer.from(input);
  for (let count = 1 + random.below(6); count > 0; count--) bytes = changed(bytes, corpus, random);
  return bytes.subarray(0, MAX_BYTES);
}

function changed(bytes: Buffer, corpus: readonly Uint8Array[], random: Random): Buffer {
  const at = random.below(bytes.length + 1);
  const some = random.below(Math.min(64, bytes.length - at) + 1);
  const replaced = (middle: Uint8Array, until = at): Buffer =>
    Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(until)]);
  switch (random.below(10)) {
    case 0: // bit
      if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      return bytes;
    case 1: // byte
      if (at < bytes.length) bytes[at] = random.below(256);
      return bytes;
    case 2: // cut
      return random.chance(2) ? bytes.subarray(0, at) : bytes.subarray(at);
    case 3: // left out
      return replaced(new Uint8Array(), at + some);
    case 4: // twice, or so often that it is long
      return replaced(repeated(bytes.subarray(at, at + some), random.chance(200) ? MAX_BYTES : 256));
    case 5: // random bytes
      return replaced(Uint8Array.from({ length: random.below(12) }, () => random.below(256)));
    case 6: // a word
      return replaced(random.pick(TOKENS), at + (random.chance(2) ? some : 0));
    case 7: {
      // a number, of either byte order and any width
      const number = Buffer.alloc(8);
      const width = random.pick([1, 2, 4, 8]);
      if (random.chance(2)) number.writeUInt32LE(random.pick(NUMBERS));
      else number.writeUInt32BE(random.pick(NUMBERS), width >= 4 ? width - 4 : 0);
      return replaced(number.subarray(0, width), at + width);
    }
    case 8: {
      // digits
      const text = bytes.toString("latin1");
      const digits = [...text.matchAll(/\d+/g)];
      if (digits.length === 0) return bytes;
      const match = random.pick(digits);
      const before = text.slice(0, match.index);
      return Buffer.from(before + random.pick(NUMBER_TEXTS) + text.slice(match.index + match[0].length), "latin1");
    }
    default: {
      // the end of another
      const other = random.pick(corpus);
      return replaced(other.subarray(random.below(other.length + 1)), bytes.length);
    }
  }
}

function repeated(piece: Uint8Array, bytes: number): Uint8Array {
  const times = Math.min(Math.floor(bytes / Math.max(1, piece.length)), 20_000);
  return Buffer.concat(Array<Uint8Array>(Math.max(1, times)).fill(piece));
}

/** Captures are large, and copies of copies would soon be larger than the memory. */
const MAX_COPIED_ELEMENTS = 5000;

interface Node {
  name: string;
  namespace: string;
  attributes: [string, string][];
  text: string;
  children: Node[];
}

/** A document that is well-formed still, with one to five changes of its elements. `undefined` when it isn't XML. */
export function mutateXml(input: Uint8Array, random: Random): Uint8Array | undefined {
  let root: Node;
  try {
    root = copyOf(
      atOnce(
        parseXml(
          Buffer.from(input)
            .toString("utf8")
            .replace(/^\uFEFF/, ""),
        ),
      ),
    );
  } catch {
    return undefined;
  }
  for (let count = 1 + random.below(5); count > 0; count--) change(root, random);
  return Buffer.from(write(root, "", 0)).subarray(0, MAX_BYTES);
}

function copyOf(element: XmlElement): Node {
  const { name, namespace, attributes, text, children } = element;
  return { name, namespace, attributes: [...attributes], text, children: children.map(copyOf) };
}

function allOf(node: Node, into: Node[] = []): Node[] {
  into.push(node);
  for (const child of node.children) allOf(child, into);
  return into;
}

function change(root: Node, random: Random): void {
  const all = allOf(root).slice(0, 5000);
  const node = random.pick(all);
  const other = random.pick(all);
  const child = random.below(node.children.length);
  switch (random.below(9)) {
    case 0:
      node.text = random.pick(NUMBER_TEXTS);
      return;
    case 1:
      if (node.attributes.length > 0) random.pick(node.attributes)[1] = random.pick(NUMBER_TEXTS);
      return;
    case 2:
      node.children.splice(child, 1);
      return;
    case 3: // a copy, since an element mustn't hold itself
      if (allOf(other).length <= MAX_COPIED_ELEMENTS) node.children.splice(child, 0, structuredClone(other));
      return;
    case 4:
      node.name = other.name;
      return;
    case 5: {
      const few = node.children[child];
      if (few === undefined) return;
      const wanted = random.chance(100) ? 2000 : random.below(20);
      const times = Math.min(wanted, Math.floor(MAX_COPIED_ELEMENTS / allOf(few).length));
      node.children.splice(child, 0, ...Array.from({ length: times }, () => structuredClone(few)));
      return;
    }
    case 6: {
      const inner = { ...node };
      for (let depth = random.below(random.chance(10) ? 80 : 4); depth > 0; depth--) {
        node.children = [{ ...inner, children: node.children }];
      }
      return;
    }
    case 7:
      node.attributes.push([
        random.pick(["RefId", "N", "Name", "Code", "State", "CommandId", "ShellId"]),
        String(random.below(4)),
      ]);
      return;
    default:
      node.children.push({
        name: random.pick(["Ref", "TNRef"]),
        namespace: "",
        attributes: [["RefId", String(random.below(6))]],
        text: "",
        children: [],
      });
  }
}

function write(node: Node, namespace: string, depth: number): string {
  if (depth > 300) return "";
  const attributes = new Map(node.attributes);
  const written = [...attributes].map(([name, value]) => ` ${name}="${clean(value)}"`).join("");
  const declared = node.namespace === namespace ? "" : ` xmlns="${clean(node.namespace)}"`;
  const children = node.children.map((child) => write(child, node.namespace, depth + 1)).join("");
  return `<${node.name}${declared}${written}>${clean(node.text)}${children}</${node.name}>`;
}

/** Without what XML can't carry, halves of surrogate pairs among it. */
function clean(text: string): string {
  return escapeXml(text.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, ""));
}
