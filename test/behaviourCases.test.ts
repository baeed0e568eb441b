/**
 * Behaviour that tools before this one have settled, or got wrong, retold in our terms. The numbers are those of a
 * catalogue: T from the tests of ExchangeDsc, D from its source, C from those of CSS-Exchange, K from those of
 * Keyfactor's IIS orchestrator. Where we decide otherwise, the test shows our answer and says why.
 */
import { freshReading } from "./readings";
import { servicesFromText } from "../provider/backends/remote/exchangeCertificateObject";
import type { Organisation } from "../provider/backends/simulator/organisation";
import type { Thumbprint } from "../provider/certificate/thumbprint";
import { readInputs } from "../provider/inputs";
import { known, valueOr } from "../provider/model";
import { findCertificate, heldServices } from "../provider/plan/holdings";
import { EX01, EX02, defaultOrganisation, withFaults, withServer } from "./backends/simulatedServer";
import { RefusedPreview, givenPfx, makeMiniEngine, type MiniEngine } from "./miniEngine";

type Bag = Readonly<Record<string, unknown>>;

const mail = givenPfx();
const renewed = givenPfx();
const binding = (services: readonly unknown[], more: Bag = {}): Record<string, Bag> => ({
  mail: { server: EX01, certificate: mail.source, services, ...more },
});
let organisation: Organisation;
beforeAll(async () => {
  organisation = await defaultOrganisation();
});

async function held(engine: MiniEngine, thumbprint: string, server = EX01): Promise<readonly string[]> {
  const observed = await engine.observe(server);
  const certificate = findCertificate(observed, thumbprint as Thumbprint);
  return certificate === undefined ? [] : valueOr(heldServices(observed, certificate), []);
}

async function refusal(attempt: Promise<unknown>): Promise<readonly { property: string; reason: string }[]> {
  const outcome = await attempt.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof RefusedPreview) return outcome.failures;
  throw new Error("the preview was not refused");
}

describe("the services text of Exchange", () => {
  it("T1: without a separator is one service", () => {
    expect(servicesFromText("SMTP")).toEqual(known(["SMTP"]));
  });

  it("T2: may have blanks around it", () => {
    expect(servicesFromText("  SMTP ")).toEqual(known(["SMTP"]));
  });

  it("T3: is split at commas, whatever blanks and case; ours come out in Exchange's own spelling and one order", () => {
    const text = " iis,smtp ,  Imap , POP,UMCallRouter";
    expect(servicesFromText(text)).toEqual(known(["IIS", "IMAP", "POP", "SMTP", "UMCallRouter"]));
  });

  it("T4: that wasn't sent is unknown, never an empty list", async () => {
    const engine = await makeMiniEngine(withFaults(organisation, EX01, { servicesUnknown: true }));
    for (const { displayedServices } of (await engine.observe(EX01)).certificates) {
      expect(displayedServices).toMatchObject({ kind: "unknown" });
    }
  });
});

describe("the wish", () => {
  const read = (services: unknown): ReturnType<typeof readInputs> =>
    readInputs({ server: EX01, certificate: { thumbprint: "A".repeat(40) }, services }, freshReading());

  it.each([
    ["T5: with empty members is refused, because nobody can mean them", ["iis", null, "", "smtp"]],
    ["T8: with one empty member too many is refused rather than compared", ["IIS", ""]],
    ["T9: that is nothing but an empty member is refused", [""]],
  ])("%s", async (_title, services) => {
    expect((await read(services)).failures).toContainEqual({
      property: "services",
      reason: expect.stringContaining("isn't a service") as string,
    });
  });

  it("T7, T12: that is empty is refused: it would mean nothing, and taking services away is impossible", async () => {
    expect((await read([])).failures).toContainEqual({
      property: "services",
      reason: expect.stringContaining("the list is empty") as string,
    });
  });

  it("D1: NONE, in whatever case, is refused and not quietly met", async () => {
    for (const none of ["NONE", "None", "none"]) {
      expect((await read([none])).failures).toContainEqual({
        property: "services",
        reason: expect.stringContaining("Exchange can't take services away") as string,
      });
    }
  });

  it("D6: loses its duplicates", async () => {
    expect((await read(["smtp", "SMTP", "IIS", "iis"])).normalised["services"]).toEqual(["IIS", "SMTP"]);
  });

  it("T6, T11: is the same in another order and another case; case never makes a difference", async () => {
    const engine = await makeMiniEngine(organisation);
    await engine.up(binding(["IIS", "SMTP"]));
    expect((await engine.preview(binding(["smtp", "iis"]))).done).toEqual({ mail: "same" });
    expect((await engine.preview(binding(["SmTp", "IIS", "iis"]))).done).toEqual({ mail: "same" });
  });
});

describe("the wish against the server", () => {
  it("T10, T15: with more than there is, adds only what is missing", async () => {
    const engine = await makeMiniEngine(organisation);
    await engine.up(binding(["IIS", "SMTP"]));
    const run = await engine.up(binding(["IIS", "SMTP", "POP"]));
    expect(run.done).toEqual({ mail: "update" });
    expect(run.lines.filter((line) => line.includes("enables"))).toEqual([expect.stringContaining("enables POP for")]);
    expect(await held(engine, mail.thumbprint)).toEqual(["IIS", "POP", "SMTP"]);
  });

  it("T13: with fewer than there are, is met: more is allowed", async () => {
    const engine = await makeMiniEngine(organisation);
    await engine.up(binding(["SMTP", "IIS"]));
    const request = {
      thumbprint: mail.thumbprint as Thumbprint,
      replaceDefaultSmtpCertificate: false,
      requireSsl: true,
    };
    await engine.backend.enableServices(
      EX01,
      { ...request, services: ["IMAP"] },
      { signal: new AbortController().signal },
    );
    expect((await engine.preview(binding(["smtp", "IIS"]))).done).toEqual({ mail: "same" });
  });

  it("T14: of a certificate that holds nothing, is not met", async () => {
    const engine = await makeMiniEngine(organisation);
    expect((await engine.preview(binding(["SMTP"]))).done).toEqual({ mail: "create" });
  });

  it("T16: reading a certificate with four services gives the four and its thumbprint", async () => {
    const engine = await makeMiniEngine(organisation);
    await engine.up(binding(["IMAP", "POP", "IIS", "SMTP"]));
    await engine.refresh();
    expect(engine.outputs("mail")).toMatchObject({
      thumbprint: mail.thumbprint,
      services: ["IIS", "IMAP", "POP", "SMTP"],
      heldServices: ["IIS", "IMAP", "POP", "SMTP"],
    });
  });

  it("T17: an absent certificate that is given is imported and gets its four services; then there is nothing to do", async () => {
    const engine = await makeMiniEngine(organisation);
    const four = binding(["IMAP", "POP", "IIS", "SMTP"]);
    expect((await engine.preview(four)).done).toEqual({ mail: "create" });
    await engine.up(four);
    expect(await held(engine, mail.thumbprint)).toEqual(["IIS", "IMAP", "POP", "SMTP"]);
    expect((await engine.preview(four)).done).toEqual({ mail: "same" });
    expect((await engine.refresh()).done).toEqual({ mail: "same" });
  });

  it("T18: a second certificate with the same services, SSL not required, holds them, and there is nothing to do", async () => {
    const engine = await makeMiniEngine(organisation);
    const services = ["IMAP", "POP", "IIS", "SMTP"];
    await engine.up(binding(services));
    const second = binding(services, { certificate: renewed.source, requireSsl: false });
    expect((await engine.up(second)).done).toEqual({ mail: "replace" });
    expect(await held(engine, renewed.thumbprint)).toEqual(["IIS", "IMAP", "POP", "SMTP"]);
    expect((await engine.preview(second)).done).toEqual({ mail: "same" });
  });

  it("T19: the superseded certificate may then go; that is no drift of the second one, and leaves its record", async () => {
    const engine = await makeMiniEngine(organisation);
    await engine.up(binding(["IIS", "SMTP"]));
    const second = binding(["IIS", "SMTP"], { certificate: renewed.source });
    await engine.up(second);
    expect(engine.outputs("mail")["supersedes"]).toEqual([
      {
        id: `${EX01}/${mail.thumbprint}`,
        thumbprint: mail.thumbprint,
        released: [],
        since: expect.any(String) as string,
      },
    ]);
    const signal = new AbortController().signal;
    await engine.backend.removeCertificate(EX01, mail.thumbprint as Thumbprint, { signal });
    expect((await engine.preview(second)).done).toEqual({ mail: "same" });
    expect((await engine.refresh()).done).toEqual({ mail: "same" });
    expect(engine.outputs("mail")["supersedes"]).toEqual([]);
  });

  it("T26: the IMAP name is set to an FQDN, then to empty; both come about and stay", async () => {
    const engine = await makeMiniEngine(organisation);
    for (const [imapCertificateName, shown] of [
      ["mail.contoso.com", "mail.contoso.com"],
      ["", undefined],
    ] as const) {
      const wish = binding(["SMTP"], { imapCertificateName });
      await engine.up(wish);
      expect((await engine.observe(EX01)).imapCertificateName).toEqual(known(shown));
      expect((await engine.preview(wish)).done).toEqual({ mail: "same" });
    }
  });

  it("D2: more than declared is no drift and no loop: it is in the outputs, and that is all", async () => {
    const engine = await makeMiniEngine(organisation);
    await engine.up(binding(["IIS", "SMTP", "IMAP"]));
    const fewer = binding(["IIS", "SMTP"], { onServiceRemoved: "forget" });
    expect((await engine.up(fewer)).done).toEqual({ mail: "update" });
    expect(engine.outputs("mail")).toMatchObject({ services: ["IIS", "SMTP"], heldServices: ["IIS", "IMAP", "SMTP"] });
    expect((await engine.preview(fewer)).done).toEqual({ mail: "same" });
    expect((await engine.refresh()).done).toEqual({ mail: "same" });
  });

  it("D3: a binding whose certificate is gone already is forgotten without ado", async () => {
    const engine = await makeMiniEngine(organisation);
    await engine.up(binding(["SMTP"]));
    await engine.backend.removeCertificate(EX01, mail.thumbprint as Thumbprint, {
      signal: new AbortController().signal,
    });
    expect((await engine.up({})).done).toEqual({ mail: "delete" });
  });

  it("D4: UM is enabled without stopping a service; the restart is new once, when UM was newly enabled", async () => {
    const engine = await makeMiniEngine(organisation);
    const um = { mail: { server: EX02, certificate: mail.source, services: ["UM"] } };
    await engine.up(um);
    expect(engine.outputs("mail")["followUps"]).toEqual([expect.stringContaining("MSExchangeUM")]);
    const again = await engine.up({ mail: { ...um.mail, services: ["UM", "SMTP"] } });
    // Nobody knows whether it has been done since: it stays on the list, with the day on which it arose.
    expect(again.lines.filter((line) => line.includes("MSExchangeUM"))).toEqual([
      expect.stringMatching(/: still to do: since \d{4}-\d\d-\d\d, if not done yet: UM: restart/),
    ]);
    expect(await held(engine, mail.thumbprint, EX02)).toEqual(["SMTP", "UM"]);
  });

  it("D5: a server that can't be read is not a server without the certificate", async () => {
    const engine = await makeMiniEngine(organisation);
    await engine.up(binding(["SMTP"]));
    await engine.store.update((now) => ({
      organisation: withFaults(now, EX01, { unreachable: true }),
      result: undefined,
    }));
    await expect(engine.refresh()).rejects.toMatchObject({ code: "ServerUnreachable" });
    expect(engine.outputs("mail")).toMatchObject({ thumbprint: mail.thumbprint });
  });

  it("D7: an absent certificate that nobody gives is refused before anything is changed", async () => {
    const engine = await makeMiniEngine(organisation);
    const before = await engine.store.read();
    const [failure] = await refusal(
      engine.up(binding(["UM", "IIS"], { certificate: { thumbprint: mail.thumbprint } })),
    );
    expect(failure).toMatchObject({ property: "certificate" });
    expect(await engine.store.read()).toBe(before);
  });
});

describe("what the server lists", () => {
  it("C16: is there in full, every certificate with every field", async () => {
    const { certificates } = await (await makeMiniEngine(organisation)).observe(EX01);
    expect(certificates.map(({ facts }) => facts.subject)).toEqual(
      expect.arrayContaining(["CN=EX01", "CN=Microsoft Exchange Server Auth Certificate", "CN=WMSvc-SHA2-EX01"]),
    );
    for (const { facts: _facts, ...shown } of certificates) {
      for (const value of Object.values(shown)) expect(value).toMatchObject({ kind: "known" });
    }
  });

  it("C17: as RawData only is rebuilt with thumbprint and subject, and its services stay unknown", async () => {
    const whole = await (await makeMiniEngine(organisation)).observe(EX01);
    const raw = await (await makeMiniEngine(withFaults(organisation, EX01, { servicesUnknown: true }))).observe(EX01);
    expect(raw.certificates.map(({ facts }) => facts)).toEqual(whole.certificates.map(({ facts }) => facts));
    for (const certificate of raw.certificates) {
      expect(certificate).toMatchObject({ displayedServices: { kind: "unknown" }, status: { kind: "unknown" } });
    }
  });

  it("C18: when it is nothing, is an empty list and no crash", async () => {
    const engine = await makeMiniEngine(
      withServer(organisation, EX01, ({ iis }) => ({
        certificates: [],
        iis: { ...iis, frontEnd: null, backEnd: null },
      })),
    );
    expect((await engine.observe(EX01)).certificates).toEqual([]);
    const [failure] = await refusal(
      engine.preview(binding(["SMTP"], { certificate: { thumbprint: mail.thumbprint } })),
    );
    expect(failure?.reason).toContain(`isn't on ${EX01}`);
  });

  it("C21: when reading fails, is nothing, and the error is kept with its code", async () => {
    const engine = await makeMiniEngine(withFaults(organisation, EX01, { unreachable: true }));
    await expect(engine.observe(EX01)).rejects.toMatchObject({ code: "ServerUnreachable" });
    const [failure] = await refusal(engine.preview(binding(["SMTP"])));
    expect(failure).toMatchObject({ property: "server", reason: expect.stringContaining(EX01) as string });
  });
});

describe("from nothing to forgotten", () => {
  it("K1: after the first binding the server lists the new thumbprint", async () => {
    const engine = await makeMiniEngine(organisation);
    await engine.up(binding(["IIS"]));
    expect(await held(engine, mail.thumbprint)).toEqual(["IIS"]);
  });

  it("K2: after the renewal it shows the renewed one", async () => {
    const engine = await makeMiniEngine(organisation);
    await engine.up(binding(["IIS"]));
    await engine.up(binding(["IIS"], { certificate: renewed.source }));
    expect(await held(engine, renewed.thumbprint)).toEqual(["IIS"]);
    expect(await held(engine, mail.thumbprint)).toEqual([]);
  });

  it("K3: deleting succeeds, says what stays, and, read again, the server holds what was said", async () => {
    const engine = await makeMiniEngine(organisation);
    await engine.up(binding(["IIS", "SMTP"]));
    const { done, lines } = await engine.up({});
    expect(done).toEqual({ mail: "delete" });
    expect(lines).toContainEqual(
      expect.stringContaining(`certificate ${mail.thumbprint} stays on ${EX01} as it is: it still holds IIS and SMTP`),
    );
    expect(await held(engine, mail.thumbprint)).toEqual(["IIS", "SMTP"]);
  });
});
