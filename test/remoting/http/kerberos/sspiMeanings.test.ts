import { kerberosFailure } from "../../../../provider/remoting/http/kerberos/kerberosErrors";
import type { Operation } from "../../../../provider/remoting/http/kerberos/kerberosLibrary";
import { SspiError } from "../../../../provider/remoting/http/kerberos/sspi";
import { sspiFailure } from "../../../../provider/remoting/http/kerberos/sspiMeanings";

const attempt = {
  service: "HTTP/ex01.contoso.com",
  principal: "CONTOSO\\anna",
  origin: ["with the password given"],
  facts: {},
};
const failed = (status: number, operation: Operation = "init") =>
  kerberosFailure(sspiFailure(new SspiError("init", status), operation), attempt);

describe("what SSPI's numbers mean", () => {
  it.each<[string, number, string, RegExp]>([
    ["SEC_E_TARGET_UNKNOWN", 0x80090303, "AuthenticationRefused", /doesn't know this service.*setspn -Q/],
    ["SEC_E_INTERNAL_ERROR", 0x80090304, "AuthenticationRefused", /doesn't say why.*setspn.*port 88.*klist/],
    ["SEC_E_SECPKG_NOT_FOUND", 0x80090305, "SettingsRefused", /no Kerberos/],
    ["SEC_E_LOGON_DENIED", 0x8009030c, "AuthenticationRefused", /user name or the password is wrong.*failed logon/],
    ["SEC_E_NO_CREDENTIALS", 0x8009030e, "AuthenticationRefused", /no credentials.*exchange:username/],
    ["SEC_E_NO_AUTHENTICATING_AUTHORITY", 0x80090311, "KdcUnreachable", /no domain controller.*port 88/],
    ["SEC_E_WRONG_PRINCIPAL", 0x80090322, "AuthenticationRefused", /another account.*setspn -X/],
    ["SEC_E_TIME_SKEW", 0x80090324, "AuthenticationRefused", /clocks differ/],
    ["SEC_E_KDC_UNKNOWN_ETYPE", 0x80090342, "AuthenticationRefused", /no encryption type.*AES/],
    ["SEC_E_BAD_BINDINGS", 0x80090346, "AuthenticationRefused", /Extended Protection.*tokenChecking None/],
    ["SEC_E_DOWNGRADE_DETECTED", 0x80090350, "AuthenticationRefused", /weakens the logon/],
    ["STATUS_ACCOUNT_LOCKED_OUT", 0xc0000234, "AuthenticationRefused", /locked/],
    ["STATUS_PASSWORD_MUST_CHANGE", 0xc0000224, "AuthenticationRefused", /has to be changed/],
  ])("tells %s, with its name and number", (name, status, code, message) => {
    const error = failed(status);
    expect([error.code, error.facts.fate, error.facts.kerberos?.status]).toEqual([code, "notDone", status]);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`(${name} 0x${status.toString(16).toUpperCase().padStart(8, "0")})`);
    expect(error.message).toMatch(
      /^Getting a Kerberos ticket for HTTP\/ex01\.contoso\.com as CONTOSO\\anna \(with the password given\): /,
    );
  });

  it("has a sentence with a remedy for a number that it doesn't know", () => {
    expect(failed(0x80094711).message).toMatch(/it failed \(status 0x80094711\)\. Look the number up/);
  });

  it.each([0x80090308, 0x8009030f, 0x80090363, 0x80094711])(
    "takes any fault of the server's token for no proof: %i",
    (status) => {
      expect(failed(status, "prove").message).toMatch(/doesn't hold the key/);
    },
  );

  it.each([
    [0x80090324, /clocks differ/],
    [0x80090346, /Extended Protection/],
    [0x80090322, /another account/],
  ])("believes what the server's token says about %i", (status, message) => {
    expect(failed(status, "prove").message).toMatch(message);
  });
});
