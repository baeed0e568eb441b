import { readFileSync } from "node:fs";
import path from "node:path";

import * as fc from "fast-check";

import type { Asn1 } from "../../provider/certificate/asn1";
import { bytesOf, childOf, childrenOf, isUniversal, oidOf, readAsn1 } from "../../provider/certificate/asn1";
import { packPfx } from "../../provider/certificate/packPfx";
import { decryptWithPassword, RoundsBudget } from "../../provider/certificate/pbe";
import type { CertificateMaterial } from "../../provider/certificate/pfx";
import { readPfxHere } from "../../provider/certificate/pfx";
import { Secret } from "../../provider/secret";
import { makeTestAuthority, makeTestCertificate } from "./testCertificates";

const authority = makeTestAuthority();
const rsa = makeTestCertificate({ dnsNames: ["mail.contoso.com"], issuer: authority });
const ecc = makeTestCertificate({ dnsNames: ["ecc.contoso.com"], key: "ecc" });

/** Every identifier in a file, also inside the octet strings that hold further values. */
function identifiersIn(node: Asn1): string[] {
  if (isUniversal(node, "OID")) return [oidOf(node)];
  if (node.constructed) return childrenOf(node).flatMap(identifiersIn);
  if (!isUniversal(node, "OCTETSTRING")) return [];
  try {
    return identifiersIn(readAsn1(bytesOf(node)));
  } catch {
    return [];
  }
}

describe("packPfx", () => {
  it("keeps certificate, key and chain, whatever the password", () => {
    const password = fc.oneof(fc.string({ maxLength: 12 }), fc.string({ unit: "grapheme", maxLength: 12 }));
    fc.assert(
      fc.property(fc.constantFrom<CertificateMaterial>(rsa, ecc), password, (material, text) => {
        const again = readPfxHere(packPfx(material, new Secret(text)), new Secret(text));
        expect(again.der).toEqual(material.der);
        expect(again.chain).toEqual(material.chain);
        expect(again.facts).toEqual(material.facts);
        expect(again.privateKey.reveal().equals(material.privateKey.reveal())).toBe(true);
      }),
      { numRuns: 8 },
    );
  });

  it("uses what every Windows reads, and names no provider", () => {
    const found = new Set(identifiersIn(readAsn1(packPfx(rsa, new Secret("x")).reveal())));
    const pbeSha1TripleDes = "1.2.840.113549.1.12.1.3";
    expect(found).toContain(pbeSha1TripleDes);
    expect(found).toContain("1.3.14.3.2.26");
    expect(found).toContain("1.2.840.113549.1.9.21");
    expect([...found].filter((oid) => /^1\.2\.840\.113549\.1\.(5|12\.1)\./.test(oid))).toEqual([pbeSha1TripleDes]);
    expect(
      [...found].filter((oid) => oid.startsWith("2.16.840.1.101.3.4.") || oid.startsWith("1.3.6.1.4.1.311.")),
    ).toEqual([]);
  });

  it("encrypts the certificates too, and so the friendly name", () => {
    const packed = Buffer.from(packPfx(rsa, new Secret("x"), { friendlyName: "Contoso mail" }).reveal());
    expect(packed.includes(Buffer.from("mail.contoso.com"))).toBe(false);
    expect(packed.includes(Buffer.from("Contoso mail", "utf16le").swap16())).toBe(false);
  });

  it("makes another file every time, because the salts are random", () => {
    const pack = () => Buffer.from(packPfx(ecc, new Secret("x")).reveal()).toString("base64");
    expect(pack()).not.toBe(pack());
  });

  it("drops the key storage provider that the original file named", () => {
    const file = readFileSync(path.join(__dirname, "fixtures", "windows-aes-ksp.pfx"));
    const original = readPfxHere(new Secret(file), new Secret("exchange-test"));
    const repacked = readPfxHere(packPfx(original, new Secret("x")), new Secret("x"));
    expect(repacked).toEqual({ ...original, notices: [], privateKey: expect.any(Secret) });
    expect(original.notices).not.toEqual([]);
  });

  it("gives the friendly name to the certificate and not to the key", () => {
    const name = Buffer.from("Contoso mail ✓", "utf16le").swap16();
    const safe = childOf(
      childOf(readAsn1(packPfx(rsa, new Secret("x"), { friendlyName: "Contoso mail ✓" }).reveal()), 1),
      1,
    );
    const [certificates, keys] = childrenOf(readAsn1(bytesOf(childOf(safe, 0)))) as [Asn1, Asn1];
    const encrypted = childOf(childOf(childOf(certificates, 1), 0), 1);
    const plain = decryptWithPassword(
      childOf(encrypted, 1),
      bytesOf(childOf(encrypted, 2)),
      { pkcs12: "x", pbes2: "x" },
      new RoundsBudget(),
    );
    expect(plain?.includes(name)).toBe(true);
    expect(bytesOf(childOf(childOf(keys, 1), 0)).includes(name)).toBe(false);
  });

  it("returns a secret", () => {
    expect(JSON.stringify({ pfx: packPfx(ecc, new Secret("x")) })).toBe('{"pfx":"[redacted]"}');
  });
});
