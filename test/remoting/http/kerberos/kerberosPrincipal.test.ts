import {
  principalOf,
  servicePrincipalOf,
  windowsAccountOf,
} from "../../../../provider/remoting/http/kerberos/kerberosPrincipal";

describe("a user name", () => {
  it.each([
    ["anna@CONTOSO.COM", "anna@CONTOSO.COM"],
    // A UPN whose suffix is the domain's name.
    ["anna@contoso.com", "anna@CONTOSO.COM"],
    [" svc-pulumi@emea.contoso.com ", "svc-pulumi@EMEA.CONTOSO.COM"],
    // A realm that isn't of Active Directory may be written in any way.
    ["anna@Contoso.Com", "anna@Contoso.Com"],
    ["anna", "anna"],
    ["HTTP/ex01.contoso.com@CONTOSO.COM", "HTTP/ex01.contoso.com@CONTOSO.COM"],
    ["Jörg@contoso.com", "Jörg@CONTOSO.COM"],
  ])("%s is the principal %s", (username, principal) => {
    expect(principalOf(username)).toBe(principal);
  });

  it.each(["CONTOSO\\anna", "", "@CONTOSO.COM", "anna@", "anna@contoso.com@CONTOSO.COM", "an na@CONTOSO.COM", "a\0b"])(
    "%j is refused, saying how to write it",
    (username) => {
      expect(() => principalOf(username)).toThrow(/such as anna@CONTOSO\.COM/);
      expect(() => principalOf(username)).toThrow(expect.objectContaining({ code: "SettingsRefused" }));
    },
  );
});

describe("a server", () => {
  it("is the service HTTP of its name", () => {
    expect(servicePrincipalOf("ex01.contoso.com")).toBe("HTTP/ex01.contoso.com");
  });

  it.each(["192.0.2.7", "[2001:db8::7]"])("can't be an address: %s", (host) => {
    expect(() => servicePrincipalOf(host)).toThrow(/needs the server's name.*Write the host's full name/);
  });
});

describe("a user name on Windows", () => {
  it.each(["CONTOSO\\anna", "anna@contoso.com", "anna@another-suffix.example", " anna ", "CONTOSO\\Anna Muster"])(
    "%j is an account as it is written",
    (username) => {
      expect(windowsAccountOf(username)).toBe(username.trim());
    },
  );

  it.each(["", " ", "\\anna", "CONTOSO\\", "@contoso.com", "anna@", "CONTOSO\\anna@contoso.com", "A\\B\\c", "a\0b"])(
    "%j is refused, saying how to write it",
    (username) => {
      expect(() => windowsAccountOf(username)).toThrow(/CONTOSO\\anna.*anna@contoso\.com/);
      expect(() => windowsAccountOf(username)).toThrow(expect.objectContaining({ code: "SettingsRefused" }));
    },
  );
});
