import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type ExchangeCertificate,
  readExchangeCertificate,
  servicesFromText,
} from "../../../provider/backends/remote/exchangeCertificateObject";
import { readSerializationData } from "../../../provider/backends/remote/serializationData";
import { type DisplayedService, known } from "../../../provider/model";
import { decodeClixml } from "../../../provider/remoting/clixml/decode";
import { encodeClixmlDocument } from "../../../provider/remoting/clixml/encode";
import {
  booleanOf,
  bytesOf,
  displayOf,
  integerOf,
  itemsOf,
  propertyOf,
  stringOf,
} from "../../../provider/remoting/clixml/reading";
import type { ClixmlValue } from "../../../provider/remoting/clixml/types";
import { CAPTURED_CERTIFICATES } from "../simulator/capturedCertificates";
import { CAPTURED_SERVERS } from "../simulator/capturedServers";

/**
 * What real servers answered, exported by Export-Clixml: the public captures of CSS-Exchange
 * (github.com/microsoft/CSS-Exchange, MIT). They aren't part of this project; EXCHANGE_CAPTURES names their directory.
 */
const directory = process.env["EXCHANGE_CAPTURES"] ?? "";
const describeCaptures = directory === "" ? describe.skip : describe;

function decode(file: string): ClixmlValue[] {
  return decodeClixml(readFileSync(join(directory, file)));
}

function certificates(file: string): ExchangeCertificate[] {
  return decode(file).map(readExchangeCertificate);
}

interface Expected {
  readonly file: string;
  readonly thumbprint: string;
  readonly subject: string;
  readonly services: readonly DisplayedService[];
  readonly rootCaType: "None" | "Registry";
  readonly exportable: boolean;
  readonly iisSites: readonly number[];
  readonly friendlyName: string;
  readonly server: string;
}

const AUTH = "Microsoft Exchange Server Auth Certificate";
const E19 = "e19-Get-ExchangeCertificate.xml";
const TWO = "two-servers-Get-ExchangeCertificate.xml";
const RAW = "rawdata-only-Get-ExchangeCertificate.xml";
const SIGNED = "signed-Get-ExchangeCertificate.xml";
const NEW = "New-ExchangeCertificate-smtp.xml";

function auth(thumbprint: string, friendlyName = AUTH): Expected {
  return {
    file: TWO,
    thumbprint,
    subject: `CN=${AUTH}`,
    services: ["SMTP"],
    rootCaType: "None",
    exportable: true,
    iisSites: [],
    friendlyName,
    server: "E2k16-1.Contoso.lab",
  };
}

// prettier-ignore
const EXPECTED: readonly Expected[] = [
  { file: E19, thumbprint: "6C7DE09FB39A40144F57EFEBC3DF0148E3A9AB28", subject: "CN=Solo-E19A", services: ["IIS", "IMAP", "POP", "SMTP"], rootCaType: "Registry", exportable: false, iisSites: [1, 2], friendlyName: "Microsoft Exchange", server: "Solo-E19A.Solo.com" },
  { ...auth("C3EDCF181EF4F9B53D01768ECA99564014BCA6E7"), file: E19, server: "Solo-E19A.Solo.com" },
  { file: E19, thumbprint: "38247AD2B76244411748274C508D13446311830B", subject: "CN=WMSvc-WIN-K300A9DA9VA", services: [], rootCaType: "Registry", exportable: true, iisSites: [], friendlyName: "CN=WMSvc-WIN-K300A9DA9VA", server: "Solo-E19A.Solo.com" },
  auth("D0D6BAA255F51F106760CE3BB869A0FE8C9FC298"),
  auth("8763DA1842AFE901BD0B4090EA2A945AD016CB55"),
  auth("BC6BF924D6EF046E64F8D1987DC1D7D2F4C0042A", `${AUTH} - 20230104021554`),
  auth("976D2AD94D34347C2F59399D5DDC62D4FBE6F68C"),
  auth("E1BDF9AE58C93C75E76C9DD882138FB8FF0FA786", `${AUTH} - 20221230045512`),
  { file: TWO, thumbprint: "D003810EBE1624145889D031FBB77ED2BD280FD3", subject: "CN=E2k16-1", services: ["IIS", "IMAP", "SMTP"], rootCaType: "None", exportable: true, iisSites: [2], friendlyName: "E2k16-1", server: "E2k16-1.Contoso.lab" },
  { file: TWO, thumbprint: "2759456DC53C76E3DED093B567B6D8DAA42C0ADD", subject: "CN=mail.contoso.lab", services: ["IIS"], rootCaType: "Registry", exportable: true, iisSites: [1], friendlyName: "SelfSignedCert", server: "E2k16-1.Contoso.lab" },
  { file: TWO, thumbprint: "FE0FAE9305F294F49DD2426AB214CC17853A7E87", subject: "CN=WMSvc-SHA2-E2k16-1", services: [], rootCaType: "Registry", exportable: true, iisSites: [], friendlyName: "WMSVC-SHA2", server: "E2k16-1.Contoso.lab" },
  { file: NEW, thumbprint: "A86B1B7414E51491D446905511A329A7FE120510", subject: "CN=E2k16-1", services: ["IMAP", "SMTP"], rootCaType: "None", exportable: true, iisSites: [], friendlyName: "E2k16-1", server: "E2k16-1.Contoso.lab" },
  { file: SIGNED, thumbprint: "0CEB5AC90A9E4BB9E4F8F1F0D7FC8F4EEA4F2CA2", subject: "CN=E2k16-1", services: ["IMAP", "SMTP"], rootCaType: "None", exportable: true, iisSites: [], friendlyName: "E2k16-1", server: "E2k16-1.Contoso.lab" },
];

const suffix = directory === "" ? " (skipped: set EXCHANGE_CAPTURES to the directory of the captures)" : "";

describeCaptures(`captures of real Exchange servers${suffix}`, () => {
  it.each(EXPECTED)("tells services, sites and the rest of $subject in $file", (expected) => {
    const found = certificates(expected.file).find((one) => one.thumbprint === expected.thumbprint);
    if (found === undefined) throw new Error(`${expected.thumbprint} is not in ${expected.file}.`);
    const { der, ...rest } = found;
    const x509 = new X509Certificate(der);
    expect(x509.subject.split("\n").join(", ")).toBe(expected.subject);
    expect(x509.fingerprint.replaceAll(":", "")).toBe(expected.thumbprint);
    expect(rest).toEqual({
      thumbprint: expected.thumbprint,
      displayedServices: known(expected.services),
      iisSites: known(expected.iisSites),
      status: known("Valid"),
      friendlyName: known(expected.friendlyName),
      hasPrivateKey: known(true),
      privateKeyExportable: known(expected.exportable),
      isSelfSigned: known(true),
      rootCaType: known(expected.rootCaType),
      identity: known(`${expected.server}\\${expected.thumbprint}`),
    });
  });

  it("has no certificate that the table doesn't list", () => {
    for (const file of [E19, TWO, NEW, SIGNED]) {
      const listed = EXPECTED.filter((expected) => expected.file === file).map((expected) => expected.thumbprint);
      expect(
        certificates(file)
          .map((one) => one.thumbprint)
          .sort(),
      ).toEqual(listed.sort());
    }
  });

  it("knows nothing but the certificate itself where the server sent RawData only", () => {
    const found = certificates(RAW);
    expect(found).toHaveLength(5);
    for (const { der, thumbprint, ...details } of found) {
      expect(new X509Certificate(der).fingerprint.replaceAll(":", "")).toBe(thumbprint);
      for (const detail of Object.values(details)) expect(detail).toMatchObject({ kind: "unknown" });
    }
  });

  it("agrees with the table that the simulator is measured by, certificate for certificate", () => {
    const captured = [E19, TWO, NEW, SIGNED].flatMap(certificates);
    let compared = 0;
    for (const server of CAPTURED_SERVERS) {
      for (const expected of server.certificates) {
        const found = captured.find(
          ({ thumbprint, identity }) =>
            thumbprint === expected.thumbprint &&
            identity.kind === "known" &&
            identity.value.toLowerCase().startsWith(`${server.fqdn.toLowerCase()}\\`),
        );
        if (found === undefined) continue;
        compared += 1;
        expect(Buffer.from(found.der).toString("base64")).toBe(CAPTURED_CERTIFICATES[expected.thumbprint]);
        expect(found).toMatchObject({
          displayedServices: servicesFromText(expected.services),
          iisSites: known(expected.iisSites),
          status: known("Valid"),
          rootCaType: known(expected.rootCaType),
          privateKeyExportable: known(expected.exportable),
          friendlyName: known(expected.friendlyName),
        });
      }
    }
    expect(compared).toBeGreaterThanOrEqual(11);
  });

  it("sees the signed framing where it is, and only there", () => {
    const isSigned = (file: string): boolean[] =>
      decode(file).map((value) => {
        const reading = readSerializationData(bytesOf(propertyOf(value, "SerializationData")) ?? new Uint8Array());
        return reading.kind === "read" && reading.certificate.isSigned;
      });
    expect(isSigned(SIGNED)).toEqual([true]);
    expect(isSigned(NEW)).toEqual([true]);
    expect(isSigned(E19)).toEqual([false, false, false]);
  });

  it("tells the thumbprints of the Auth configuration, empty ones as empty", () => {
    const [config] = decode("e19-Get-AuthConfig.xml");
    const text = (name: string): string | undefined => stringOf(propertyOf(config, name));
    expect(text("CurrentCertificateThumbprint")).toBe("C3EDCF181EF4F9B53D01768ECA99564014BCA6E7");
    expect(text("PreviousCertificateThumbprint")).toBe("");
    expect(text("NextCertificateThumbprint")).toBe("");
  });

  it("tells a server's name, role and version", () => {
    const [server] = decode("e19-Get-ExchangeServer.xml");
    expect(stringOf(propertyOf(server, "Fqdn"))).toBe("Solo-E19A.Solo.com");
    expect(integerOf(propertyOf(server, "ServerRole"))).toBe(2);
    expect(displayOf(propertyOf(server, "ServerRole"))).toBe("Mailbox");
    expect(booleanOf(propertyOf(server, "IsUnifiedMessagingServer"))).toBe(false);
    const version = propertyOf(server, "AdminDisplayVersion");
    expect(displayOf(version)).toBe("Version 15.2 (Build 986.5)");
    expect(["Major", "Minor", "Build", "Revision"].map((part) => integerOf(propertyOf(version, part)))).toEqual([
      15, 2, 986, 5,
    ]);
  });

  it("tells the names of receive connectors and which certificate they name", () => {
    const connectors = decode("e19-Get-ReceiveConnector.xml");
    const server = "WIN-CTD3L0RGEN4";
    expect(connectors.map((one) => displayOf(propertyOf(one, "Identity")))).toEqual(
      ["Default", "Client Proxy", "Default Frontend", "Outbound Proxy Frontend", "Client Frontend"].map(
        (role) => `${server}\\${role} ${server}`,
      ),
    );
    expect(new Set(connectors.map((one) => displayOf(propertyOf(one, "Fqdn"))))).toEqual(
      new Set(["WIN-CTD3L0RGEN4.exlab.dom"]),
    );
    expect(connectors.map((one) => displayOf(propertyOf(one, "TlsCertificateName")))).toEqual([
      undefined,
      undefined,
      "<I>CN=WIN-CTD3L0RGEN4<S>CN=WIN-CTD3L0RGEN4",
      undefined,
      undefined,
    ]);
    expect(itemsOf(propertyOf(connectors[0], "Bindings"))?.map(displayOf)).toEqual(["0.0.0.0:2525", "[::]:2525"]);
  });

  it("tells the name of a send connector, its certificate and its servers", () => {
    const [connector] = decode("e19-Get-SendConnector.xml");
    expect(stringOf(propertyOf(connector, "Name"))).toBe("Mail to O365");
    expect(propertyOf(connector, "Fqdn")).toEqual({ kind: "Nil" });
    expect(displayOf(propertyOf(connector, "TlsCertificateName"))).toBe("<I>CN=localhost<S>CN=localhost");
    expect(itemsOf(propertyOf(connector, "SourceTransportServers"))?.map(displayOf)).toEqual(["WIN-CTD3L0RGEN4"]);
  });

  it.each([
    E19,
    TWO,
    RAW,
    SIGNED,
    NEW,
    "e19-Get-AuthConfig.xml",
    "e19-Get-ExchangeServer.xml",
    "e19-Get-ReceiveConnector.xml",
    "e19-Get-SendConnector.xml",
  ])("writes what it read of %s so that it reads the same again, with nothing unknown in it", (file) => {
    expect(existsSync(join(directory, file))).toBe(true);
    const values = decode(file);
    expect(values.length).toBeGreaterThan(0);
    expect(decodeClixml(encodeClixmlDocument(values))).toEqual(values);
  });
});
