import { packPfx } from "../provider/certificate/packPfx";
import { INPUT_KEYS, readInputs } from "../provider/inputs";
import type { CheckFailure, ReadInputs } from "../provider/inputs";
import { Secret } from "../provider/secret";
import { UNKNOWN } from "../provider/unknowns";
import { makeTestCertificate } from "./certificate/testCertificates";
import { called, identityOf } from "./identities";
import { freshReading } from "./readings";

const THUMBPRINT = "0123456789ABCDEF0123456789ABCDEF01234567";
const mail = makeTestCertificate({ dnsNames: ["mail.contoso.com", "imap.contoso.com"] });
const wildcard = makeTestCertificate({ dnsNames: ["*.contoso.com"] });

function pfxOf(material: typeof mail): object {
  return { pfx: Buffer.from(packPfx(material, new Secret("pw")).reveal()).toString("base64"), password: "pw" };
}

const mailPfx = pfxOf(mail);
const wildcardPfx = pfxOf(wildcard);
const selfSigned = { selfSigned: { dnsNames: ["mail.contoso.com"] } };

function read(changes: Readonly<Record<string, unknown>> = {}, reading = freshReading()): Promise<ReadInputs> {
  return readInputs(
    {
      ...called("mail"),
      server: "ex01.contoso.com",
      certificate: { thumbprint: THUMBPRINT },
      services: ["SMTP"],
      ...changes,
    },
    reading,
  );
}

/** The reasons at one property, where no other has any. */
async function refusal(changes: Readonly<Record<string, unknown>>, property: string): Promise<string> {
  const { failures } = await read(changes);
  expect(failures.map((failure) => failure.property)).toEqual([property]);
  return failures.map((failure: CheckFailure) => failure.reason).join("\n");
}

describe("what a program writes is brought into one form", () => {
  it("stores the server in lower case, without blanks around it", async () => {
    expect(await read({ server: " EX01.Contoso.COM " })).toMatchObject({
      server: "ex01.contoso.com",
      normalised: { server: "ex01.contoso.com" },
      failures: [],
    });
  });

  it("takes services in any case and order, and stores them once each in one order", async () => {
    expect((await read({ services: ["smtp", "Iis", "SMTP", "umcallrouter", "um"] })).normalised["services"]).toEqual([
      "IIS",
      "SMTP",
      "UM",
      "UMCallRouter",
    ]);
  });

  it.each([
    ["lower case", THUMBPRINT.toLowerCase()],
    ["blanks", THUMBPRINT.replace(/../g, "$& ")],
    ["colons", THUMBPRINT.replace(/..(?=.)/g, "$&:")],
    ["the invisible mark of the Windows dialog", `\u200E${THUMBPRINT.toLowerCase()}`],
  ])("takes thumbprints with %s, and stores them in upper case", async (_what, pasted) => {
    const { normalised, failures } = await read({ certificate: { thumbprint: pasted }, successor: pasted });
    expect(failures).toEqual([]);
    expect(normalised).toMatchObject({ certificate: { thumbprint: THUMBPRINT }, successor: THUMBPRINT });
  });

  it("stores the names of IMAP and POP in lower case, and a cleared one as an empty text", async () => {
    const { normalised, desired } = await read({ imapCertificateName: "IMAP.contoso.com", popCertificateName: "  " });
    expect(normalised).toMatchObject({ imapCertificateName: "imap.contoso.com", popCertificateName: "" });
    expect(desired?.certificateNames).toEqual({ IMAP: "imap.contoso.com", POP: null });
  });

  it("adds what the certificate says of itself, so that previews show it", async () => {
    const { thumbprint, subject, issuer, serialNumber, dnsNames, notBefore, notAfter } = mail.facts;
    expect((await read({ certificate: mailPfx })).normalised).toMatchObject({
      thumbprint,
      subject,
      issuer,
      serialNumber,
      dnsNames,
      notBefore,
      notAfter,
    });
  });

  it("adds no facts of a certificate that is still to be made", async () => {
    expect((await read({ certificate: selfSigned })).normalised).not.toHaveProperty("thumbprint");
  });

  it("is stable: reading what was stored changes nothing", async () => {
    for (const changes of [
      { services: ["smtp", "IIS"], certificate: mailPfx, popCertificateName: " " },
      { certificate: { thumbprint: THUMBPRINT.toLowerCase() }, successor: `${THUMBPRINT.toLowerCase()} ` },
      { certificate: selfSigned, renewBeforeDays: 10 },
    ]) {
      const reading = freshReading();
      const once = (await read(changes, reading)).normalised;
      const twice = await readInputs(once, reading);
      expect(twice.failures).toEqual([]);
      expect(twice.normalised).toEqual(once);
    }
  });

  it("fills in the defaults of the contract", async () => {
    expect((await read()).desired).toEqual({
      identity: identityOf("mail"),
      deleteBeforeReplace: false,
      server: "ex01.contoso.com",
      certificate: { kind: "thumbprint", thumbprint: THUMBPRINT },
      services: ["SMTP"],
      replaceDefaultSmtpCertificate: false,
      requireSsl: true,
      certificateNames: { IMAP: undefined, POP: undefined },
      successor: undefined,
      onServiceRemoved: "refuse",
      connectors: { send: [], receive: [] },
      onDelete: "retain",
      removeAfterDays: 0,
      allowConnectorGap: false,
      onFailure: "keep",
      friendlyName: undefined,
      privateKeyExportable: false,
      renewBeforeDays: 30,
      timeoutSeconds: 300,
    });
  });

  it("doesn't store the defaults, so that a later version may know more of them", async () => {
    expect(Object.keys((await read()).normalised).sort()).toEqual(
      ["bindingLabel", "bindingUrn", "certificate", "server", "services", "thumbprint"].sort(),
    );
  });

  it("takes null for an input that is left out", async () => {
    const { desired, failures, normalised } = await read({ friendlyName: null, successor: null, timeoutSeconds: null });
    expect(failures).toEqual([]);
    expect(desired).toMatchObject({ friendlyName: undefined, successor: undefined, timeoutSeconds: 300 });
    expect(normalised).not.toHaveProperty("friendlyName");
  });
});

describe("what is refused, at the input that it belongs to", () => {
  it.each([
    ["a short name", "ex01"],
    ["a distinguished name", "CN=EX01,CN=Servers,DC=contoso,DC=com"],
    ["a trailing dot", "ex01.contoso.com."],
    ["an address", "192.168.0.1"],
    ["nothing", undefined],
    ["something else than a text", 17],
  ])("a server by %s", async (_what, server) => {
    expect(await refusal({ server }, "server")).toMatch(/Write it like ex01\.contoso\.com/);
  });

  it("a service that isn't one, with the choices", async () => {
    const reason = await refusal({ services: ["SMTP", "FTP"] }, "services");
    expect(reason).toContain(`"FTP" isn't a service. Services are IIS, IMAP, POP, SMTP, UM, UMCallRouter.`);
  });

  it.each([
    ["an empty list", [], /declares at least one/],
    ["Federation", ["Federation"], /Set-FederationTrust/],
    ["None", ["none"], /can't take services away/],
    ["a text", "SMTP", /isn't a list/],
    ["nothing", undefined, /nothing isn't a list/],
    ["a number among them", ["SMTP", 3], /3 isn't a service/],
  ])("services that are %s", async (_what, services, reason) => {
    expect(await refusal({ services }, "services")).toMatch(reason);
  });

  it("IMAP and POP on a wildcard certificate without a name, each at its own input", async () => {
    const { failures } = await read({ certificate: wildcardPfx, services: ["IMAP", "POP"] });
    expect(failures).toMatchObject([
      { property: "imapCertificateName", reason: expect.stringContaining("Set-ImapSettings") as string },
      { property: "popCertificateName", reason: expect.stringContaining("Set-PopSettings") as string },
    ]);
  });

  it("the same for a wildcard certificate that is still to be made", async () => {
    const wish = { selfSigned: { dnsNames: ["*.contoso.com"] } };
    expect(await refusal({ certificate: wish, services: ["POP"] }, "popCertificateName")).toMatch(/wildcard/);
  });

  it("a name that the certificate doesn't cover, with those it does", async () => {
    const changes = { certificate: mailPfx, services: ["IMAP"], imapCertificateName: "imap.fabrikam.com" };
    const reason = await refusal(changes, "imapCertificateName");
    expect(reason).toMatch(/mail\.contoso\.com and imap\.contoso\.com/);
  });

  it("a cleared name of a service that is declared", async () => {
    const changes = { certificate: mailPfx, services: ["POP"], popCertificateName: "" };
    expect(await refusal(changes, "popCertificateName")).toMatch(/no certificate serves it/);
  });

  it("a name that is none", async () => {
    expect(await refusal({ imapCertificateName: "mail" }, "imapCertificateName")).toMatch(/fully qualified host name/);
    expect(await refusal({ popCertificateName: 3 }, "popCertificateName")).toMatch(/3 isn't a name/);
  });

  it("a name of another script, once, with the form that certificates have", async () => {
    const changes = { certificate: wildcardPfx, services: ["IMAP"], imapCertificateName: "mail.müller.example" };
    const { failures } = await read(changes);
    expect(failures).toMatchObject([
      {
        property: "imapCertificateName",
        reason: expect.stringContaining(
          'it holds "ü"; in DNS and in certificates it is mail.xn--mller-kva.example',
        ) as string,
      },
    ]);
  });

  it("a server's name with a character that none may have, naming it; never a character of a value that may be a secret", async () => {
    expect(await refusal({ server: "ex_01.contoso.com" }, "server")).toContain(
      'it holds "_", which no host name may have',
    );
    expect(await refusal({ server: "Passw0rd§".repeat(20) }, "server")).not.toContain("§");
  });

  it("the default SMTP role without SMTP", async () => {
    const changes = { services: ["IIS"], replaceDefaultSmtpCertificate: true };
    expect(await refusal(changes, "replaceDefaultSmtpCertificate")).toMatch(/Add SMTP to services/);
  });

  it("a successor that is no thumbprint", async () => {
    expect(await refusal({ successor: "12 34" }, "successor")).toMatch(/40 hexadecimal digits/);
  });

  it.each([
    ["onServiceRemoved", "drop", /"refuse" or "forget"/],
    ["removeAfterDays", 7, /only onDelete: "remove"/],
    ["allowConnectorGap", true, /only onDelete: "remove"/],
    ["onDelete", "keep", /"retain" or "remove"/],
    ["onFailure", "retry", /"keep" or "rollback"/],
    ["replaceDefaultSmtpCertificate", "yes", /true or false/],
    ["requireSsl", 1, /true or false/],
    ["privateKeyExportable", "true", /true or false/],
    ["renewBeforeDays", -1, /at least 0 days/],
    ["renewBeforeDays", 1.5, /whole number of days/],
    ["timeoutSeconds", 0, /at least 1 second\b/],
    ["timeoutSeconds", 100_000, /at most 86400 seconds/],
    ["timeoutSeconds", "300", /whole number of seconds/],
    ["friendlyName", "", /leave it out/],
    ["friendlyName", "n".repeat(64), /63 characters/],
    ["friendlyName", "mail\u0000", /can't be seen/],
    ["friendlyName", "mail\nbox", /can't be seen/],
    ["friendlyName", "\u202Eliam", /can't be seen/],
    ["friendlyName", "mail\uD83D", /can't be seen/],
  ])("%s: %p", async (property, value, reason) => {
    expect(await refusal({ [property]: value }, property)).toMatch(reason);
  });

  it("a friendly name of one's own for a made certificate, which is found again by its name", async () => {
    expect(await refusal({ certificate: selfSigned, friendlyName: "mine" }, "friendlyName")).toMatch(/interrupted run/);
  });

  it("a made certificate that would be due for renewal at once", async () => {
    const certificate = { selfSigned: { dnsNames: ["mail.contoso.com"], validityDays: 30 } };
    expect(await refusal({ certificate }, "renewBeforeDays")).toMatch(/due for renewal at once/);
    expect((await read({ certificate, renewBeforeDays: 29 })).failures).toEqual([]);
  });

  it("a misspelt input, with what was meant", async () => {
    expect(await refusal({ Server: "ex01.contoso.com" }, "Server")).toMatch(/did you mean server\?/);
    expect(await refusal({ imapName: "imap.contoso.com" }, "imapName")).toMatch(/isn't an input/);
  });

  it("all mistakes together", async () => {
    const { failures } = await read({
      server: "ex01",
      certificate: {},
      services: ["FTP"],
      successor: "x",
      timeoutSeconds: 0,
      requireSsl: "no",
    });
    expect(failures.map(({ property }) => property).sort()).toEqual(
      ["certificate", "requireSsl", "server", "services", "successor", "timeoutSeconds"].sort(),
    );
  });

  it("without a word of a secret, wherever it was put", async () => {
    const secret = "S3cret-of-the-PFX";
    for (const certificate of [
      { pfx: secret, password: secret },
      { pfxFile: "a.pfx", passwrd: secret },
      { pfx: "AAAA", password: secret, key: secret },
      { pem: { certificate: secret, privateKey: secret } },
      { pem: { certificate: "x", privateKey: "y", key: secret } },
      secret,
      [secret],
    ]) {
      const { failures } = await read({ certificate });
      expect(failures.length).toBeGreaterThan(0);
      expect(JSON.stringify(failures)).not.toContain(secret);
    }
  });
});

describe("values that a preview doesn't know yet", () => {
  const full = {
    certificate: mailPfx,
    services: ["SMTP", "IMAP"],
    replaceDefaultSmtpCertificate: true,
    requireSsl: true,
    imapCertificateName: "imap.contoso.com",
    popCertificateName: "pop.contoso.com",
    successor: THUMBPRINT,
    onServiceRemoved: "forget",
    onDelete: "retain",
    friendlyName: "mine",
    privateKeyExportable: true,
    renewBeforeDays: 20,
    timeoutSeconds: 60,
  };

  it("are complaints to nobody, each input in turn, and stay in the inputs as they are", async () => {
    expect((await read(full)).failures).toEqual([]);
    for (const key of INPUT_KEYS) {
      const { failures, normalised } = await read({ ...full, [key]: UNKNOWN });
      expect({ key, failures }).toEqual({ key, failures: [] });
      expect(normalised[key]).toBe(UNKNOWN);
    }
  });

  it("leave no plan, but for an unknown successor, which a plan can do without", async () => {
    for (const key of INPUT_KEYS.filter((one) => one !== "successor")) {
      expect((await read({ ...full, [key]: UNKNOWN })).desired).toBeUndefined();
    }
    expect((await read({ ...full, successor: UNKNOWN })).desired?.successor).toBe("unknown");
  });

  it.each([
    ["in a list", { services: ["SMTP", UNKNOWN] }, "services"],
    ["deep in a source", { certificate: { selfSigned: { dnsNames: ["a.contoso.com", UNKNOWN] } } }, "certificate"],
  ] as const)("are found %s", async (_where, changes, key) => {
    const { failures, unknown, normalised } = await read(changes);
    expect(failures).toEqual([]);
    expect([...unknown]).toEqual([key]);
    expect(normalised).toMatchObject(changes);
  });

  it("make a source unknown as a whole, with what will be read from it: its other parts may be secret", async () => {
    const { unknown, normalised } = await read({ certificate: { pfx: UNKNOWN, password: "the password" } });
    expect([...unknown]).toEqual(["certificate"]);
    expect(normalised).toMatchObject({ certificate: { form: UNKNOWN }, thumbprint: UNKNOWN, notAfter: UNKNOWN });
  });

  it("don't keep what is known from being checked", async () => {
    const { failures } = await read({
      server: "ex01",
      certificate: UNKNOWN,
      services: ["FTP", UNKNOWN],
      requireSsl: "no",
    });
    expect(failures.map(({ property }) => property).sort()).toEqual(["requireSsl", "server", "services"]);
  });
});
