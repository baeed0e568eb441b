import type { Backend } from "../../provider/backends/backend";
import type { Organisation, ServerFaults } from "../../provider/backends/simulator/organisation";
import { ExchangeBindingError, messageOf } from "../../provider/errors";
import { makeTestAuthority } from "../certificate/testCertificates";
import { CHANGING_CALLS } from "../changingCalls";
import { givenPfx, makeMiniEngine, type MiniEngine } from "../miniEngine";
import { ApplyFailure } from "../../provider/apply";
import { putBack } from "../../provider/lifecycle/failedChange";
import { desired } from "../plan/servers";
import { BUILT_IN, EX02, NOW, farm, openBench } from "./bench";

/* A change that fails goes back, as far as Exchange can. */

const authority = makeTestAuthority();
const mail = givenPfx({ issuer: authority });
const renewed = givenPfx({ issuer: authority });
const NAME = "<I>CN=Contoso Issuing CA, O=Contoso<S>CN=mail.contoso.com";
const RELAYS = ["Relay A", "Relay B", "Relay C"];

const bound = (more: object = {}) => ({
  server: EX02,
  certificate: mail.source,
  services: ["IIS", "IMAP", "POP", "SMTP", "UM"],
  requireSsl: false,
  replaceDefaultSmtpCertificate: true,
  imapCertificateName: "mail.contoso.com",
  popCertificateName: "mail.contoso.com",
  connectors: { send: ["Outbound"], receive: RELAYS },
  onFailure: "rollback",
  ...more,
});

interface Beginning {
  readonly faults?: ServerFaults;
  readonly outboundNames?: string | null;
  /** Somebody has UM. */
  readonly hasUm?: boolean;
}

async function begin({ faults = {}, outboundNames = null, hasUm = true }: Beginning = {}): Promise<MiniEngine> {
  const organisation = farm();
  const ex02 = organisation.servers[EX02];
  if (ex02 === undefined) throw new Error("there is no EX02");
  const receiveConnectors = RELAYS.map((name) => ({ name, fqdn: null, tlsCertificateName: null }));
  const iis = { ...ex02.iis, requireSsl: false };
  const um = { startupMode: "Dual", certificate: hasUm ? iis.frontEnd : null } as const;
  return makeMiniEngine(
    {
      ...organisation,
      servers: { ...organisation.servers, [EX02]: { ...ex02, iis, um, receiveConnectors, faults } },
      sendConnectors: [{ name: "Outbound", fqdn: null, tlsCertificateName: outboundNames, sourceServers: ["EX02"] }],
    },
    () => NOW,
  );
}

/** A backend whose changing calls are counted, and fail from one of them on, `until` another. */
function failing(
  calls: string[],
  { at, when, until = at }: { readonly at: number; readonly when: "before" | "after"; readonly until?: number },
): (backend: Backend) => Backend {
  return (backend) => {
    const methods = backend as unknown as Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>;
    const watched = CHANGING_CALLS.map((name) => [
      name,
      async (...args: readonly unknown[]) => {
        const call = calls.push(name) - 1;
        const fails = call >= at && call <= until;
        if (fails && when === "before") throw new ExchangeBindingError("CmdletFailed", "The fault of the test.");
        const result = await methods[name]?.(...args);
        if (fails) throw new ExchangeBindingError("CmdletFailed", "The fault of the test.");
        return result;
      },
    ]);
    return { ...backend, ...(Object.fromEntries(watched) as Partial<Backend>) };
  };
}

const NEVER = { at: Number.POSITIVE_INFINITY, when: "before" } as const;

async function failed(run: Promise<unknown>): Promise<Error & { readonly id?: string }> {
  const error: unknown = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Error) return error;
  throw new Error("it didn't fail");
}

const organisationOf = (engine: MiniEngine): Promise<Organisation> => engine.store.read();

describe("a plan of ten steps that fails", () => {
  it("at any call, before or after it, leaves the server as it was, the state without the binding, and says so", async () => {
    const whole = await begin();
    const calls: string[] = [];
    const preview = await whole.preview({ mail: bound() });
    expect(preview.lines.filter((line) => /plan: (imports|enables|sets|lets)/.test(line))).toHaveLength(10);
    await whole.up({ mail: bound() }, failing(calls, NEVER));
    expect(calls).toHaveLength(10);
    for (let at = 0; at < calls.length; at += 1) {
      for (const when of ["before", "after"] as const) {
        const engine = await begin();
        const before = await organisationOf(engine);
        const error = await failed(engine.up({ mail: bound() }, failing([], { at, when })));
        const isNothingDone = at === 0 && when === "before";
        expect({ at, when, organisation: await organisationOf(engine) }).toEqual({ at, when, organisation: before });
        expect(messageOf(error)).toContain("The fault of the test.");
        if (!isNothingDone)
          expect(messageOf(error)).toMatch(/It was rolled back: ex02\.contoso\.com, read again, is as it was/);
        expect(() => engine.outputs("mail")).toThrow();
        expect(error.id).toBeUndefined();
        // And nothing hinders the next run.
        await engine.up({ mail: bound() });
        expect((await engine.preview({ mail: bound() })).done).toEqual({ mail: "same" });
      }
    }
  });

  it("in its verification goes back as well", async () => {
    const engine = await begin({ faults: { enableHasNoEffectOn: ["UM"] } });
    const before = await organisationOf(engine);
    const error = await failed(engine.up({ mail: bound() }));
    expect(messageOf(error)).toMatch(/does not show that certificate \w+ holds UM.*It was rolled back/s);
    expect(await organisationOf(engine)).toEqual(before);
  });
});

describe("what Exchange can't take back is named, and then the state remembers the binding", () => {
  it("Require SSL, which enabling IIS switches on", async () => {
    const engine = await begin();
    const before = await organisationOf(engine);
    const error = await failed(engine.up({ mail: bound({ requireSsl: true }) }, failing([], { at: 9, when: "after" })));
    expect(messageOf(error)).toMatch(
      /It was rolled back, but ex02\.contoso\.com isn't as it was before: enabling IIS has switched on Require SSL/,
    );
    expect(error.id).toBe(`${EX02}/${mail.thumbprint}`);
    expect((await organisationOf(engine)).servers[EX02]).toEqual({
      ...before.servers[EX02],
      iis: { ...before.servers[EX02]?.iis, requireSsl: true },
    });
  });

  it("SMTP on a certificate that was there before", async () => {
    const engine = await begin();
    await engine.up({ mail: bound({ services: ["IIS"], ...NOTHING_ELSE }) });
    await engine.up({});
    const before = await engine.observe(EX02);
    const error = await failed(engine.up({ mail: bound() }, failing([], { at: 5, when: "before" })));
    expect(messageOf(error)).toMatch(
      /isn't as it was before: \w{8} \(mail\.contoso\.com\) has SMTP now, which Exchange can't take away/,
    );
    expect(error.id).toBe(`${EX02}/${mail.thumbprint}`);
    const now = await engine.observe(EX02);
    expect([now.defaultSmtpThumbprint, now.imapCertificateName]).toEqual([
      before.defaultSmtpThumbprint,
      before.imapCertificateName,
    ]);
  });

  it("an import whose issuer and subject a send connector names", async () => {
    const engine = await begin({ outboundNames: NAME });
    const error = await failed(engine.up({ mail: bound() }, failing([], { at: 3, when: "before" })));
    expect(messageOf(error)).toMatch(
      /which this run imported, is still on the server, because send connector "Outbound" names its issuer/,
    );
    expect(error.id).toBe(`${EX02}/${mail.thumbprint}`);
  });

  it("UM where nobody had it before", async () => {
    const engine = await begin({ hasUm: false });
    const error = await failed(engine.up({ mail: bound() }, failing([], { at: 5, when: "before" })));
    expect(messageOf(error)).toMatch(
      /no certificate had UM before, and Exchange can't take it away; .* is still on the server, because nobody else had UM before/,
    );
    expect(error.id).toBe(`${EX02}/${mail.thumbprint}`);
  });

  it("what a call of the roll-back itself couldn't do, and the others are done all the same", async () => {
    const engine = await begin();
    const before = await engine.observe(EX02);
    // The fault, and the first call of the roll-back.
    const error = await failed(engine.up({ mail: bound() }, failing([], { at: 9, when: "before", until: 10 })));
    expect(messageOf(error)).toMatch(
      /isn't as it was before: UM isn't with \w{8} \(EX02\) again; .*, which this run imported, is still on the server\. The fault of the test\./,
    );
    const now = await engine.observe(EX02);
    expect(now.certificates.map(({ facts }) => facts.thumbprint)).toContain(mail.thumbprint);
    expect(now.defaultSmtpThumbprint).toEqual(before.defaultSmtpThumbprint);
    expect(error.id).toBe(`${EX02}/${mail.thumbprint}`);
  });
});

const NOTHING_ELSE = {
  replaceDefaultSmtpCertificate: false,
  imapCertificateName: undefined,
  popCertificateName: undefined,
  connectors: undefined,
};

it("is complete also where a call of the roll-back failed and yet did what it was to do", async () => {
  const engine = await begin({ faults: { enableFailsAfter: "IIS" } });
  const before = await organisationOf(engine);
  const error = await failed(engine.up({ mail: bound() }));
  expect(messageOf(error)).toMatch(/It was rolled back: ex02\.contoso\.com, read again, is as it was/);
  expect(await organisationOf(engine)).toEqual(before);
});

it("keeps the old state of an update that was put back, and says why", async () => {
  const engine = await begin();
  const services = { services: ["IIS", "SMTP"], ...NOTHING_ELSE };
  await engine.up({ mail: bound(services) });
  const [organisation, outputs] = [await organisationOf(engine), engine.outputs("mail")];
  const more = bound({ ...services, services: ["IIS", "IMAP", "SMTP", "UM"], imapCertificateName: "mail.contoso.com" });
  const error = await failed(engine.up({ mail: more }, failing([], { at: 1, when: "after" })));
  expect(messageOf(error)).toMatch(/The fault of the test\. It was rolled back/);
  expect([await organisationOf(engine), engine.outputs("mail"), error.id]).toEqual([organisation, outputs, undefined]);
});

it("puts a replacement back, and the old certificate has its services again", async () => {
  const engine = await begin();
  await engine.up({ mail: bound() });
  const before = await organisationOf(engine);
  const error = await failed(
    engine.up({ mail: bound({ certificate: renewed.source }) }, failing([], { at: 2, when: "after" })),
  );
  // Outbound names its issuer and subject: the import stays, and that is told.
  expect(messageOf(error)).toMatch(
    /which this run imported, is still on the server, because send connector "Outbound"/,
  );
  const now = await organisationOf(engine);
  expect(now.servers[EX02]?.iis).toEqual(before.servers[EX02]?.iis);
  expect(now.servers[EX02]?.um).toEqual(before.servers[EX02]?.um);
});

it("leaves everything as it is where the program doesn't ask for it", async () => {
  const engine = await begin();
  const error = await failed(engine.up({ mail: bound({ onFailure: "keep" }) }, failing([], { at: 5, when: "before" })));
  expect(messageOf(error)).toMatch(/The state remembers how far it came; run again to continue\.$/);
  expect(messageOf(error)).not.toContain("rolled back");
  expect((await engine.observe(EX02)).certificates.map(({ facts }) => facts.thumbprint)).toContain(mail.thumbprint);
});

describe("what has come about stays", () => {
  it("where only the removal of an old certificate fails", async () => {
    const engine = await begin();
    const services = { services: ["IIS", "SMTP"], ...NOTHING_ELSE, onDelete: "remove" };
    for (const { source } of [mail, renewed])
      await engine.up({ mail: bound({ ...services, certificate: source, onDelete: "retain" }) });
    const more = { ...services, certificate: renewed.source, services: ["IIS", "SMTP", "UM"] };
    const lost = (backend: Backend): Backend => ({
      ...backend,
      removeCertificate: () => Promise.reject(new ExchangeBindingError("ServerUnreachable", "Gone.")),
    });
    const error = await failed(engine.up({ mail: bound(more) }, lost));
    expect(messageOf(error)).toMatch(/Gone\..*The state remembers how far it came; run again to continue\.$/s);
    expect((await organisationOf(engine)).servers[EX02]?.um?.certificate).toBe(renewed.thumbprint);
  });
});

describe("others' doing meanwhile is heeded", () => {
  it("by the import, which stays where it has got a use that isn't this binding's", async () => {
    const engine = await begin();
    const used = (backend: Backend): Backend => ({
      ...backend,
      enableServices: async () => {
        await engine.store.update((organisation) => {
          const ex02 = organisation.servers[EX02] as Organisation["servers"][string];
          const iis = { ...ex02.iis, backEnd: mail.thumbprint };
          const servers = { ...organisation.servers, [EX02]: { ...ex02, iis } };
          return { organisation: { ...organisation, servers }, result: undefined };
        });
        throw new ExchangeBindingError("CmdletFailed", "The fault of the test.");
      },
    });
    const error = await failed(engine.up({ mail: bound() }, used));
    expect(messageOf(error)).toMatch(
      /which this run imported, is still on the server\. It can't be removed, because it is bound to the back end of IIS/,
    );
    expect(error.id).toBe(`${EX02}/${mail.thumbprint}`);
  });

  it("by a send connector, which gets no name back that its source servers don't hold", async () => {
    const former = "<I>CN=Gone CA<S>CN=old.contoso.com";
    const engine = await begin({ outboundNames: former });
    const error = await failed(engine.up({ mail: bound() }, failing([], { at: 9, when: "after" })));
    expect(messageOf(error)).toMatch(
      /send connector "Outbound" doesn't name .*CN=old\.contoso\.com again.*Not every source server of send connector "Outbound" is known to hold .*: EX02\./,
    );
    expect((await organisationOf(engine)).sendConnectors[0]?.tlsCertificateName).toBe(NAME);
  });
});

it("isn't begun when the run has been told to stop, and says no more than that", async () => {
  const engine = await begin();
  const now = await engine.observe(EX02);
  const left = {
    thumbprint: BUILT_IN.facts.thumbprint,
    server: now,
    begun: [],
    leftOut: [],
    imported: true,
    isVerified: false,
  };
  const failure = new ApplyFailure(new ExchangeBindingError("TimedOut", "Told to stop."), left);
  const limits = { signal: AbortSignal.abort() };
  expect(await putBack(openBench().deployment, { desired: desired(), limits }, now, failure)).toEqual({
    isComplete: false,
    server: now,
    told: "It isn't rolled back, because Pulumi was told to stop.",
  });
});
