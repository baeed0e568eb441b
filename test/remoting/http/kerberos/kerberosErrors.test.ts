import { GssError } from "../../../../provider/remoting/http/kerberos/gssapi";
import { gssapiFailure } from "../../../../provider/remoting/http/kerberos/gssapiMeanings";
import {
  type KerberosAttempt,
  kerberosFailure,
  kerberosTimeout,
} from "../../../../provider/remoting/http/kerberos/kerberosErrors";
import type { KerberosCallError, Operation } from "../../../../provider/remoting/http/kerberos/kerberosLibrary";

const attempt: KerberosAttempt = {
  service: "HTTP/ex01.contoso.com",
  principal: "anna@CONTOSO.COM",
  origin: ["ticket cache FILE:/tmp/krb5cc_1000", "configuration /etc/krb5.conf"],
  facts: { cache: "FILE:/tmp/krb5cc_1000", keytab: undefined },
};

interface KerberosStatus {
  readonly operation: Operation;
  readonly major: number;
  readonly minor: number;
  readonly text: string;
}

/** Numbers as MIT's krb5_err.et counts them. */
const krb5 = (offset: number): number => 2529638912 + offset;
const kg = (offset: number): number => 39756032 + offset;
const GENERAL = 13 << 16;

function status(changes: Partial<KerberosStatus>): KerberosCallError {
  const { operation, major, minor, text } = {
    operation: "init",
    major: GENERAL,
    minor: 0,
    text: "wortreich",
    ...changes,
  } as const;
  return gssapiFailure(new GssError(operation === "prove" ? "init" : operation, major, minor, text), operation);
}

describe("what Kerberos' numbers mean", () => {
  it.each<[string, Partial<KerberosStatus>, string, RegExp]>([
    ["KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN", { minor: krb5(6) }, "AuthenticationRefused", /doesn't know this principal/],
    ["KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN", { minor: krb5(7) }, "AuthenticationRefused", /doesn't know this service/],
    ["KRB5KDC_ERR_ETYPE_NOSUPP", { minor: krb5(14) }, "AuthenticationRefused", /no encryption type/],
    ["KRB5KDC_ERR_CLIENT_REVOKED", { minor: krb5(18) }, "AuthenticationRefused", /disabled or locked/],
    ["KRB5KDC_ERR_KEY_EXP", { minor: krb5(23) }, "AuthenticationRefused", /password has expired/],
    ["KRB5KDC_ERR_PREAUTH_FAILED", { minor: krb5(24) }, "AuthenticationRefused", /password is wrong/],
    ["KRB5KRB_AP_ERR_BAD_INTEGRITY", { minor: krb5(31) }, "AuthenticationRefused", /password is wrong/],
    ["KRB5KRB_AP_ERR_TKT_EXPIRED", { minor: krb5(32) }, "AuthenticationRefused", /ticket has expired/],
    ["KRB5KRB_AP_ERR_SKEW", { minor: krb5(37) }, "AuthenticationRefused", /clocks differ/],
    ["KRB5_CONFIG_BADFORMAT", { minor: krb5(136) }, "SettingsRefused", /krb5\.conf can't be read/],
    ["KRB5_CC_NOTFOUND", { minor: krb5(141) }, "AuthenticationRefused", /no ticket.*kinit/],
    ["KRB5_REALM_UNKNOWN", { minor: krb5(154) }, "SettingsRefused", /no domain controller \(KDC\) is known/],
    ["KRB5_KDC_UNREACH", { minor: krb5(156) }, "KdcUnreachable", /no domain controller \(KDC\) answers/],
    ["KRB5_KT_NOTFOUND", { minor: krb5(181) }, "AuthenticationRefused", /keytab holds no key/],
    ["KRB5_FCC_NOFILE", { minor: krb5(195) }, "AuthenticationRefused", /no ticket/],
    ["KRB5_CONFIG_NODEFREALM", { minor: krb5(224) }, "SettingsRefused", /with its realm/],
    ["KG_EMPTY_CCACHE", { minor: kg(12) }, "AuthenticationRefused", /no ticket/],
    ["GSS_S_NO_CRED alone", { major: 7 << 16 }, "AuthenticationRefused", /no ticket/],
    ["GSS_S_CREDENTIALS_EXPIRED alone", { major: 11 << 16 }, "AuthenticationRefused", /ticket has expired/],
    ["a number that nobody knows", { minor: 4711 }, "AuthenticationRefused", /kinit and kvno/],
    [
      "any fault of the server's token",
      { operation: "prove", minor: krb5(31) },
      "AuthenticationRefused",
      /hold the key/,
    ],
    ["the server's clock", { operation: "prove", minor: krb5(37) }, "AuthenticationRefused", /clocks differ/],
  ])("tells %s", (_name, changes, code, message) => {
    const error = kerberosFailure(status(changes), attempt);
    expect([error.code, error.facts.fate]).toEqual([code, "notDone"]);
    expect(error.message).toMatch(message);
  });

  it("doesn't depend on the library's words", () => {
    const [german, english] = ["Uhrzeit", "Preauthentication failed"].map((text) =>
      kerberosFailure(status({ minor: krb5(37), text }), attempt),
    );
    expect(german?.code).toBe(english?.code);
    expect(english?.message.replace("Preauthentication failed", "Uhrzeit")).toBe(german?.message);
  });

  it.each([
    [6 << 16, krb5(31)],
    // Duplicate, old, out of order, gap: decrypted all the same, and no errors to GSSAPI.
    [2, 0],
    [4, 0],
    [8, 0],
    [16, 0],
  ])("claims nothing about a request whose answer has the status %i/%i", (major, minor) => {
    const error = kerberosFailure(status({ operation: "unwrap", major, minor }), attempt);
    expect([error.code, error.facts.fate]).toEqual(["HttpUnexpected", undefined]);
    expect(error.message).toMatch(/forged, came twice, or is out of order/);
  });
});

describe("what is said about a failure", () => {
  it("names the service, who we are, and where tickets come from", () => {
    const { message, facts } = kerberosFailure(
      status({ minor: krb5(141), text: "Matching credential not found" }),
      attempt,
    );
    expect(message).toContain(
      "Getting a Kerberos ticket for HTTP/ex01.contoso.com as anna@CONTOSO.COM (ticket cache FILE:/tmp/krb5cc_1000, " +
        "configuration /etc/krb5.conf): there is no ticket " +
        "(Matching credential not found, status d0000/-1765328243).",
    );
    expect(facts.kerberos).toEqual({
      service: "HTTP/ex01.contoso.com",
      principal: "anna@CONTOSO.COM",
      cache: "FILE:/tmp/krb5cc_1000",
      keytab: undefined,
      major: GENERAL,
      minor: krb5(141),
    });
  });

  it("leaves out the words for a number that stands in for none", () => {
    const { message } = kerberosFailure(status({ operation: "prove", minor: 100_001, text: "Success" }), attempt);
    expect(message).toContain("(status d0000/100001)");
    expect(message).not.toContain("Success");
  });

  it("says how long nobody answered", () => {
    const error = kerberosTimeout(attempt, 15);
    expect([error.code, error.facts.fate]).toEqual(["KdcUnreachable", "notDone"]);
    expect(error.message).toMatch(/no domain controller \(KDC\) answered within 15 seconds\. .*port 88/);
  });
});
