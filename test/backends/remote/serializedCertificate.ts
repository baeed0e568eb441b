/** Writes `SerializationData` as Exchange does (MS-NRBF 2.7 and the member order measured on 2016 and 2019), for tests. */
export interface SerializedWish {
  readonly certData: Uint8Array;
  readonly services: number;
  readonly status: number;
  readonly rootCaType: number;
  readonly isSelfSigned: boolean;
  readonly privateKeyExportable: boolean;
  readonly identity: string;
  readonly iisServiceNames: readonly string[];
}

const TASKS = "Microsoft.Exchange.Management.SystemConfigurationTasks";

export function serializedCertificate(wish: SerializedWish, typeName = `${TASKS}.ExchangeCertificate`): Uint8Array {
  const list = `System.Collections.Generic.List\`1[[${TASKS}.IisService]]`;
  const enumRecord = (id: number, name: string, value: number): Buffer =>
    Buffer.concat([
      u8(5),
      i32(id),
      text(`${TASKS}.${name}`),
      i32(1),
      text("value__"),
      u8(0),
      u8(8),
      i32(2),
      i32(value),
    ]);
  // prettier-ignore -- one record per line reads better
  return Buffer.concat([
    u8(0),
    i32(1),
    i32(-1),
    i32(1),
    i32(0),
    u8(12),
    i32(2),
    text("Microsoft.Exchange.Management, Version=15.0.0.0"),
    u8(5),
    i32(1),
    text(typeName),
    i32(8),
    ...[
      "CertData",
      "SelfSigned",
      "Status",
      "RootCAType",
      "Services",
      "IISServices",
      "PrivateKeyExportable",
      "Identity",
    ].map(text),
    Buffer.from([7, 0, 4, 4, 4, 3, 0, 1]),
    u8(2),
    u8(1),
    text(`${TASKS}.CertificateStatus`),
    i32(2),
    text(`${TASKS}.CertificateAuthorityType`),
    i32(2),
    text(`${TASKS}.AllowedServices`),
    i32(2),
    text(list),
    u8(1),
    i32(2),
    u8(9),
    i32(3),
    u8(Number(wish.isSelfSigned)),
    enumRecord(-4, "CertificateStatus", wish.status),
    enumRecord(-5, "CertificateAuthorityType", wish.rootCaType),
    enumRecord(-6, "AllowedServices", wish.services),
    u8(9),
    i32(7),
    u8(Number(wish.privateKeyExportable)),
    u8(6),
    i32(8),
    text(wish.identity),
    u8(15),
    i32(3),
    i32(wish.certData.length),
    u8(2),
    wish.certData,
    u8(4),
    i32(7),
    text(list),
    i32(3),
    text("_items"),
    text("_size"),
    text("_version"),
    Buffer.from([4, 0, 0]),
    text(`${TASKS}.IisService[]`),
    i32(2),
    u8(8),
    u8(8),
    u8(9),
    i32(9),
    i32(wish.iisServiceNames.length),
    i32(1),
    // The list's array has room for four, as .NET makes it: the rest is a run of nulls.
    u8(7),
    i32(9),
    u8(0),
    i32(1),
    i32(4),
    u8(4),
    text(`${TASKS}.IisService`),
    i32(2),
    ...wish.iisServiceNames.map((_name, index) => Buffer.concat([u8(9), i32(10 + index)])),
    u8(13),
    u8(4 - wish.iisServiceNames.length),
    ...wish.iisServiceNames.map((name, index) =>
      Buffer.concat([
        index === 0
          ? Buffer.concat([u8(5), i32(10), text(`${TASKS}.IisService`), i32(1), text("serviceName"), u8(1), i32(2)])
          : Buffer.concat([u8(1), i32(10 + index), i32(10)]),
        u8(6),
        i32(20 + index),
        text(name),
      ]),
    ),
    u8(11),
  ]);
}

/** `#sig#`, length, payload and 32 bytes of HMAC. */
export function signed(payload: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from("#sig#"), i32(payload.length), payload, Buffer.alloc(32, 7)]);
}

/** Windows' serialised certificate with the properties given by number. */
export function storedCertificate(properties: readonly (readonly [id: number, data: Uint8Array])[]): Uint8Array {
  return Buffer.concat(properties.map(([id, data]) => Buffer.concat([i32(id), i32(1), i32(data.length), data])));
}

function u8(value: number): Buffer {
  return Buffer.from([value]);
}

function i32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(value);
  return buffer;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}
