import {
  readCertificateProjection,
  readExchangeCertificate,
} from "../../../../provider/backends/remote/exchangeCertificateObject";
import { readSerializationData } from "../../../../provider/backends/remote/serializationData";
import type { CmdletObject } from "../../../../provider/backends/simulator/cmdlet";
import {
  outputValue,
  type OutputForm,
  selectedValue,
} from "../../../../provider/backends/simulator/endpoint/outputObjects";
import { bytesOf, displayOf, propertyOf } from "../../../../provider/remoting/clixml/reading";
import { makeTestCertificate } from "../../../certificate/testCertificates";
import { openLab } from "../lab";
import { defaultOrganisation, EX01 } from "../../simulatedServer";

const PLAIN: OutputForm = { isFull: false, signing: "none", authThumbprint: "AB".repeat(20), utcOffsetMinutes: 0 };
const FULL: OutputForm = { ...PLAIN, isFull: true };

const { der, facts } = makeTestCertificate({
  dnsNames: ["mail.contoso.com"],
  notAfter: new Date("2030-01-01T22:30:00Z"),
});
const certificate: CmdletObject = {
  CertificateDomains: ["mail.contoso.com"],
  HasPrivateKey: true,
  IsSelfSigned: true,
  NotAfter: new Date(facts.notAfter),
  PublicKeySize: 2048,
  RootCAType: "ThirdParty",
  Services: "IMAP, IIS, SMTP",
  Status: "RevocationCheckFailure",
  Thumbprint: facts.thumbprint,
  FriendlyName: "Mail ✉",
  Identity: `ex01.contoso.com\\${facts.thumbprint}`,
  IISServices: ["IIS://EX01/W3SVC/1", "IIS://EX01/W3SVC/2"],
  PrivateKeyExportable: true,
  RawData: new Uint8Array(der),
};
const known = <T>(value: T) => ({ kind: "known", value });
const send = (output: CmdletObject, form: OutputForm) => outputValue("Get-ExchangeCertificate", output, form);

describe("a certificate", () => {
  it("without full serialisation is its bytes and its text", () => {
    const value = send(certificate, PLAIN);
    expect(readExchangeCertificate(value)).toMatchObject({ der, displayedServices: { kind: "unknown" } });
    expect(displayOf(value)).toBe(
      `[Subject]\r\n  ${facts.subject}\r\n\r\n[Issuer]\r\n  ${facts.subject}\r\n\r\n[Serial Number]\r\n  ` +
        `${facts.serialNumber}\r\n\r\n[Not Before]\r\n  01/01/2025 00:00:00\r\n\r\n[Not After]\r\n  01/01/2030 ` +
        `22:30:00\r\n\r\n[Thumbprint]\r\n  ${facts.thumbprint}\r\n`,
    );
  });

  it.each(["none", "valid", "invalid"] as const)("with it says everything; signature: %s", (signing) => {
    expect(readExchangeCertificate(send(certificate, { ...FULL, signing }))).toMatchObject({
      der,
      displayedServices: known(["IIS", "IMAP", "SMTP"]),
      status: known("RevocationCheckFailure"),
      rootCaType: known("ThirdParty"),
      friendlyName: known("Mail ✉"),
      isSelfSigned: known(true),
      identity: known(`ex01.contoso.com\\${facts.thumbprint}`),
    });
  });

  it("is signed with what belongs to the Auth certificate, or with something else", () => {
    const signature = (form: Partial<OutputForm>) => {
      const data = bytesOf(propertyOf(send(certificate, { ...FULL, ...form }), "SerializationData"));
      return Buffer.from(data?.subarray(-32) ?? []).toString("hex");
    };
    const signatures = [
      signature({ signing: "valid" }),
      signature({ signing: "invalid" }),
      signature({ signing: "valid", authThumbprint: "CD".repeat(20) }),
    ];
    expect(new Set(signatures).size).toBe(3);
    expect(signature({ signing: "valid" })).toBe(signatures[0]);
  });

  it.each([0, 1, 4, 5])("is on %i sites", (count) => {
    const sites = Array.from({ length: count }, (_, index) => `IIS://EX01/W3SVC/${index + 1}`);
    const data = bytesOf(propertyOf(send({ ...certificate, IISServices: sites }, FULL), "SerializationData"));
    expect(readSerializationData(data ?? new Uint8Array())).toMatchObject({
      kind: "read",
      certificate: { iisServiceNames: sites },
    });
  });

  it("of which Exchange says nothing is its bytes alone, even with full serialisation", () => {
    const value = send({ RawData: new Uint8Array(der) }, FULL);
    expect(propertyOf(value, "SerializationData")).toBeUndefined();
  });

  it("is what a projection says, too", () => {
    const properties = ["Thumbprint", "Services", "Status", "RootCAType", "IsSelfSigned", "FriendlyName"];
    expect(
      readCertificateProjection(selectedValue("Get-ExchangeCertificate", certificate, properties, PLAIN)),
    ).toMatchObject({
      thumbprint: facts.thumbprint,
      displayedServices: known(["IIS", "IMAP", "SMTP"]),
      status: known("RevocationCheckFailure"),
      rootCaType: known("ThirdParty"),
      isSelfSigned: known(true),
      friendlyName: known("Mail ✉"),
    });
  });
});

describe("a date", () => {
  it.each([
    [0, "2030-01-01T22:30:00+00:00"],
    [120, "2030-01-02T00:30:00+02:00"],
    [-570, "2030-01-01T13:00:00-09:30"],
  ])("is in the server's own time, %i minutes from UTC", (utcOffsetMinutes, value) => {
    const form = { ...PLAIN, utcOffsetMinutes };
    const selected = selectedValue("Get-ExchangeCertificate", certificate, ["NotAfter"], form);
    expect(propertyOf(selected, "NotAfter")).toEqual({ kind: "DT", value });
    const [day = "", time = ""] = value.split("T");
    const [year = "", month = "", dayOfMonth = ""] = day.split("-");
    expect(displayOf(send(certificate, form))).toContain(`${month}/${dayOfMonth}/${year} ${time.slice(0, 8)}`);
  });
});

describe("another object", () => {
  it("has all its properties, and keeps their types with full serialisation only", async () => {
    const [server] = openLab(await defaultOrganisation()).output("Get-ExchangeServer", { Identity: EX01 });
    if (server === undefined) throw new Error("there is no server");
    const plain = outputValue("Get-ExchangeServer", server, PLAIN);
    const full = outputValue("get-exchangeserver", server, FULL);
    expect(propertyOf(plain, "AdminDisplayVersion")).toEqual({ kind: "S", value: server["AdminDisplayVersion"] });
    expect(propertyOf(full, "AdminDisplayVersion")).toMatchObject({
      kind: "Obj",
      typeNames: ["Microsoft.Exchange.Data.ServerVersion", "System.Object"],
      display: server["AdminDisplayVersion"],
    });
    expect(propertyOf(plain, "IsMailboxServer")).toEqual({ kind: "B", value: true });
    expect(displayOf(full)).toBe("EX01");
  });
});
