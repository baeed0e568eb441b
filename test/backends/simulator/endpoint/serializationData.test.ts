import { NrbfWriter } from "../../../../provider/backends/simulator/endpoint/nrbfWriter";
import { serializeCertificate } from "../../../../provider/backends/simulator/endpoint/serializationData";
import { readSerializationData } from "../../../../provider/backends/remote/serializationData";

const certificate = {
  der: Uint8Array.of(48, 0),
  friendlyName: "\uFEFFmail",
  hasPrivateKey: true,
  keySizeBits: 2048,
  isSelfSigned: true,
  status: 1,
  rootCaType: 3,
  services: 27,
  privateKeyExportable: true,
  identity: "ex01.contoso.com\\AB",
};

/** The identifiers that writing gave out. */
function idsIn(write: () => unknown): readonly number[] {
  const ids: number[] = [];
  const spies = (["library", "classOf", "sameClassAs", "string", "byteArray", "arrayOf"] as const).map((name) => {
    // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with its writer below
    const original = NrbfWriter.prototype[name] as (this: NrbfWriter, ...args: unknown[]) => NrbfWriter;
    return jest.spyOn(NrbfWriter.prototype, name).mockImplementation(function (this: NrbfWriter, ...args: unknown[]) {
      ids.push(Number(args[0]));
      return original.apply(this, args);
    });
  });
  write();
  for (const spy of spies) spy.mockRestore();
  return ids;
}

describe("SerializationData of the simulated endpoint", () => {
  it.each([0, 1, 2, 5])("gives objects and enums numbers that differ without their signs, with %d sites", (count) => {
    const iisServices = Array.from({ length: count }, (_one, index) => `IIS://EX01/W3SVC/${index + 1}`);
    const ids = idsIn(() => serializeCertificate({ ...certificate, iisServices }));
    expect(ids.length).toBeGreaterThan(8);
    expect(new Set(ids.map(Math.abs)).size).toBe(ids.length);
  });

  it("says of a site's addresses what Exchange says: addresses and how they were judged, and not texts", () => {
    const bytes = serializeCertificate({ ...certificate, iisServices: ["IIS://EX01/W3SVC/1", "IIS://EX01/W3SVC/2"] });
    const text = Buffer.from(bytes).toString("latin1");
    expect(text.split("System.Uri")).toHaveLength(3);
    expect(text).toContain("SystemConfigurationTasks.UrlValidation");
    expect(readSerializationData(bytes)).toMatchObject({
      kind: "read",
      certificate: {
        services: 27,
        status: 1,
        rootCaType: 3,
        iisServiceNames: ["IIS://EX01/W3SVC/1", "IIS://EX01/W3SVC/2"],
        certificate: { friendlyName: "\uFEFFmail", hasPrivateKey: true },
      },
    });
  });
});
