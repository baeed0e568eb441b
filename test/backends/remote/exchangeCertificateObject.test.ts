import { createHash } from "node:crypto";
import {
  iisSitesFromNames,
  readCertificateProjection,
  readExchangeCertificate,
  servicesFromFlags,
  servicesFromText,
  withProjection,
} from "../../../provider/backends/remote/exchangeCertificateObject";
import { isBindingError } from "../../../provider/errors";
import { known } from "../../../provider/model";
import {
  boolean,
  bytes,
  type ClixmlValue,
  enumValue,
  int32,
  list,
  NIL,
  object,
  propertyBag,
  string,
} from "../../../provider/remoting/clixml/types";
import { serializedCertificate, type SerializedWish, signed, storedCertificate } from "./serializedCertificate";

// The reader doesn't look into the certificate, so any bytes will do.
const der = Buffer.from("a certificate");
const thumbprint = createHash("sha1").update(der).digest("hex").toUpperCase();

function friendlyNameData(name: string): Uint8Array {
  return Buffer.from(`${name}\0`, "utf16le");
}

function wish(parts: Partial<SerializedWish> = {}): SerializedWish {
  return {
    certData: storedCertificate([
      [2, Buffer.from("key provider")],
      [11, friendlyNameData("Microsoft Exchange")],
      [32, der],
    ]),
    services: 27,
    status: 1,
    rootCaType: 3,
    isSelfSigned: true,
    privateKeyExportable: false,
    identity: `ex01.contoso.com\\${thumbprint}`,
    iisServiceNames: ["IIS://EX01/W3SVC/2", "IIS://EX01/W3SVC/1"],
    ...parts,
  };
}

function certificateObject(serializationData?: Uint8Array, properties: Record<string, ClixmlValue> = {}): ClixmlValue {
  return object({
    adapted: new Map([["RawData", bytes(der)]]),
    extended: new Map<string, ClixmlValue>([
      ...(serializationData === undefined ? [] : [["SerializationData", bytes(serializationData)] as const]),
      ...Object.entries(properties),
    ]),
  });
}

describe("a certificate with SerializationData", () => {
  it.each([
    ["as it is", (data: Uint8Array) => data],
    ["signed", signed],
  ])("is read whole, %s", (_title, frame) => {
    expect(readExchangeCertificate(certificateObject(frame(serializedCertificate(wish()))))).toEqual({
      der: new Uint8Array(der),
      thumbprint,
      displayedServices: known(["IIS", "IMAP", "POP", "SMTP"]),
      iisSites: known([1, 2]),
      status: known("Valid"),
      friendlyName: known("Microsoft Exchange"),
      hasPrivateKey: known(true),
      privateKeyExportable: known(false),
      isSelfSigned: known(true),
      rootCaType: known("Registry"),
      identity: known(`ex01.contoso.com\\${thumbprint}`),
    });
  });

  it("has no private key and no friendly name when the store's properties have none", () => {
    const data = serializedCertificate(
      wish({ certData: storedCertificate([[32, der]]), services: 0, iisServiceNames: [] }),
    );
    expect(readExchangeCertificate(certificateObject(data))).toMatchObject({
      hasPrivateKey: known(false),
      friendlyName: known(""),
      displayedServices: known([]),
      iisSites: known([]),
    });
  });

  it("gives the certificate even when RawData is missing", () => {
    const value = propertyBag({ SerializationData: bytes(serializedCertificate(wish())) });
    expect(readExchangeCertificate(value).thumbprint).toBe(thumbprint);
  });

  it("tells nothing when it is about another certificate", () => {
    const other = storedCertificate([[32, Buffer.from("another")]]);
    expect(
      readExchangeCertificate(certificateObject(serializedCertificate(wish({ certData: other })))).displayedServices,
    ).toEqual({
      kind: "unknown",
      reason: "its SerializationData holds another certificate",
    });
    const data = serializedCertificate(wish({ identity: `ex01.contoso.com\\${"0".repeat(40)}` }));
    expect(readExchangeCertificate(certificateObject(data)).status).toEqual({
      kind: "unknown",
      reason: "its SerializationData speaks of another certificate",
    });
  });

  it("tells nothing, with the reason, when it is damaged, of another type, or framed wrongly", () => {
    const data = serializedCertificate(wish());
    const reasonOf = (serialized: Uint8Array): unknown =>
      readExchangeCertificate(certificateObject(serialized)).displayedServices;
    expect(reasonOf(data.subarray(0, 100))).toMatchObject({
      kind: "unknown",
      reason: expect.stringContaining("cut off"),
    });
    expect(reasonOf(serializedCertificate(wish(), "Some.Other"))).toMatchObject({
      kind: "unknown",
      reason: expect.stringContaining("isn't an ExchangeCertificate"),
    });
    expect(reasonOf(signed(data).subarray(0, 200))).toMatchObject({
      kind: "unknown",
      reason: expect.stringContaining("signed framing"),
    });
    expect(reasonOf(Buffer.from("#sig#"))).toMatchObject({
      kind: "unknown",
      reason: expect.stringContaining("cut off"),
    });
  });

  it("leaves only the friendly name and the key unknown when the stored certificate can't be read", () => {
    const data = serializedCertificate(wish({ certData: Buffer.from([32, 0, 0, 0, 1, 0, 0, 0, 255, 255, 255, 255]) }));
    expect(readExchangeCertificate(certificateObject(data))).toMatchObject({
      displayedServices: known(["IIS", "IMAP", "POP", "SMTP"]),
      friendlyName: { kind: "unknown" },
      hasPrivateKey: { kind: "unknown" },
    });
  });
});

describe("a certificate with RawData alone", () => {
  it("has unknown services, which is not the same as none", () => {
    const certificate = readExchangeCertificate(certificateObject());
    expect(certificate.thumbprint).toBe(thumbprint);
    expect(certificate.displayedServices).toMatchObject({
      kind: "unknown",
      reason: expect.stringContaining("RawData"),
    });
    expect(certificate.iisSites.kind).toBe("unknown");
    expect(certificate.status.kind).toBe("unknown");
  });

  it("isn't taken for one whose services are null", () => {
    expect(readExchangeCertificate(certificateObject(undefined, { Services: NIL, Status: NIL }))).toMatchObject({
      displayedServices: { kind: "unknown" },
      status: { kind: "unknown" },
    });
  });

  it("is completed by a projection of the same certificate, and by no other", () => {
    const projection = readCertificateProjection(
      propertyBag({ Thumbprint: string(thumbprint.toLowerCase()), Services: string("SMTP"), Status: string("Valid") }),
    );
    const other = readCertificateProjection(
      propertyBag({ Thumbprint: string("0".repeat(40)), Services: string("IIS") }),
    );
    if (projection === undefined || other === undefined) throw new Error("The projections could not be read.");
    const raw = readExchangeCertificate(certificateObject());
    expect(withProjection(raw, [other, projection])).toMatchObject({
      thumbprint,
      displayedServices: known(["SMTP"]),
      status: known("Valid"),
      friendlyName: raw.friendlyName,
    });
    expect(withProjection(raw, [other])).toEqual(raw);
  });
});

describe("a bag of properties", () => {
  const services = (value: ClixmlValue): unknown =>
    readExchangeCertificate(certificateObject(undefined, { Services: value })).displayedServices;

  it.each<[string, ClixmlValue]>([
    ["text", string("IMAP, POP, IIS, SMTP")],
    ["a number", int32(27)],
    [
      "an enum",
      enumValue("Microsoft.Exchange.Management.SystemConfigurationTasks.AllowedServices", "IMAP, POP, IIS, SMTP", 27),
    ],
    ["the printed form of an enum", object({ display: "IMAP, POP, IIS, SMTP" })],
  ])("says its services as %s", (_title, value) => {
    expect(services(value)).toEqual(known(["IIS", "IMAP", "POP", "SMTP"]));
  });

  it("leaves services unknown when one of them has no name here", () => {
    expect(services(string("IIS, Telepathy"))).toMatchObject({ kind: "unknown" });
    expect(services(int32(128 + 8))).toMatchObject({ kind: "unknown" });
  });

  it("says status, root type, sites, names and key in any of their forms", () => {
    const value = certificateObject(undefined, {
      Status: string("dateinvalid"),
      RootCAType: int32(1),
      IISServices: list([
        string("IIS://EX01/W3SVC/1"),
        object({ display: "IIS://EX01/W3SVC/2" }),
        propertyBag({ ServiceName: string("IIS://EX01/W3SVC/1/ROOT") }),
      ]),
      FriendlyName: string("mail"),
      HasPrivateKey: boolean(true),
      PrivateKeyExportable: boolean(false),
      IsSelfSigned: boolean(false),
      Identity: string("ex01.contoso.com\\A"),
    });
    expect(readExchangeCertificate(value)).toMatchObject({
      status: known("DateInvalid"),
      rootCaType: known("ThirdParty"),
      iisSites: known([1, 2]),
      friendlyName: known("mail"),
      hasPrivateKey: known(true),
      privateKeyExportable: known(false),
      isSelfSigned: known(false),
      identity: known("ex01.contoso.com\\A"),
    });
  });

  it("counts before SerializationData", () => {
    const value = certificateObject(serializedCertificate(wish({ services: 16 })), { Services: string("IIS") });
    expect(readExchangeCertificate(value)).toMatchObject({
      displayedServices: known(["IIS"]),
      friendlyName: known("Microsoft Exchange"),
    });
  });
});

describe("what isn't a certificate", () => {
  it("is refused with what to check", () => {
    for (const value of [
      NIL,
      string("x"),
      propertyBag({ Services: string("IIS") }),
      propertyBag({ RawData: bytes(new Uint8Array()) }),
    ]) {
      expect(() => readExchangeCertificate(value)).toThrow(/neither RawData nor a readable SerializationData/);
      try {
        readExchangeCertificate(value);
      } catch (error) {
        expect(isBindingError(error, "CertificateUnreadable")).toBe(true);
      }
    }
    expect(readCertificateProjection(propertyBag({ Services: string("IIS") }))).toBeUndefined();
    expect(readCertificateProjection(NIL)).toBeUndefined();
  });
});

describe("services and sites", () => {
  it("have a number each", () => {
    expect(servicesFromFlags(0)).toEqual(known([]));
    expect(servicesFromFlags(127)).toEqual(known(["IIS", "IMAP", "POP", "SMTP", "UM", "UMCallRouter", "Federation"]));
    expect(servicesFromFlags(-1)).toMatchObject({ kind: "unknown" });
    expect(servicesFromText("None")).toEqual(known([]));
    expect(servicesFromText("64")).toEqual(known(["UMCallRouter"]));
    expect(servicesFromText("")).toMatchObject({ kind: "unknown" });
  });

  it("are unknown when a path names no site", () => {
    expect(iisSitesFromNames(["IIS://EX01/W3SVC/1", "Microsoft.Exchange.IisService"])).toMatchObject({
      kind: "unknown",
    });
    expect(iisSitesFromNames([])).toEqual(known([]));
  });
});
