import { basicAuthentication } from "../../../provider/remoting/http/authentication";
import { Secret } from "../../../provider/secret";

describe("Basic authentication", () => {
  it("encodes user name and password in UTF-8", () => {
    const { authorization } = basicAuthentication("jörg@contoso.com", new Secret("pä:ss"));
    const [scheme, credentials = ""] = authorization().reveal().split(" ");
    expect(scheme).toBe("Basic");
    expect(Buffer.from(credentials, "base64").toString("utf8")).toBe("jörg@contoso.com:pä:ss");
  });

  it("hides what it sends from whoever prints it", () => {
    expect(JSON.stringify(basicAuthentication("a", new Secret("b")).authorization())).toBe('"[redacted]"');
  });

  it.each(["", "CONTOSO:admin"])("refuses the user name %j, which the header can't carry", (name) => {
    expect(() => basicAuthentication(name, new Secret("x"))).toThrow(
      expect.objectContaining({ code: "SettingsRefused" }),
    );
  });
});
