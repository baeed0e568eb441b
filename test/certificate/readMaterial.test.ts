import { createCipheriv, pbkdf2Sync } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";

import {
  childOf,
  childrenOf,
  context,
  integer,
  objectIdentifier,
  octetString,
  readAsn1,
  sequence,
  writeAsn1,
} from "../../provider/certificate/asn1";
import { MAX_ROUNDS, MAX_ROUNDS_IN_ALL } from "../../provider/certificate/pbe";
import { readPem, readPfx } from "../../provider/certificate/readMaterial";
import { Secret } from "../../provider/secret";
import { threadsStarted } from "../../provider/certificate/thread";
import { makeTestCertificate } from "./testCertificates";

const PASSWORD = new Secret("exchange-test");
const fixture = (name: string): Secret<Uint8Array> => new Secret(readFileSync(path.join(__dirname, "fixtures", name)));

/** The file with another number of rounds in its integrity check, so that no password fits any more. */
function withRounds(name: string, rounds: number): Secret<Uint8Array> {
  const pfx = readAsn1(fixture(name).reveal());
  const [digestInfo, salt] = childrenOf(childOf(pfx, 2));
  if (digestInfo === undefined || salt === undefined) throw new Error("no integrity check");
  const mac = sequence(digestInfo, salt, integer(rounds));
  return new Secret(writeAsn1(sequence(childOf(pfx, 0), childOf(pfx, 1), mac)));
}

describe("reading a PFX beside the event loop", () => {
  it("is done by a thread, and the loop turns meanwhile", async () => {
    let turns = 0;
    const turning = setInterval(() => (turns += 1), 1);
    const started = threadsStarted;
    await expect(readPfx(withRounds("ecc.pfx", 200_000), new Secret("pä"))).rejects.toMatchObject({
      code: "PfxWrongPassword",
    });
    clearInterval(turning);
    expect(threadsStarted).toBe(started + 1);
    expect(turns).toBeGreaterThan(10);
  });

  it("gives what the file holds, the key too", async () => {
    const material = await readPfx(fixture("openssl3-aes.pfx"), PASSWORD);
    expect(material.facts.subject).toBe('CN=mail.contoso.com, OU=IT, O="Contoso, Ltd.", C=US');
    expect(material.chain).toHaveLength(2);
    expect(material.privateKey.reveal().asymmetricKeyType).toBe("rsa");
    expect(JSON.stringify(material)).not.toContain("PRIVATE");
  });

  it("gives refusals with code, facts and nothing else", async () => {
    const refused = readPfx(fixture("certificate-only.pfx"), PASSWORD);
    await expect(refused).rejects.toMatchObject({
      name: "ExchangeBindingError",
      code: "PfxWithoutKey",
      facts: { thumbprints: ["1C07FD30CB7BAA65E0D5D9AD5FE22EED1ECE20FC"] },
    });
  });

  it("ends when the signal fires, and the next file is read all the same", async () => {
    const end = new AbortController();
    const slow = readPfx(withRounds("rsa4096.pfx", MAX_ROUNDS), new Secret("ü"), { signal: end.signal });
    setTimeout(() => {
      end.abort(new Error("that is enough"));
    }, 20);
    await expect(slow).rejects.toThrow("that is enough");
    await expect(readPfx(fixture("ecc.pfx"), PASSWORD)).resolves.toMatchObject({ facts: { keyAlgorithm: "ECC" } });
  });

  it("doesn't begin when the signal has fired before", async () => {
    const signal = AbortSignal.abort(new Error("too late"));
    await expect(readPfx(fixture("keytool.p12"), PASSWORD, { signal })).rejects.toThrow("too late");
  });

  it("goes on for those who wait when one of them gives up", async () => {
    const end = new AbortController();
    const file = withRounds("keytool.p12", 200_000);
    const one = readPfx(file, PASSWORD, { signal: end.signal });
    const other = readPfx(file, PASSWORD);
    end.abort(new Error("one gives up"));
    await expect(one).rejects.toThrow("one gives up");
    await expect(other).rejects.toMatchObject({ code: "PfxWrongPassword" });
  });
});

describe("what reading may cost", () => {
  it("more rounds in all than real files have are refused by their number, although each derivation is allowed", async () => {
    // Four files in one: each part asks for what one derivation may take.
    const many = new Secret(partsOfRounds(MAX_ROUNDS, 4));
    await expect(readPfx(many, new Secret("x"))).rejects.toMatchObject({
      code: "PfxUnreadable",
      message: expect.stringContaining(`more than ${MAX_ROUNDS_IN_ALL} rounds of key derivation in all`),
    });
  });
});

describe("the memory of files", () => {
  it("gives the same material for the same file and password", async () => {
    const material = await readPfx(fixture("openssl3-aes.pfx"), PASSWORD);
    expect(await readPfx(fixture("openssl3-aes.pfx"), new Secret("exchange-test"))).toBe(material);
  });

  it("remembers a refusal, and opens with another password all the same", async () => {
    const refused = await readPfx(fixture("ecc.pfx"), new Secret("wrong")).catch((error: unknown) => error);
    expect(await readPfx(fixture("ecc.pfx"), new Secret("wrong")).catch((error: unknown) => error)).toBe(refused);
    await expect(readPfx(fixture("ecc.pfx"), PASSWORD)).resolves.toBeDefined();
  });

  it("tells PEM texts apart by each of their parts", async () => {
    const { der, privateKey } = makeTestCertificate({ dnsNames: ["mail.contoso.com"] });
    const certificate = `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString("base64")}\n-----END CERTIFICATE-----`;
    const key = new Secret(privateKey.reveal().export({ format: "pem", type: "pkcs8" }) as string);
    const alone = await readPem({ certificate, privateKey: key });
    const withChain = await readPem({ certificate, privateKey: key, chain: certificate });
    expect(withChain).not.toBe(alone);
    expect(await readPem({ certificate, privateKey: key })).toBe(alone);
  });

  it("forgets the file that was not asked for longest", async () => {
    const material = await readPfx(fixture("openssl3-aes.pfx"), PASSWORD);
    const broken = (number: number) => readPfx(new Secret(Buffer.from(`broken ${number}`)), undefined).catch(() => 0);
    for (let number = 0; number < 40; number += 1) await broken(number);
    expect(await readPfx(fixture("openssl3-aes.pfx"), PASSWORD)).toBe(material);
    for (let number = 40; number < 110; number += 1) await broken(number);
    expect(await readPfx(fixture("openssl3-aes.pfx"), PASSWORD)).not.toBe(material);
  });
});

/**
 * A PFX without integrity check of so many parts without contents, each encrypted with AES-128 and a key of its own to
 * derive (PBES2, RFC 8018 section 6.2). The password is "x".
 */
function partsOfRounds(rounds: number, parts: number): Uint8Array {
  const salt = Buffer.alloc(8, 1);
  const iv = Buffer.alloc(16, 2);
  const cipher = createCipheriv("aes-128-cbc", pbkdf2Sync("x", salt, rounds, 16, "sha1"), iv);
  const encrypted = Buffer.concat([cipher.update(writeAsn1(sequence())), cipher.final()]);
  const oid = objectIdentifier;
  const algorithm = sequence(
    oid("1.2.840.113549.1.5.13"),
    sequence(
      sequence(oid("1.2.840.113549.1.5.12"), sequence(octetString(salt), integer(rounds))),
      sequence(oid("2.16.840.1.101.3.4.1.2"), octetString(iv)),
    ),
  );
  const info = sequence(oid("1.2.840.113549.1.7.1"), algorithm, context(0, encrypted));
  const part = sequence(oid("1.2.840.113549.1.7.6"), context(0, [sequence(integer(0), info)]));
  const safe = context(0, [octetString(writeAsn1(sequence(...Array.from({ length: parts }, () => part))))]);
  return writeAsn1(sequence(integer(3), sequence(oid("1.2.840.113549.1.7.1"), safe)));
}
