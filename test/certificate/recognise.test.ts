import { X509Certificate } from "node:crypto";

import { readFileSync } from "node:fs";
import path from "node:path";

import { context, integer, objectIdentifier, readAsn1, sequence, writeAsn1 } from "../../provider/certificate/asn1";
import { packPfx } from "../../provider/certificate/packPfx";
import type { Recognised, Stranger } from "../../provider/certificate/recognise";
import { recogniseFile, recogniseText } from "../../provider/certificate/recognise";
import { describeStranger } from "../../provider/certificate/strangers";
import { Secret } from "../../provider/secret";
import { makeTestAuthority, makeTestCertificate, testKey } from "./testCertificates";

const leaf = makeTestCertificate({ dnsNames: ["mail.contoso.com"], issuer: makeTestAuthority() });
const pemOf = (der: Uint8Array): string => new X509Certificate(der).toString();
const certificate = pemOf(leaf.der);
const all = [leaf.der, ...leaf.chain];
const full = all.map(pemOf).join("");
const key = testKey("rsa2048").export({ format: "pem", type: "pkcs8" }) as string;
const sec1 = testKey("ecc").export({ format: "pem", type: "sec1" }) as string;
const pkcs1 = testKey("rsa2048").export({ format: "pem", type: "pkcs1" }) as string;
const pfx = packPfx(leaf, new Secret("pw")).reveal();
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString("base64");
const lines = (label: string, bytes: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${base64(bytes).replace(/.{64}/g, "$&\n")}\n-----END ${label}-----\n`;
const pkcs7 = writeAsn1(
  sequence(
    objectIdentifier("1.2.840.113549.1.7.2"),
    context(0, [
      sequence(
        integer(1),
        { tagClass: 0, type: 17, constructed: true, value: [] },
        sequence(objectIdentifier("1.2.840.113549.1.7.1")),
        context(0, all.map(readAsn1)),
        { tagClass: 0, type: 17, constructed: true, value: [] },
      ),
    ]),
  ),
);
const trust = writeAsn1(sequence(sequence(objectIdentifier("1.3.6.1.5.5.7.3.1"))));
const utf16 = (text: string, mark = true): Buffer => Buffer.from((mark ? "\uFEFF" : "") + text, "utf16le");
const swapped = (text: string): Buffer => Buffer.from(`\uFEFF${text}`, "utf16le").swap16();

const read = (given: string | Uint8Array): Recognised =>
  typeof given === "string" ? recogniseText(given) : recogniseFile(given);

describe("what is read", () => {
  // Form, text or bytes, certificates, keys.
  it.each<[string, string | Uint8Array, readonly Uint8Array[], number]>([
    ["PEM", certificate, [leaf.der], 0],
    ["PEM of a chain", full, all, 0],
    ["PEM with CRLF", full.replaceAll("\n", "\r\n"), all, 0],
    ["PEM with old Mac line breaks", full.replaceAll("\n", "\r"), all, 0],
    ["PEM with \\n as two characters", full.replaceAll("\n", "\\n"), all, 0],
    ["PEM with \\r\\n as four characters", full.replaceAll("\n", "\\r\\n"), all, 0],
    ["PEM in quotes, as JSON writes it", JSON.stringify(full), all, 0],
    ["PEM with blanks for line breaks", full.replaceAll("\n", " "), all, 0],
    ["PEM in one line", full.replaceAll("\n", ""), all, 0],
    ["PEM, indented by blanks and tabs", full.replace(/^/gm, "  \t"), all, 0],
    ["PEM with blank lines", full.replaceAll("\n", "\n\n"), all, 0],
    ["PEM with blanks at line ends", full.replaceAll("\n", "  \n"), all, 0],
    ["PEM with a byte order mark", `\uFEFF${full}`, all, 0],
    ["a file of PEM with a byte order mark", Buffer.from(`\uFEFF${full}`), all, 0],
    ["UTF-16, little-endian", utf16(full), all, 0],
    ["UTF-16, big-endian", swapped(full), all, 0],
    ["UTF-16 without a mark", utf16(full, false), all, 0],
    [
      "PEM with text around it",
      `Subject: CN=x\n${certificate}Bag Attributes\n    friendlyName: a\n${pemOf(leaf.chain[0] ?? pfx)}`,
      all.slice(0, 2),
      0,
    ],
    ["PEM with headers inside", certificate.replace("-----\n", "-----\nComment: from here\nX: y\n\n"), [leaf.der], 0],
    [
      "X509 CERTIFICATE",
      certificate.replaceAll("BEGIN CERT", "BEGIN X509 CERT").replaceAll("END CERT", "END X509 CERT"),
      [leaf.der],
      0,
    ],
    ["TRUSTED CERTIFICATE", lines("TRUSTED CERTIFICATE", Buffer.concat([leaf.der, trust])), [leaf.der], 0],
    ["a label in small letters", certificate.replaceAll("CERTIFICATE", "certificate"), [leaf.der], 0],
    ["DER", leaf.der, [leaf.der], 0],
    ["DER with a line break behind it", Buffer.concat([leaf.der, Buffer.from("\r\n")]), [leaf.der], 0],
    ["PKCS#7 as PEM", lines("PKCS7", pkcs7), all, 0],
    ["PKCS#7 labelled CERTIFICATE", lines("CERTIFICATE", pkcs7), all, 0],
    ["PKCS#7 as DER", pkcs7, all, 0],
    ["base64 of DER", base64(leaf.der), [leaf.der], 0],
    ["base64 of PKCS#7, in lines", base64(pkcs7).replace(/.{76}/g, "$&\r\n"), all, 0],
    ["base64 of PEM, as Kubernetes has it", base64(full), all, 0],
    ["base64 of base64", base64(base64(leaf.der)), [leaf.der], 0],
    ["base64 of PEM in UTF-16", base64(utf16(full)), all, 0],
    ["a data URL", `data:application/x-x509-ca-cert;base64,${base64(leaf.der)}`, [leaf.der], 0],
    ["a file with base64", Buffer.from(`${base64(leaf.der)}\n`), [leaf.der], 0],
    ["a file with base64 in UTF-16", utf16(base64(leaf.der)), [leaf.der], 0],
    ["certutil's lines around PEM", lines("CERTIFICATE", Buffer.from(full)), all, 0],
    ["key and certificate", key + full, all, 1],
    ["certificate and key, in another order", full + key, all, 1],
    ["a key of PKCS#8", key, [], 1],
    ["a key of PKCS#1", pkcs1, [], 1],
    [
      "a key of SEC1, with its parameters before it",
      `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${sec1}`,
      [],
      1,
    ],
    ["a key of PKCS#8 labelled RSA", key.replaceAll("PRIVATE KEY", "RSA PRIVATE KEY"), [], 1],
    ["a key with \\n as two characters", key.replaceAll("\n", "\\n"), [], 1],
    ["a key as DER", testKey("rsa2048").export({ format: "der", type: "pkcs8" }), [], 1],
    ["a key as DER of PKCS#1", testKey("rsa2048").export({ format: "der", type: "pkcs1" }), [], 1],
    ["base64 of a key as DER", base64(testKey("ecc").export({ format: "der", type: "sec1" })), [], 1],
  ])("%s", (_form, given, certificates, keys) => {
    const found = read(given);
    if (found.kind !== "parts") throw new Error(JSON.stringify(found));
    expect(found.certificates.map(base64)).toEqual(certificates.map(base64));
    expect(found.keys).toHaveLength(keys);
    expect(found.strangers).toEqual([]);
  });

  it.each<[string, string | Uint8Array]>([
    ["the file", pfx],
    ["base64", base64(pfx)],
    ["base64 of base64", base64(base64(pfx))],
    ["certutil's lines", lines("CERTIFICATE", pfx)],
    ["a label of its own", lines("PKCS12", pfx)],
    ["base64 in UTF-16, as PowerShell's > writes it", utf16(base64(pfx))],
  ])("a PFX as %s", (_form, given) => {
    const found = read(given);
    if (found.kind !== "pfx") throw new Error(JSON.stringify(found));
    expect(base64(found.pfx)).toBe(base64(pfx));
  });
});

describe("what is named", () => {
  const request = readFileSync(path.join(__dirname, "fixtures", "README.md"));
  const encrypted = testKey("rsa2048").export({ format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase: "p" });
  const oldEncrypted = testKey("rsa2048").export({
    format: "pem",
    type: "pkcs1",
    cipher: "aes-256-cbc",
    passphrase: "p",
  });
  const spki = leaf.privateKey.reveal();

  it.each<[Stranger, string, string | Uint8Array]>([
    ["empty", "nothing", ""],
    ["empty", "white space", " \r\n\t"],
    ["empty", "a file of zeros", Buffer.alloc(64)],
    ["empty", "a byte order mark alone", "\uFEFF\n"],
    ["keystore", "a Java keystore", Buffer.from("feedfeed00000002", "hex")],
    ["keystore", "a keystore of JCE", Buffer.from("cececece00000002", "hex")],
    ["keystore", "base64 of one", base64(Buffer.from(`feedfeed00000002${"00".repeat(40)}`, "hex"))],
    [
      "opensshKey",
      "a key of OpenSSH",
      "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\n-----END OPENSSH PRIVATE KEY-----",
    ],
    ["sshPublicKey", "a public key of OpenSSH", "ssh-rsa AAAAB3NzaC1yc2E me@host"],
    ["sshPublicKey", "a public key of SSH2", "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----"],
    ["puttyKey", "a key of PuTTY", "PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\n"],
    ["pgp", "a PGP message", "-----BEGIN PGP MESSAGE-----\n\nhQEM\n=abcd\n-----END PGP MESSAGE-----"],
    ["pgp", "a PGP key", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQ\n-----END PGP PRIVATE KEY BLOCK-----"],
    ["encryptedKey", "an encrypted key of PKCS#8", encrypted],
    ["encryptedKey", "an encrypted key of PKCS#1", oldEncrypted],
    [
      "encryptedKey",
      "an encrypted key as DER",
      Buffer.from((encrypted as string).split("\n").slice(1, -2).join(""), "base64"),
    ],
    ["html", "a page", "<!DOCTYPE html><html><body>403</body></html>"],
    ["html", "a page in capitals, after blanks", "\n\n  <HTML><HEAD>"],
    ["xml", "an answer of S3", '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'],
    ["json", "an answer", '{"errors":["permission denied"]}'],
    ["gitLfsPointer", "a pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"],
    ["path", "a path", "/etc/ssl/mail.pem"],
    ["path", "a relative path", "certs/mail.pfx"],
    ["path", "a name", "mail.crt"],
    ["path", "a path of Windows", "C:\\new\\root.cer"],
    ["path", "a share", "\\\\server\\share\\mail.p12"],
    ["path", "an address", "https://pki.contoso.com/ca"],
    ["placeholder", "a variable of a shell", "${MAIL_CERT}"],
    ["placeholder", "a variable of Windows", "%MAIL_CERT%"],
    ["placeholder", "an undefined value", "undefined"],
    ["placeholder", "an object", "[object Object]"],
    ["zip", "an archive", Buffer.from("504b030414000000", "hex")],
    ["gzip", "a compressed file", Buffer.from("1f8b0800", "hex")],
    ["damagedBlock", "a block that is no base64", certificate.replace("MII", "M?I")],
    ["damagedBlock", "a block without contents", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----"],
    ["damagedBlock", "a block with a line missing", certificate.replace(/\n[A-Za-z0-9+/]{64}\n/, "\n")],
    ["cutOff", "the beginning alone", certificate.slice(0, 300)],
    ["cutOff", "the end alone", certificate.slice(300)],
    ["damagedDer", "half of a file", leaf.der.subarray(0, 300)],
    ["publicKey", "a public key", spki.export({ format: "jwk" }).n === undefined ? "" : publicKeyPem()],
    ["unknown", "prose", "please find the certificate attached"],
    ["unknown", "bytes", Buffer.from("0102030405060708", "hex")],
    ["unknown", "a document", request],
  ])("%s: %s", (stranger, _what, given) => {
    expect(read(given)).toEqual({ kind: "stranger", stranger });
    expect(describeStranger(stranger)).toMatch(/^(it|one|what|the) .+\. [A-Z].+/);
  });

  it("a damaged block among good ones is told, never left out", () => {
    const found = read(certificate + certificate.replace("MII", "M?I"));
    expect(found).toMatchObject({ kind: "parts", strangers: ["damagedBlock"] });
    expect(read(certificate + certificate.slice(0, 300))).toMatchObject({ kind: "parts", strangers: ["cutOff"] });
  });

  it("a text of nothing but beginnings is read at once", () => {
    expect(read("-----BEGIN A-----\n".repeat(50_000))).toEqual({ kind: "stranger", stranger: "cutOff" });
    expect(read("-----BEGIN A-----\n".repeat(50_000) + certificate)).toMatchObject({ kind: "parts" });
  });
});

function publicKeyPem(): string {
  return new X509Certificate(leaf.der).publicKey.export({ format: "pem", type: "spki" }) as string;
}
