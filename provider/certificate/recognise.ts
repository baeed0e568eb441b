import type { KeyObject } from "node:crypto";

import type { Asn1 } from "./asn1";
import { parsePrivateKey } from "./privateKey";
import {
  bytesOf,
  childOf,
  childrenOf,
  integerOf,
  isContext,
  isUniversal,
  oidOf,
  readAsn1WithLength,
  writeAsn1,
} from "./asn1";
import { textOfBytes, undoLiteralBreaks } from "./sourceText";

/** What a file or text is that holds neither certificate nor key that can be read. */
export type Stranger =
  | "empty"
  | "keystore"
  | "request"
  | "revocationList"
  | "opensshKey"
  | "puttyKey"
  | "sshPublicKey"
  | "pgp"
  | "encryptedKey"
  | "publicKey"
  | "encryptedMessage"
  | "html"
  | "xml"
  | "json"
  | "gitLfsPointer"
  | "path"
  | "placeholder"
  | "zip"
  | "gzip"
  | "damagedBlock"
  | "cutOff"
  | "damagedDer"
  | "unknown";

/** Certificates (DER) and keys as they stand in a file or text, in its order. */
export interface Parts {
  readonly kind: "parts";
  readonly certificates: readonly Uint8Array[];
  readonly keys: readonly KeyObject[];
  /** What else stood there. */
  readonly strangers: readonly Stranger[];
}

export type Recognised =
  | Parts
  | { readonly kind: "pfx"; readonly pfx: Uint8Array }
  | { readonly kind: "stranger"; readonly stranger: Stranger };

const stranger = (what: Stranger): Recognised => ({ kind: "stranger", stranger: what });
const parts = (some: Partial<Omit<Parts, "kind">>): Parts => ({
  kind: "parts",
  certificates: [],
  keys: [],
  strangers: [],
  ...some,
});

/** Text within text: base64 of a file that is base64 already is met, more isn't. */
const MAX_LAYERS = 4;

/** What a file really is, whatever its name or its label says. Throws nothing. */
export function recogniseFile(bytes: Uint8Array): Recognised {
  return recogniseBytes(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0);
}

/** The same for a text, as it is given in a program. */
export function recogniseText(text: string): Recognised {
  return recogniseCharacters(text, 0);
}

const MAGIC: readonly (readonly [string, Stranger])[] = [
  ["feedfeed", "keystore"],
  ["cececece", "keystore"],
  ["504b0304", "zip"],
  ["1f8b", "gzip"],
];

function recogniseBytes(bytes: Buffer, layer: number): Recognised {
  if (bytes.every((byte) => byte === 0)) return stranger("empty");
  const beginning = bytes.toString("hex", 0, 4);
  const magic = MAGIC.find(([prefix]) => beginning.startsWith(prefix));
  if (magic !== undefined) return stranger(magic[1]);
  if (bytes[0] === 0x30) {
    const found = recogniseDer(bytes);
    if (found !== undefined) return found;
    // "0" begins texts too, but no length follows it there.
    if ((bytes[1] ?? 0) >= 0x80) return stranger("damagedDer");
  }
  // OpenPGP packets (RFC 9580 section 4.2) of keys and messages; UTF-16 begins with other bytes.
  if (/^(?:99|95|8[45c]|c[1356])/.test(beginning)) return stranger("pgp");
  const text = textOfBytes(bytes);
  return text === undefined ? stranger("unknown") : recogniseCharacters(text, layer);
}

function recogniseCharacters(given: string, layer: number): Recognised {
  const text = undoLiteralBreaks(given).replace(/^\uFEFF/, "");
  if (/^[\s\0"']*$/.test(text)) return stranger("empty");
  const { blocks, isCutOff } = blocksOf(text);
  if (blocks.length > 0) return combined(blocks.map(recogniseBlock), isCutOff);
  const named = isCutOff || /-{4,5} ?END /.test(text) ? "cutOff" : nameOfText(given.trimStart());
  if (named !== undefined) return stranger(named);
  const decoded = layer < MAX_LAYERS ? base64Of(text) : undefined;
  if (decoded !== undefined) {
    const inner = recogniseBytes(decoded, layer + 1);
    if (inner.kind !== "stranger" || inner.stranger !== "unknown") return inner;
  }
  return stranger(looksLikePath(given) ? "path" : "unknown");
}

interface Block {
  readonly label: string;
  readonly body: string;
}

/** Text in PEM's lines, wherever it stands and however it is indented. */
function blocksOf(text: string): { readonly blocks: readonly Block[]; readonly isCutOff: boolean } {
  const blocks: Block[] = [];
  const begin = /-{4,5} ?BEGIN ([A-Za-z0-9 ]{1,60}?) ?-{4,5}/g;
  const border = /-{4,5} ?(BEGIN|END) /g;
  let isCutOff = false;
  for (let match = begin.exec(text); match !== null; match = begin.exec(text)) {
    const [line, label = ""] = match;
    const start = match.index + line.length;
    border.lastIndex = start;
    const next = border.exec(text);
    if (next?.[1] !== "END") {
      isCutOff = true;
      if (next === null) break;
      begin.lastIndex = next.index;
      continue;
    }
    blocks.push({ label: label.toUpperCase(), body: text.slice(start, next.index) });
    begin.lastIndex = border.lastIndex;
  }
  return { blocks, isCutOff };
}

function recogniseBlock({ label, body }: Block): Recognised {
  if (label.startsWith("OPENSSH")) return stranger("opensshKey");
  if (label.startsWith("SSH2")) return stranger("sshPublicKey");
  if (label.startsWith("PGP")) return stranger("pgp");
  if (/Proc-Type:\s*4,\s*ENCRYPTED/i.test(body)) return stranger("encryptedKey");
  // Lines such as "Proc-Type: …" before the base64 (RFC 1421), and what editors leave at the end of a line.
  const bare = body.replace(/^[ \t]*[A-Za-z][A-Za-z-]*:.*$/gm, "").replace(/[\s\\"',]/g, "");
  if (bare === "" || !/^[A-Za-z0-9+/]*={0,2}$/.test(bare)) return stranger("damagedBlock");
  const der = Buffer.from(bare, "base64");
  if (label === "EC PARAMETERS" || label === "DH PARAMETERS") return parts({});
  const found = recogniseDer(der);
  if (found === undefined) return label.endsWith("PRIVATE KEY") ? stranger("damagedBlock") : nestedIn(der);
  return found;
}

/** `certutil -encode` puts whatever it is given between the lines of a certificate: text too. */
function nestedIn(bytes: Buffer): Recognised {
  const text = textOfBytes(bytes);
  if (text?.includes("-----BEGIN ") !== true) return stranger("damagedBlock");
  return recogniseCharacters(text, MAX_LAYERS);
}

/** All blocks of a text in one. A PFX can't be taken apart without its password, and stands alone. */
function combined(found: readonly Recognised[], isCutOff: boolean): Recognised {
  const pfx = found.find((one) => one.kind === "pfx");
  if (pfx !== undefined && found.length === 1) return pfx;
  const all = parts({
    certificates: found.flatMap((one) => (one.kind === "parts" ? one.certificates : [])),
    keys: found.flatMap((one) => (one.kind === "parts" ? one.keys : [])),
    strangers: [
      ...found.flatMap((one): readonly Stranger[] => {
        if (one.kind === "parts") return one.strangers;
        return one.kind === "stranger" ? [one.stranger] : ["unknown"];
      }),
      ...(isCutOff ? (["cutOff"] as const) : []),
    ],
  });
  const [first] = all.strangers;
  return all.certificates.length === 0 && all.keys.length === 0 && first !== undefined ? stranger(first) : all;
}

const SIGNED_DATA = "1.2.840.113549.1.7.2";

/** `undefined` for bytes that are no such structure, or not all of it. */
function recogniseDer(bytes: Buffer): Recognised | undefined {
  try {
    const { node, length } = readAsn1WithLength(bytes);
    return isUniversal(node, "SEQUENCE") ? recogniseNode(node, bytes.subarray(0, length)) : undefined;
  } catch {
    return undefined;
  }
}

function recogniseNode(node: Asn1, der: Buffer): Recognised | undefined {
  const [first, second, third] = childrenOf(node);
  if (first === undefined || second === undefined) return undefined;
  if (isUniversal(first, "OID")) {
    const type = oidOf(first);
    if (type === SIGNED_DATA) return certificatesOfPkcs7(childOf(second, 0));
    return type.startsWith("1.2.840.113549.1.7.") ? stranger("encryptedMessage") : undefined;
  }
  if (isUniversal(first, "INTEGER")) {
    if (isPfx(first, second)) return { kind: "pfx", pfx: der };
    return keyOf(node, der);
  }
  if (!isUniversal(first, "SEQUENCE")) return undefined;
  if (isUniversal(second, "OCTETSTRING")) return stranger("encryptedKey");
  if (isUniversal(second, "BITSTRING")) return stranger("publicKey");
  return third !== undefined && isUniversal(third, "BITSTRING") ? signedThing(first, der) : undefined;
}

function isPfx(version: Asn1, second: Asn1): boolean {
  if (bytesOf(version).length !== 1 || integerOf(version) !== 3 || !isUniversal(second, "SEQUENCE")) return false;
  const [type] = childrenOf(second);
  return type !== undefined && isUniversal(type, "OID") && oidOf(type).startsWith("1.2.840.113549.1.7.");
}

/** What a certificate, a request and a revocation list have in common is the signature. */
function signedThing(content: Asn1, der: Buffer): Recognised | undefined {
  const fields = childrenOf(content);
  const start = fields[0] !== undefined && isContext(fields[0], 0) ? 1 : 0;
  const [, , , validity] = fields.slice(start);
  if (validity?.constructed === true && isUniversal(validity, "SEQUENCE")) {
    const [begins] = childrenOf(validity);
    if (begins !== undefined && (isUniversal(begins, "UTCTIME") || isUniversal(begins, "GENERALIZEDTIME"))) {
      return parts({ certificates: [new Uint8Array(der)] });
    }
  }
  if (fields.some((field) => isUniversal(field, "UTCTIME") || isUniversal(field, "GENERALIZEDTIME"))) {
    return stranger("revocationList");
  }
  const [version, , keyInfo] = fields;
  const isRequest = version !== undefined && isUniversal(version, "INTEGER") && keyInfo?.constructed === true;
  return isRequest ? stranger("request") : undefined;
}

/** SignedData ::= { version, digests, content, [0] certificates OPTIONAL, … } (RFC 5652 section 5.1). */
function certificatesOfPkcs7(signedData: Asn1): Recognised {
  const set = childrenOf(signedData).find((field) => isContext(field, 0));
  const certificates = (set === undefined ? [] : childrenOf(set)).filter((one) => isUniversal(one, "SEQUENCE"));
  if (certificates.length === 0) return stranger("encryptedMessage");
  return parts({ certificates: certificates.map((one) => new Uint8Array(writeAsn1(one))) });
}

function keyOf(node: Asn1, der: Buffer): Recognised | undefined {
  const [, second] = childrenOf(node);
  const type = isUniversal(second ?? node, "OCTETSTRING") ? "sec1" : second?.constructed === true ? "pkcs8" : "pkcs1";
  const key = parsePrivateKey(der, type);
  if (key !== undefined) return parts({ keys: [key] });
  // Another structure that begins with a number.
  const numbers = childrenOf(node).filter((field) => isUniversal(field, "INTEGER"));
  return numbers.length === 2 && childrenOf(node).length === 2 ? stranger("publicKey") : undefined;
}

function nameOfText(text: string): Stranger | undefined {
  const beginning = text.slice(0, 2000).toLowerCase();
  if (beginning.startsWith("version https://git-lfs")) return "gitLfsPointer";
  if (/^<(?:!doctype html|html|head|body|script|!--)/.test(beginning) || beginning.includes("<html")) return "html";
  if (beginning.startsWith("<")) return "xml";
  if (beginning.startsWith("putty-user-key-file")) return "puttyKey";
  if (/^(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-\S+) /.test(beginning)) return "sshPublicKey";
  if (/^[{[]/.test(beginning)) return beginning.startsWith("[object ") ? "placeholder" : "json";
  if (
    /^(?:\$\{?[\w.]+\}?|\$\(.{1,100}\)|%\w+%|\{\{.{1,100}\}\}|undefined|null|none|todo|xxx+|changeme)$/.test(
      beginning.trim(),
    )
  ) {
    return "placeholder";
  }
  return undefined;
}

/** One line with a path's or URL's marks, or the name of a file of this kind. */
function looksLikePath(text: string): boolean {
  const line = text.trim();
  if (line.length > 1024 || /[\r\n]/.test(line)) return false;
  if (/\.(?:pem|crt|cer|der|key|pfx|p12|p7b|p7c|jks|keystore|txt|csr|pub)["']?$/i.test(line)) return true;
  return /^(?:\.{0,2}\/|~\/|[A-Za-z]:[\\/]|\\\\|file:|https?:)/.test(line);
}

/** The bytes of a text that is base64 and nothing else; white space, quotes and a data URL around it don't matter. */
function base64Of(text: string): Buffer | undefined {
  const bare = text.replace(/^\s*data:[\w./+-]{0,100};base64,/i, "").replace(/[\s"'\\]/g, "");
  const isBase64 = bare.length >= 16 && /^[A-Za-z0-9+/_-]*={0,2}$/.test(bare);
  return isBase64 ? Buffer.from(bare, "base64") : undefined;
}
