import { X509Certificate } from "node:crypto";

import { authoritiesIn } from "../../provider/certificate/authorities";
import { packPfx } from "../../provider/certificate/packPfx";
import { Secret } from "../../provider/secret";
import { makeTestAuthority, testKey } from "./testCertificates";

const authority = makeTestAuthority();
const all = [authority.der, ...authority.chain];
const pem = all.map((der) => new X509Certificate(der).toString()).join("");

describe("a file of authorities", () => {
  it.each([
    ["PEM", Buffer.from(pem)],
    ["PEM in UTF-16", Buffer.from(`\uFEFF${pem}`, "utf16le")],
    ["base64 of PEM", Buffer.from(Buffer.from(pem).toString("base64"))],
  ])("is read in whatever form it has: %s", (_form, file) => {
    expect(authoritiesIn(file)).toEqual({ pem });
  });

  it("may be one certificate as DER, which AD CS exports", () => {
    expect(authoritiesIn(authority.der)).toEqual({ pem: new X509Certificate(authority.der).toString() });
  });

  it.each([
    ["an empty file", Buffer.from("\n"), /it is empty/],
    ["a page", Buffer.from("<html>sign in</html>"), /web page/],
    ["a key", testKey("ecc").export({ format: "der", type: "sec1" }), /a key and no certificate/],
    ["a damaged one among good ones", Buffer.from(pem + pem.slice(0, 200)), /in a part of it, .*cut off/],
    ["a PFX", packPfx(authority, new Secret("x")).reveal(), /openssl pkcs12 -in FILE -nokeys/],
  ])("is refused as what it is: %s", (_what, file, problem) => {
    const found = authoritiesIn(file);
    expect("problem" in found ? found.problem : found).toMatch(problem);
  });
});
