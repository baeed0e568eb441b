import { CookieJar } from "../../../provider/remoting/http/cookies";

const NOW = new Date("2026-11-23T12:00:00Z");
const url = new URL("https://ex01.contoso.com/PowerShell/?serializationLevel=Full");

function jarWith(...headers: string[]): CookieJar {
  const jar = new CookieJar();
  jar.store(headers, url, NOW);
  return jar;
}

describe("the cookies of a session", () => {
  it("sends back a cookie whose path is spelt in another case than the URL's", () => {
    const jar = jarWith("MS-WSMAN=S-1-5-21=AAE=; expires=Mon, 23 Nov 2026 13:00:00 GMT; path=/powershell; HttpOnly");
    expect(jar.header(url)).toBe("MS-WSMAN=S-1-5-21=AAE=");
  });

  it.each(["/", "/powershell/", "/POWERSHELL", "nonsense", ""])("sends back a cookie with the path %j", (path) => {
    expect(jarWith(`a=1; path=${path}`).header(url)).toBe("a=1");
  });

  it.each(["/power", "/powershell/deeper", "/owa"])("keeps a cookie with the path %s to itself", (path) => {
    expect(jarWith(`a=1; Path=${path}`).header(url)).toBeUndefined();
  });

  it("keeps a secure cookie of a plain connection, for it is the same session", () => {
    const plain = new URL("http://ex01.contoso.com/PowerShell/");
    const jar = new CookieJar();
    jar.store(["a=1; Path=/; Secure"], plain, NOW);
    expect(jar.header(plain)).toBe("a=1");
  });

  it("replaces a cookie of the same name and path, and sends the more particular one first", () => {
    const jar = jarWith("a=1; path=/", "b=2; path=/PowerShell");
    jar.store(["a=3; path=/"], url, NOW);
    expect(jar.header(url)).toBe("b=2; a=3");
  });

  it.each(["expires=Mon, 23 Nov 2026 11:59:59 GMT", "Max-Age=0", "max-age=-5; expires=Mon, 23 Nov 2027 11:59:59 GMT"])(
    "forgets a cookie that comes with %s",
    (over) => {
      const jar = jarWith("a=1; path=/");
      jar.store([`a=; path=/; ${over}`], url, NOW);
      expect(jar.header(url)).toBeUndefined();
    },
  );

  it("overlooks what isn't a cookie", () => {
    expect(jarWith("", "novalue", "=x", ";path=/").header(url)).toBeUndefined();
  });
});
