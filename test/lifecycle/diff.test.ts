import { resolve } from "node:path";
import type { Organisation } from "../../provider/backends/simulator/organisation";
import { INPUT_KEYS } from "../../provider/inputs";
import { stored } from "../backends/simulator/lab";
import {
  BUILT_IN,
  EX01,
  EX02,
  MAIL,
  MAIL_PFX,
  NOW,
  PASSWORD,
  RENEWED,
  RENEWED_PFX,
  SELF_SIGNED,
  binding,
  failure,
  openBench,
  pfxOf,
  type Bag,
  type Bench,
  type BenchOptions,
  type Made,
} from "./bench";
import { called } from "../identities";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const DAY_MS = 24 * 60 * 60 * 1000;

interface Preview {
  readonly changes: boolean;
  readonly replaces: readonly string[];
  readonly said: string;
  readonly bench: Bench;
}

/** Previews a changed program in a provider process of its own, as the engine does: check, then diff. */
async function preview(bench: Bench, made: Made, news: Bag, options: BenchOptions = {}): Promise<Preview> {
  const next = bench.again(options);
  const inputs = await next.checked(news, made.inputs);
  const { changes, replaces = [] } = await next.lifecycle.diff(made.id, made.outs, inputs);
  return { changes, replaces, said: next.lines.join("\n"), bench: next };
}

/** A refresh: read, then diff with the inputs of the state; no check. */
async function refresh(bench: Bench, made: Made, options: BenchOptions = {}): Promise<Preview> {
  const next = bench.again(options);
  const { id, props } = await next.lifecycle.read(made.id, made.outs);
  if (id === undefined || props === undefined) throw new Error("it is gone");
  const { changes, replaces = [] } = await next.lifecycle.diff(id, props, made.inputs);
  return { changes, replaces, said: next.lines.join("\n"), bench: next };
}

const changed = (replaces: readonly string[] = []): object => ({ changes: true, replaces });
const same = { changes: false, replaces: [], said: "" };

describe("a binding of a given certificate", () => {
  let bench: Bench;
  let made: Made;
  const SERVICES = ["IIS", "IMAP", "SMTP"];
  const args = (changes: Bag = {}): Bag => binding({ services: SERVICES, ...changes });

  let organisation: Organisation;

  // Packing and reading a PFX takes its time; servers in memory are never changed in place.
  beforeAll(async () => {
    const first = openBench();
    made = await first.make(args());
    organisation = await first.store.read();
  });
  beforeEach(() => {
    bench = openBench(organisation);
  });

  it("is no change while program and server are as they were", async () => {
    expect(await preview(bench, made, args())).toMatchObject(same);
    expect(
      await preview(bench, made, args({ server: "EX01.contoso.com", services: ["smtp", "imap", "iis", "IIS"] })),
    ).toMatchObject(same);
  });

  it("is updated for a service that is added, and only the missing one is named", async () => {
    const { said, ...result } = await preview(bench, made, args({ services: [...SERVICES, "POP"] }));
    expect(result).toMatchObject(changed());
    expect(said).toContain(
      `plan: enables POP for ${MAIL.facts.thumbprint.slice(0, 8)}; POP leaves ${BUILT_IN.facts.thumbprint.slice(0, 8)}`,
    );
    expect(said).not.toMatch(/enables (IIS|IMAP|SMTP)/);
  });

  it("is the same binding under another URN: after a stack rename, an alias, a move below another parent", async () => {
    expect(await preview(bench, made, args(called("post")))).toMatchObject({ changes: false, said: "" });
  });

  it("is updated for what only the state learns of, with nothing to say about the server", async () => {
    for (const more of [
      { friendlyName: "mine" },
      { requireSsl: false },
      { timeoutSeconds: 60 },
      { renewBeforeDays: 1 },
      { privateKeyExportable: true },
      { onServiceRemoved: "forget" },
      { successor: RENEWED.facts.thumbprint },
    ]) {
      expect(await preview(bench, made, args(more))).toMatchObject({ ...changed(), said: "" });
    }
  });

  it("is no change when the secrets of the same certificate are rotated", async () => {
    expect(await preview(bench, made, args({ certificate: pfxOf(MAIL) }))).toMatchObject(same);
    expect(made.outs["certificate"]).not.toEqual(pfxOf(MAIL));
  });

  it("is updated when the same certificate comes from a file: the state forgets the secret", async () => {
    const files = { [resolve("/program/mail.pfx")]: Buffer.from(MAIL_PFX.pfx, "base64") };
    const news = args({ certificate: { pfxFile: "mail.pfx", passwordEnv: "PW" } });
    const result = await preview(bench, made, news, { files, environment: { PW: PASSWORD } });
    expect(result).toMatchObject({ ...changed(), said: "" });
  });

  it("is replaced, create first, for another certificate, and says what moves", async () => {
    const { said, bench: next, ...result } = await preview(bench, made, args({ certificate: RENEWED_PFX }));
    expect(result).toMatchObject(changed(["certificate"]));
    expect(said).toContain("plan: replaces the binding: another certificate is declared");
    expect(said).toContain(`IIS leaves ${MAIL.facts.thumbprint.slice(0, 8)}`);
    const inputs = await next.checked(args({ certificate: RENEWED_PFX }), made.inputs);
    expect(await next.lifecycle.diff(made.id, made.outs, inputs)).toMatchObject({ deleteBeforeReplace: false });
  });

  it("is replaced for another server", async () => {
    const { said, ...result } = await preview(bench, made, args({ server: EX02 }));
    expect(result).toMatchObject(changed(["server"]));
    expect(said).toContain(`certificate ${MAIL.facts.thumbprint} stays on ${EX01}`);
  });

  it("says of a service that stays behind that it isn't released", async () => {
    const { said, ...result } = await preview(bench, made, args({ certificate: RENEWED_PFX, services: ["SMTP"] }));
    expect(result).toMatchObject(changed(["certificate"]));
    expect(said).toContain(`IIS is NOT released: it stays on ${MAIL.facts.thumbprint.slice(0, 8)}`);
  });

  it("shows drift in a plain preview: who holds the service now", async () => {
    await bench.touch(EX01, ({ iis }) => ({ iis: { ...iis, frontEnd: BUILT_IN.facts.thumbprint } }));
    const { said, ...result } = await preview(bench, made, args());
    expect(result).toMatchObject(changed());
    expect(said).toContain(`DRIFT: IIS is now held by ${BUILT_IN.facts.thumbprint.slice(0, 8)}`);
  });

  it("doesn't count what it holds besides as drift", async () => {
    await bench.touch(EX01, () => ({ pop: { x509CertificateName: "mail.contoso.com" } }));
    expect(await preview(bench, made, args())).toMatchObject(same);
    expect(await refresh(bench, made)).toMatchObject(same);
  });

  it("is imported again in place when it is gone", async () => {
    await bench.touch(EX01, ({ certificates }) => ({ certificates: certificates.slice(0, 1) }));
    const { said, ...result } = await preview(bench, made, args());
    expect(result).toMatchObject(changed());
    expect(said).toContain(`imports ${MAIL.facts.thumbprint.slice(0, 8)} again: it`);
  });

  it("is updated when it is to become the default SMTP certificate, and back changes only the state", async () => {
    const { said, ...result } = await preview(bench, made, args({ replaceDefaultSmtpCertificate: true }));
    expect(result).toMatchObject(changed());
    expect(said).toContain(`becomes the default SMTP certificate instead of ${BUILT_IN.facts.thumbprint.slice(0, 8)}`);
    const { outs } = await bench.again().lifecycle.update(made.id, made.outs, {
      ...made.inputs,
      replaceDefaultSmtpCertificate: true,
    });
    const back = await preview(bench, { ...made, outs }, args());
    expect(back).toMatchObject({ ...changed(), said: "" });
  });

  it("is announced inside its last days, and stays as it is", async () => {
    const now = new Date(NOW.getTime() + 350 * DAY_MS);
    const { said, ...result } = await preview(bench, made, args(), { now });
    expect(result).toMatchObject({ changes: false });
    expect(said).toMatch(/ends in 15 days/);
  });

  it("says each line once, however often the engine asks", async () => {
    const next = bench.again();
    const inputs = await next.checked(args({ services: [...SERVICES, "POP"] }), made.inputs);
    await next.lifecycle.diff(made.id, made.outs, inputs);
    const said = [...next.lines];
    await next.lifecycle.diff(made.id, made.outs, inputs);
    await next.checked(args({ services: [...SERVICES, "POP"] }));
    expect(next.lines).toEqual(said);
    expect(new Set(said).size).toBe(said.length);
  });

  it("calls the server once for check and diff, and changes nothing", async () => {
    const before = await bench.store.read();
    const { bench: next } = await preview(bench, made, args({ services: ["IIS", "POP", "SMTP", "IMAP"] }));
    expect(next.calls).toEqual([`readSnapshot ${EX01}`]);
    expect(await bench.store.read()).toBe(before);
  });

  describe("in a refresh", () => {
    it("is no drift while the server is as it was", async () => {
      expect(await refresh(bench, made)).toMatchObject(same);
    });

    it("is drift when a service is lost, and names it", async () => {
      await bench.touch(EX01, ({ iis }) => ({ iis: { ...iis, frontEnd: BUILT_IN.facts.thumbprint } }));
      const { said, ...result } = await refresh(bench, made);
      expect(result).toMatchObject(changed());
      expect(said).toContain("DRIFT: IIS");
    });

    it("is drift and not a failure where a change would be refused", async () => {
      await bench.touch(EX01, ({ iis, certificates }) => ({
        iis: { ...iis, frontEnd: BUILT_IN.facts.thumbprint },
        certificates: certificates.map((one, at) => (at === 1 ? { ...one, status: "Revoked" as const } : one)),
      }));
      const { said, ...result } = await refresh(bench, made);
      expect(result).toMatchObject(changed());
      expect(said).toContain("DRIFT: IIS is now held by");
    });

    it("is no failure either where the file that the inputs name is missing on this machine", async () => {
      const { form } = made.inputs["certificate"] as { readonly form: Bag };
      const source = { form: { ...form, of: "pfxFile", pfxFile: "mail.pfx", passwordEnv: "PW" } };
      const from = {
        ...made,
        inputs: { ...made.inputs, certificate: source },
        outs: { ...made.outs, certificate: source },
      };
      expect(await refresh(bench, from)).toMatchObject(same);
    });
  });

  describe("with a value that isn't known yet", () => {
    it.each(INPUT_KEYS.filter((key) => key !== "server" && key !== "certificate" && key !== "successor"))(
      "is an update: %s",
      async (key) => {
        const result = await preview(
          bench,
          made,
          args({ [key]: key === "services" ? [...SERVICES, UNKNOWN] : UNKNOWN }),
        );
        expect(result).toMatchObject(changed());
      },
    );

    it("may turn out to be another certificate or on another server: it previews as a replacement", async () => {
      expect(await preview(bench, made, args({ certificate: UNKNOWN }))).toMatchObject(changed(["certificate"]));
      expect(await preview(bench, made, args({ certificate: { pfx: UNKNOWN } }))).toMatchObject(
        changed(["certificate"]),
      );
      expect(await preview(bench, made, args({ server: UNKNOWN }))).toMatchObject(changed(["server"]));
    });

    it("is still a replacement where what is known demands one", async () => {
      const news = { certificate: RENEWED_PFX, services: ["SMTP", UNKNOWN] };
      expect(await preview(bench, made, args(news))).toMatchObject(changed(["certificate"]));
      expect(await preview(bench, made, args({ ...news, certificate: SELF_SIGNED }))).toMatchObject(
        changed(["certificate"]),
      );
      expect(await preview(bench, made, args({ server: EX02, timeoutSeconds: UNKNOWN }))).toMatchObject(
        changed(["server"]),
      );
    });

    it("waits for a successor that isn't known yet", async () => {
      const { said, ...result } = await preview(bench, made, args({ services: ["IMAP", "SMTP"], successor: UNKNOWN }));
      expect(result).toMatchObject(changed());
      expect(said).toContain("IIS goes to the successor, once that is on the server");
    });
  });

  describe("on a server that isn't asked", () => {
    it.each<[string, BenchOptions]>([
      ["offline", { config: { "exchange:offline": "true" } }],
      ["unreachable, with onUnreachable = continue", { config: { "exchange:onUnreachable": "continue" } }],
    ])("is planned from the last known state, and a line says so: %s", async (_what, options) => {
      await bench.break(EX01, { unreachable: true });
      const unchanged = await preview(bench, made, args(), options);
      expect(unchanged).toMatchObject({ changes: false });
      expect(unchanged.said).toMatch(/the server wasn't asked .*drift can't be seen/);
      const added = await preview(bench, made, args({ services: [...SERVICES, "POP"] }), options);
      expect(added).toMatchObject(changed());
      expect(added.said).toContain("enables POP");
      expect(await preview(bench, made, args({ certificate: RENEWED_PFX }), options)).toMatchObject(
        changed(["certificate"]),
      );
    });

    it("fails by default, with the ways out", async () => {
      await bench.break(EX01, { unreachable: true });
      const error = await failure(bench.again().lifecycle.diff(made.id, made.outs, made.inputs));
      expect(error).toMatchObject({ code: "ServerUnreachable" });
      expect(error.message).toMatch(/Ways out: .*exchange:onUnreachable/);
    });
  });
});

describe("a binding of a certificate that it made", () => {
  let bench: Bench;
  let made: Made;
  const args = (changes: Bag = {}): Bag => binding({ certificate: SELF_SIGNED, services: ["IIS", "SMTP"], ...changes });

  let organisation: Organisation;

  // Packing and reading a PFX takes its time; servers in memory are never changed in place.
  beforeAll(async () => {
    const first = openBench();
    made = await first.make(args());
    organisation = await first.store.read();
  });
  beforeEach(() => {
    bench = openBench(organisation);
  });

  it("is no change while program and server are as they were", async () => {
    expect(await preview(bench, made, args())).toMatchObject(same);
    expect(await refresh(bench, made)).toMatchObject(same);
  });

  it("is replaced for another wish, and not for the same one in other words", async () => {
    const wish = (selfSigned: object): Bag => args({ certificate: { selfSigned } });
    const more = { dnsNames: ["mail.contoso.com", "imap.contoso.com"] };
    expect(await preview(bench, made, wish(more))).toMatchObject(changed(["certificate"]));
    expect(await preview(bench, made, wish({ dnsNames: ["mail.contoso.com"], keySize: 4096 }))).toMatchObject(
      changed(["certificate"]),
    );
    const words = await preview(bench, made, wish({ dnsNames: ["MAIL.contoso.com"], validityDays: 365 }));
    expect(words.replaces).toEqual([]);
  });

  it("is replaced inside its last days", async () => {
    const now = new Date(NOW.getTime() + 340 * DAY_MS);
    const { said, ...result } = await preview(bench, made, args(), { now });
    expect(result).toMatchObject(changed(["certificate"]));
    expect(said).toContain("inside its renewal period");
  });

  it("is replaced when it is gone", async () => {
    await bench.touch(EX01, ({ certificates }) => ({ certificates: certificates.slice(0, 1) }));
    expect(await preview(bench, made, args())).toMatchObject(changed(["certificate"]));
  });

  it("is replaced to release a service", async () => {
    const { said, ...result } = await preview(bench, made, args({ services: ["SMTP"] }));
    expect(result).toMatchObject(changed(["services"]));
    expect(said).toContain("Exchange can only release it with another certificate");
  });

  it("is refused by diff what check can't judge: the certificate stands in the outputs alone", async () => {
    await bench.touch(EX01, ({ certificates, iis }) => ({
      iis: { ...iis, frontEnd: BUILT_IN.facts.thumbprint },
      certificates: certificates.map((one, at) => (at === 1 ? { ...one, status: "Revoked" as const } : one)),
    }));
    const error = await failure(preview(bench, made, args()));
    expect(error).toMatchObject({ code: "Refused" });
    expect(error.message).toMatch(/^Planning binding "mail" on ex01\.contoso\.com: .*status as Revoked/);
  });
});

describe("a binding of a certificate that is named by its thumbprint", () => {
  const args = (changes: Bag = {}): Bag =>
    binding({ certificate: { thumbprint: MAIL.facts.thumbprint }, services: ["SMTP"], ...changes });

  it("is refused, naming it, when the certificate is gone: nobody could bring it back", async () => {
    const bench = openBench();
    await bench.touch(EX01, ({ certificates }) => ({ certificates: [...certificates, stored(MAIL)] }));
    const made = await bench.make(args());
    expect(await preview(bench, made, args())).toMatchObject(same);
    await bench.touch(EX01, ({ certificates }) => ({ certificates: certificates.slice(0, 1) }));
    await expect(preview(bench, made, args())).rejects.toThrow(
      `certificate: certificate ${MAIL.facts.thumbprint} is gone from ${EX01}`,
    );
  });
});

describe("a state that can't be used", () => {
  it("is refused when another kind of backend made it, both named", async () => {
    const bench = openBench();
    const made = await bench.make(binding());
    const error = await failure(
      bench.again().lifecycle.diff(made.id, { ...made.outs, backend: "remote" }, made.inputs),
    );
    expect(error).toMatchObject({ code: "BackendMismatch" });
    expect(error.message).toMatch(/through the backend "remote", and now "simulator" is configured/);
  });

  it("is refused when a newer version wrote it", async () => {
    const bench = openBench();
    const made = await bench.make(binding());
    const error = await failure(bench.again().lifecycle.diff(made.id, { ...made.outs, stateVersion: 99 }, made.inputs));
    expect(error).toMatchObject({ code: "StateUnreadable" });
  });
});
