import { readSerializationData } from "../../../provider/backends/remote/serializationData";

const i32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
};
const text = (value: string): Buffer => Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);
/** SystemClassWithMembersAndTypes, each member an object. */
const object = (id: number, name: string, members: readonly string[]): Buffer =>
  Buffer.concat([
    Buffer.of(4),
    i32(id),
    text(name),
    i32(members.length),
    ...members.map(text),
    Buffer.alloc(members.length, 2),
  ]);
const reference = (id: number): Buffer => Buffer.concat([Buffer.of(9), i32(id)]);

/** A certificate whose list of IIS services names one object, with many members, many times. */
function withServices(references: number, members: number): Uint8Array {
  const names = Array.from({ length: members - 1 }, (_value, index) => `m${index}`);
  return Buffer.concat([
    Buffer.from([0, 1, 0, 0, 0, 255, 255, 255, 255, 1, 0, 0, 0, 0, 0, 0, 0]),
    ...[object(1, "ExchangeCertificate", ["IISServices"]), reference(2)],
    // _size is an Int32 in a record of its own.
    ...[object(2, "List", ["_items", "_size"]), reference(3), Buffer.of(8, 8), i32(references)],
    ...[Buffer.of(16), i32(3), i32(references), ...Array<Buffer>(references).fill(reference(4))],
    object(4, "IisService", [...names, "serviceName"]),
    ...[...Array<Buffer>(members - 1).fill(Buffer.of(10)), Buffer.of(6), i32(5), text("IIS://EX01/W3SVC/1")],
    Buffer.of(11),
  ]);
}

function servicesOf(bytes: Uint8Array): readonly string[] | undefined | string {
  const reading = readSerializationData(bytes);
  return reading.kind === "read" ? reading.certificate.iisServiceNames : reading.reason;
}

describe("the IIS services in SerializationData", () => {
  it("may be one object named several times", () => {
    expect(servicesOf(withServices(3, 2))).toEqual(Array(3).fill("IIS://EX01/W3SVC/1"));
  });

  it("aren't gone through member by member for each time that they are named", () => {
    expect(servicesOf(withServices(1000, 5000))).toHaveLength(1000);
  });

  it("are unknown where there are more than any server has", () => {
    expect(servicesOf(withServices(1001, 5000))).toBeUndefined();
  });
});
