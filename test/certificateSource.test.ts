import { resolve } from "node:path";
import { createHash } from "node:crypto";
import { inspect } from "node:util";

import { readCertificate } from "../provider/certificate/readCertificate";
import { packPfx } from "../provider/certificate/packPfx";
import { readCertificateSource, storedWish } from "../provider/certificateSource";
import type { CertificateSource, SourceContext } from "../provider/certificateSource";
import { Secret } from "../provider/secret";
import { keptMaterial } from "./readings";
import { makeTestAuthority, makeTestCertificate } from "./certificate/testCertificates";

const PASSWORD = "Pa55-word-of-the-PFX";
const mail = makeTestCertificate({ dnsNames: ["mail.contoso.com"], issuer: makeTestAuthority() });
const pfx = packPfx(mail, new Secret(PASSWORD)).reveal();
const base64 = Buffer.from(pfx).toString("base64");

function pem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der).toString("base64").replace(/.{64}/g, "$&\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

const certificatePem = pem("CERTIFICATE", mail.der);
const chainPem = mail.chain.map((der) => pem("CERTIFICATE", der)).join("");
const keyPem = mail.privateKey.reveal().export({ type: "pkcs8", format: "pem" }) as string;
const otherKeyPem = makeTestCertificate({ key: "rsa2048b" })
  .privateKey.reveal()
  .export({ type: "pkcs8", format: "pem" }) as string;

/** A PFX; and what lego, certbot and acme.sh leave in their folders. */
const files = new Map<string, Uint8Array>(
  (
    [
      ["/program/certs/mail.pfx", pfx],
      ["/elsewhere/mail.pfx", pfx],
      ["/program/lego/mail.contoso.com.crt", Buffer.from(certificatePem + chainPem)],
      ["/program/lego/mail.contoso.com.key", Buffer.from(keyPem)],
      ["/etc/letsencrypt/live/mail.contoso.com/cert.pem", Buffer.from(certificatePem)],
      ["/etc/letsencrypt/live/mail.contoso.com/chain.pem", Buffer.from(chainPem)],
      ["/etc/letsencrypt/live/mail.contoso.com/fullchain.pem", Buffer.from(certificatePem + chainPem)],
      ["/etc/letsencrypt/live/mail.contoso.com/privkey.pem", Buffer.from(keyPem)],
      ["/program/one/combined.pem", Buffer.from(keyPem + certificatePem + chainPem)],
    ] as const
  ).map(([path, content]) => [resolve(path), content]),
);
const LIVE = "/etc/letsencrypt/live/mail.contoso.com";

/** What a process has that has checked nothing yet. */
const process = (): SourceContext => ({
  env: {
    directory: "/program",
    environment: { MAIL_PASSWORD: PASSWORD, NO_PASSWORD: "" },
    readFile: (path) => {
      const content = files.get(path);
      return content === undefined
        ? Promise.reject(new Error(`ENOENT: no such file or directory, open '${path}'`))
        : Promise.resolve(content);
    },
  },
  kept: keptMaterial(),
});

async function sourceOf(given: unknown, context = process()): Promise<CertificateSource> {
  const read = await readCertificateSource(given, context);
  if ("problems" in read) throw new Error(read.problems.join("; "));
  return read.source;
}

async function problemsOf(given: unknown): Promise<string> {
  const read = await readCertificateSource(given, process());
  if ("source" in read) throw new Error("it was read");
  return read.problems.join("; ");
}

function chainOf(source: CertificateSource): readonly string[] {
  return (source.material?.().chain ?? []).map((der) => createHash("sha1").update(der).digest("hex"));
}

describe("a certificate that is given", () => {
  it.each([
    ["a PFX as base64", { pfx: base64, password: PASSWORD }],
    ["base64 in lines", { pfx: base64.replace(/.{76}/g, "$&\r\n"), password: PASSWORD }],
    ["a file, counted from the program's directory", { pfxFile: "certs/mail.pfx", password: PASSWORD }],
    ["a file by its whole path", { pfxFile: "/elsewhere/mail.pfx", password: PASSWORD }],
    ["a file and a variable with its password", { pfxFile: "certs/mail.pfx", passwordEnv: "MAIL_PASSWORD" }],
    [
      "the files of lego",
      { pemFiles: { certificateFile: "lego/mail.contoso.com.crt", privateKeyFile: "lego/mail.contoso.com.key" } },
    ],
    [
      "the files of certbot, with its full chain",
      { pemFiles: { certificateFile: `${LIVE}/fullchain.pem`, privateKeyFile: `${LIVE}/privkey.pem` } },
    ],
    [
      "the files of certbot, each by itself",
      {
        pemFiles: {
          certificateFile: `${LIVE}/cert.pem`,
          privateKeyFile: `${LIVE}/privkey.pem`,
          chainFile: `${LIVE}/chain.pem`,
        },
      },
    ],
    ["one file for both", { pemFiles: { certificateFile: "one/combined.pem", privateKeyFile: "one/combined.pem" } }],
    ["PEM texts", { pem: { certificate: certificatePem, privateKey: keyPem, chain: chainPem } }],
    [
      "PEM texts with the chain behind the certificate",
      { pem: { certificate: certificatePem + chainPem, privateKey: keyPem } },
    ],
  ])("is the same certificate with its key and chain as %s", async (_what, given) => {
    const source = await sourceOf(given);
    const chain = mail.chain.map((der) => {
      const { subject, issuer, isSelfSigned } = readCertificate(der);
      return { subject, issuer, isSelfSigned };
    });
    expect(source.desired).toEqual({ kind: "given", facts: mail.facts, chain });
    expect(source.material?.().privateKey.reveal().equals(mail.privateKey.reveal())).toBe(true);
    expect(chainOf(source)).toEqual(mail.chain.map((der) => createHash("sha1").update(der).digest("hex")));
  });

  const FORMS = [
    ["pfx", { pfx: base64, password: PASSWORD }, {}],
    ["pem", { pem: { certificate: certificatePem, privateKey: keyPem, chain: chainPem } }, {}],
    ["pfxFile", { pfxFile: "certs/mail.pfx", password: PASSWORD }, { pfxFile: "certs/mail.pfx" }],
    [
      "pfxFile",
      { pfxFile: "certs/mail.pfx", passwordEnv: "MAIL_PASSWORD" },
      { pfxFile: "certs/mail.pfx", passwordEnv: "MAIL_PASSWORD" },
    ],
  ] as const;

  it.each(FORMS)("is stored as a form without key and password (%s)", async (of, given, parts) => {
    const { normalised } = await sourceOf(given);
    const chain = expect.stringMatching(/^[0-9a-f]{64}$/) as string;
    expect(normalised).toEqual({ form: { of, thumbprint: mail.facts.thumbprint, chain, ...parts } });
    const told = JSON.stringify(normalised);
    for (const secret of [PASSWORD, base64.slice(0, 40), keyPem.split("\n")[1] ?? ""])
      expect(told).not.toContain(secret);
  });

  it.each(FORMS)("is found by its form in the process that read it, as often as wanted (%s)", async (_of, given) => {
    const context = process();
    const { normalised } = await sourceOf(given, context);
    for (const time of ["first", "again"]) {
      const found = await sourceOf(normalised, context);
      expect({ time, kind: found.desired.kind, form: found.normalised }).toEqual({
        time,
        kind: "given",
        form: normalised,
      });
      expect(found.material?.().privateKey.reveal().equals(mail.privateKey.reveal())).toBe(true);
    }
  });

  it("is known by its thumbprint alone in another process, but for a file whose password is in the environment", async () => {
    for (const [, given] of FORMS) {
      const found = await sourceOf((await sourceOf(given)).normalised);
      const isReadAgain = "passwordEnv" in given;
      expect(found.desired.kind).toBe(isReadAgain ? "given" : "thumbprint");
      expect(found.material === undefined).toBe(!isReadAgain);
    }
  });

  it("is refused where a form is mixed with parts of a source, as ignoreChanges does below it", async () => {
    const { normalised } = await sourceOf({ pfx: base64, password: PASSWORD });
    for (const given of [
      { ...normalised, pfx: base64, password: PASSWORD },
      { ...normalised, password: PASSWORD },
      { form: { of: "pfx" } },
      { form: PASSWORD },
    ]) {
      const problems = await problemsOf(given);
      expect(problems).toContain("ignoreChanges");
      expect(problems).not.toContain(PASSWORD);
    }
  });

  it("leaves nothing of its secrets where a source is printed", async () => {
    const printed = inspect((await sourceOf({ pfxFile: "certs/mail.pfx", password: PASSWORD })).desired, { depth: 9 });
    expect(printed).not.toContain(PASSWORD);
    expect(printed).toContain(mail.facts.thumbprint);
  });

  it("may leave optional parts open with null or undefined", async () => {
    expect((await sourceOf({ pfx: base64, password: PASSWORD, thumbprint: null, pem: undefined })).desired.kind).toBe(
      "given",
    );
    const inner = { certificate: certificatePem, privateKey: keyPem, chain: null };
    expect((await sourceOf({ pem: inner })).desired.kind).toBe("given");
  });
});

describe("a certificate that is still to be made", () => {
  it("gets the defaults that its inputs leave open", async () => {
    expect((await sourceOf({ selfSigned: { dnsNames: ["Mail.Contoso.com "] } })).desired).toEqual({
      kind: "selfSigned",
      wish: { subject: undefined, dnsNames: ["mail.contoso.com"], validityDays: 365, keySize: 2048 },
    });
  });

  it("has no material yet", async () => {
    expect((await sourceOf({ selfSigned: { dnsNames: ["mail.contoso.com"] } })).material).toBeUndefined();
  });

  it("is found again in what was stored", async () => {
    const given = {
      selfSigned: { subject: "CN=mail", dnsNames: ["mail.contoso.com"], validityDays: 90, keySize: 3072 },
    };
    const source = await sourceOf(given);
    expect(source.desired).toEqual({ kind: "selfSigned", wish: storedWish(source.normalised) });
    expect(storedWish({ pfx: base64 })).toBeUndefined();
    expect(storedWish(undefined)).toBeUndefined();
  });

  it.each([
    ["no name", { dnsNames: [] }, /at least one name/],
    ["no list of names", {}, /selfSigned\.dnsNames must be a list/],
    ["a name that is none", { dnsNames: ["mail server"] }, /"mail server" isn't a DNS name/],
    ["no day", { dnsNames: ["a.contoso.com"], validityDays: 0 }, /at least 1/],
    ["more than ten years", { dnsNames: ["a.contoso.com"], validityDays: 3651 }, /ten years/],
    ["an odd key", { dnsNames: ["a.contoso.com"], keySize: 1024 }, /2048, 3072 or 4096/],
    ["a subject that can't be read", { dnsNames: ["a.contoso.com"], subject: "mail" }, /selfSigned\.subject/],
    ["something unknown", { dnsNames: ["a.contoso.com"], days: 3 }, /days doesn't belong/],
  ])("is refused with %s", async (_what, selfSigned, problem) => {
    expect(await problemsOf({ selfSigned })).toMatch(problem);
  });
});

describe("a certificate that is to be chosen on the server", () => {
  it("is a wish until somebody has looked there, and stored as it is given", async () => {
    const source = await sourceOf({
      onServer: { dnsNames: [" Mail.Contoso.com"], issuer: "Contoso CA", minDaysLeft: 7 },
    });
    expect(source).toEqual({
      desired: { kind: "unknown" },
      onServer: { dnsNames: ["mail.contoso.com"], issuers: ["Contoso CA"], minDaysLeft: 7 },
      material: undefined,
      normalised: { onServer: { dnsNames: ["mail.contoso.com"], issuer: "Contoso CA", minDaysLeft: 7 } },
    });
    expect(await sourceOf(source.normalised)).toEqual(source);
  });

  it("may be of any issuer, or of several, and end whenever it does", async () => {
    const dnsNames = ["mail.contoso.com"];
    expect((await sourceOf({ onServer: { dnsNames } })).onServer).toEqual({ dnsNames, issuers: [], minDaysLeft: 0 });
    expect((await sourceOf({ onServer: { dnsNames, issuer: ["R10", "R11"] } })).onServer?.issuers).toEqual([
      "R10",
      "R11",
    ]);
  });

  it.each([
    ["no name", { dnsNames: [] }, /onServer\.dnsNames is empty; give at least one name/],
    ["no list of names", { dnsNames: "mail.contoso.com" }, /onServer\.dnsNames must be a list/],
    ["a name that is none", { dnsNames: ["mail server"] }, /onServer\.dnsNames: "mail server" isn't a DNS name/],
    ["an empty issuer", { dnsNames: ["a.contoso.com"], issuer: " " }, /onServer\.issuer is empty/],
    ["no issuer at all", { dnsNames: ["a.contoso.com"], issuer: [] }, /onServer\.issuer must be/],
    ["an issuer that is no text", { dnsNames: ["a.contoso.com"], issuer: 3 }, /onServer\.issuer must be/],
    ["half a day", { dnsNames: ["a.contoso.com"], minDaysLeft: 0.5 }, /onServer\.minDaysLeft must be a whole number/],
    ["days below zero", { dnsNames: ["a.contoso.com"], minDaysLeft: -1 }, /onServer\.minDaysLeft must be at least 0/],
    ["something unknown", { dnsNames: ["a.contoso.com"], template: "Web" }, /template doesn't belong/],
  ])("is refused with %s", async (_what, onServer, problem) => {
    expect(await problemsOf({ onServer })).toMatch(problem);
  });
});

describe("a source that can't be used", () => {
  it.each([
    ["nothing", undefined, /give one of/],
    ["a text", base64, /give one of/],
    ["a list", [{ pfx: base64 }], /give one of/],
    [
      "no source",
      {},
      /no source is given; give exactly one of thumbprint, pfx, pfxFile, pem, pemFiles, onServer, selfSigned/,
    ],
    ["only nulls", { pfx: null, pem: undefined }, /no source is given/],
    ["two sources", { pfx: base64, thumbprint: "12" }, /thumbprint and pfx are given together/],
    ["a malformed thumbprint", { thumbprint: "12 34" }, /Copy it from Get-ExchangeCertificate/],
    ["an empty PFX", { pfx: "" }, /pfx is empty/],
    ["what isn't base64", { pfx: "C:\\mail.pfx" }, /its path as pfxFile/],
    ["what isn't a PFX", { pfx: "AAAA" }, /PFX/],
    ["a wrong password", { pfx: base64, password: "not it" }, /password/],
    ["no password where one is needed", { pfx: base64 }, /password/],
    ["a password that is no text", { pfx: base64, password: 4711 }, /password must be a text/],
    ["a file that isn't there", { pfxFile: "certs/none.pfx" }, /certs\/none\.pfx.*program's directory/],
    [
      "a key file that isn't there",
      { pemFiles: { certificateFile: `${LIVE}/cert.pem`, privateKeyFile: "none.key" } },
      /none\.key.*named by pemFiles\.privateKeyFile.*program's directory/,
    ],
    [
      "a certificate in the place of the key file",
      { pemFiles: { certificateFile: `${LIVE}/cert.pem`, privateKeyFile: `${LIVE}/cert.pem` } },
      /a certificate and no private key/,
    ],
    ["a variable that isn't set", { pfxFile: "certs/mail.pfx", passwordEnv: "NOT_SET" }, /NOT_SET.*isn't set/],
    ["a password in the place of a variable", { pfxFile: "a.pfx", passwordEnv: PASSWORD }, /belongs into password/],
    ["a path as long as a PFX", { pfxFile: "A".repeat(2000) }, /too long for a path/],
    [
      "a password twice",
      { pfxFile: "certs/mail.pfx", password: PASSWORD, passwordEnv: "MAIL_PASSWORD" },
      /give one of them/,
    ],
    ["a certificate as PEM without its key", { pem: { certificate: certificatePem } }, /pem\.privateKey/],
    [
      "a key of another certificate",
      { pem: { certificate: certificatePem, privateKey: otherKeyPem } },
      /belongs to none/,
    ],
    ["texts that are no PEM", { pem: { certificate: "x", privateKey: keyPem } }, /neither PEM, DER/],
    [
      "a key besides the source",
      { pfx: base64, password: PASSWORD, passphrase: PASSWORD },
      /passphrase doesn't belong/,
    ],
  ])("is refused: %s", async (_what, given, problem) => {
    expect(await problemsOf(given)).toMatch(problem);
  });

  it("takes an empty variable for an empty password, and not for none that is set", async () => {
    expect(await problemsOf({ pfxFile: "certs/mail.pfx", passwordEnv: "NO_PASSWORD" })).not.toMatch(/isn't set/);
  });

  it("is refused without a word of what may be secret in it", async () => {
    const long = keyPem.split("\n")[1] ?? "";
    for (const given of [
      { pfx: `${base64.slice(0, 200)}AAAA`, password: PASSWORD },
      { pfx: base64, password: `${PASSWORD}x` },
      { pfxFile: "certs/none.pfx", password: PASSWORD },
      { pem: { certificate: certificatePem, privateKey: keyPem.replace("A", "?") } },
      { pem: { certificate: keyPem, privateKey: certificatePem } },
      { thumbprint: keyPem },
      { thumbprint: base64 },
      { pfxFile: base64 },
      { pfxFile: "certs/mail.pfx", passwordEnv: PASSWORD },
    ]) {
      const problems = await problemsOf(given);
      for (const secret of [PASSWORD, long, base64.slice(0, 40)]) expect(problems).not.toContain(secret);
    }
  });
});
