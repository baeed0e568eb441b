import { createHash, createHmac } from "node:crypto";
import { MEMBER, type MemberType, NrbfWriter, PRIMITIVE } from "./nrbfWriter";

/** What SerializationData says about an ExchangeCertificate. */
export interface SerializedCertificate {
  readonly der: Uint8Array;
  readonly friendlyName: string;
  readonly hasPrivateKey: boolean;
  readonly keySizeBits: number;
  readonly isSelfSigned: boolean;
  /** Numbers of the enums. */
  readonly status: number;
  readonly rootCaType: number;
  readonly services: number;
  /** `IIS://EX01/W3SVC/1`. */
  readonly iisServices: readonly string[];
  readonly privateKeyExportable: boolean;
  /** `ex01.contoso.com\THUMBPRINT`. */
  readonly identity: string;
}

const LIBRARY = "Microsoft.Exchange.Management, Version=15.0.0.0, Culture=neutral, PublicKeyToken=31bf3856ad364e35";
const TASKS = "Microsoft.Exchange.Management.SystemConfigurationTasks";
const LIST = `System.Collections.Generic.List\`1[[${TASKS}.IisService, ${LIBRARY}]]`;

const SYSTEM = "System, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089";

/**
 * Identifiers of objects; those of enums, which are values, are negative in .NET. BinaryFormatter takes the same number
 * with and without its sign for one object, so all differ in absolute value.
 */
const ID = {
  root: 1,
  library: 2,
  certData: 3,
  services: 4,
  identity: 5,
  items: 6,
  status: -7,
  rootCaType: -8,
  allowedServices: -9,
  system: 10,
  firstService: 20,
} as const;
/** Of each IIS service: itself, its name, and two enums. */
const IDS_OF_SERVICE = 4;
const FLAG: MemberType = { type: MEMBER.primitive, primitive: PRIMITIVE.boolean };
const NUMBER: MemberType = { type: MEMBER.primitive, primitive: PRIMITIVE.int32 };
const TEXT: MemberType = { type: MEMBER.string };
const enumOf = (name: string): MemberType => ({ type: MEMBER.class, name: `${TASKS}.${name}`, library: ID.library });

/** The members in the order that was measured on Exchange 2016 and 2019. */
const MEMBERS: readonly (readonly [string, MemberType])[] = [
  ["CertData", { type: MEMBER.primitiveArray, primitive: PRIMITIVE.byte }],
  ["SelfSigned", FLAG],
  ["Status", enumOf("CertificateStatus")],
  ["RootCAType", enumOf("CertificateAuthorityType")],
  ["Services", enumOf("AllowedServices")],
  ["IISServices", { type: MEMBER.systemClass, name: LIST }],
  ["PrivateKeyExportable", FLAG],
  ["Identity", TEXT],
];

/** The object as .NET's BinaryFormatter writes it. */
export function serializeCertificate(certificate: SerializedCertificate): Uint8Array {
  const writer = new NrbfWriter();
  writer.header(ID.root).library(ID.library, LIBRARY);
  writer.classOf(ID.root, `${TASKS}.ExchangeCertificate`, MEMBERS, ID.library);
  writer.reference(ID.certData).boolean(certificate.isSelfSigned);
  writeEnum(writer, ID.status, "CertificateStatus", certificate.status);
  writeEnum(writer, ID.rootCaType, "CertificateAuthorityType", certificate.rootCaType);
  writeEnum(writer, ID.allowedServices, "AllowedServices", certificate.services);
  writer.reference(ID.services).boolean(certificate.privateKeyExportable);
  writer.string(ID.identity, certificate.identity);
  writer.byteArray(ID.certData, storedForm(certificate));
  writeServices(writer, certificate.iisServices);
  return writer.end().bytes();
}

function writeEnum(writer: NrbfWriter, id: number, name: string, value: number): void {
  writer.classOf(id, `${TASKS}.${name}`, [["value__", NUMBER]], ID.library).int32(value);
}

/** A List: its array has room for more than it holds, and the rest of it is null. */
function writeServices(writer: NrbfWriter, names: readonly string[]): void {
  const type = `${TASKS}.IisService`;
  const members: readonly (readonly [string, MemberType])[] = [
    ["_items", { type: MEMBER.class, name: `${type}[]`, library: ID.library }],
    ["_size", NUMBER],
    ["_version", NUMBER],
  ];
  const room = Math.max(4, names.length);
  writer.classOf(ID.services, LIST, members).reference(ID.items).int32(names.length).int32(names.length);
  writer.arrayOf(ID.items, room, type, ID.library);
  const idOf = (index: number): number => ID.firstService + IDS_OF_SERVICE * index;
  for (const index of names.keys()) writer.reference(idOf(index));
  writer.nulls(room - names.length);
  if (names.length > 0) writer.library(ID.system, SYSTEM);
  for (const [index, name] of names.entries()) {
    const id = idOf(index);
    if (index === 0) writer.classOf(id, type, SERVICE_MEMBERS, ID.library);
    else writer.sameClassAs(id, ID.firstService);
    writer.string(id + 1, name);
    // Neither address is set, and neither was looked at.
    for (const enumId of [-(id + 2), -(id + 3)]) {
      writer.nulls(1);
      if (enumId === FIRST_VALIDATION) writeEnum(writer, enumId, "UrlValidation", 0);
      else writer.sameClassAs(enumId, FIRST_VALIDATION).int32(0);
    }
  }
}

const FIRST_VALIDATION = -(ID.firstService + 2);
const ADDRESS: MemberType = { type: MEMBER.class, name: "System.Uri", library: ID.system };
const SERVICE_MEMBERS: readonly (readonly [string, MemberType])[] = [
  ["serviceName", TEXT],
  ["internalUrl", ADDRESS],
  ["internalUrlValid", enumOf("UrlValidation")],
  ["externalUrl", ADDRESS],
  ["externalUrlValid", enumOf("UrlValidation")],
];

/** Property identifiers of wincrypt.h. */
const PROPERTY = { keyProvider: 2, sha1: 3, friendlyName: 11, certificate: 32, keySize: 92 } as const;

/** A certificate as Windows serialises it: elements of identifier, 1, length and data. */
function storedForm(certificate: SerializedCertificate): Uint8Array {
  const { der, friendlyName } = certificate;
  const elements: (readonly [number, Uint8Array])[] = [
    // What Windows writes about the key isn't rebuilt here: that the element is there says that there is a key.
    ...(certificate.hasPrivateKey ? [[PROPERTY.keyProvider, Buffer.from("simulated\0", "utf16le")] as const] : []),
    [PROPERTY.sha1, createHash("sha1").update(der).digest()],
    ...(friendlyName === "" ? [] : [[PROPERTY.friendlyName, Buffer.from(`${friendlyName}\0`, "utf16le")] as const]),
    [PROPERTY.keySize, uint32(certificate.keySizeBits)],
    [PROPERTY.certificate, der],
  ];
  return Buffer.concat(elements.flatMap(([id, data]) => [uint32(id), uint32(1), uint32(data.length), data]));
}

/**
 * What surrounds serialised data since the updates of January 2023: a mark, the length, the payload and an HMAC of 32
 * bytes. The real key comes from the Auth certificate; here `valid` is keyed with the text of its thumbprint.
 */
export function signSerialized(payload: Uint8Array, form: "valid" | "invalid", authThumbprint: string): Uint8Array {
  const mac = createHmac("sha256", authThumbprint).update(payload).digest();
  if (form === "invalid") mac[0] = (mac[0] ?? 0) ^ 0xff;
  return Buffer.concat([Buffer.from("#sig#", "latin1"), uint32(payload.length), payload, mac]);
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}
