import type { CmdletContext } from "../../../../provider/backends/simulator/cmdlet";
import { openPfx } from "../../../../provider/backends/simulator/cmdletSession";
import { packPfx } from "../../../../provider/certificate/packPfx";
import { Secret } from "../../../../provider/secret";
import { makeTestAuthority, makeTestCertificate } from "../../../certificate/testCertificates";
import { EXCHANGE_2013, EXCHANGE_2016, openLab, server, stored } from "../lab";

const mail = makeTestCertificate({ subject: "CN=mail.contoso.com", dnsNames: ["mail.contoso.com"] });
const Password = new Secret("correct horse");
const FileData = packPfx(mail, Password).reveal();
const context: Partial<CmdletContext> = { openPfx };

describe("Import-ExchangeCertificate", () => {
  it("puts the certificate into the store, assigns nothing and returns it", () => {
    const lab = openLab(server(), context);
    const [imported] = lab.output("Import-ExchangeCertificate", {
      FileData,
      Password,
      FriendlyName: "Mail 2026",
      PrivateKeyExportable: true,
    });
    expect(imported).toMatchObject({
      Thumbprint: mail.facts.thumbprint,
      Services: "None",
      FriendlyName: "Mail 2026",
      PrivateKeyExportable: true,
      HasPrivateKey: true,
      RootCAType: "None",
    });
    expect(lab.services(mail)).toBe("None");
  });

  it("shows IMAP and POP at once where the server has a certificate of that name already", () => {
    const names = { x509CertificateName: "mail.contoso.com" };
    const lab = openLab(server({ imap: names, pop: names }), context);
    const [imported] = lab.output("Import-ExchangeCertificate", { FileData, Password });
    expect(imported?.["Services"]).toBe("IMAP, POP");
  });

  it("makes the key not exportable unless told so", () => {
    const [imported] = openLab(server(), context).output("Import-ExchangeCertificate", { FileData, Password });
    expect(imported?.["PrivateKeyExportable"]).toBe(false);
  });

  it("takes a CA's certificate for one of a well-known CA", () => {
    const issued = makeTestCertificate({ dnsNames: ["mail.contoso.com"], issuer: makeTestAuthority() });
    const [imported] = openLab(server(), context).output("Import-ExchangeCertificate", {
      FileData: packPfx(issued, Password).reveal(),
      Password,
    });
    expect(imported).toMatchObject({ Status: "Valid", RootCAType: "ThirdParty", IsSelfSigned: false });
  });

  it("keeps neither the key nor the password", () => {
    const lab = openLab(server(), context);
    lab.complete("Import-ExchangeCertificate", { FileData, Password });
    const [kept] = lab.server().certificates;
    expect(kept).toEqual(stored(mail));
    expect(JSON.stringify(lab.organisation)).not.toContain("correct horse");
  });

  it("refuses a wrong password, no password and bytes that are no PFX with the same words", () => {
    const lab = openLab(server(), context);
    for (const parameters of [
      { FileData, Password: new Secret("wrong horse") },
      { FileData },
      { FileData: new Uint8Array([1, 2, 3]), Password },
    ]) {
      const { error } = lab.fail("Import-ExchangeCertificate", parameters);
      expect(error).toMatchObject({
        code: "ImportRefused",
        message:
          "A special Rpc error occurs on server EX01: The source data cannot be imported or the wrong password was specified.",
        categoryInfo: "ReadError: (:) [Import-ExchangeCertificate], InvalidOperationException",
      });
      expect(error.fullyQualifiedErrorId).toMatch(/ A39CF339,.*\.ImportExchangeCertificate$/);
    }
    expect(lab.server().certificates).toEqual([]);
  });

  it("refuses what is there already", () => {
    const lab = openLab(server({ certificates: [stored(mail)] }), context);
    const { error } = lab.fail("Import-ExchangeCertificate", { FileData, Password });
    expect(error.message).toBe(
      `A special Rpc error occurs on server EX01: Cannot import certificate. A certificate with the thumbprint ${mail.facts.thumbprint} already exists.`,
    );
  });

  it("refuses what is there without its key as well, where no list shows it", () => {
    const lab = openLab(server({ certificates: [stored(mail, { privateKey: { present: false } })] }), context);
    expect(lab.services(mail)).toBe("absent");
    const { error } = lab.fail("Import-ExchangeCertificate", { FileData, Password });
    expect(error.message).toContain("already exists");
  });

  it("takes friendly names of up to 63 characters", () => {
    const lab = openLab(server(), context);
    const call = (length: number) => ({ FileData, Password, FriendlyName: "x".repeat(length) });
    expect(lab.fail("Import-ExchangeCertificate", call(64)).error.message).toContain("shorter than 64 characters");
    lab.complete("Import-ExchangeCertificate", call(63));
  });

  it("reads -FileName on 2013, and on 2016 and 2019 before the updates of 2022", () => {
    const readFile = (path: string) => (path === "\\\\files\\mail.pfx" ? FileData : undefined);
    for (const version of [
      EXCHANGE_2013,
      { major: 15, minor: 1, build: 2375, revision: 7 },
      { major: 15, minor: 2, build: 986, revision: 5 },
    ]) {
      const lab = openLab(server({ version }), { ...context, readFile });
      lab.complete("Import-ExchangeCertificate", { FileName: "\\\\files\\mail.pfx", Password });
      expect(lab.services(mail)).toBe("None");
      const { error } = lab.fail("Import-ExchangeCertificate", { FileName: "C:\\gone.pfx", Password });
      expect(error.code).toBe("ImportRefused");
    }
  });

  it("doesn't know -FileName on later versions", () => {
    for (const version of [EXCHANGE_2016, { major: 15, minor: 2, build: 1118, revision: 7 }]) {
      const lab = openLab(server({ version }), context);
      const { error } = lab.fail("Import-ExchangeCertificate", { FileName: "C:\\mail.pfx", Password });
      expect(error).toEqual({
        code: "CmdletFailed",
        message: "A parameter cannot be found that matches parameter name 'FileName'.",
        categoryInfo: "InvalidArgument: (:) [Import-ExchangeCertificate], ParameterBindingException",
        fullyQualifiedErrorId: "NamedParameterNotFound,Import-ExchangeCertificate",
      });
    }
  });

  it("doesn't know -Services, whatever blogs say", () => {
    const { error } = openLab(server(), context).fail("Import-ExchangeCertificate", {
      FileData,
      Password,
      Services: ["IIS"],
    });
    expect(error.message).toContain("'Services'");
  });

  it("asks for the file when there is none", () => {
    const { error } = openLab(server(), context).fail("Import-ExchangeCertificate", { Password });
    expect(error.fullyQualifiedErrorId).toBe("MissingMandatoryParameter,Import-ExchangeCertificate");
  });
});
