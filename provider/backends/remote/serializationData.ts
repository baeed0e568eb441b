import { type NrbfGraph, type NrbfObject, type NrbfValue, readNrbf } from "./nrbf";

/**
 * What `SerializationData` of an ExchangeCertificate says. Members and their order were measured on Exchange 2016 and
 * 2019; a member that is missing or of another type is `undefined` here.
 */
export interface SerializedCertificate {
  readonly services: number | undefined;
  readonly status: number | undefined;
  readonly rootCaType: number | undefined;
  readonly isSelfSigned: boolean | undefined;
  readonly privateKeyExportable: boolean | undefined;
  /** `ServerFQDN\THUMBPRINT`. */
  readonly identity: string | undefined;
  /** `serviceName` of each IIS service, `IIS://SERVER/W3SVC/1`. */
  readonly iisServiceNames: readonly string[] | undefined;
  readonly certificate: StoredCertificate | undefined;
  /** Whether the server signed it. The signature can't be checked here: its key comes from the Auth certificate. */
  readonly isSigned: boolean;
}

/** A certificate as Windows keeps it in a store: the certificate and what the store knows about it. */
export interface StoredCertificate {
  readonly der: Uint8Array;
  readonly friendlyName: string;
  /** Whether the store knows where the private key is. */
  readonly hasPrivateKey: boolean;
}

export type SerializedReading =
  | { readonly kind: "read"; readonly certificate: SerializedCertificate }
  | { readonly kind: "unreadable"; readonly reason: string };

/** Reads `SerializationData`, signed or not. Never throws. */
export function readSerializationData(bytes: Uint8Array): SerializedReading {
  const framing = unframe(bytes);
  if (framing.kind === "unreadable") return framing;
  const reading = readNrbf(framing.payload);
  if (reading.kind === "unreadable") return reading;
  const { graph } = reading;
  const root = graph.root;
  if (!isObject(root) || !/(?:^|\.)ExchangeCertificate$/.test(root.typeName)) {
    return { kind: "unreadable", reason: "it isn't an ExchangeCertificate" };
  }
  const member = (name: string): NrbfValue => graph.resolve(root.members.get(name));
  const certData = member("CertData");
  return {
    kind: "read",
    certificate: {
      services: enumNumber(member("Services")),
      status: enumNumber(member("Status")),
      rootCaType: enumNumber(member("RootCAType")),
      isSelfSigned: booleanOrUndefined(member("SelfSigned")),
      privateKeyExportable: booleanOrUndefined(member("PrivateKeyExportable")),
      identity: stringOrUndefined(member("Identity")),
      iisServiceNames: iisServiceNames(member("IISServices"), graph),
      certificate: certData instanceof Uint8Array ? readStoredCertificate(certData) : undefined,
      isSigned: framing.isSigned,
    },
  };
}

const SIGNATURE_MARK = "#sig#";

/** Since the January 2023 updates: `#sig#`, the length of the payload (int32, little-endian), the payload, an HMAC. */
function unframe(
  bytes: Uint8Array,
):
  | { readonly kind: "framed"; readonly payload: Uint8Array; readonly isSigned: boolean }
  | { readonly kind: "unreadable"; readonly reason: string } {
  const mark = Buffer.from(bytes.subarray(0, SIGNATURE_MARK.length)).toString("latin1");
  if (mark !== SIGNATURE_MARK) return { kind: "framed", payload: bytes, isSigned: false };
  const start = SIGNATURE_MARK.length + 4;
  if (bytes.length < start) return { kind: "unreadable", reason: "its signed framing is cut off" };
  const length = new DataView(bytes.buffer, bytes.byteOffset).getInt32(SIGNATURE_MARK.length, true);
  if (length < 0 || length > bytes.length - start) {
    return { kind: "unreadable", reason: "its signed framing says a length that isn't there" };
  }
  return { kind: "framed", payload: bytes.subarray(start, start + length), isSigned: true };
}

// Property identifiers of wincrypt.h.
const CERT_KEY_PROV_INFO_PROP_ID = 2;
const CERT_FRIENDLY_NAME_PROP_ID = 11;
const CERT_CERT_PROP_ID = 32;

/** Windows' serialised certificate: elements of property id, encoding, length (each uint32, little-endian) and data. */
function readStoredCertificate(bytes: Uint8Array): StoredCertificate | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let der: Uint8Array | undefined;
  let friendlyName = "";
  let hasPrivateKey = false;
  for (let offset = 0; offset + 12 <= bytes.length;) {
    const id = view.getUint32(offset, true);
    const length = view.getUint32(offset + 8, true);
    offset += 12;
    if (length > bytes.length - offset) return undefined;
    const data = bytes.subarray(offset, offset + length);
    offset += length;
    if (id === CERT_CERT_PROP_ID) der = data;
    else if (id === CERT_KEY_PROV_INFO_PROP_ID) hasPrivateKey = true;
    else if (id === CERT_FRIENDLY_NAME_PROP_ID) {
      friendlyName = new TextDecoder("utf-16le", { ignoreBOM: true }).decode(data).replace(/\0[^]*$/, "");
    }
  }
  return der === undefined ? undefined : { der, friendlyName, hasPrivateKey };
}

/** Most IIS sites of one certificate; a server has two. */
const MAX_IIS_SERVICES = 1000;

/** `List<IisService>`: the first `_size` of `_items`. */
function iisServiceNames(value: NrbfValue, graph: NrbfGraph): readonly string[] | undefined {
  if (!isObject(value)) return undefined;
  const items = graph.resolve(value.members.get("_items"));
  const size = value.members.get("_size");
  if (items === null || typeof items !== "object" || !("kind" in items) || items.kind !== "array") return undefined;
  if (typeof size !== "number" || size < 0 || size > Math.min(items.items.length, MAX_IIS_SERVICES)) return undefined;
  const names: string[] = [];
  const texts = new Map<NrbfObject, NrbfValue>();
  for (const item of items.items.slice(0, size)) {
    const service = graph.resolve(item);
    if (!isObject(service)) return undefined;
    // The member is called serviceName, or <ServiceName>k__BackingField where it is an automatic property.
    // All services may be one object, so each is looked through once.
    let text = texts.get(service);
    if (text === undefined) {
      text = graph.resolve([...service.members].find(([key]) => /servicename/i.test(key))?.[1]);
      texts.set(service, text);
    }
    if (typeof text !== "string") return undefined;
    names.push(text);
  }
  return names;
}

function isObject(value: NrbfValue): value is NrbfObject {
  return value !== null && typeof value === "object" && "kind" in value && value.kind === "object";
}

function enumNumber(value: NrbfValue): number | undefined {
  if (!isObject(value)) return undefined;
  const number = value.members.get("value__");
  if (typeof number === "bigint") return Number.isSafeInteger(Number(number)) ? Number(number) : undefined;
  return typeof number === "number" ? number : undefined;
}

function booleanOrUndefined(value: NrbfValue): boolean | undefined {
  return typeof value === "boolean" ? value : undefined;
}

function stringOrUndefined(value: NrbfValue): string | undefined {
  return typeof value === "string" ? value : undefined;
}
