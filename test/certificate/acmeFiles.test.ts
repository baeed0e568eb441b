import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";

import { readPemHere } from "../../provider/certificate/pem";
import { readPfxHere } from "../../provider/certificate/pfx";
import { readCertificate } from "../../provider/certificate/readCertificate";
import { recogniseFile } from "../../provider/certificate/recognise";
import { Secret } from "../../provider/secret";

/** Files that clients of ACME wrote, laid out as they leave them; fixtures/README.md says which client, and how. */
const directory = path.join(__dirname, "fixtures", "acme");
const file = (name: string): Uint8Array => readFileSync(path.join(directory, name));

const LIVE = "live/mail.contoso.com";
const OF = "certificates/mail.contoso.com";
const LEAF = "mail.contoso.com";
const ISSUER = "Pebble Intermediate CA";

/** What is in each: its certificates, and how many keys. */
const PARTS: readonly (readonly [string, readonly string[], number])[] = [
  ...["lego", "lego-ec"].flatMap((tool): (typeof PARTS)[number][] => [
    [`${tool}/${OF}.crt`, [LEAF, ISSUER], 0],
    [`${tool}/${OF}.issuer.crt`, [ISSUER], 0],
    [`${tool}/${OF}.key`, [], 1],
    [`${tool}/${OF}.pem`, [LEAF, ISSUER], 1],
  ]),
  ...["certbot", "certbot-ec"].flatMap((tool): (typeof PARTS)[number][] => [
    [`${tool}/${LIVE}/cert.pem`, [LEAF], 0],
    [`${tool}/${LIVE}/chain.pem`, [ISSUER], 0],
    [`${tool}/${LIVE}/fullchain.pem`, [LEAF, ISSUER], 0],
    [`${tool}/${LIVE}/privkey.pem`, [], 1],
  ]),
  ...["acme.sh/mail.contoso.com", "acme.sh/mail.contoso.com_ecc"].flatMap((folder): (typeof PARTS)[number][] => [
    [`${folder}/ca.cer`, [ISSUER], 0],
    [`${folder}/fullchain.cer`, [LEAF, ISSUER], 0],
    [`${folder}/mail.contoso.com.cer`, [LEAF], 0],
    [`${folder}/mail.contoso.com.key`, [], 1],
  ]),
  ["acme.sh/mail.contoso.com/mail.contoso.com.pkcs8", [], 1],
  ["acme.sh/installed/ca.pem", [ISSUER], 0],
  ["acme.sh/installed/cert.pem", [LEAF], 0],
  ["acme.sh/installed/fullchain.pem", [LEAF, ISSUER], 0],
  ["acme.sh/installed/key.pem", [], 1],
];
const REQUESTS = ["acme.sh/mail.contoso.com/mail.contoso.com.csr", "acme.sh/mail.contoso.com_ecc/mail.contoso.com.csr"];
const PFX = [`lego/${OF}.pfx`, `lego-ec/${OF}.pfx`, "acme.sh/mail.contoso.com_ecc/mail.contoso.com.pfx"];

/** What a program names: the certificate, its key, and the chain where that stands apart. */
const SOURCES: readonly (readonly [string, string, string?])[] = [
  ...["lego", "lego-ec"].flatMap((tool): (typeof SOURCES)[number][] => [
    [`${tool}/${OF}.crt`, `${tool}/${OF}.key`],
    [`${tool}/${OF}.pem`, `${tool}/${OF}.pem`],
  ]),
  ...["certbot", "certbot-ec"].flatMap((tool): (typeof SOURCES)[number][] => [
    [`${tool}/${LIVE}/fullchain.pem`, `${tool}/${LIVE}/privkey.pem`],
    [`${tool}/${LIVE}/cert.pem`, `${tool}/${LIVE}/privkey.pem`, `${tool}/${LIVE}/chain.pem`],
  ]),
  ["acme.sh/mail.contoso.com/fullchain.cer", "acme.sh/mail.contoso.com/mail.contoso.com.key"],
  ["acme.sh/mail.contoso.com/fullchain.cer", "acme.sh/mail.contoso.com/mail.contoso.com.pkcs8"],
  ["acme.sh/mail.contoso.com_ecc/fullchain.cer", "acme.sh/mail.contoso.com_ecc/mail.contoso.com.key"],
  ["acme.sh/installed/cert.pem", "acme.sh/installed/key.pem", "acme.sh/installed/ca.pem"],
];

/** Public authorities put no name into the subject any more where they are asked for a short life; Pebble never does. */
const OURS = { subject: "", dnsNames: expect.arrayContaining([LEAF, "autodiscover.contoso.com"]) as unknown };

const nameOf = (der: Uint8Array): string => {
  const { commonName, dnsNames } = readCertificate(der);
  return commonName === undefined ? (dnsNames.includes(LEAF) ? LEAF : "") : commonName.replace(/ [0-9a-f]{6}$/, "");
};

describe("files that clients of ACME wrote", () => {
  it("are all in one of these tables", () => {
    const told = [...PARTS.map(([name]) => name), ...REQUESTS, ...PFX];
    const there = readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)).split(path.sep).join("/"));
    expect([...told].sort()).toEqual(there.sort());
  });

  it.each(PARTS)("%s holds %j", (name, names, keys) => {
    const found = recogniseFile(file(name));
    if (found.kind !== "parts") throw new Error(JSON.stringify(found));
    expect(found.certificates.map(nameOf)).toEqual(names);
    expect(found.keys).toHaveLength(keys);
  });

  it.each(REQUESTS)("%s is named as a request", (name) => {
    expect(recogniseFile(file(name))).toEqual({ kind: "stranger", stranger: "request" });
  });

  it.each(PFX)("%s is a PFX with its key and its issuer", (name) => {
    const material = readPfxHere(new Secret(file(name)), new Secret("exchange-test"));
    expect(material.facts).toMatchObject(OURS);
    expect(material.chain.map(nameOf)).toEqual([ISSUER]);
  });

  it.each(SOURCES.map((files) => [files] as const))("%j are a certificate with its key and its issuer", (files) => {
    const [certificate, privateKey, chain] = files;
    const source = { certificate: file(certificate), privateKey: new Secret(file(privateKey)) };
    const material = readPemHere(chain === undefined ? source : { ...source, chain: file(chain) });
    expect(material.facts).toMatchObject(OURS);
    expect(material.chain.map(nameOf)).toEqual([ISSUER]);
    expect(material.notices).toEqual([]);
  });
});
